package zeeklog

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// JSON that is not one object a line is refused before anything is written,
// with the command that helps, however the text comes in.
func TestJSONDocuments(t *testing.T) {
	web, udp := strings.TrimSpace(webObject), strings.TrimSpace(udpObject)
	const array = "conn.log:1: not JSON lines but a JSON array: jq -c '.[]' makes lines of it"
	const indented = "conn.log:1: not JSON lines but an object over several lines: jq -c . makes one line of it"
	wrapped := func(path string) string {
		return "conn.log:1: not a conn.log: its rows are wrapped under keys: jq -c '" + path + "' takes them out"
	}
	for _, tc := range []struct{ name, text, want string }{
		{"an array on a line", "[" + web + "," + udp + "]\n", array},
		{"an array without line end", "[" + web + "]", array},
		{"an array, a row a line", "[\n" + web + ",\n" + udp + "\n]\n", array},
		{"an array behind a space and a byte order mark", "\ufeff [" + web + "]\n", array},
		{"an array of arrays", `[["ts","id.orig_h"],[1,"10.0.0.1"]]` + "\n", array},
		{"an empty array", "[]\n", array},
		{"an array longer than a line can be", "[" + strings.Repeat(web+",", MaxLine/len(web)+1) + udp + "]", array},
		{"an object over several lines", "{\n  " + strings.ReplaceAll(web[1:len(web)-1], ",", ",\n  ") + "\n}\n", indented},
		{"an object that begins on the brace's line", strings.ReplaceAll(web, ",", ",\n "), indented},
		{"CRLF", "{\r\n" + web[1:], indented},
		{"an object longer than a line can be", `{"rows":[` + strings.Repeat(web+",", MaxLine/len(web)+1) + udp + "]}", "conn.log:1: not JSON lines but more than 1048576 bytes of JSON without a line end"},
		{"objects without line ends (jq -j, Firehose)", web + udp + web + udp, "conn.log:1: not JSON lines but objects without line ends between them: jq -c . writes one a line"},
		{"rows under a key (Splunk)", `{"preview":false,"result":` + web + "}\n", wrapped(".result")},
		{"rows in an array under a key", `{"data": [ ` + web + "," + udp + "]}\n", wrapped(".data[]")},
		{"rows in Elasticsearch's answer", `{"took":1,"hits":{"total":{"value":1},"hits":[{"_index":"x","_source":` + web + "}]}}\n", wrapped(".hits.hits[]._source")},
		{"rows under a key that jq wants quoted", `{"zeek.conn":` + web + "}\n", wrapped(`."zeek.conn"`)},
		{"rows as text (container logs)", `{"log":"` + strings.ReplaceAll(web, `"`, `\"`) + `","stream":"stdout"}` + "\n", wrapped(".log|fromjson")},
		{"keys with other names", strings.NewReplacer("id.orig_h", "src", `"ts"`, `"@timestamp"`).Replace(webObject), "conn.log:1: not a conn.log: no key ts, id.orig_h; if they have other names: --columns-in NAME=ts,NAME=id.orig_h"},
		{"a pretty-printed answer of Elasticsearch, one step", indent(`{"took":1,"hits":{"hits":[{"_index":"x","_source":` + web + `},{"_source":` + udp + `}]}}`), "conn.log:1: not JSON lines but an object over several lines with wrapped rows: jq -c '.hits.hits[]._source' makes lines of them"},
		{"pretty-printed rows under a key", indent(`{"preview":false,"result":` + web + "}"), "an object over several lines with wrapped rows: jq -c '.result' makes lines of them"},
		{"a pretty-printed array", indent("[" + web + "," + udp + "]"), array},
		{"a pretty-printed array of wrapped rows", indent(`[{"_id":"1","_source":` + web + `},{"_source":` + udp + `}]`), "a JSON array with wrapped rows: jq -c '.[]._source' makes lines of them"},
		{"an array of texts", `["` + strings.ReplaceAll(web, `"`, `\"`) + `"]`, "jq -c '.[]|fromjson' makes lines of them"},
		{"a long pretty-printed document", indent(`{"a":{"rows":[` + strings.Repeat(web+",", 3000) + udp + "]}}"), "wrapped rows: jq -c '.a.rows[]' makes lines of them"},
		{"wrapped rows without line ends", strings.Repeat(`{"result":`+web+"}", 4), "objects without line ends between them with wrapped rows: jq -c '.result' makes lines of them"},
		{"wrapped, longer than a line can be", `{"x":{"rows":[` + strings.Repeat(web+",", MaxLine/len(web)+1) + udp + "]}}", "JSON without a line end with wrapped rows: jq -c '.x.rows[]' makes lines of them"},
		{"Suricata's", `{"timestamp":"2024-01-01T00:00:00+0000","event_type":"flow","src_ip":"10.0.0.1","proto":"TCP"}` + "\n", "conn.log:1: not a conn.log: no key ts, id.orig_h, id.resp_h, id.resp_p"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := readAll(strings.NewReader(tc.text))
			require.ErrorContains(t, err, tc.want)
			_, _, err = readAll(iotest.HalfReader(strings.NewReader(tc.text)))
			require.ErrorContains(t, err, tc.want)
			if len(tc.text) < 10_000 {
				_, _, err = readAll(iotest.OneByteReader(strings.NewReader(tc.text)))
				require.ErrorContains(t, err, tc.want)
			}
		})
	}
}

// indent pretty-prints, as jq does.
func indent(text string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		panic(err)
	}
	return b.String()
}

// A first line that is only damaged costs itself, and a stream of several logs
// can begin with another's row.
func TestJSONFirstLineDamaged(t *testing.T) {
	for _, first := range []string{webObject[:20] + "\n", strings.TrimSpace(webObject) + udpObject, `{"ts":1.5,"ts_delta":300.0,"peer":"zeek","gaps":0}` + "\n", strings.Replace(webObject, "0.407908", "NaN", 1)} {
		conns, bad := readText(t, first+webObject)
		require.Equal(t, []conn.Conn{webConn}, conns)
		require.Len(t, bad, 1)
	}
	require.Equal(t, webConn, readOne(t, " "+webObject), "a space before the object")
}

// MongoDB's extended JSON, as mongoexport writes it.
func TestJSONExtended(t *testing.T) {
	milli, early := webConn, webConn
	milli.TS, early.TS = 1210953057834000, 86400123000
	with := func(ts string) string { return strings.Replace(webObject, "1210953057.834454", ts, 1) }
	for _, tc := range []struct {
		text string
		want conn.Conn
	}{
		{with(`{"$date":"2008-05-16T15:50:57.834454Z"}`), webConn},
		{with(`{ "$date" : { "$numberLong":"1210953057834" } }`), milli},
		{with(`{"$date":{"$numberLong":"1210953057834"}}`), milli},
		{with(`{"$date":1210953057834}`), milli},
		{with(`{"$date":86400123}`), early},
		{with(`{"$numberDouble":"1210953057.834454"}`), webConn},
		{strings.NewReplacer(":1578", `:{"$numberInt":"1578"}`, ":790", `:{"$numberLong":"790"}`, `:"CRPOmC46t2ewjClfg"`, `:"CRPOmC46t2ewjClfg","_id":{"$oid":"6378"}`).Replace(webObject), webConn},
	} {
		require.Equal(t, tc.want, readOne(t, tc.text), tc.text)
		require.Equal(t, strings.Replace(tc.text, "}\n", `,"anomaly_score":0.5}`+"\n", 1), addScores(t, tc.text, 0.5))
	}
	for _, ts := range []string{`{"$date":[1]}`, `{"$date":{}}`, `{"$date":1,"x":2}`, `{"$oid":"12"}`, `{}`, `{"$numberLong":{"$numberLong":"1"}}`} {
		_, bad := readText(t, webObject+with(ts))
		require.Len(t, bad, 1, ts)
		require.Equal(t, "ts", bad[0].Field, ts)
	}
}
