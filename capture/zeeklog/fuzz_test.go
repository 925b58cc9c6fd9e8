package zeeklog

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// seeds are logs of all kinds.
var seeds = []string{
	"", "\n", tsvHeader + webRow + udpRow + "#close\tx\n", strings.ReplaceAll(tsvHeader+webRow, "\n", "\r\n"),
	tsvHeader + webRow + "#fields\tts\n#types\ttime\n1\n" + tsvHeader + udpRow, fieldsLine + "bad\n" + webRow,
	"#separator ,\n#unset_field,\\x2d\n" + strings.ReplaceAll(fieldsLine+webRow, "\t", ","),
	"\ufeff" + webObject + udpObject, webObject + `{"ts":` + "\n", `{"id":{"orig_h":"::1"},"ts":"2022-09-29T14:40:56Z"}`,
	csvHeader + csvWeb + csvUDP, "anomaly_score," + csvHeader + "1," + csvWeb,
	"[" + webObject + "," + udpObject + "]", "{\n" + webObject[1:], `{"result":` + strings.TrimSpace(webObject) + "}\n", strings.ReplaceAll(webObject, `"id.`, `"id_`),
	strings.Replace(webObject, "1210953057.834454", `{"$date":{"$numberLong":"1210953057834"}}`, 1),
	strings.ReplaceAll(tsvHeader+webRow, "#", "//"), strings.ReplaceAll(tsvHeader+webRow+"#close\tx\n", "#", ""), strings.ReplaceAll(fieldsLine+webRow, "#", ";"),
	`{"ts":1.5,"msg":"x"}` + "\n" + `{"ts":1.5,"id.orig_h":"::1","query":"x"}` + "\n" + webObject,
	strings.ReplaceAll(csvHeader+csvUDP, ",", ";"), webRow, "\x0a\x0d\x0d\x0a", " " + webObject,
	tsvHeader + withField("ts", "2.147483700123456e+09") + withField("service", `a\x09\\`) + withField("tunnel_parents", "(empty)"),
}

// FuzzLog: whatever the text, nothing panics, the text goes through unchanged,
// and neither short reads nor several goroutines change the rows.
func FuzzLog(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		conns, bad, err := readAll(strings.NewReader(text))
		conns2, bad2, err2 := readAll(iotest.HalfReader(strings.NewReader(text)))
		require.Equal(t, err == nil, err2 == nil)
		if err != nil {
			return
		}
		require.Equal(t, conns, conns2)
		require.Equal(t, bad, bad2)

		var out bytes.Buffer
		rows := 0
		require.NoError(t, NewBlocks(strings.NewReader(text), "conn.log").Run(context.Background(), &out, Steps{
			InOrder: func(blk *Block) error { rows += len(blk.Rows); return nil },
			Render:  asItIs,
		}))
		require.Equal(t, text, out.String())
		require.Equal(t, len(conns)+len(bad), rows)
		scored := addScores(t, text, 0.5, 0.25)
		again, _, err := readAll(strings.NewReader(scored))
		require.NoError(t, err, "what is written can be read: %q", scored)
		require.Equal(t, len(conns), len(again))
	})
}

// FuzzTSV holds the parser to its slow twin, and the added column to what it
// promises: the rows read the same, and adding it again changes nothing.
func FuzzTSV(f *testing.F) {
	f.Add(webRow + udpRow)
	for i := range columns {
		for _, value := range []string{"-", "(empty)", "", "1e3", "0.5", `\x2d\\`, "::ffff:1.2.3.4", "T", "1664462456755", "2022-09-29T14:40:56Z"} {
			f.Add(withField(columns[i].name, value))
		}
	}
	f.Fuzz(func(t *testing.T, rows string) {
		if strings.HasPrefix(rows, "#") || strings.Contains(rows, "\n#") {
			return
		}
		conns, bad := readText(t, tsvHeader+rows)
		number, good, failed := strings.Count(tsvHeader, "\n"), 0, 0
		for _, line := range strings.Split(rows, "\n") {
			number++
			if line = strings.TrimSuffix(line, "\r"); line == "" {
				continue
			}
			want, err := slowTSV(line)
			if err != nil {
				require.Less(t, failed, len(bad), "read, but %v: %q", err, line)
				require.Equal(t, number, bad[failed].Line)
				failed++
				continue
			}
			require.Less(t, good, len(conns), "not read: %q: %v", line, bad)
			require.Equal(t, want, conns[good])
			good++
		}
		require.Len(t, conns, good)
		require.Len(t, bad, failed)

		once := addScores(t, tsvHeader+rows, 0.5, 0.25)
		again, _ := readText(t, once)
		require.Equal(t, conns, again)
		require.Equal(t, once, addScores(t, once, 0.5, 0.25))
	})
}

// FuzzJSON holds the parser to encoding/json.
func FuzzJSON(f *testing.F) {
	f.Add(strings.TrimSpace(webObject))
	f.Add(strings.TrimSpace(udpObject))
	f.Add(`{"id":{"orig_h":"::1","orig_p":"5","resp_h":"1.2.3.4","resp_p":8e1},"ts":"2022-09-29T14:40:56Z","proto":"tcp","orig_pkts":1, "x":[{"y":"\"}"}], "anomaly_score":null}`)
	f.Add(strings.TrimSpace(strings.Replace(webObject, `"http"`, `"\u0068\ud83d\ude00\/"`, 1)))
	f.Add(strings.TrimSpace(strings.Replace(webObject, `"http"`, `"\\\\x41\\\\"`, 1)))
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n") || !utf8.ValidString(line) || !json.Valid([]byte(line)) || len(line) > MaxLine {
			return
		}
		line = strings.TrimSpace(line)
		want, err := slowJSON(line)
		if err == errTwice || line[0] != '{' {
			return
		}
		conns, bad, refused := readAll(strings.NewReader(line))
		if refused != nil {
			require.Error(t, err, "%v", refused)
			return
		}
		require.Equal(t, err == nil, len(bad) == 0, "%v, %v", err, bad)
		if err == nil {
			require.Equal(t, []conn.Conn{want}, conns)
		}

		scored := addScores(t, line, 0.5)
		require.True(t, json.Valid([]byte(scored)), "%s", scored)
		if err == nil {
			members, err := slowMembers(scored)
			require.NoError(t, err)
			scores := 0
			for _, m := range members {
				if m.key == "anomaly_score" {
					require.Equal(t, "0.5", string(m.value))
					scores++
				}
			}
			require.Equal(t, 1, scores)
			again, _ := readText(t, scored)
			require.Equal(t, conns, again)
			require.Equal(t, scored, addScores(t, scored, 0.5))
		}
	})
}

// FuzzCSV holds the fields of a line to encoding/csv.
func FuzzCSV(f *testing.F) {
	for _, line := range []string{csvWeb, `a,"b,c","d""e",`, `""`, `,`, `"a`} {
		f.Add(strings.TrimSuffix(line, "\n"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		if line == "" || strings.ContainsAny(line, "\r\n") {
			return
		}
		want, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil {
			return
		}
		got := splitCSV(nil, line)
		for i := range got {
			got[i] = unquote(got[i])
		}
		require.Equal(t, want, got)

		var out []byte
		for i, field := range want {
			if i > 0 {
				out = append(out, ',')
			}
			out = csvNotation{}.text(out, field)
		}
		again, err := csv.NewReader(bytes.NewReader(out)).Read()
		require.NoError(t, err)
		require.Equal(t, want, again)
	})
}

// FuzzRoundTrip: what is written reads back the same.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(1210953057834454), "CRPO", uint64(0xc0a80210), uint64(0), uint64(80), "http", int64(407908), uint64(790), "Cx", "ShAD", uint64(0x1ff))
	f.Add(int64(0), "-", uint64(1), uint64(1<<63), uint64(0), "(empty)", int64(0), uint64(math.MaxUint64), "a,b", "\\x2d\xff", uint64(0))
	f.Fuzz(func(t *testing.T, ts int64, uid string, addr, high, port uint64, service string, duration int64, bytes uint64, parent, history string, set uint64) {
		const exact = 4e15 // microseconds that a double tells apart
		var b [16]byte
		for i := range 8 {
			b[i], b[15-i] = byte(high>>(8*i)), byte(addr>>(8*i))
		}
		c := conn.Conn{
			TS: conn.Micros(ts % exact), UID: uid,
			Orig:  netip.AddrPortFrom(netip.AddrFrom16(b).Unmap(), uint16(port)),
			Resp:  netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:])), uint16(port>>16)),
			Proto: conn.Proto(port >> 32 % uint64(conn.NumProto)), State: conn.State(port >> 40 % uint64(conn.NumState)),
			MissedBytes: bytes >> 3, OrigPkts: bytes >> 5, OrigIPBytes: bytes >> 7, RespPkts: bytes >> 9, RespIPBytes: bytes >> 11,
			Set: conn.Fields(set & 0x1ff),
		}
		if c.Has(conn.Service) {
			c.Service = service
		}
		if c.Has(conn.Duration) {
			c.Duration = conn.Micros(duration&math.MaxInt64) % exact
		}
		if c.Has(conn.OrigBytes) {
			c.OrigBytes = bytes
		}
		if c.Has(conn.RespBytes) {
			c.RespBytes = bytes >> 1
		}
		c.LocalOrig = c.Has(conn.LocalOrig) && bytes&1 != 0
		c.LocalResp = c.Has(conn.LocalResp) && bytes&2 != 0
		if c.Has(conn.History) {
			c.History = history
		}
		if c.Has(conn.TunnelParents) {
			c.TunnelParents = []string{parent, uid}
		}
		if c.Has(conn.IPProto) {
			c.IPProto = uint16(port >> 48)
		}
		require.Equal(t, c, readOne(t, write(t, TSV, c)))

		// Zeek's JSON cannot tell bytes that are not text from their escapes, and
		// "-" is read as unset.
		for _, s := range []string{uid, service, history, parent} {
			if !isPrintable(s, true) || strings.ContainsAny(s, "\u2028\u2029") || s == "-" || s == "(empty)" {
				return
			}
		}
		require.Equal(t, c, readOne(t, write(t, JSON, c)))
	})
}
