package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// A row of Parquet as Spark and others write it: nested, with timestamps.
type nestedRow struct {
	TS time.Time `parquet:"ts,timestamp(microsecond)"`
	ID struct {
		OrigH string `parquet:"orig_h"`
		OrigP int32  `parquet:"orig_p"`
		RespH string `parquet:"resp_h"`
		RespP int32  `parquet:"resp_p"`
	} `parquet:"id"`
	Proto     string   `parquet:"proto"`
	Duration  *float64 `parquet:"duration,optional"`
	OrigBytes *int64   `parquet:"orig_bytes,optional"`
	State     string   `parquet:"conn_state"`
	Tags      []string `parquet:"tags,list"`
	Seq       int64    `parquet:"seq"`
}

// flatRow has the names of a flat table.
type flatRow struct {
	TS        float64  `parquet:"ts"`
	OrigH     string   `parquet:"id_orig_h"`
	OrigP     uint32   `parquet:"id_orig_p"`
	RespH     string   `parquet:"id_resp_h"`
	RespP     uint32   `parquet:"id_resp_p"`
	Proto     string   `parquet:"proto,dict"`
	Duration  *float64 `parquet:"duration,optional"`
	OrigBytes *uint64  `parquet:"orig_bytes,optional"`
	State     string   `parquet:"conn_state"`
}

func writeParquet[T any](t *testing.T, rows []T, group int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "conn.parquet")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w := parquet.NewGenericWriter[T](f, parquet.MaxRowsPerRowGroup(group), parquet.Compression(&parquet.Zstd))
	_, err = w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return path
}

func TestParquetScoresAsTextDoes(t *testing.T) {
	var nested []nestedRow
	var flat []flatRow
	var text strings.Builder
	text.WriteString("ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,conn_state,duration,orig_bytes,seq\n")
	for i := range 3000 {
		micros := int64(1_700_000_000_123_456 + i*1_700_001)
		var n nestedRow
		n.TS = time.UnixMicro(micros).UTC()
		n.ID.OrigH, n.ID.OrigP = fmt.Sprintf("10.0.0.%d", i%7), int32(1024+i)
		n.ID.RespH, n.ID.RespP = fmt.Sprintf("2001:db8::%x", i%11), int32(50_000+i%3)
		n.Proto, n.State, n.Seq = []string{"tcp", "udp"}[i%2], []string{"SF", "S0", "REJ"}[i%3], int64(i)
		fmt.Fprintf(&text, "%d.%06d,%s,%d,%s,%d,%s,%s", micros/1e6, micros%1e6, n.ID.OrigH, n.ID.OrigP, n.ID.RespH, n.ID.RespP, n.Proto, n.State)
		f := flatRow{TS: float64(micros) / 1e6, OrigH: n.ID.OrigH, OrigP: uint32(n.ID.OrigP), RespH: n.ID.RespH, RespP: uint32(n.ID.RespP), Proto: n.Proto, State: n.State}
		if i%4 > 0 {
			seconds, bytes := float64(i%13)/8, int64(i*i)
			unsigned := uint64(bytes)
			n.Duration, n.OrigBytes, f.Duration, f.OrigBytes = &seconds, &bytes, &seconds, &unsigned
			fmt.Fprintf(&text, ",%v,%d", seconds, bytes)
		} else {
			text.WriteString(",,")
		}
		for j := range i % 5 {
			n.Tags = append(n.Tags, fmt.Sprint(i, j))
		}
		fmt.Fprintf(&text, ",%d\n", i)
		nested, flat = append(nested, n), append(flat, f)
	}
	dir := t.TempDir()
	modelFile, modelToo := filepath.Join(dir, "m"), filepath.Join(dir, "m2")
	nestedFile, flatFile := writeParquet(t, nested, 700), writeParquet(t, flat, 999)
	verbOutput(t, exitDone, text.String(), "train", "-o", modelFile)
	verbOutput(t, exitDone, "", "train", "-o", modelToo, nestedFile)
	a, err := os.ReadFile(modelFile)
	require.NoError(t, err)
	b, err := os.ReadFile(modelToo)
	require.NoError(t, err)
	require.Equal(t, a, b, "the same model")

	scored, _ := verbOutput(t, exitDone, text.String(), "score", "-m", modelFile)
	var want []string
	for line := range strings.Lines(scored) {
		want = append(want, strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:]))
	}
	want = want[1:] // behind the header
	require.Len(t, want, len(nested))

	type scoreOnly struct {
		Score *float64 `parquet:"anomaly_score,optional"`
	}
	out := filepath.Join(dir, "out.parquet")
	verbOutput(t, exitDone, "", "score", "-m", modelFile, "--order-by", "seq", "-o", out, nestedFile)
	scores, err := parquet.ReadFile[scoreOnly](out)
	require.NoError(t, err)
	got, err := parquet.ReadFile[nestedRow](out)
	require.NoError(t, err)
	require.Len(t, got, len(nested))
	for i := range got {
		require.Equal(t, want[i], fmt.Sprint(*scores[i].Score), i)
		if len(nested[i].Tags) == 0 {
			got[i].Tags = nil
		}
		require.Equal(t, nested[i], got[i], "all else as it was: %d", i)
	}
	first, err := os.ReadFile(out)
	require.NoError(t, err)
	again := filepath.Join(dir, "again.parquet")
	verbOutput(t, exitDone, "", "score", "-m", modelFile, "-o", again, out)
	second, err := os.ReadFile(again)
	require.NoError(t, err)
	require.Equal(t, first, second, "a column that is there is computed anew")

	type scoredFlat struct {
		Proto string   `parquet:"proto,dict"`
		Score *float64 `parquet:"anomaly_score,optional"`
	}
	verbOutput(t, exitDone, "", "score", "-m", modelFile, "--keep", "proto", "-o", out, flatFile)
	few, err := parquet.ReadFile[scoredFlat](out)
	require.NoError(t, err)
	for i := range few {
		require.Equal(t, want[i], fmt.Sprint(*few[i].Score), i)
	}
}

func TestParquetThatCannotBeScored(t *testing.T) {
	type other struct {
		TS float64 `parquet:"ts"`
		A  string  `parquet:"id_orig_h"`
	}
	notConn := writeParquet(t, []other{{1, "10.0.0.1"}}, 10)
	bad := flatRow{TS: 1, OrigH: "10.0.0.x", RespH: "10.0.0.2", Proto: "tcp", State: "SF", RespP: 80}
	badRow := writeParquet(t, []flatRow{bad}, 10)
	cut := filepath.Join(t.TempDir(), "cut.parquet")
	whole, err := os.ReadFile(badRow)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cut, whole[:len(whole)/2], 0o600))
	m := filepath.Join(t.TempDir(), "m")
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, `{"ts":%d.5,"id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":%d,"proto":"udp","conn_state":"S0"}`+"\n", i, i)
	}
	verbOutput(t, exitDone, text.String(), "train", "-o", m)
	for _, tc := range []struct {
		status int
		args   []string
		want   string
	}{
		{exitNot, []string{notConn}, "not a conn.log: no column id.resp_h, id.resp_p, proto, conn_state"},
		{exitPartly, []string{badRow}, `conn.parquet:1: id.orig_h: "10.0.0.x" is not an IP address`},
		{exitNot, []string{"--strict", badRow}, `"10.0.0.x" is not an IP address`},
		{exitNot, []string{cut}, "the Parquet data is damaged"},
		{exitNot, []string{badRow, notConn}, "not a conn.log"},
		{exitNot, []string{"--keep", "uid", badRow}, "no column uid to keep"},
		{exitNot, []string{"--keep", "uid"}, "--keep means something for Parquet only"},
		{exitNot, []string{"--order-by", "id_orig_h", badRow}, "has no whole numbers"},
	} {
		_, said := verbOutput(t, tc.status, "", append([]string{"score", "-m", m}, tc.args...)...)
		require.Contains(t, said, tc.want)
	}
}
