package capture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// piece4 is the part [from, to) of an IPv4 datagram's payload as a fragment.
func piece4(whole []byte, from, to int) []byte {
	header, payload := whole[:20], whole[20:]
	b := concat(header, payload[from:to])
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	field := from / 8
	if to < len(payload) {
		field |= 0x2000
	}
	binary.BigEndian.PutUint16(b[6:], uint16(field))
	return fix4(b)
}

// piece6 does it for IPv6, with a fragment header.
func piece6(whole []byte, from, to int) []byte {
	payload := whole[40:]
	field := from
	if to < len(payload) {
		field |= 1
	}
	b := concat(whole[:40], []byte{whole[6], 0}, be16(field), []byte{0, 0, 0, 5}, payload[from:to])
	b[6] = extFragment
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
	return b
}

// readAll reads datagrams, a second apart unless times are given.
func readAll(t testing.TB, datagrams [][]byte, times ...conn.Micros) ([]conn.Conn, Stats) {
	pcap := pcapFileHeader(linkRaw)
	for i, b := range datagrams {
		at := conn.Micros(i) * second
		if times != nil {
			at = times[i]
		}
		pcap = appendRecord(pcap, epoch*second+at, uint32(len(b)), b)
	}
	rows, s := readPcap(t, pcap, Options{})
	require.Zero(t, s.Panics, s.FirstPanic)
	return rows, s
}

func longUDP(t testing.TB, v6 bool) []byte {
	whole := udp4(t)
	header := 20
	if v6 {
		whole, header = udp6(t), 40
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 4)
	whole = append(whole[:header+8], data...)
	udp := whole[header:]
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	udp[6], udp[7] = 0, 0
	if v6 {
		binary.BigEndian.PutUint16(whole[4:], uint16(len(udp)))
		src, dst := [16]byte(whole[8:24]), [16]byte(whole[24:40])
		binary.BigEndian.PutUint16(udp[6:], transportSum(netip.AddrFrom16(src), netip.AddrFrom16(dst), protoUDP, udp))
		return whole
	}
	binary.BigEndian.PutUint16(whole[2:], uint16(len(whole)))
	src, dst := [4]byte(whole[12:16]), [4]byte(whole[16:20])
	binary.BigEndian.PutUint16(udp[6:], transportSum(netip.AddrFrom4(src), netip.AddrFrom4(dst), protoUDP, udp))
	return fix4(whole)
}

func TestFragments(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		whole := longUDP(t, v6) // 72 bytes of payload
		piece, size := piece4, 92
		if v6 {
			piece, size = piece6, 112
		}
		p := func(from, to int) []byte { return piece(whole, from, to) }
		garbled := func(from, to int) []byte {
			b := p(from, to)
			b[len(b)-1] ^= 0xff
			return b
		}
		for _, tt := range []struct {
			name string
			in   [][]byte
			want []string // histories
		}{
			{"in order", [][]byte{p(0, 24), p(24, 48), p(48, 72)}, []string{"D"}},
			{"the last first", [][]byte{p(48, 72), p(24, 48), p(0, 24)}, []string{"D"}},
			{"one missing", [][]byte{p(0, 24), p(48, 72)}, nil},
			{"the last missing", [][]byte{p(0, 24), p(24, 48)}, nil},
			{"what came first stays", [][]byte{p(0, 48), garbled(24, 40), p(48, 72)}, []string{"D"}},
			{"also when it is wrong", [][]byte{p(0, 24), garbled(24, 40), p(24, 48), p(48, 72)}, []string{"C"}},
			{"a fragment over several", [][]byte{p(8, 16), p(32, 40), p(0, 64), p(64, 72)}, []string{"D"}},
			{"a copy afterwards waits in vain", [][]byte{p(0, 24), p(24, 72), p(0, 24)}, []string{"D"}},
			{"two datagrams of one identity", [][]byte{p(0, 24), p(24, 72), p(0, 24), p(24, 72)}, []string{"D"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				rows, s := readAll(t, tt.in)
				var got []string
				for _, c := range rows {
					got = append(got, c.History)
				}
				require.Equal(t, tt.want, got)
				require.Equal(t, uint64(len(tt.in)), s.Fragments)
				require.Zero(t, s.TotalSkipped())
				if tt.want != nil && tt.want[0] == "D" {
					require.Equal(t, uint64(size), rows[0].OrigIPBytes/rows[0].OrigPkts, "the bytes of the rebuilt datagram")
				}
			})
		}
	}
}

// The time of a datagram is that of the fragment that completes it; the wait
// is five minutes of network time.
func TestFragmentTimes(t *testing.T) {
	whole := longUDP(t, false)
	a, b := piece4(whole, 0, 24), piece4(whole, 24, 72)
	rows, _ := readAll(t, [][]byte{a, b}, 0, 299*second)
	require.Len(t, rows, 1)
	require.Equal(t, conn.Micros(epoch+299)*second, rows[0].TS)

	rows, _ = readAll(t, [][]byte{a, b}, 0, 300*second)
	require.Empty(t, rows)

	// A packet older than its forerunners: the clock stands, the wait counts
	// from the packet's own time.
	rows, _ = readAll(t, [][]byte{udp4(t), a, b}, 400*second, 50*second, 60*second)
	require.Len(t, rows, 1, "given up before the second fragment came")
	require.Equal(t, uint64(1), rows[0].OrigPkts)
}

// Not captured as a whole, only the first fragment is of use.
func TestFragmentCutByTheCapture(t *testing.T) {
	whole := longUDP(t, false)
	for _, tt := range []struct {
		from, to, captured int
		want               int
	}{{0, 24, 40, 1}, {24, 48, 40, 0}} {
		b := piece4(whole, tt.from, tt.to)
		rows, s := readPcap(t, appendRecord(pcapFileHeader(linkRaw), epoch*second, uint32(len(b)), b[:tt.captured]), Options{})
		require.Len(t, rows, tt.want)
		require.Equal(t, uint64(1-tt.want), s.Skipped[SkipFragment])
	}
}

// slowDatagram is a reassembly that is too simple to be wrong: a byte each.
type slowDatagram struct {
	data map[int]byte
	size int
}

func (s *slowDatagram) add(at int, data []byte, more bool) (whole []byte) {
	if s.data == nil {
		s.data = map[int]byte{}
	}
	end := at + len(data)
	if !more && s.size == 0 || s.size != 0 && end > s.size {
		s.size = end
	}
	for i, b := range data {
		if _, ok := s.data[at+i]; !ok {
			s.data[at+i] = b
		}
	}
	if s.size == 0 {
		return nil
	}
	for b, ok := s.data[0]; ok; b, ok = s.data[len(whole)] {
		whole = append(whole, b)
	}
	if len(whole) < s.size {
		return nil
	}
	return whole
}

func TestFragmentsAgainstTheSimpleOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		f := newFragments(newTestTimers(), newWeirds(newTestTimers()))
		var slow slowDatagram
		for i := range 12 {
			at, size := 8*r.IntN(12), 1+r.IntN(40)
			data := make([]byte, size)
			for j := range data {
				data[j] = byte(i + 1)
			}
			more := r.IntN(4) != 0
			b := concat(make([]byte, 20), data)
			b[0] = 0x45
			h := ipHeader{length: 20, total: uint32(len(b)), more: more, fragOffset: uint16(at)}
			got, _ := f.add(&h, b, 0, 0, &Stats{})
			want := slow.add(at, data, more)
			if want == nil {
				require.Nil(t, got)
				require.True(t, slices.IsSortedFunc(f.oldest.blocks, func(a, b fragmentBlock) int { return a.end() - b.at }))
				continue
			}
			require.Equal(t, want, got[20:])
			require.Zero(t, f.bytes)
			require.Nil(t, f.oldest)
			break
		}
	}
}

func newTestTimers() *timerQueue {
	q := new(timerQueue)
	q.init()
	return q
}

func TestFragmentsAreLimited(t *testing.T) {
	f := newFragments(newTestTimers(), newWeirds(newTestTimers()))
	var s Stats
	b := make([]byte, 1020)
	b[0] = 0x45
	add := func(id int) {
		f.add(&ipHeader{length: 20, total: uint32(len(b)), more: true, id: uint32(id)}, b, 0, 0, &s)
	}
	for id := range maxFragmentBytes/1000 + 5 {
		add(id)
	}
	require.LessOrEqual(t, f.bytes, maxFragmentBytes)
	require.NotZero(t, s.FragmentsDropped)

	f, s, b = newFragments(newTestTimers(), newWeirds(newTestTimers())), Stats{}, b[:28]
	for id := range maxFragmented + 5 {
		add(id)
	}
	require.Len(t, f.waiting, maxFragmented)
	require.Equal(t, uint64(5), s.FragmentsDropped)
	require.Contains(t, s.Limits(), "5 fragmented datagrams")
	require.Equal(t, uint32(5), f.oldest.key.id)
}

// Pieces of a datagram of 64 KiB and more are put together, but its length
// does not say so.
func TestFragmentBeyondTheLongestDatagram(t *testing.T) {
	first := fix4(concat(ip4Fragment(0x2000, 1480), make([]byte, 1480)))
	last := fix4(concat(ip4Fragment(1480/8, 65515), make([]byte, 65515)))
	rows, s := readAll(t, [][]byte{first, last})
	require.Len(t, rows, 1)
	require.Equal(t, uint64((20+1480+65515)&0xffff), rows[0].OrigIPBytes)
	require.Zero(t, s.TotalSkipped())

	last = fix4(concat(ip4Fragment(1480/8, 64046), make([]byte, 64046))) // 10 bytes in all, by its header
	rows, s = readAll(t, [][]byte{first, last})
	require.Empty(t, rows)
	require.Equal(t, uint64(1), s.Skipped[SkipFragment])
}

func ip4Fragment(field, payload int) []byte {
	b := []byte{0x45, 0, 0, 0, 0, 7, 0, 0, 64, 132, 0, 0, 10, 0, 0, 1, 192, 0, 2, 9}
	binary.BigEndian.PutUint16(b[2:], uint16(20+payload))
	binary.BigEndian.PutUint16(b[6:], uint16(field))
	return b
}
