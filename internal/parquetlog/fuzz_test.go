package parquetlog

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// fuzzRow has a column of each kind: plain and in a dictionary, unset ones,
// lists, nested ones, texts for times.
type fuzzRow struct {
	TS    string `parquet:"ts"`
	OrigH string `parquet:"id_orig_h,dict"`
	ID    struct {
		RespH string `parquet:"resp_h"`
		RespP int32  `parquet:"resp_p,delta"`
	} `parquet:"id"`
	Proto    string   `parquet:"proto,dict"`
	State    string   `parquet:"conn_state,delta"`
	Duration *float64 `parquet:"duration,optional,split"`
	Bytes    *uint64  `parquet:"orig_bytes,optional"`
	Local    *bool    `parquet:"local_orig,optional"`
	Tags     []string `parquet:"tags,list"`
	Seq      int64    `parquet:"seq"`
}

func fuzzFile(t testing.TB, options ...parquet.WriterOption) []byte {
	t.Helper()
	rows := make([]fuzzRow, 40)
	for i := range rows {
		r := &rows[i]
		r.TS, r.OrigH, r.ID.RespH, r.ID.RespP = "1700000000.5", "10.0.0.1", "2001:db8::1", int32(i)
		r.Proto, r.State, r.Seq = "tcp", "SF", int64(i)
		if i%3 > 0 {
			seconds, bytes, local := float64(i), uint64(i*i), i%2 == 0
			r.Duration, r.Bytes, r.Local, r.Tags = &seconds, &bytes, &local, []string{"a", "b"}
		}
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[fuzzRow](&file, append(options, parquet.MaxRowsPerRowGroup(25))...)
	_, err := w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return file.Bytes()
}

// A file from outside is read to its end, or refused with an error that says
// that it is damaged: no panic, and no rows that it does not hold.
func FuzzLog(f *testing.F) {
	good := fuzzFile(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(append(bytes.Repeat([]byte{0xff}, 40), good[40:]...))
	f.Add(fuzzFile(f, parquet.Compression(&parquet.Zstd)))
	f.Add(fuzzFile(f, parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := open(bytes.NewReader(data), int64(len(data)), "fuzz", All)
		if err != nil {
			return
		}
		if len(data) < 1<<16 && rowsOf(l) > 1<<20 {
			t.Skip("few bytes that stand for many rows, which takes time only")
		}
		if lz4(l) {
			t.Skip("a damaged block makes parquet-go 0.32 ask for ever more memory, until there is none")
		}
		out, err := NewWriter(io.Discard, l, nil, zeeklog.Column{Name: "anomaly_score", Type: "double"})
		var g Group
		for i := range l.Groups() {
			if readErr := l.Read(i, &g); readErr != nil {
				require.True(t, errors.Is(readErr, errDamaged), "%v", readErr)
				continue
			}
			require.EqualValues(t, l.file.RowGroups()[i].NumRows(), len(g.Rows))
			for _, r := range g.Rows {
				if r.Err == nil && feature.Check(&r.Conn) == nil {
					require.True(t, r.Conn.Orig.Addr().IsValid() && r.Conn.Resp.Addr().IsValid())
				}
			}
			if l.HasColumn("seq") {
				_, _, _ = g.Whole("seq")
			}
			if err == nil {
				if w, encodeErr := out.Encode(&g, [][]any{make([]any, len(g.Rows))}); encodeErr == nil {
					_ = out.Write(w)
				}
			}
		}
	})
}

func lz4(l *Log) bool {
	for _, g := range l.file.Metadata().RowGroups {
		for _, c := range g.Columns {
			if c.MetaData.Codec == format.Lz4Raw {
				return true
			}
		}
	}
	return false
}

func rowsOf(l *Log) (n int64) {
	for _, g := range l.file.RowGroups() {
		n = max(n, g.NumRows())
	}
	return n
}
