package capture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Stats counts what became of a capture's packets. The counters only grow.
type Stats struct {
	Packets uint64 // records read from the file
	Counted uint64 // datagrams that a connection took; of a packet with tunnels several

	Skipped      [NumSkips]uint64 // packets that no connection has, by reason
	Fragments    uint64           // IP fragments, which count when their datagram is complete
	Unfinished   uint64           // of them, those of datagrams that never were complete
	BadChecksums uint64           // wrong TCP, UDP and ICMP checksums: the connection is there, without the packet
	BadHeaders   uint64           // TCP headers longer than their packet: the same
	Panics       uint64           // packets lost to a panic in a decoder (a bug)
	FirstPanic   string           // what the first of them said, and at which packet

	Links LinkCounts // of the packets with SkipLinkType

	FragmentsDropped uint64 // unfinished datagrams given up because too many waited
	TunnelsForgotten uint64 // pairs of hosts with IP tunnels forgotten because there were too many

	Connections uint64 // begun so far
	Rows        uint64 // read by the caller so far
	MostLive    int    // connections at the same time
	Evicted     uint64 // connections ended early because Options.MaxConnections was reached
	Unbuffered  uint64 // blocks of TCP payload not kept because Options.MaxBuffered was reached
}

// Skip is a reason why a packet is in no connection.
type Skip uint8

// The reasons.
const (
	SkipEmpty       Skip = iota // a record without captured bytes
	SkipTime                    // a time before 1970; in a classic pcap, one after 2038-01-19
	SkipLink                    // no IP inside: ARP, LLC, control frames, encrypted 802.11 …
	SkipTruncated               // shorter than its headers
	SkipLength                  // its IP header's length says more than there was on the wire, or nothing
	SkipIPChecksum              // wrong IPv4 header checksum
	SkipFragment                // a fragment that was not captured completely, or a length that cannot be
	SkipNoTransport             // ESP or mobility of IPv6, or no next header
	SkipTunnel                  // a tunnel whose header or inner packet cannot be read
	SkipDepth                   // headers or tunnels nested too deep
	SkipLinkType                // frames of a kind that cannot be read, see Stats.Links
	NumSkips
)

var skipNames = [NumSkips]string{
	"empty record", "impossible time", "no IP inside", "truncated header", "wrong IP length",
	"wrong IPv4 header checksum", "unusable fragment", "no transport", "unreadable tunnel", "nested too deep", "unusable link type",
}

func (s Skip) String() string {
	if s < NumSkips {
		return skipNames[s]
	}
	return "unknown"
}

// recoverPanic, deferred, turns a panic into a count.
func (s *Stats) recoverPanic() {
	v := recover()
	if v == nil {
		return
	}
	s.Panics++
	if s.FirstPanic == "" {
		s.FirstPanic = fmt.Sprintf("%v (packet %d)", v, s.Packets)
	}
}

// TotalSkipped returns the number of packets in no connection.
func (s *Stats) TotalSkipped() (n uint64) {
	for _, c := range s.Skipped {
		n += c
	}
	return n
}

// Unusable returns the number of packets that a connection would have counted had
// they been whole and of a kind that can be read. ARP and ESP, say, are not
// among them.
func (s *Stats) Unusable() uint64 {
	return s.TotalSkipped() - s.Skipped[SkipLink] - s.Skipped[SkipNoTransport] + s.BadChecksums + s.BadHeaders + s.Panics + s.Unfinished
}

// LeftOut says how many packets no connection counted for which reason, most
// first; empty if none.
func (s *Stats) LeftOut() string {
	type reason struct {
		n    uint64
		what string
	}
	reasons := []reason{{s.BadChecksums, "wrong TCP, UDP or ICMP checksum"}, {s.BadHeaders, "TCP header longer than its packet"}, {s.Panics, "a bug of the decoder"}, {s.Unfinished, "fragment without the others"}}
	for skip, n := range s.Skipped {
		what := Skip(skip).String()
		if Skip(skip) == SkipLinkType {
			what = s.Links.String()
		}
		reasons = append(reasons, reason{n, what})
	}
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.n, a.n) })
	var words []string
	for _, r := range reasons {
		if r.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", r.n, r.what))
		}
	}
	return strings.Join(words, ", ")
}

// MostlyBadChecksums reports that more than a quarter of the packets have a
// wrong checksum: so it is in captures made on a host whose network card
// computes them, in all that the host itself sent. IgnoreChecksums is then the
// better choice.
func (s *Stats) MostlyBadChecksums() bool {
	return s.BadChecksums+s.Skipped[SkipIPChecksum] > s.Packets/4
}

// Limits says which limits were hit, one per line; empty if none.
func (s *Stats) Limits() string {
	var b strings.Builder
	for _, l := range []struct {
		n    uint64
		what string
	}{
		{s.Evicted, "connections ended early: too many at once"},
		{s.Unbuffered, "blocks of TCP payload not analyzed: too much was buffered"},
		{s.FragmentsDropped, "fragmented datagrams given up: too many waited"},
		{s.TunnelsForgotten, "IP tunnels forgotten: too many at once"},
		{s.Panics, "packets lost to a bug of the decoder: " + s.FirstPanic},
	} {
		if l.n != 0 {
			fmt.Fprintf(&b, "%d %s\n", l.n, l.what)
		}
	}
	return b.String()
}
