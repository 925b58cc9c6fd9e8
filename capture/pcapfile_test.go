package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// pcapWriter writes pcap files of every variety.
type pcapWriter struct {
	order        binary.AppendByteOrder
	magic        uint32
	major, minor uint16
	snapshot     uint32
	link         uint32
	b            []byte
}

func newPcapWriter() *pcapWriter {
	return &pcapWriter{order: binary.LittleEndian, magic: magicMicroseconds, major: 2, minor: 4, snapshot: 1 << 16, link: 101}
}

func (w *pcapWriter) header() {
	w.b = w.order.AppendUint32(w.b, w.magic)
	w.b = w.order.AppendUint16(w.b, w.major)
	w.b = w.order.AppendUint16(w.b, w.minor)
	for _, v := range []uint32{0, 0, w.snapshot, w.link} {
		w.b = w.order.AppendUint32(w.b, v)
	}
}

func (w *pcapWriter) record(seconds, fraction, first, second uint32, data string) {
	if len(w.b) == 0 {
		w.header()
	}
	for _, v := range []uint32{seconds, fraction, first, second} {
		w.b = w.order.AppendUint32(w.b, v)
	}
	if w.magic == magicPatched {
		w.b = append(w.b, make([]byte, 8)...)
	}
	w.b = append(w.b, data...)
}

// readFrame is a frame whose bytes stay.
type readFrame struct {
	time conn.Micros
	wire uint32
	data string
	link linkType
}

// openPcap reads the frames of a file and counts them in s.
func openPcap(r io.Reader, s *Stats) (*packets, error) {
	f, err := NewFile(r)
	if err != nil {
		return nil, err
	}
	return newPackets(f, f.LinkType(), s), nil
}

func readFrames(b []byte) ([]readFrame, Stats, error) {
	var s Stats
	f, err := openPcap(iotest.OneByteReader(bytes.NewReader(b)), &s)
	if err != nil {
		return nil, s, err
	}
	var out []readFrame
	var fr frame
	for {
		if err := f.next(&fr); err != nil {
			return out, s, err
		}
		out = append(out, readFrame{fr.time, fr.wireLen, string(fr.data), fr.link})
	}
}

func TestPcapVarieties(t *testing.T) {
	const wantTime = 1_700_000_001_000_002
	for _, tt := range []struct {
		name  string
		write func(*pcapWriter)
		want  []readFrame
	}{
		{"microseconds", func(w *pcapWriter) { w.record(1_700_000_001, 2, 3, 60, "abc") },
			[]readFrame{{wantTime, 60, "abc", 101}}},
		{"nanoseconds are cut", func(w *pcapWriter) {
			w.magic = magicNanoseconds
			w.record(1_700_000_001, 2999, 3, 60, "abc")
		}, []readFrame{{wantTime, 60, "abc", 101}}},
		{"version 2.2 has the lengths swapped", func(w *pcapWriter) {
			w.minor = 2
			w.record(1_700_000_001, 2, 60, 3, "abc")
		}, []readFrame{{wantTime, 60, "abc", 101}}},
		{"version 2.3 may have", func(w *pcapWriter) {
			w.minor = 3
			w.record(1_700_000_001, 2, 60, 3, "abc")
			w.record(1_700_000_001, 2, 3, 60, "def")
		}, []readFrame{{wantTime, 60, "abc", 101}, {wantTime, 60, "def", 101}}},
		{"longer headers of patched kernels", func(w *pcapWriter) {
			w.magic = magicPatched
			w.record(1_700_000_001, 2, 3, 60, "abc")
			w.record(1_700_000_001, 2, 3, 60, "def")
		}, []readFrame{{wantTime, 60, "abc", 101}, {wantTime, 60, "def", 101}}},
		{"more than the snapshot length is cut", func(w *pcapWriter) {
			w.snapshot = 2
			w.record(1_700_000_001, 2, 3, 60, "abc")
			w.record(1_700_000_001, 2, 1, 60, "d")
		}, []readFrame{{wantTime, 60, "ab", 101}, {wantTime, 60, "d", 101}}},
		{"a snapshot length of 0 is none", func(w *pcapWriter) {
			w.snapshot = 0
			w.record(1_700_000_001, 2, 3, 60, "abc")
		}, []readFrame{{wantTime, 60, "abc", 101}}},
		{"length of a frame check sequence beside the link type", func(w *pcapWriter) {
			w.link = 0xf4000001
			w.record(1_700_000_001, 2, 3, 3, "abc")
		}, []readFrame{{wantTime, 3, "abc", linkEthernet}}},
		{"no packet", func(w *pcapWriter) { w.header() }, nil},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			t.Run(tt.name+" "+order.String(), func(t *testing.T) {
				w := newPcapWriter()
				w.order = order
				tt.write(w)
				got, _, err := readFrames(w.b)
				require.Equal(t, io.EOF, err)
				require.Equal(t, tt.want, got)
			})
		}
	}
}

// A classic pcap's seconds are signed for libpcap where the file has the byte
// order of the machine, which here is always little-endian.
func TestPcapTimesThatCannotBe(t *testing.T) {
	w := newPcapWriter()
	w.record(0xffffffff, 0, 1, 1, "a") // 1969
	w.record(0x80000000, 0, 1, 1, "b") // 2038, or 1901
	w.record(0x7fffffff, 0, 1, 1, "c")
	got, s, err := readFrames(w.b)
	require.Equal(t, io.EOF, err)
	require.Equal(t, []readFrame{{0x7fffffff * second, 1, "c", 101}}, got)
	require.Equal(t, uint64(2), s.Skipped[SkipTime])
	require.Equal(t, uint64(3), s.Packets)

	w = newPcapWriter()
	w.order = binary.BigEndian
	w.record(0x80000000, 0, 1, 1, "b")
	got, _, err = readFrames(w.b)
	require.Equal(t, io.EOF, err)
	require.Equal(t, []readFrame{{0x80000000 * second, 1, "b", 101}}, got)
}

func TestPcapEmptyRecords(t *testing.T) {
	w := newPcapWriter()
	w.record(1, 0, 0, 60, "")
	w.record(1, 0, 1, 0, "a")
	w.record(1, 0, 1, 1, "b")
	got, s, err := readFrames(w.b)
	require.Equal(t, io.EOF, err)
	require.Equal(t, []readFrame{{second, 1, "b", 101}}, got)
	require.Equal(t, uint64(2), s.Skipped[SkipEmpty])
}

func TestFilesThatAreNoCapture(t *testing.T) {
	old := newPcapWriter()
	old.major = 3
	old.header()
	for _, tt := range []struct{ name, file, want string }{
		{"zero bytes", "", "it is empty"},
		{"two bytes", "\xd4\xc3", "ends in the header, after 2 bytes"},
		{"text", "#separator \\x09", "begins with the bytes 23 73 65 70"},
		{"half a header", string(old.b[:20]), "ends in the header, after 20 bytes"},
		{"a version to come", string(old.b), "version 3.4"},
		{"half a pcapng", "\n\r\r\n\x1c\x00\x00\x00", "cut off"},
		{"a text that looks like one", "\n\r\r\nHello, World", "no byte order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := readFrames([]byte(tt.file))
			require.ErrorContains(t, err, tt.want)
			var damage *DamageError
			require.ErrorAs(t, err, &damage)
			require.Zero(t, damage.Packet)
		})
	}
}

// Wherever a file is cut off, all packets before are there, and the error says
// which one is not.
func TestTruncatedPcap(t *testing.T) {
	w := newPcapWriter()
	var ends []int
	for range 3 {
		w.record(1, 0, 5, 5, "abcde")
		ends = append(ends, len(w.b))
	}
	for n := pcapHeader; n <= len(w.b); n++ {
		got, _, err := readFrames(w.b[:n])
		whole, at := 0, pcapHeader
		for _, end := range ends {
			if end <= n {
				whole, at = whole+1, end
			}
		}
		require.Len(t, got, whole, "%d bytes", n)
		if at == n {
			require.Equal(t, io.EOF, err)
			continue
		}
		var damage *DamageError
		require.ErrorAs(t, err, &damage)
		require.Equal(t, uint64(whole+1), damage.Packet)
		require.Equal(t, int64(at), damage.Offset)
	}
}

func TestPcapRecordTooLong(t *testing.T) {
	w := newPcapWriter()
	w.record(1, 0, 1, 1, "a")
	w.record(1, 0, 300000, 300000, "b")
	got, _, err := readFrames(w.b)
	require.Len(t, got, 1)
	require.EqualError(t, err, "packet 2, at byte 41: the record claims 300000 captured bytes, more than any packet has")
}

func TestUnreadableFile(t *testing.T) {
	broken := errors.New("gzip: invalid checksum")
	w := newPcapWriter()
	w.record(1, 0, 1, 1, "a")
	f, err := openPcap(io.MultiReader(bytes.NewReader(w.b), iotest.ErrReader(broken)), &Stats{})
	require.NoError(t, err)
	var fr frame
	require.NoError(t, f.next(&fr))
	require.ErrorIs(t, f.next(&fr), broken)

	_, err = openPcap(iotest.ErrReader(broken), &Stats{})
	require.ErrorIs(t, err, broken)
	f, err = openPcap(io.MultiReader(bytes.NewReader(w.b), silent{}), &Stats{})
	require.NoError(t, err)
	require.NoError(t, f.next(&fr))
	require.ErrorIs(t, f.next(&fr), io.ErrNoProgress)
}

// silent reads nothing and does not say why.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }
