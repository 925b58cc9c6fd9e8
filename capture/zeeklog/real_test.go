package zeeklog

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Every conn.log that Zeek 8.0.10 wrote for the shared traces comes back byte
// for byte when read and written again, and as the same records through JSON.
func TestZeeksLogs(t *testing.T) {
	logs, rows := 0, 0
	for _, dir := range []string{"zeek-traces", "ndpi-traces", "handmade-traces"} {
		root := testenv.Shared(t, dir, "expected")
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text := readLog(t, path)
			conns, bad := readText(t, text)
			require.Empty(t, bad, path)
			require.True(t, text == write(t, TSV, conns...), "%s: written differently", path)

			again, bad := readText(t, write(t, JSON, conns...))
			require.Empty(t, bad, path)
			require.Equal(t, conns, again, path)
			logs, rows = logs+1, rows+len(conns)
			return nil
		}))
	}
	require.Equal(t, 2170, logs)
	require.Equal(t, 25539, rows)
}

func TestLabelledLogs(t *testing.T) {
	for _, tc := range []struct {
		file   string
		rows   int // iforest.md §5.1
		labels map[string]int
	}{
		{"ctu-mixed-008.conn.log.labeled.gz", 5663, map[string]int{"Malicious": 4201, "Benign": 1402, "Background": 60}},
		{"ctu-mixed-010.conn.log.labeled.gz", 5347, map[string]int{"Malicious": 3373, "Benign": 1937, "Background": 37}},
		{"nmap-port-scan-002.conn.log.gz", 4504, nil},
	} {
		text := readLog(t, testenv.Shared(t, "datasets/zeek-labelled", tc.file))
		conns, bad := readText(t, text)
		require.Empty(t, bad)
		require.Len(t, conns, tc.rows)
		require.True(t, text == addTo(t, text, nil))

		scored := addScores(t, text, 0.5443)
		again, bad := readText(t, scored)
		require.Empty(t, bad)
		require.Equal(t, conns, again)
		for label, n := range tc.labels {
			require.Equal(t, n, strings.Count(scored, "\t"+label+"\t"), label)
		}
	}
}

func TestThreeDays(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Shared(t, "datasets/zeek-three-days"), "*", "*.gz"))
	require.NoError(t, err)
	rows := 0
	for _, file := range files {
		text := readLog(t, file)
		conns, bad := readText(t, text)
		require.Empty(t, bad)
		rows += len(conns)
		require.True(t, text == addTo(t, text, nil))
	}
	require.Equal(t, 105918, rows)
}

// Times that Zeek wrote into JSON are written again in the same digits, but for
// one in a thousand to which Grisu2 gives more digits than the double needs.
func TestJSONTimesAsZeek(t *testing.T) {
	text := readLog(t, testenv.Shared(t, "datasets/zeek-labelled/nmap-port-scan-002.conn.log.gz"))
	conns, bad := readText(t, text)
	require.Empty(t, bad)
	different := 0
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		want, _, _ := strings.Cut(strings.TrimPrefix(line, `{"ts":`), ",")
		if got := string(jsonNotation{}.seconds(nil, conns[i].TS)); got != want {
			different++
			m, err := parseTime(want)
			require.NoError(t, err)
			require.Equal(t, conns[i].TS, m)
		}
	}
	require.LessOrEqual(t, different, len(conns)/500)
	t.Logf("%d of %d times differ in the last digit", different, len(conns))
}

// A row's strings survive the block that they came from.
func TestStringsStayValid(t *testing.T) {
	text := manyRows(3000)
	conns, _ := readText(t, text)
	require.Greater(t, len(text), 3*blockSize)
	for i := range conns {
		want := webConn
		want.OrigPkts = uint64(i)
		require.Equal(t, want, conns[i])
	}
	require.NotZero(t, conns[0].Set&conn.TunnelParents)
}
