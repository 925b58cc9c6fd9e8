package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// BenchmarkReader reads captures from memory to rows.
//
//	go test ./capture -run '^$' -bench Reader -cpu 1
func BenchmarkReader(b *testing.B) {
	b.Run("office-day", func(b *testing.B) {
		day := merge(b, 20, filepath.Join(testenv.Root(b), "testdata", "pcaps", "office-day.pcap"))
		benchmarkReader(b, day, Options{})
	})
	// A million packets of everything: the traces of nDPI one after another.
	b.Run("applications", func(b *testing.B) {
		var paths []string
		require.NoError(b, filepath.WalkDir(testenv.Shared(b, "ndpi-traces", "pcaps"), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				paths = append(paths, path)
			}
			return err
		}))
		all := merge(b, 16, paths...)
		b.Run("default", func(b *testing.B) { benchmarkReader(b, all, Options{}) })
		b.Run("ignore-checksums", func(b *testing.B) { benchmarkReader(b, all, Options{IgnoreChecksums: true}) })
	})
}

func benchmarkReader(b *testing.B, pcap []byte, o Options) {
	var packets uint64
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(pcap), o)
		require.NoError(b, err)
		var row conn.Conn
		for err == nil {
			err = r.Read(&row)
		}
		require.ErrorIs(b, err, io.EOF)
		packets += r.Stats().Packets
	}
	runtime.ReadMemStats(&after)
	perPacket := func(n float64) float64 { return n / float64(packets) }
	b.ReportMetric(perPacket(float64(b.Elapsed().Nanoseconds())), "ns/packet")
	b.ReportMetric(perPacket(float64(after.Mallocs-before.Mallocs)), "allocs/packet")
	b.ReportMetric(float64(packets)/float64(b.N), "packets")
}

// merge puts the Ethernet frames of captures one behind the other, times over,
// each shifted to begin when the one before was over.
func merge(t testing.TB, times int, paths ...string) []byte {
	out := pcapFileHeader(linkEthernet)
	clock := conn.Micros(epoch * second)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		for range times {
			f, err := openPcap(bytes.NewReader(b), &Stats{})
			require.NoError(t, err)
			var fr frame
			var first, latest conn.Micros
			for f.next(&fr) == nil {
				if first == 0 {
					first = fr.time
				}
				if fr.link != linkEthernet || fr.time < first || fr.time > first+hour {
					continue
				}
				latest = max(latest, fr.time-first)
				out = appendRecord(out, clock+fr.time-first, fr.wireLen, fr.data)
			}
			clock += latest + 10*second
		}
	}
	return out
}

func pcapFileHeader(link linkType) []byte {
	b := make([]byte, pcapHeader)
	binary.LittleEndian.PutUint32(b, magicMicroseconds)
	binary.LittleEndian.PutUint16(b[4:], 2)
	binary.LittleEndian.PutUint16(b[6:], 4)
	binary.LittleEndian.PutUint32(b[16:], 1<<18)
	binary.LittleEndian.PutUint32(b[20:], uint32(link))
	return b
}

func appendRecord(b []byte, time conn.Micros, wireLen uint32, data []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(time/second))
	b = binary.LittleEndian.AppendUint32(b, uint32(time%second))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, wireLen)
	return append(b, data...)
}
