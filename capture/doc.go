// Package capture rebuilds Zeek's connection records from a pcap without Zeek:
// input, decoding, fragments, tunnels, the connection table, TCP, UDP, ICMP,
// timers, history. The connection table is ours because Zeek's behaviour is the
// specification, down to the order of rows. Constants keep the names that
// Zeek's scripts give them.
//
// A frame's way, which is also an order to read in: capture.go (Reader),
// source.go, pcapfile.go, decode.go, packet.go (where the halves meet), table.go, key.go
// (who is the originator: transport.go), tcp.go, tcpstate.go, seq.go,
// tcpclose.go, udp.go, icmp.go, timer.go, expire.go, row.go.
package capture
