package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// flood is a capture that is made while it is read: raw IP, a packet every
// microsecond.
type flood struct {
	packet func(i int) []byte
	n, i   int
	left   []byte
	sample func() // called now and then
}

func (f *flood) Read(p []byte) (int, error) {
	for len(f.left) == 0 {
		switch {
		case f.i == f.n:
			return 0, io.EOF
		case f.i == 0:
			f.left = pcapFileHeader(linkRaw)
		case f.i%50_000 == 0:
			f.sample()
		}
		b := f.packet(f.i)
		f.left = appendRecord(f.left, epoch*second+conn.Micros(f.i), uint32(len(b)), b)
		f.i++
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// ipv4 is a datagram of 10.x.y.z, with the fields that floods vary.
func ipv4(from uint32, proto byte, id, fragment uint16, payload []byte) []byte {
	b := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, proto, 0, 0, 10, byte(from >> 16), byte(from >> 8), byte(from), 192, 0, 2, 1}
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], fragment)
	return append(b, payload...)
}

func tcpSegment(port uint16, seq uint32, flags byte, data string) []byte {
	b := make([]byte, 20, 20+len(data))
	binary.BigEndian.PutUint16(b, 40000)
	binary.BigEndian.PutUint16(b[2:], port)
	binary.BigEndian.PutUint32(b[4:], seq)
	b[12], b[13], b[14] = 0x50, flags, 0xff
	return append(b, data...)
}

const (
	synFlag, ackFlag = 0x02, 0x10
	moreFragments    = 0x2000
)

// Captures made to exhaust the reader: memory stays within what the limits
// promise, and four times as many packets take about four times as long.
func TestHostileCaptures(t *testing.T) {
	if testing.Short() {
		t.Skip("reads some million packets")
	}
	options := Options{IgnoreChecksums: true, MaxConnections: 10_000, MaxBuffered: 1 << 20}
	eight := []byte("eight by")
	for _, tt := range []struct {
		name   string
		packet func(i int) []byte
		most   uint64 // bytes of heap
	}{
		{"each packet a host of its own", func(i int) []byte {
			return ipv4(uint32(i), protoTCP, 0, 0, tcpSegment(80, 1, synFlag, ""))
		}, 64 << 20},
		{"one host scans all ports", func(i int) []byte {
			return ipv4(1, protoTCP, 0, 0, tcpSegment(uint16(i), uint32(i), synFlag, ""))
		}, 64 << 20},
		{"first fragments of datagrams that never end", func(i int) []byte {
			return ipv4(uint32(i>>16), protoUDP, uint16(i), moreFragments, eight)
		}, 48 << 20},
		{"datagrams in eight-byte pieces, from the back", func(i int) []byte {
			return ipv4(uint32(i/8000), protoUDP, 7, moreFragments|uint16(8000-i%8000), eight)
		}, 128 << 20},
		{"the same fragment again and again", func(i int) []byte {
			return ipv4(1, protoUDP, 7, moreFragments|100, eight)
		}, 64 << 20},
		{"a stream of every second byte", func(i int) []byte {
			if i == 0 {
				return ipv4(1, protoTCP, 0, 0, tcpSegment(80, 1, synFlag, ""))
			}
			return ipv4(1, protoTCP, 0, 0, tcpSegment(80, 2+2*uint32(i), ackFlag, "x"))
		}, 96 << 20},
		{"a stream of every second byte, from the back", func(i int) []byte {
			if i == 0 {
				return ipv4(1, protoTCP, 0, 0, tcpSegment(80, 1, synFlag, ""))
			}
			return ipv4(1, protoTCP, 0, 0, tcpSegment(80, 2+2*uint32(10_000_000-i), ackFlag, "x"))
		}, 96 << 20},
		{"holes in ten thousand streams", func(i int) []byte {
			host, round := uint32(i%10_000), uint32(i/10_000)
			if round == 0 {
				return ipv4(host, protoTCP, 0, 0, tcpSegment(80, 1, synFlag, ""))
			}
			return ipv4(host, protoTCP, 0, 0, tcpSegment(80, 1000*round, ackFlag, "GET / HTTP/1.1\r\n"))
		}, 96 << 20},
		{"one control connection announces data without end", func(i int) []byte {
			command := fmt.Sprintf("PORT 10,0,0,1,%03d,%03d\r\n", i/200%200, i%200) // always as long
			switch i {
			case 0:
				return ipv4(1, protoTCP, 0, 0, tcpSegment(21, 1, synFlag, ""))
			default:
				return ipv4(1, protoTCP, 0, 0, tcpSegment(21, 2+uint32((i-1)*len(command)), ackFlag, command))
			}
		}, 96 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			read := func(n int) (took time.Duration, most uint64) {
				f := &flood{packet: tt.packet, n: n, sample: func() {}}
				r, err := NewReader(f, options)
				require.NoError(t, err)
				f.sample = func() {
					var m runtime.MemStats
					runtime.GC()
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
					require.LessOrEqual(t, r.table.buffers.held, options.MaxBuffered)
				}
				begin := cpuTime(t)
				var row conn.Conn
				for err == nil {
					err = r.Read(&row)
				}
				took = cpuTime(t) - begin
				require.Equal(t, io.EOF, err)
				s := r.Stats()
				require.Zero(t, s.Panics, s.FirstPanic)
				require.EqualValues(t, n, s.Packets)
				require.LessOrEqual(t, s.MostLive, options.MaxConnections+8)
				return took, most
			}
			few, _ := read(50_000)
			many, most := read(200_000)
			t.Logf("%v a packet, %v with four times as many; at most %d MB", few/50_000, many/200_000, most>>20)
			require.Less(t, most, tt.most)
			require.Less(t, many/200_000, 3*(few/50_000)+2*time.Microsecond, "more than in proportion")
		})
	}
}

func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
