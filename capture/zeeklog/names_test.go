package zeeklog

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

var zeeksNames = strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(fieldsLine, "#fields\t")), "\t", ",")

// readNamed reads a log whose columns the caller named, and adds a score to it.
func readNamed(t *testing.T, text, names string) (conns []conn.Conn, scored string) {
	t.Helper()
	n, err := ParseNames(names)
	require.NoError(t, err)
	r := NewReader(strings.NewReader(text), "conn.log").Named(n)
	for {
		var row Row
		if err := r.Read(&row); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
		conns = append(conns, row.Conn)
	}
	var out bytes.Buffer
	add := NewAddColumns(scoreColumn)
	require.NoError(t, NewBlocks(strings.NewReader(text), "conn.log").Named(n).Run(context.Background(), &out, Steps{
		InOrder: func(*Block) error { return nil },
		Render: func(dst []byte, blk *Block) []byte {
			return add.Append(dst, blk, func(_ int, v []Value) { v[0] = Double(0.5) })
		},
	}))
	return conns, out.String()
}

func TestNamed(t *testing.T) {
	both := []conn.Conn{webConn, udpConn}
	mapped := strings.NewReplacer("id.orig_h", "src", "id.resp_h", "dst", "conn_state", "state")
	pairs := "src=id.orig_h,dst=id.resp_h,state=conn_state"
	end := func(text, score string) string { return strings.ReplaceAll(text, "\n", score+"\n") }
	order := strings.Replace(strings.Replace(zeeksNames, "id.orig_h", "id_orig_h", 1), "tunnel_parents", "-", 1)
	alone := webConn
	alone.TunnelParents, alone.Set = nil, alone.Set&^conn.TunnelParents
	for _, tc := range []struct {
		name, text, names string
		want              []conn.Conn
		scored            string
	}{
		{"no header (include_meta = F)", webRow + udpRow, zeeksNames, both, end(webRow+udpRow, "\t0.5")},
		{"no header, other names in between", webRow, order, []conn.Conn{alone}, end(webRow, "\t0.5")},
		{"no header, commas", csvWeb + csvUDP, zeeksNames, both, end(csvWeb+csvUDP, ",0.5")},
		{"no header, bars", strings.ReplaceAll(webRow, "\t", "|"), zeeksNames, both[:1], end(strings.ReplaceAll(webRow, "\t", "|"), "|0.5")},
		{"no header, byte order mark and blank lines", "\ufeff\n" + webRow, zeeksNames, both[:1], "\ufeff\n" + end(webRow, "\t0.5")},
		{"a header with other names", mapped.Replace(tsvHeader) + webRow + udpRow, zeeksNames, both, mapped.Replace(withScore(tsvHeader+webRow+udpRow, "0.5", "0.5"))},
		{"two logs in one", tsvHeader + webRow + tsvHeader + udpRow, zeeksNames, both, withScore(tsvHeader+webRow+tsvHeader+udpRow, "0.5", "0.5")},
		{"names only (tsv option)", mapped.Replace(strings.TrimPrefix(fieldsLine, "#fields\t")) + webRow, zeeksNames, both[:1],
			mapped.Replace(end(strings.TrimPrefix(fieldsLine, "#fields\t"), "\tanomaly_score")) + end(webRow, "\t0.5")},
		{"CSV with other names", mapped.Replace(csvHeader) + csvWeb, zeeksNames, both[:1], mapped.Replace(end(csvHeader, ",anomaly_score")) + end(csvWeb, ",0.5")},
		{"pairs, TSV", mapped.Replace(tsvHeader) + webRow, pairs, both[:1], mapped.Replace(withScore(tsvHeader+webRow, "0.5"))},
		{"pairs, CSV", mapped.Replace(csvHeader) + csvWeb, pairs, both[:1], mapped.Replace(end(csvHeader, ",anomaly_score")) + end(csvWeb, ",0.5")},
		{"pairs, JSON", mapped.Replace(webObject + udpObject), pairs, both, strings.ReplaceAll(mapped.Replace(webObject+udpObject), "}\n", `,"anomaly_score":0.5}`+"\n")},
		{"nothing", tsvHeader + webRow, "", both[:1], withScore(tsvHeader+webRow, "0.5")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conns, scored := readNamed(t, tc.text, tc.names)
			require.Equal(t, tc.want, conns)
			require.Equal(t, tc.scored, scored)
		})
	}
}

func TestNamesRefused(t *testing.T) {
	for names, want := range map[string]string{
		"ts,,uid":             "has a name missing",
		"ts,uid":              `"ts,uid": not a conn.log: no column id.orig_h, id.resp_h, id.resp_p, proto, conn_state`,
		"src=id.orig":         `src=id.orig: conn.log has no column "id.orig"`,
		"service=proto":       "service=proto: service is a column of conn.log itself",
		"ts,src=id.orig_h":    "mixes names in the order of the log with pairs THEIRS=OURS",
		"=id.orig_h":          "has a name missing",
		zeeksNames + ",x=uid": "mixes names",
	} {
		_, err := ParseNames(names)
		require.ErrorContains(t, err, want, names)
	}
	for _, tc := range []struct{ text, want string }{
		{"1\t2\n", "conn.log:1: 2 columns where --columns-in names 22"},
		{tsvHeader[:len(tsvHeader)-1] + "\tdouble\n" + strings.Replace(fieldsLine, "\n", "\tscore\n", 1) + webRow, "conn.log:9: 23 columns where --columns-in names 22"},
		{webObject, "conn.log:1: JSON has no order of columns: --columns-in takes pairs of keys here, as src=id.orig_h,dst=id.resp_h"},
	} {
		n, err := ParseNames(zeeksNames)
		require.NoError(t, err)
		require.ErrorContains(t, NewReader(strings.NewReader(tc.text), "conn.log").Named(n).Read(&Row{}), tc.want)
	}
}
