package zeeklog

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var scoreColumn = Column{"anomaly_score", "double"}

// addTo writes a log through with columns added; values are those of the good
// rows, in order.
func addTo(t testing.TB, text string, columns []Column, values ...[]Value) string {
	t.Helper()
	add, row := NewAddColumns(columns...), 0
	var out bytes.Buffer
	err := NewBlocks(strings.NewReader(text), "conn.log").Run(context.Background(), &out, Steps{
		InOrder: func(*Block) error { return nil },
		Workers: 1,
		Render: func(dst []byte, blk *Block) []byte {
			return add.Append(dst, blk, func(_ int, v []Value) {
				if row < len(values) {
					copy(v, values[row])
				}
				row++
			})
		},
	})
	require.NoError(t, err)
	return out.String()
}

func addScores(t testing.TB, text string, scores ...float64) string {
	t.Helper()
	var values [][]Value
	for _, s := range scores {
		values = append(values, []Value{Double(s)})
	}
	return addTo(t, text, []Column{scoreColumn}, values...)
}

// withScore is a TSV log's text with the column added to its header lines and
// in turn each value at the end of a row.
func withScore(text string, scores ...string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		body := strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#fields"):
			lines[i] = body + "\tanomaly_score" + line[len(body):]
		case strings.HasPrefix(line, "#types"):
			lines[i] = body + "\tdouble" + line[len(body):]
		case body != "" && line[0] != '#':
			lines[i] = body + "\t" + scores[0] + line[len(body):]
			scores = scores[1:]
		}
	}
	return strings.Join(lines, "")
}

func TestAddColumnTSV(t *testing.T) {
	labelled := strings.Replace(fieldsLine, "tunnel_parents\tip_proto", "ip_proto\ttunnel_parents   label   detailed-label", 1) +
		strings.Replace(udpRow, "-\t17\n", "17\t-   Malicious   C&C\n", 1)
	for _, tc := range []struct {
		name, text string
		want       []string // the values at the rows' ends, bad ones too
	}{
		{"as Zeek writes it", tsvHeader + webRow + udpRow + "#close\t2024-04-19-01-00-00\n", []string{"0.5443", "0.5"}},
		{"no line end", tsvHeader + webRow + strings.TrimSuffix(udpRow, "\n"), []string{"0.5443", "0.5"}},
		{"CRLF", strings.ReplaceAll(tsvHeader+webRow+udpRow+"#close\tx\n", "\n", "\r\n"), []string{"0.5443", "0.5"}},
		{"mixed line ends", tsvHeader + webRow + "\r\n" + strings.ReplaceAll(udpRow, "\n", "\r\n") + "\n", []string{"0.5443", "0.5"}},
		{"header only", tsvHeader + "#close\tx\n", nil},
		{"concatenation", tsvHeader + webRow + "#close\tx\n" + tsvHeader + "# a comment\n" + udpRow + "#close\ty\n", []string{"0.5443", "0.5"}},
		{"labelled", labelled, []string{"0.5443"}},
		{"bad rows have no score", tsvHeader + "1\t2\n" + webRow + withField("duration", "nan") + udpRow, []string{"-", "0.5443", "-", "0.5"}},
		{"another unset", "#separator \\x09\n#unset_field\tNULL\n" + fieldsLine + "bad\n" + strings.ReplaceAll(udpRow, "\t-", "\tNULL"), []string{"NULL", "0.5443"}},
		{"another log in mid-file", tsvHeader + webRow + "#fields\tts\tuid\n#types\ttime\tstring\n1\tC\n" + tsvHeader + udpRow, []string{"0.5443", "-", "0.5"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, withScore(tc.text, tc.want...), addScores(t, tc.text, 0.5443, 0.5))
		})
	}
}

func TestAddColumnOtherSeparator(t *testing.T) {
	text := "#separator ,\n#set_separator,|\n" + strings.ReplaceAll(fieldsLine+typesLine+strings.ReplaceAll(webRow, ",", "|"), "\t", ",")
	got := addTo(t, text, []Column{scoreColumn, {"anomaly_reason", "string"}}, []Value{Double(0.5), Text("a, b")})
	want := strings.NewReplacer("ip_proto\n", "ip_proto,anomaly_score,anomaly_reason\n",
		",set[string],count\n", ",set[string],count,double,string\n", ",6\n", `,6,0.5,a\x2c b`+"\n").Replace(text)
	require.Equal(t, want, got)
}

// Scoring a scored log gives the log as it would be scored the first time, at
// the column's place.
func TestAddColumnAnew(t *testing.T) {
	text := tsvHeader + webRow + "short\n" + udpRow + "#close\tx\n"
	require.Equal(t, addScores(t, text, 0.7), addScores(t, addScores(t, text, 0.5443, 0.5), 0.7))

	inside := func(name, typ, first, second string) string {
		return strings.NewReplacer("\tproto\t", "\t"+name+"\tproto\t", "\tenum\t", "\t"+typ+"\tenum\t",
			"\ttcp\t", "\t"+first+"\ttcp\t", "\tudp\t", "\t"+second+"\tudp\t").Replace(text)
	}
	require.Equal(t, inside("anomaly_score", "double", "0.5443", "-"), addScores(t, inside("anomaly_score", "string", "x", "0.1"), 0.5443))

	reason := []Column{{"anomaly_reason", "string"}, scoreColumn}
	require.Equal(t, withScore(text, "why\t0.5", "-\t-", "-\t-"),
		strings.ReplaceAll(strings.ReplaceAll(addTo(t, text, reason, []Value{Text("why"), Double(0.5)}), "\tanomaly_reason\t", "\t"), "\tstring\tdouble\n", "\tdouble\n"))
}

func TestAddColumnJSON(t *testing.T) {
	web, udp := strings.TrimSuffix(webObject, "}\n"), strings.TrimSuffix(udpObject, "}\n")
	unknown := strings.Replace(web, `{"ts"`, `{ "note" : "anomaly_score", "x":{"anomaly_score":1},"ts"`, 1)
	for _, tc := range []struct{ name, text, want string }{
		{"as Zeek writes it", webObject + udpObject, web + `,"anomaly_score":0.5443}` + "\n" + udp + `,"anomaly_score":0.5}` + "\n"},
		{"unset is left out", webObject + udpObject + webObject, web + `,"anomaly_score":0.5443}` + "\n" + udp + `,"anomaly_score":0.5}` + "\n" + webObject},
		{"blank lines, CRLF, spaces", "\n" + web + "} \r\n\n" + udp + " }", "\n" + web + `,"anomaly_score":0.5443} ` + "\r\n\n" + udp + ` ,"anomaly_score":0.5}`},
		{"bad rows as they are", `{"ts":"` + "\n{}\n" + webObject, `{"ts":"` + "\n{}\n" + web + `,"anomaly_score":0.5443}` + "\n"},
		{"the name elsewhere", unknown + "}\n", unknown + `,"anomaly_score":0.5443}` + "\n"},
		{"anew at the end", web + `,"anomaly_score":0.1}` + "\n", web + `,"anomaly_score":0.5443}` + "\n"},
		{"anew in the middle", strings.Replace(webObject, `"proto"`, `"anomaly_score" : "x", "proto"`, 1), strings.Replace(webObject, `"proto"`, `"anomaly_score" : 0.5443, "proto"`, 1)},
		{"anew, twice there", `{"anomaly_score":1,` + web[1:] + `,"anomaly_score":0.1}` + "\n", `{"anomaly_score":0.5443,` + web[1:] + "}\n"},
		{"anew in a bad row", `{"anomaly_score":1, "ts":null, "anomaly_score":2 }` + "\n" + webObject, `{"ts":null }` + "\n" + web + `,"anomaly_score":0.5443}` + "\n"},
		{"anew, nothing else", webObject + `{ "anomaly_score":1 }` + "\n", web + `,"anomaly_score":0.5443}` + "\n{  }\n"},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, addScores(t, tc.text, 0.5443, 0.5)) })
	}
	got := addTo(t, webObject, []Column{scoreColumn, {"anomaly_rank", "count"}, {"anomaly_reason", "string"}},
		[]Value{Double(1), Count(12000), Text(`say "x"` + "\n")})
	require.Equal(t, web+`,"anomaly_score":1.0,"anomaly_rank":12000,"anomaly_reason":"say \"x\"\n"}`+"\n", got)
}

func TestAddColumnCSV(t *testing.T) {
	header, web, udp := strings.TrimSuffix(csvHeader, "\n"), strings.TrimSuffix(csvWeb, "\n"), strings.TrimSuffix(csvUDP, "\n")
	for _, tc := range []struct{ name, text, want string }{
		{"plain", csvHeader + csvWeb + csvUDP, header + ",anomaly_score\n" + web + ",0.5443\n" + udp + ",0.5\n"},
		{"unset is empty", csvHeader + "1,2\n" + csvWeb, header + ",anomaly_score\n1,2,\n" + web + ",0.5443\n"},
		{"byte order mark, CRLF", "\ufeff" + header + "\r\n" + web + "\r\n", "\ufeff" + header + ",anomaly_score\r\n" + web + ",0.5443\r\n"},
		{"anew", "anomaly_score," + csvHeader + "x," + csvWeb + "\"y,z\"," + csvUDP, "anomaly_score," + csvHeader + "0.5443," + csvWeb + "0.5," + csvUDP},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, addScores(t, tc.text, 0.5443, 0.5)) })
	}
	got := addTo(t, csvHeader+csvWeb, []Column{{"anomaly_reason", "string"}}, []Value{Text(`a, "b"`)})
	require.Equal(t, header+",anomaly_reason\n"+web+`,"a, ""b"""`+"\n", got)
}

// A line too long to parse goes through whole.
func TestAddColumnLongLine(t *testing.T) {
	for _, length := range []int{MaxLine, 3*MaxLine + 5} {
		long := strings.Repeat("x", length)
		text := tsvHeader + webRow + long + "\n" + udpRow
		require.True(t, withScore(text, "0.5443", "-", "0.5") == addScores(t, text, 0.5443, 0.5))
		text = webObject + long + "\n"
		require.True(t, strings.Replace(text, "}", `,"anomaly_score":0.5443}`, 1) == addScores(t, text, 0.5443))
	}
}

// Without columns nothing changes, whatever the text.
func TestAddNothing(t *testing.T) {
	for _, text := range []string{"", "\n\n", tsvHeader + webRow + "bad\r\n\n#close\n", webObject + "{\n" + udpObject, csvHeader + csvWeb + "x"} {
		require.Equal(t, text, addTo(t, text, nil))
	}
}

func TestAddColumnAllocations(t *testing.T) {
	for name, text := range map[string]string{"TSV": tsvHeader + strings.Repeat(webRow, 500), "JSON": strings.Repeat(webObject, 250)} {
		b, blk := NewBlocks(strings.NewReader(text), "conn.log"), new(Block)
		require.NoError(t, b.Next(blk))
		NewParser().Parse(blk)
		require.Greater(t, len(blk.Rows), 200)
		add, out := NewAddColumns(scoreColumn), make([]byte, 0, 1<<20)
		allocs := testing.AllocsPerRun(10, func() { out = add.Append(out[:0], blk, scores) })
		require.Less(t, allocs, 40.0, "%s: for the header lines and the block, not for the rows", name)
	}
}
