package zeeklog

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// readLog returns a log's text, decompressed.
func readLog(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		r, err = gzip.NewReader(f)
		require.NoError(t, err)
	}
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(text)
}

// day returns a day of a sensor's conn.log in one piece, 33,000 rows.
func day(b *testing.B) string {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.Shared(b, "datasets/zeek-three-days"), "2024-04-20", "*.gz"))
	require.NoError(b, err)
	var text strings.Builder
	for _, file := range files {
		text.WriteString(readLog(b, file))
	}
	return text.String()
}

func nmapJSON(b *testing.B) string {
	return strings.Repeat(readLog(b, testenv.Shared(b, "datasets/zeek-labelled/nmap-port-scan-002.conn.log.gz")), 4)
}

// benchmarkRead reads logs of that text and reports the time for a row.
func benchmarkRead(b *testing.B, text string) {
	var row Row
	rows := 0
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(strings.NewReader(text), "conn.log")
		for rows = 0; ; rows++ {
			if err := r.Read(&row); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

func BenchmarkReadTSV(b *testing.B)  { benchmarkRead(b, day(b)) }
func BenchmarkReadJSON(b *testing.B) { benchmarkRead(b, nmapJSON(b)) }

// blocksOf returns the parsed blocks of a log.
func blocksOf(b *testing.B, text string) (blocks []*Block, rows int) {
	b.Helper()
	in, parser := NewBlocks(strings.NewReader(text), "conn.log"), NewParser()
	for {
		blk := new(Block)
		err := in.Next(blk)
		if err == io.EOF {
			return blocks, rows
		}
		require.NoError(b, err)
		parser.Parse(blk)
		blocks, rows = append(blocks, blk), rows+len(blk.Rows)
	}
}

func scores(i int, v []Value) { v[0] = Double(float64(4000+i%5000) / 10000) }

func benchmarkAddColumn(b *testing.B, text string) {
	blocks, rows := blocksOf(b, text)
	add := NewAddColumns(Column{"anomaly_score", "double"})
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		for _, blk := range blocks {
			out = add.Append(out[:0], blk, scores)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

func BenchmarkAddColumn(b *testing.B) {
	b.Run("TSV", func(b *testing.B) { benchmarkAddColumn(b, day(b)) })
	b.Run("JSON", func(b *testing.B) { benchmarkAddColumn(b, nmapJSON(b)) })
}

// BenchmarkRun reads a log, adds a column and writes it, on all cores.
func BenchmarkRun(b *testing.B) {
	for name, text := range map[string]string{"TSV": day(b), "JSON": nmapJSON(b)} {
		b.Run(name, func(b *testing.B) {
			add := NewAddColumns(Column{"anomaly_score", "double"})
			rows := 0
			for b.Loop() {
				rows = 0
				err := NewBlocks(strings.NewReader(text), "conn.log").Run(context.Background(), io.Discard, Steps{
					InOrder: func(blk *Block) error { rows += len(blk.Rows); return nil },
					Render:  func(dst []byte, blk *Block) []byte { return add.Append(dst, blk, scores) },
				})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
		})
	}
}

func BenchmarkWriter(b *testing.B) {
	blocks, rows := blocksOf(b, day(b))
	for _, format := range []Format{TSV, JSON} {
		b.Run(format.String(), func(b *testing.B) {
			var out bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				w, err := NewWriter(&out, format, noTime)
				require.NoError(b, err)
				for _, blk := range blocks {
					for i := range blk.Rows {
						if err := w.Write(&blk.Rows[i].Conn); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
		})
	}
}
