package zeeklog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestReadJSON(t *testing.T) {
	web, udp := webConn, udpConn
	milli := web
	milli.TS = 1210953057834000
	replace := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(webObject) }
	for _, tc := range []struct {
		name, text string
		want       []conn.Conn
	}{
		{"as Zeek writes it", webObject + udpObject, []conn.Conn{web, udp}},
		{"CRLF, no line end", strings.ReplaceAll(webObject, "\n", "\r\n") + strings.TrimSuffix(udpObject, "\n"), []conn.Conn{web, udp}},
		{"blank lines and byte order mark", "\ufeff\n" + webObject + "\n\r\n" + udpObject + "\n", []conn.Conn{web, udp}},
		{"spaces", strings.NewReplacer(":", " : ", ",", " ,\t", "{", "{ ", "}", " } ").Replace(udpObject[:len(`{"ts":1210953060.000001,`)]) +
			udpObject[len(`{"ts":1210953060.000001,`):], []conn.Conn{udp}},
		{"another order", `{"conn_state":"S0","local_resp":false,` + strings.NewReplacer(`"conn_state":"S0",`, "", `"local_resp":false,`, "").Replace(udpObject[1:]), []conn.Conn{udp}},
		{"ISO 8601", replace("1210953057.834454", `"2008-05-16T15:50:57.834454Z"`), []conn.Conn{web}},
		{"milliseconds", replace("1210953057.834454", "1210953057834"), []conn.Conn{milli}},
		{"nested id", replace(`"id.orig_h":"192.168.2.16","id.orig_p":1578,"id.resp_h":"75.126.203.78","id.resp_p":80`,
			`"id":{"orig_h":"192.168.2.16","orig_p":1578, "vlan":7,"resp_h":"75.126.203.78","resp_p":80}`), []conn.Conn{web}},
		{"numbers as text", replace("1578", `"1578"`, ":790", `:"790"`, "0.407908", `"0.407908"`, "1210953057.834454", `"1210953057.834454"`, ":true", `:"T"`), []conn.Conn{web}},
		{"every number a double", replace(":1578", ":1578.0", ":790", ":7.9e2", ":80,", ":80.0,"), []conn.Conn{web}},
		{"null and - and (empty)", strings.Replace(udpObject, `"conn_state"`, `"service":null,"duration":"-","orig_bytes":null,"conn_state"`, 1), []conn.Conn{udp}},
		{"escapes", replace(`"http"`, `"\u0068tt\u0070"`, `"uid"`, `"u\u0069d"`, `"Caaa"`, `"C\u0061aa"`), []conn.Conn{web}},
		{"unknown keys", replace(`{"ts"`, `{"_path":"conn","x":{"uid":"no","y":[{"}":"]\"{"},[1,2]]},"b\\":"\\","ts"`, `"ip_proto":6`, `"ip_proto":6,"é":"𐌼\n"`), []conn.Conn{web}},
		{"a column twice", replace(`{"ts"`, `{"orig_bytes":5,"tunnel_parents":["x"],"ts"`), []conn.Conn{web}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conns, bad := readText(t, tc.text)
			require.Empty(t, bad)
			require.Equal(t, tc.want, conns)
		})
	}
}

// A duration in JSON is the whole double; TSV has six decimals of it.
func TestJSONDoubleAsTSV(t *testing.T) {
	fromTSV := readOne(t, tsvHeader+withField("duration", "0.012167"))
	fromJSON := readOne(t, strings.Replace(webObject, "0.407908", "0.012166976928710938", 1))
	require.Equal(t, fromTSV, fromJSON)
}

func TestBadJSONRows(t *testing.T) {
	replace := func(old, with string) string { return strings.Replace(webObject, old, with, 1) }
	for _, tc := range []struct {
		name, row    string
		field, error string
	}{
		{"cut off in a string", webObject[:20] + "\n", "", "the JSON object is cut off"},
		{"cut off in a number", `{"ts":12` + "\n", "", "the JSON object is cut off"},
		{"cut off after a comma", `{"ts":12,` + "\n", "", "the JSON object is cut off"},
		{"cut off in an array", `{"a":[{"b":` + "\n", "", "the JSON object is cut off"},
		{"cut off after a backslash", `{"a":"\` + "\n", "", "the JSON object is cut off"},
		{"not an object", "[1,2]\n", "", "not a JSON object"},
		{"two objects", strings.TrimSpace(webObject) + webObject, "", "text after the JSON object's end"},
		{"no colon", replace(`"uid":`, `"uid" `), "", `no colon after the key "uid"`},
		{"no value", replace(`"uid":"CRPOmC46t2ewjClfg"`, `"uid":`), "", `",\"id.orig_h\":\"192.168.2.16\",\"id.orig_p\":"… where a value belongs`},
		{"no comma", replace(`,"uid"`, ` "uid"`), "", `"\"uid\":\"CRPOmC46t2ewjClfg\",\"id.orig_h\":\"1"… where a comma or a closing brace belongs`},
		{"no key", replace(`"uid"`, `uid`), "", `"uid:\"CRPOmC46t2ewjClfg\",\"id.orig_h\":\"192"… where a key belongs`},
		{"brackets", `{"a":[}]}` + "\n", "", "brackets do not match"},
		{"bad escape", replace(`"http"`, `"\q"`), "service", `"\"\\q\"" is not a JSON string`},
		{"an object for a value", replace(`"http"`, `{"a":1}`), "service", `"{\"a\":1}" where one value belongs`},
		{"an array of numbers", replace(`["Caaa","Cbbb"]`, `[1]`), "tunnel_parents", `"[1]" is not an array of strings`},
		{"nan", replace("0.407908", "NaN"), "duration", `"NaN" is not a number`},
		{"negative duration", replace("0.407908", "-1"), "duration", `-1 is negative`},
		{"no ts", replace(`"ts":1210953057.834454,`, ``), "ts", "is missing"},
		{"ts null", replace(`1210953057.834454`, `null`), "ts", "is unset"},
		{"another log", `{"ts":1.0,"uid":"C","id.orig_h":"1.1.1.1","id.orig_p":1,"id.resp_h":"1.1.1.1","id.resp_p":2,"proto":"udp","query":"x"}` + "\n", "", "not a row of conn.log: no conn_state"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conns, bad := readText(t, webObject+tc.row+udpObject)
			require.Equal(t, []conn.Conn{webConn, udpConn}, conns)
			require.Len(t, bad, 1)
			require.Equal(t, 2, bad[0].Line)
			require.Equal(t, tc.field, bad[0].Field)
			require.EqualError(t, bad[0].Err, tc.error)
		})
	}
}
