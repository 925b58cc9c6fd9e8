package capture

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// splitDay deals the packets of a capture out to so many.
func splitDay(t *testing.T, parts int, to func(place, packets int, time conn.Micros) int) (day []byte, files [][]byte) {
	day, err := os.ReadFile(filepath.Join(testenv.Root(t), "testdata", "pcaps", "office-day.pcap"))
	require.NoError(t, err)
	var frames []readFrame
	frames, _, err = readFrames(day)
	require.Equal(t, io.EOF, err)
	for range parts {
		files = append(files, pcapFileHeader(linkEthernet))
	}
	for i, fr := range frames {
		n := to(i, len(frames), fr.time)
		files[n] = appendRecord(files[n], fr.time, fr.wire, []byte(fr.data))
	}
	return day, files
}

func merged(t *testing.T, files ...[]byte) *Merge {
	m := new(Merge)
	for i, b := range files {
		f, err := NewFile(bytes.NewReader(b))
		require.NoError(t, err)
		m.Add(string(rune('a'+i))+".pcap", f)
	}
	return m
}

// However a capture was cut into files, and in whatever order they are named,
// it gives the rows of the whole.
func TestMergedFilesGiveTheRowsOfTheWhole(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   func(place, packets int, time conn.Micros) int
	}{
		{"one after the other", func(i, n int, _ conn.Micros) int { return i * 3 / n }},
		{"in another order", func(i, n int, _ conn.Micros) int { return 2 - i*3/n }},
		{"three taps", func(_, _ int, time conn.Micros) int { return int(time % 3) }},
		{"all in one, the others empty", func(int, int, conn.Micros) int { return 1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			day, files := splitDay(t, 3, tt.to)
			want, err := rowsOf(NewReader(bytes.NewReader(day), Options{}))
			require.NoError(t, err)
			got, err := rowsOf(NewSourceReader(merged(t, files...), layers.LinkTypeEthernet, Options{}), nil)
			require.NoError(t, err)
			require.True(t, assert.ObjectsAreEqual(want, got), "%d rows, %d of the whole", len(got), len(want))
		})
	}
}

// Each file keeps its own link type.
func TestMergedLinkTypes(t *testing.T) {
	ethernet := concat(make([]byte, 12), be16(etherIPv4), udp4(t))
	a := appendRecord(pcapFileHeader(linkEthernet), epoch*second, uint32(len(ethernet)), ethernet)
	b := appendRecord(pcapFileHeader(linkSLL2), epoch*second+1, 80, concat(be16(etherIPv6), make([]byte, 18), udp6(t)))
	rows, err := rowsOf(NewSourceReader(merged(t, a, b), layers.LinkTypeNull, Options{}), nil)
	require.NoError(t, err)
	require.Len(t, rows, 2)
}

// A damaged file ends at its damage; the others are read to their end.
func TestMergedDamage(t *testing.T) {
	frame := udp4(t)
	file := func(packets int) []byte {
		b := pcapFileHeader(linkRaw)
		for range packets {
			b = appendRecord(b, epoch*second, uint32(len(frame)), frame)
		}
		return b
	}
	cut := file(2)[:pcapHeader+pcapRecordHeader+len(frame)+7]
	m := merged(t, cut, file(3), file(0))
	n := 0
	var err error
	for ; err == nil; n++ {
		_, _, err = m.ZeroCopyReadPacketData()
	}
	require.Equal(t, 1+3+1, n)
	require.EqualError(t, err, "a.pcap: packet 2, at byte 73: the file is cut off: 7 bytes are left of the record's 16")
	_, _, again := m.ReadPacketData()
	require.Equal(t, err, again)
}
