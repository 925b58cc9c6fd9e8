package parquetlog

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// wide is conn.log as DuckDB makes it of VALUES, in the types of its own.
const wide = `
select * from (values
  (1::bigint, 1700000000.123456::double, 'C1', '10.0.0.1', 1025::usmallint, '2001:db8::1', 443::usmallint, 'tcp', 'ssl', 1.5::double, 100::ubigint, null::ubigint, 'SF', true),
  (2, 1700000001.000001, 'C2', '10.0.0.2', 0, '10.0.0.255', 65535, 'udp', null, null, null, 7, 'S0', null),
  (3, 1700000002.5, 'C3', '10.0.0.1', 8, '10.0.0.3', 0, 'icmp', null, 0.000001, 0, 4294967296, 'OTH', false)
) t(seq, ts, uid, "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", proto, service, duration, orig_bytes, resp_bytes, conn_state, local_orig)`

// Each makes out.parquet of it: by the module that it takes.
var foreign = []struct{ name, module, script string }{
	{"DuckDB", "duckdb", `duckdb.sql(f"copy ({wide}) to '{out}' (format parquet, compression zstd)")`},
	{"DuckDB, version 2 pages", "duckdb", `duckdb.sql(f"copy ({wide}) to '{out}' (format parquet, compression snappy, parquet_version v2)")`},
	{"DuckDB, timestamps", "duckdb", `duckdb.sql(f"copy (select * replace (make_timestamp((ts * 1e6)::bigint) as ts) from ({wide})) to '{out}' (format parquet, compression lz4_raw)")`},
	{"DuckDB, nested", "duckdb", `duckdb.sql(f"""copy (select * exclude ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"),
		{{'orig_h': "id.orig_h", 'orig_p': "id.orig_p", 'resp_h': "id.resp_h", 'resp_p': "id.resp_p"}} as id from ({wide})) to '{out}' (format parquet, compression gzip)""")`},
	{"pyarrow", "pyarrow", `pq.write_table(table, out)`},
	{"pyarrow, dictionaries off, pages of version 2", "pyarrow", `pq.write_table(table, out, use_dictionary=False, data_page_version="2.0", version="2.6", compression="brotli")`},
	{"pyarrow, delta and split", "pyarrow", `pq.write_table(table, out, use_dictionary=False, column_encoding={"seq": "DELTA_BINARY_PACKED", "uid": "DELTA_LENGTH_BYTE_ARRAY", "proto": "DELTA_BYTE_ARRAY", "ts": "BYTE_STREAM_SPLIT"}, compression="none")`},
	{"pyarrow, INT96 as Impala's", "pyarrow", `t = table.set_column(1, "ts", pc.cast(pc.cast(pc.round(pc.multiply(table["ts"], 1e6)), pa.int64()), pa.timestamp("us")))
pq.write_table(t, out, use_deprecated_int96_timestamps=True)`},
	{"pyarrow, large strings, checksums, row groups of one", "pyarrow", `t = table.cast(pa.schema([f.with_type(pa.large_string()) if pa.types.is_string(f.type) else f for f in table.schema]))
pq.write_table(t, out, row_group_size=1, write_page_checksum=True, write_page_index=True)`},
}

const makeTable = `
import sys
out, wide = sys.argv[1], sys.argv[2]
try:
    import duckdb
except ImportError:
    pass
try:
    import pyarrow as pa, pyarrow.parquet as pq, pyarrow.compute as pc
    table = pa.table({
        "seq": pa.array([1, 2, 3], pa.int64()), "ts": [1700000000.123456, 1700000001.000001, 1700000002.5], "uid": ["C1", "C2", "C3"],
        "id.orig_h": ["10.0.0.1", "10.0.0.2", "10.0.0.1"], "id.orig_p": pa.array([1025, 0, 8], pa.uint16()),
        "id.resp_h": ["2001:db8::1", "10.0.0.255", "10.0.0.3"], "id.resp_p": pa.array([443, 65535, 0], pa.uint16()),
        "proto": ["tcp", "udp", "icmp"], "service": ["ssl", None, None], "duration": [1.5, None, 0.000001],
        "orig_bytes": pa.array([100, None, 0], pa.uint64()), "resp_bytes": pa.array([None, 7, 4294967296], pa.uint64()),
        "conn_state": ["SF", "S0", "OTH"], "local_orig": [True, None, False]})
except ImportError:
    pass
`

// Files of other writers have the same connections as ours.
func TestReadsWhatOthersWrite(t *testing.T) {
	for _, tc := range foreign {
		t.Run(tc.name, func(t *testing.T) {
			python := testenv.Python(t, tc.module)
			dir := t.TempDir()
			out, script := filepath.Join(dir, "out.parquet"), filepath.Join(dir, "make.py")
			require.NoError(t, os.WriteFile(script, []byte(makeTable+strings.ReplaceAll(tc.script, "\n\t\t", "\n")), 0o600))
			said, err := exec.Command(python, script, out, wide).CombinedOutput()
			require.NoError(t, err, "%s", said)

			l, err := Open(out, All)
			require.NoError(t, err)
			defer l.Close()
			var rows []Row
			var order []int64
			for i := range l.Groups() {
				var g Group
				require.NoError(t, l.Read(i, &g))
				rows = append(rows, g.Rows...)
				seq, _, err := g.Whole("seq")
				require.NoError(t, err)
				order = append(order, seq...)
			}
			require.Equal(t, []int64{1, 2, 3}, order)
			require.Len(t, rows, 3)
			for _, r := range rows {
				require.NoError(t, r.Err)
			}
			a, b, c := &rows[0].Conn, &rows[1].Conn, &rows[2].Conn
			require.Equal(t, []conn.Micros{1700000000123456, 1700000001000001, 1700000002500000}, []conn.Micros{a.TS, b.TS, c.TS})
			require.Equal(t, []conn.Micros{1_500_000, 0, 1}, []conn.Micros{a.Duration, b.Duration, c.Duration})
			require.Equal(t, []string{"10.0.0.1:1025", "10.0.0.2:0", "10.0.0.1:8"}, []string{a.Orig.String(), b.Orig.String(), c.Orig.String()})
			require.Equal(t, []string{"[2001:db8::1]:443", "10.0.0.255:65535", "10.0.0.3:0"}, []string{a.Resp.String(), b.Resp.String(), c.Resp.String()})
			require.Equal(t, []uint64{100, 0, 0, 0, 7, 1 << 32}, []uint64{a.OrigBytes, b.OrigBytes, c.OrigBytes, a.RespBytes, b.RespBytes, c.RespBytes})
			require.Equal(t, []string{"tcp ssl SF C1", "udp  S0 C2", "icmp  OTH C3"}, []string{named(a), named(b), named(c)})
			unset := func(f conn.Fields) [3]bool { return [3]bool{a.Set&f == 0, b.Set&f == 0, c.Set&f == 0} }
			require.Equal(t, [3]bool{false, true, true}, unset(conn.Service))
			require.Equal(t, [3]bool{false, true, false}, unset(conn.Duration))
			require.Equal(t, [3]bool{false, true, false}, unset(conn.OrigBytes))
			require.Equal(t, [3]bool{true, false, false}, unset(conn.RespBytes))
			require.Equal(t, [3]bool{false, true, false}, unset(conn.LocalOrig))
		})
	}
}

func named(c *conn.Conn) string {
	return strings.Join([]string{c.Proto.String(), c.Service, c.State.String(), c.UID}, " ")
}
