// Package clickhouse_test scores in the real ClickHouse, as chdb brings it.
package clickhouse_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// makeRows writes the rows of a scored JSON log as Parquet, numbered, with the
// score as want.
const makeRows = `
import sys, duckdb
scored, out = sys.argv[1:]
c = duckdb.connect()
c.sql(f"""create table t as select row_number() over () as seq, * exclude(anomaly_score), anomaly_score as want
    from read_json('{scored}', format='newline_delimited', sample_size=-1)""")
c.sql(f"copy (select * from t) to '{out}' (format parquet, compression zstd)")
`

func TestClickHouseScoresAsScoreDoes(t *testing.T) {
	if testing.Short() {
		testenv.Skip(t, "time", "-short")
	}
	python := testenv.Python(t, "chdb")
	testenv.Python(t, "duckdb")
	days, err := filepath.Glob(filepath.Join(testenv.Shared(t, "datasets/zeek-three-days"), "*", "conn.*.log.gz"))
	require.NoError(t, err)
	slices.Sort(days)

	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	do := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		require.NoError(t, err, "%v: %s%s", args, &said, out)
		return string(out)
	}
	build := exec.Command("go", "build", "-o", at("zeek-iforest"), "./cmd/zeek-iforest")
	build.Dir = testenv.Root(t)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	do(at("zeek-iforest"), append([]string{"train", "-o", at("model")}, days...)...)

	// TSV rows as JSON: the columns in words, nothing else changed.
	f, err := os.Create(at("rows.json"))
	require.NoError(t, err)
	rows := asJSON(t, f, do(at("zeek-iforest"), append([]string{"score", "-m", at("model")}, days...)...))
	require.NoError(t, f.Close())
	require.Greater(t, rows, 100_000)
	do(python, "-c", makeRows, at("rows.json"), at("rows.parquet"))

	var got struct {
		Version     string
		Rows, Equal int
		Seconds     float64
	}
	require.NoError(t, json.Unmarshal([]byte(do(python, "check.py", at("zeek-iforest"), at("model"), "1713484800", at("rows.parquet"))), &got))
	t.Logf("ClickHouse %s: of %d rows %d have the score of zeek-iforest score, %.1f s", got.Version, got.Rows, got.Equal, got.Seconds)
	require.Equal(t, rows, got.Rows)
	require.Equal(t, rows, got.Equal)
}

// asJSON writes a TSV log as JSON lines and returns how many.
func asJSON(t *testing.T, f *os.File, log string) (rows int) {
	t.Helper()
	var fields, types []string
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		cells := strings.Split(line, "\t")
		switch {
		case strings.HasPrefix(line, "#fields"):
			fields = cells[1:]
		case strings.HasPrefix(line, "#types"):
			types = cells[1:]
		case !strings.HasPrefix(line, "#"):
			row := map[string]any{}
			for i, cell := range cells {
				switch {
				case cell == "-":
				case types[i] == "bool":
					row[fields[i]] = cell == "T"
				case slices.Contains([]string{"time", "interval", "double", "count", "port"}, types[i]):
					row[fields[i]] = json.Number(cell)
				default:
					row[fields[i]] = cell
				}
			}
			text, err := json.Marshal(row)
			require.NoError(t, err)
			_, err = f.Write(append(text, '\n'))
			require.NoError(t, err)
			rows++
		}
	}
	return rows
}
