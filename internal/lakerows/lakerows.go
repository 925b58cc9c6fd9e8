// Package lakerows makes, for tests of other engines, a lake of real rows: three
// days of one sensor as Parquet, numbered in the log's order, each with the score
// that zeek-iforest score gave it.
package lakerows

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// LogStart is when the log of the three days began, as --log-start takes it.
const LogStart = "1713484800"

// Lake is where the files lie.
type Lake struct {
	Binary, Model string
	Parquet       string   // the rows: columns of conn.log, seq, want
	Days          []string // the logs
	Rows          int
}

// row is a row of the lake. Its tags are the columns' names in conn.log.
type row struct {
	Seq         int64    `parquet:"seq"`
	TS          float64  `parquet:"ts"`
	UID         string   `parquet:"uid"`
	OrigH       string   `parquet:"id.orig_h,dict"`
	OrigP       int32    `parquet:"id.orig_p"`
	RespH       string   `parquet:"id.resp_h,dict"`
	RespP       int32    `parquet:"id.resp_p"`
	Proto       string   `parquet:"proto,dict"`
	Service     *string  `parquet:"service,optional,dict"`
	Duration    *float64 `parquet:"duration,optional"`
	OrigBytes   *int64   `parquet:"orig_bytes,optional"`
	RespBytes   *int64   `parquet:"resp_bytes,optional"`
	ConnState   string   `parquet:"conn_state,dict"`
	LocalOrig   *bool    `parquet:"local_orig,optional"`
	LocalResp   *bool    `parquet:"local_resp,optional"`
	MissedBytes int64    `parquet:"missed_bytes"`
	History     *string  `parquet:"history,optional,dict"`
	OrigPkts    int64    `parquet:"orig_pkts"`
	OrigIPBytes int64    `parquet:"orig_ip_bytes"`
	RespPkts    int64    `parquet:"resp_pkts"`
	RespIPBytes int64    `parquet:"resp_ip_bytes"`
	Want        float64  `parquet:"want"`
}

// ThreeDays makes the lake, or skips the test where the shared days are absent.
func ThreeDays(t testing.TB) Lake {
	t.Helper()
	days, err := filepath.Glob(filepath.Join(testenv.Shared(t, "datasets/zeek-three-days"), "*", "conn.*.log.gz"))
	require.NoError(t, err)
	slices.Sort(days)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	l := Lake{Binary: at("zeek-iforest"), Model: at("model"), Parquet: at("rows.parquet"), Days: days}
	build := exec.Command("go", "build", "-o", l.Binary, "./cmd/zeek-iforest")
	build.Dir = testenv.Root(t)
	run(t, build)
	run(t, exec.Command(l.Binary, append([]string{"train", "-o", l.Model}, days...)...))
	score := exec.Command(l.Binary, append([]string{"score", "-m", l.Model}, days...)...)
	began := time.Now()
	rows := parse(t, string(run(t, score)))
	l.Rows = len(rows)
	used := score.ProcessState
	ours := Report{Engine: "zeek-iforest score, gzip", Version: "this one", Rows: l.Rows, Equal: l.Rows, Seconds: time.Since(began).Seconds(), CPUSeconds: (used.UserTime() + used.SystemTime()).Seconds()}
	if u, ok := used.SysUsage().(*syscall.Rusage); ok {
		ours.MemoryMB = int(u.Maxrss >> 10)
	}
	ours.add(t)
	require.Greater(t, l.Rows, 100_000)
	f, err := os.Create(l.Parquet)
	require.NoError(t, err)
	w := parquet.NewGenericWriter[row](f, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(1<<15))
	_, err = w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	return l
}

// Report is what the check of an engine prints: a line of JSON.
type Report struct {
	Engine, Version string
	Rows, Equal     int      // of the lake's rows, those with the score that score gave
	Checks, Failed  int      // of other answers
	Alerts          int      `json:",omitempty"`
	Columns         []string `json:",omitempty"`
	Seconds         float64
	CPUSeconds      float64 `json:"cpu_seconds"` // of all its processes
	MemoryMB        int     `json:"memory_mb"`
}

// Check runs the check of an engine and returns what it printed. A failing one
// fails the test. Reports are added, a line each, to the file that the variable
// IFOREST_ENGINES names; siem/check makes a table of them.
func Check(t testing.TB, name string, args ...string) (r Report) {
	t.Helper()
	out := run(t, exec.Command(name, args...))
	require.NoError(t, json.Unmarshal(out, &r), string(out))
	r.add(t)
	return r
}

func (r Report) add(t testing.TB) {
	t.Helper()
	path := os.Getenv("IFOREST_ENGINES")
	if path == "" {
		return
	}
	line, err := json.Marshal(r)
	require.NoError(t, err)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(t, err)
	_, err = f.Write(append(line, '\n'))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func run(t testing.TB, cmd *exec.Cmd) []byte {
	t.Helper()
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(t, err, "%v: %s%s", cmd.Args, &said, out)
	return out
}

// parse reads scored logs in TSV.
func parse(t testing.TB, log string) (rows []row) {
	t.Helper()
	places := map[string]int{"want": -1}
	kind := reflect.TypeFor[row]()
	for line := range strings.Lines(log) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if cells[0] == "#fields" {
			for i, name := range cells[1:] {
				places[name] = i
			}
			places["want"] = places["anomaly_score"]
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		r := row{Seq: int64(len(rows) + 1)}
		v := reflect.ValueOf(&r).Elem()
		for i := 1; i < kind.NumField(); i++ {
			name, _, _ := strings.Cut(kind.Field(i).Tag.Get("parquet"), ",")
			at, ok := places[name]
			require.True(t, ok, "no column %s", name)
			if cells[at] != "-" {
				set(t, v.Field(i), cells[at])
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// set gives a field the value that a cell holds.
func set(t testing.TB, field reflect.Value, cell string) {
	t.Helper()
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(cell)
	case reflect.Bool:
		field.SetBool(cell == "T")
	case reflect.Float64:
		x, err := strconv.ParseFloat(cell, 64)
		require.NoError(t, err)
		field.SetFloat(x)
	default:
		x, err := strconv.ParseInt(cell, 10, 64)
		require.NoError(t, err)
		field.SetInt(x)
	}
}
