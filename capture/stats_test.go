package capture

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestMostlyBadChecksums(t *testing.T) {
	s := Stats{Packets: 100, BadChecksums: 20}
	require.False(t, s.MostlyBadChecksums())
	s.Skipped[SkipIPChecksum] = 6
	require.True(t, s.MostlyBadChecksums())
	require.False(t, new(Stats).MostlyBadChecksums())
}

// Each limit has a line; one that was not hit has none.
func TestLimits(t *testing.T) {
	require.Empty(t, new(Stats).Limits())
	s := Stats{Evicted: 1, Unbuffered: 2, FragmentsDropped: 3, TunnelsForgotten: 4}
	s.Packets = 9
	func() {
		defer s.recoverPanic()
		panic("index out of range")
	}()
	require.Equal(t, 5, strings.Count(s.Limits(), "\n"))
	require.Contains(t, s.Limits(), "index out of range (packet 9)")
}

func TestSkipsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for reason := range NumSkips {
		require.NotEmpty(t, reason.String())
		require.False(t, seen[reason.String()])
		seen[reason.String()] = true
	}
	require.Equal(t, "unknown", NumSkips.String())
}

// A panic in the decoder costs its packet; the next is read.
func TestPanicCostsOnePacket(t *testing.T) {
	w := newWire()
	w.udp(dgram{at: 0, from: client, to: server, data: "a"})
	w.udp(dgram{at: 1, from: client, to: server, data: "b"})
	w.udp(dgram{at: 2, from: client, to: server, data: "c"})
	r, err := NewReader(strings.NewReader(w.buf.String()), Options{})
	require.NoError(t, err)
	r.step()
	table := r.decoder.table
	r.decoder.table = nil
	r.step()
	r.decoder.table = table
	r.step()
	s := r.Stats()
	require.Equal(t, uint64(1), s.Panics)
	require.Contains(t, s.FirstPanic, "packet 2")
	table.drain()
	c := table.next().c
	require.Equal(t, uint64(2), c.sides[0].pkts)
}

func TestLeftOut(t *testing.T) {
	require.Empty(t, new(Stats).LeftOut())
	s := Stats{BadChecksums: 2, BadHeaders: 1, Panics: 1, Unfinished: 5}
	s.Skipped[SkipLink] = 7
	s.Skipped[SkipNoTransport] = 3
	require.Equal(t, uint64(9), s.Unusable(), "what has no connection by its nature is not unusable")
	for _, link := range []linkType{242, 104, 242, 9999, 1, 2, 3} {
		s.Skipped[SkipLinkType]++
		s.Links.add(link)
	}
	require.Equal(t, uint64(16), s.Unusable())
	require.Equal(t, "7 no IP inside, 7 link type 242 (IP over InfiniBand) or link type 104 (Cisco HDLC) or link type 9999 or link type 1, "+
		"5 fragment without the others, 3 no transport, 2 wrong TCP, UDP or ICMP checksum, 1 TCP header longer than its packet, 1 a bug of the decoder", s.LeftOut())
}

// Each packet of each capture is counted by a connection, or has a reason.
func TestEveryPacketIsAccountedFor(t *testing.T) {
	files, err := filepath.Glob("../testdata/pcaps/*.pcap*")
	require.NoError(t, err)
	more, _ := filepath.Glob("../../shared/zeek-traces/pcaps/*")
	if testing.Short() {
		more = more[:min(len(more), 40)]
	}
	for _, file := range append(files, more...) {
		f, err := os.Open(file)
		require.NoError(t, err)
		r, err := NewReader(f, Options{})
		if err != nil { // a log beside it
			f.Close()
			continue
		}
		var c conn.Conn
		for r.Read(&c) == nil {
		}
		f.Close()
		s := r.Stats()
		left := s.TotalSkipped() + s.BadChecksums + s.BadHeaders + s.Panics
		require.LessOrEqual(t, s.Packets, s.Counted+left+s.Fragments, "%s: %s", file, s.LeftOut())
		if s.Fragments == 0 && s.Counted == 0 {
			require.GreaterOrEqual(t, left, s.Packets, file)
		}
	}
}

// Of the interfaces of a pcapng one is of a kind that cannot be read.
func TestUnusableInterface(t *testing.T) {
	w := newNGWriter()
	w.iface(uint16(linkRaw), 0)
	w.iface(242, 0)
	v4 := "\x45\x00\x00\x14\x00\x00\x00\x00\x40\xfe\x66\xe9\x0a\x00\x00\x01\x0a\x00\x00\x02"
	w.packet(0, 1e6, uint32(len(v4)), v4)
	w.packet(1, 2e6, 30, strings.Repeat("\x00", 30))
	w.packet(1, 3e6, 30, strings.Repeat("\x00", 30))
	_, s := readPcap(t, w.b, Options{IgnoreChecksums: true})
	require.Equal(t, uint64(3), s.Packets)
	require.Equal(t, uint64(1), s.Counted)
	require.Equal(t, uint64(2), s.Skipped[SkipLinkType])
	require.Equal(t, "2 link type 242 (IP over InfiniBand)", s.LeftOut())
}

// Fragments whose datagram never was complete are counted, given up or not.
func TestUnfinishedFragments(t *testing.T) {
	first := func(id byte) []byte {
		b := []byte("\x45\x00\x00\x1c\x00\x00\x20\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\x0f\xa0\x13\x88\x00\x20\x00\x00")
		b[5] = id
		return fix4(b)
	}
	w := newNGWriter()
	w.iface(uint16(linkRaw), 0)
	for i, b := range [][]byte{first(1), first(2)} {
		w.packet(0, uint64(1e6+i*1000e6), uint32(len(b)), string(b)) // the second long after the first was given up
	}
	rows, s := readPcap(t, w.b, Options{})
	require.Empty(t, rows)
	require.Equal(t, uint64(2), s.Fragments)
	require.Equal(t, "2 fragment without the others", s.LeftOut())
}
