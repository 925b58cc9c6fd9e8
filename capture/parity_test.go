package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// parityReached is what the capture of all shared traces must not fall behind:
// rows equal to Zeek's in every field but the uid, rows equal when service is
// left out, and logs whose rows all are equal and in Zeek's order. It may only
// rise.
var parityReached = map[string]parity{
	"zeek-traces/default":              {rows: 2599, equal: 2599, equalButService: 2599, ordered: 452},
	"zeek-traces/ignore-checksums":     {rows: 2520, equal: 2520, equalButService: 2520, ordered: 452},
	"ndpi-traces/default":              {rows: 4646, equal: 4646, equalButService: 4646, ordered: 328},
	"ndpi-traces/ignore-checksums":     {rows: 4934, equal: 4934, equalButService: 4934, ordered: 328},
	"handmade-traces/default":          {rows: 5421, equal: 5421, equalButService: 5421, ordered: 343},
	"handmade-traces/ignore-checksums": {rows: 5419, equal: 5419, equalButService: 5419, ordered: 343},
}

// parity counts as ../shared/tools/conn_parity.py does.
type parity struct {
	rows, equal, equalButService int
	logs, ordered                int // logs with all rows equal in content; of them, also in order
}

// TestParity reads every shared trace as `zeek -r` and as `zeek -C -r` would
// and compares with the conn.log that Zeek wrote. To see what differs:
//
//	go test ./capture -run TestParity -v
//	PARITY_SHOW=20 go test ./capture -run TestParity/ndpi-traces/default -v
func TestParity(t *testing.T) {
	show, _ := strconv.Atoi(os.Getenv("PARITY_SHOW"))
	for _, folder := range []string{"zeek-traces", "ndpi-traces", "handmade-traces"} {
		for _, mode := range []string{"default", "ignore-checksums"} {
			t.Run(folder+"/"+mode, func(t *testing.T) {
				pcaps := testenv.Shared(t, folder, "pcaps")
				expected := testenv.Shared(t, folder, "expected", mode)
				got := compareFolder(t, pcaps, expected, mode == "ignore-checksums", show)
				want := parityReached[folder+"/"+mode]
				require.Equal(t, want.rows, got.rows, "rows that Zeek wrote")
				require.GreaterOrEqual(t, got.equal, want.equal, "equal rows")
				require.GreaterOrEqual(t, got.equalButService, want.equalButService, "equal rows but for service")
				require.GreaterOrEqual(t, got.ordered, want.ordered, "logs in order")
			})
		}
	}
}

func compareFolder(t *testing.T, pcaps, expected string, ignoreChecksums bool, show int) parity {
	var total parity
	fields := map[string]int{}
	err := filepath.WalkDir(pcaps, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(pcaps, path)
		if err != nil {
			return err
		}
		want := readExpected(t, filepath.Join(expected, name+".conn.log"))
		got := readCapture(t, path, Options{IgnoreChecksums: ignoreChecksums})
		diff := compareRows(want, got)
		total.rows += len(want)
		total.equal += diff.equal
		total.equalButService += diff.equalButService
		if diff.equal == len(want) && len(got) == len(want) {
			total.logs++
			if slices.EqualFunc(want, got, func(a, b textRow) bool { return a == b }) {
				total.ordered++
			} else if show > 0 {
				t.Logf("%s: rows equal, but in another order", name)
			}
		}
		for f, n := range diff.fields {
			fields[f] += n
		}
		if len(diff.examples) > 0 && show > 0 {
			show--
			t.Logf("%s  %d/%d rows\n\t%s", name, diff.equal, len(want), strings.Join(diff.examples[:min(4, len(diff.examples))], "\n\t"))
		}
		return nil
	})
	require.NoError(t, err)
	for _, f := range slices.SortedFunc(maps.Keys(fields), func(a, b string) int { return fields[b] - fields[a] }) {
		t.Logf("%8d  %s", fields[f], f)
	}
	t.Logf("rows identical %d of %d (%.2f%%), without service %d (%.2f%%); logs in order %d of %d",
		total.equal, total.rows, percent(total.equal, total.rows), total.equalButService, percent(total.equalButService, total.rows),
		total.ordered, total.logs)
	return total
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

// textRow has a column each as text; numbers that are equal have equal text.
type textRow [len(parityColumns)]string

var parityColumns = [...]string{"ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration",
	"orig_bytes", "resp_bytes", "conn_state", "local_orig", "local_resp", "missed_bytes", "history", "orig_pkts",
	"orig_ip_bytes", "resp_pkts", "resp_ip_bytes", "tunnel_parents", "ip_proto"}

const (
	keyColumns    = 6
	serviceColumn = 6
	parentsColumn = 19
)

func (r textRow) key() string { return strings.Join(r[:keyColumns], " ") }

type difference struct {
	equal, equalButService int
	fields                 map[string]int
	examples               []string
}

// compareRows matches rows as multisets, then pairs those left over by time,
// ends and transport, to say which fields differ.
func compareRows(want, got []textRow) difference {
	d := difference{fields: map[string]int{}}
	left := map[textRow]int{}
	for _, r := range got {
		left[r]++
	}
	var missing []textRow
	for _, r := range want {
		if left[r] > 0 {
			left[r]--
			d.equal++
		} else {
			missing = append(missing, r)
		}
	}
	d.equalButService = d.equal
	extra := map[string][]textRow{}
	for _, r := range got {
		if left[r] > 0 {
			left[r]--
			extra[r.key()] = append(extra[r.key()], r)
		}
	}
	for _, w := range missing {
		candidates := extra[w.key()]
		if len(candidates) == 0 {
			d.fields["(row missing)"]++
			d.examples = append(d.examples, "missing: "+strings.Join(w[:], " "))
			continue
		}
		best, fewest := 0, len(w)+1
		for i, c := range candidates {
			n := 0
			for f := range w {
				if w[f] != c[f] {
					n++
				}
			}
			if n < fewest {
				best, fewest = i, n
			}
		}
		g := candidates[best]
		extra[w.key()] = slices.Delete(candidates, best, best+1)
		if fewest == 1 && w[serviceColumn] != g[serviceColumn] {
			d.equalButService++
		}
		for f := range w {
			if w[f] != g[f] {
				d.fields[parityColumns[f]]++
				d.examples = append(d.examples, fmt.Sprintf("%s: expected %s, got %s  (%s)", parityColumns[f], w[f], g[f], w.key()))
			}
		}
	}
	for _, rows := range extra {
		for _, r := range rows {
			d.fields["(row too many)"]++
			d.examples = append(d.examples, "too many: "+strings.Join(r[:], " "))
		}
	}
	return d
}

// resolveParents puts in the place of uids the rows that have them.
func resolveParents(rows []textRow, uids []string) {
	byUID := map[string]string{}
	for i, r := range rows {
		byUID[uids[i]] = r.key()
	}
	for i := range rows {
		if p := rows[i][parentsColumn]; p != "-" {
			parents := strings.Split(p, ",")
			for j, u := range parents {
				if parents[j] = byUID[u]; parents[j] == "" {
					parents[j] = "no row"
				}
			}
			slices.Sort(parents)
			rows[i][parentsColumn] = strings.Join(parents, ";")
		}
	}
}

func readExpected(t *testing.T, path string) []textRow {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // Zeek wrote no conn.log
	}
	require.NoError(t, err)
	defer f.Close()
	var rows []textRow
	var uids, columns []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		cells := strings.Split(lines.Text(), "\t")
		switch {
		case cells[0] == "#fields":
			columns = cells[1:]
			continue
		case strings.HasPrefix(cells[0], "#"):
			continue
		}
		require.Len(t, cells, len(columns), path)
		byName := map[string]string{}
		for i, c := range columns {
			byName[c] = cells[i]
		}
		var r textRow
		for i, c := range parityColumns {
			v := byName[c]
			switch {
			case v == "-":
			case c == "ts" || c == "duration":
				seconds, err := strconv.ParseFloat(v, 64)
				require.NoError(t, err, path)
				v = fmt.Sprint(int64(conn.FromSeconds(seconds)))
			case c == "id.orig_h" || c == "id.resp_h":
				addr, err := netip.ParseAddr(v)
				require.NoError(t, err, path)
				v = addr.Unmap().String()
			}
			r[i] = v
		}
		rows, uids = append(rows, r), append(uids, byName["uid"])
	}
	require.NoError(t, lines.Err())
	resolveParents(rows, uids)
	return rows
}

func readCapture(t *testing.T, path string, o Options) []textRow {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	r, err := NewReader(bufio.NewReaderSize(f, 1<<16), o)
	if err != nil {
		t.Logf("%s: %v", filepath.Base(path), err)
		return nil
	}
	var rows []textRow
	var uids []string
	var c conn.Conn
	for {
		err := r.Read(&c)
		if err != nil {
			if err != io.EOF && os.Getenv("PARITY_SHOW") != "" {
				t.Logf("%s: %v", filepath.Base(path), err)
			}
			break
		}
		rows, uids = append(rows, textOf(&c)), append(uids, c.UID)
	}
	resolveParents(rows, uids)
	return rows
}

func textOf(c *conn.Conn) textRow {
	unset := func(f conn.Fields, v any) string {
		if !c.Has(f) {
			return "-"
		}
		switch v := v.(type) {
		case bool:
			return map[bool]string{true: "T", false: "F"}[v]
		case conn.Micros:
			return fmt.Sprint(int64(v))
		}
		return fmt.Sprint(v)
	}
	return textRow{
		fmt.Sprint(int64(c.TS)), c.Orig.Addr().String(), fmt.Sprint(c.Orig.Port()), c.Resp.Addr().String(), fmt.Sprint(c.Resp.Port()),
		c.Proto.String(), unset(conn.Service, c.Service), unset(conn.Duration, c.Duration),
		unset(conn.OrigBytes, c.OrigBytes), unset(conn.RespBytes, c.RespBytes), c.State.String(),
		unset(conn.LocalOrig, c.LocalOrig), unset(conn.LocalResp, c.LocalResp), fmt.Sprint(c.MissedBytes),
		unset(conn.History, c.History), fmt.Sprint(c.OrigPkts), fmt.Sprint(c.OrigIPBytes), fmt.Sprint(c.RespPkts), fmt.Sprint(c.RespIPBytes),
		unset(conn.TunnelParents, strings.Join(c.TunnelParents, ",")), unset(conn.IPProto, c.IPProto),
	}
}
