package zeeklog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Every option of Zeek's ASCII writer (scripts/base/frameworks/logging/writers/ascii.zeek)
// and of the framework that changes how a conn.log looks: the rows are the same,
// and a score that is added stands in its place.
func TestZeeksOptions(t *testing.T) {
	both := []conn.Conn{webConn, udpConn}
	milli, micro := webConn, webConn
	milli.TS = 1210953057834000
	plain := tsvHeader + webRow + udpRow + "#close\t2024-04-19-01-00-00\n"
	scored := withScore(plain, "0.5443", "0.5")
	separated := func(sep, escaped, set string) func(string) string {
		return func(log string) string {
			log = strings.ReplaceAll(strings.ReplaceAll(log, "Caaa,Cbbb", "Caaa"+set+"Cbbb"), "#set_separator\t,", "#set_separator\t"+set)
			return strings.ReplaceAll(strings.ReplaceAll(log, `\x09`, escaped), "\t", sep)
		}
	}
	noMeta := func(log string) string { // tsv=T: names, and no other header line
		lines := strings.SplitAfter(log, "\n")
		return strings.TrimPrefix(lines[5], "#fields\t") + strings.Join(lines[7:9], "")
	}
	for _, tc := range []struct {
		option string
		as     func(log string) string // as the option has it written
	}{
		{"separator = |", separated("|", "|", ",")},
		{"separator = ,", separated(",", ",", "|")},
		{"separator = ||", separated("||", "||", ",")},
		{"separator = space", separated(" ", " ", ",")},
		{"separator = \\x01", separated("\x01", `\x01`, ",")},
		{"separator = #", separated("#", "#", ",")},
		{"set_separator = ;", separated("\t", `\x09`, ";")},
		{"unset_field = NULL", func(log string) string {
			return strings.ReplaceAll(strings.ReplaceAll(log, "\t-", "\tNULL"), "unset_field\t-", "unset_field\tNULL")
		}},
		{"unset_field empty", func(log string) string { return strings.ReplaceAll(log, "\t-", "\t") }},
		{"empty_field = EMPTY", func(log string) string { return strings.ReplaceAll(log, "(empty)", "EMPTY") }},
		{"meta_prefix = //", func(log string) string { return strings.ReplaceAll(log, "#", "//") }},
		{"meta_prefix = ##", func(log string) string { return strings.ReplaceAll(log, "#", "##") }},
		{"meta_prefix = a word and a space", func(log string) string { return strings.ReplaceAll(log, "#", "zeek header ") }},
		{"meta_prefix empty", func(log string) string { // every row would begin with it
			return strings.ReplaceAll(strings.ReplaceAll(log, "#", ""), "\n1210", "\n\\x31210")
		}},
		{"meta_prefix = 1", func(log string) string {
			return strings.ReplaceAll(strings.ReplaceAll(log, "#", "1"), "\n1210", "\n\\x31210")
		}},
		{"meta_prefix // and separator |", func(log string) string { return separated("|", "|", ",")(strings.ReplaceAll(log, "#", "//")) }},
		{"meta_prefix //, fields line alone", func(log string) string {
			lines := strings.SplitAfter(log, "\n")
			return "//" + lines[5][1:] + strings.Join(lines[7:9], "")
		}},
		{"tsv = T", noMeta},
		{"tsv = T, separator = |", func(log string) string { return strings.ReplaceAll(noMeta(log), "\t", "|") }},
		{"tsv = T, separator = ;", func(log string) string { return strings.ReplaceAll(noMeta(log), "\t", ";") }},
		{"default_scope_sep = _", func(log string) string { return strings.ReplaceAll(log, "id.", "id_") }},
		{"default_scope_sep = :", func(log string) string { return strings.ReplaceAll(log, "id.", "id:") }},
		{"default_scope_sep = ->", func(log string) string { return strings.ReplaceAll(log, "id.", "id->") }},
		{"default_scope_sep empty", func(log string) string { return strings.ReplaceAll(log, "id.", "id") }},
		{"default_scope_sep = _, tsv = T", func(log string) string { return strings.ReplaceAll(noMeta(log), "id.", "id_") }},
		{"default_ext_func", func(log string) string {
			return strings.NewReplacer("#fields\t", "#fields\t_write_ts\t", "#types\t", "#types\ttime\t", "\n12", "\n1.5\t12").Replace(log)
		}},
	} {
		t.Run(tc.option, func(t *testing.T) {
			conns, bad := readText(t, tc.as(plain))
			require.Empty(t, bad)
			require.Equal(t, both, conns)
			require.Equal(t, tc.as(scored), addScores(t, tc.as(plain), 0.5443, 0.5))
			again, bad := readText(t, addScores(t, tc.as(plain), 0.5443, 0.5))
			require.Empty(t, bad)
			require.Equal(t, both, again)
		})
	}
	for _, tc := range []struct {
		option, text string
		want         conn.Conn
	}{
		{"use_json = T", webObject, webConn},
		{"json_timestamps = JSON::TS_EPOCH", webObject, webConn},
		{"json_timestamps = JSON::TS_MILLIS", strings.Replace(webObject, "1210953057.834454", "1210953057834", 1), milli},
		{"json_timestamps = JSON::TS_ISO8601", strings.Replace(webObject, "1210953057.834454", `"2008-05-16T15:50:57.834454Z"`, 1), micro},
		{"json_include_unset_fields = T", strings.Replace(udpObject, `"conn_state"`, `"service":null,"duration":null,"orig_bytes":null,"resp_bytes":null,"conn_state"`, 1), udpConn},
		{"default_scope_sep = _", strings.ReplaceAll(webObject, `"id.`, `"id_`), webConn},
		{"default_scope_sep = :", strings.ReplaceAll(webObject, `"id.`, `"id:`), webConn},
		{"enable_utf_8 = F", strings.Replace(webObject, "ShADadR", `\\xc3\\xa9`, 1), func() conn.Conn { c := webConn; c.History = `\xc3\xa9`; return c }()},
		{"default_ext_func", `{"_write_ts":1.5,"_system_name":"worker-1",` + webObject[1:], webConn},
	} {
		t.Run("JSON, "+tc.option, func(t *testing.T) {
			require.Equal(t, tc.want, readOne(t, tc.text))
			want := strings.Replace(tc.text, "}\n", `,"anomaly_score":0.5}`+"\n", 1)
			require.Equal(t, want, addScores(t, tc.text, 0.5))
		})
	}
}
