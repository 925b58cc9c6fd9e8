// Package capture rebuilds Zeek's connection records from packets without Zeek:
// input, decoding, fragments, tunnels, the connection table, TCP, UDP, ICMP,
// timers, history. Packets come from a pcap or pcapng file (NewReader) or from
// any source of gopacket's (NewSourceReader), such as several files in order of
// time (Merge). The connection table is ours
// because Zeek's behaviour is the specification, down to the order of rows; so
// are the decoders where gopacket's give other rows, which docs/architecture.md
// lists. Constants keep the names that Zeek's scripts give them.
//
// A frame's way, which is also an order to read in: capture.go (Reader),
// source.go, pcapfile.go, decode.go, packet.go (where the halves meet),
// table.go, key.go (who is the originator: transport.go), tcp.go, tcpstate.go,
// seq.go, tcpclose.go, udp.go, icmp.go, timer.go, expire.go, row.go. Where there
// is a second processor, ahead.go does the first part of it ahead of the table.
package capture

// ZeekVersion is the version of Zeek whose rows a Reader gives.
const ZeekVersion = "8.0.10"
