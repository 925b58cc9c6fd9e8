package zeeklog

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestParseTime(t *testing.T) {
	for _, tc := range []struct {
		text string
		want conn.Micros
	}{
		{"1427325411.001122", 1427325411001122},
		{"1427325411.0", 1427325411000000},
		{"1427325411", 1427325411000000},
		{"0.000000", 0},
		{"0.1", 100000},
		{"-1.5", -1500000},
		{"2.14748364725e+09", 2147483647250000},
		{"4.000000000000001e+09", 4000000000000000 + 1},
		{"1588935913.4479811", 1588935913447981}, // rapidjson's text of …447981
		{"1.0000005", 1000001},                   // exactly one half as a double: conn.FromSeconds
		{"1e-06", 1},
		{"1664462456755", 1664462456755000}, // JSON::TS_MILLIS
		{"100000000000", 100000000000000},
		{"99999999999", 99999999999000000}, // seconds still
		{"1664462456755.2996", 1664462456755300},
		{"1664462456755299", 1664462456755299},    // microseconds
		{"1664462456755299400", 1664462456755299}, // nanoseconds
		{"2022-09-29T14:40:56.755299Z", 1664462456755299},
		{"2022-09-29T14:40:56+0000", 1664462456000000},
		{"2022-09-29T16:40:56.75+02:00", 1664462456750000},
		{"2022-09-29 14:40:56.755299", 1664462456755299},
		{"1969-12-31T23:59:59.999999Z", -1},
	} {
		got, err := parseTime(tc.text)
		require.NoError(t, err, tc.text)
		require.Equal(t, tc.want, got, tc.text)
	}
	for _, text := range []string{"", "-", ".", ".5.", "1.2.3", "nan", "NaN", "inf", "-Infinity", "0x10", "1_000", "1e400",
		"9300000000000.0", "-9300000000000.5", "2022-13-01T00:00:00Z", "2022-", "1664462456755000000000"} {
		_, err := parseTime(text)
		require.Error(t, err, text)
	}
}

// The integer path and the double that Zeek would have made of the same text
// agree for every time that six decimals can tell.
func TestParseSecondsAsDouble(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200000 {
		text := strconv.FormatFloat(float64(r.Int64N(4e15))/1e6, 'f', r.IntN(7), 64)
		f, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		got, err := parseSeconds(text)
		require.NoError(t, err)
		require.Equal(t, conn.FromSeconds(f), got, text)
	}
}

func TestParseCount(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "7": 7, "007": 7, "9999999999999999999": 9999999999999999999, "18446744073709551615": math.MaxUint64,
		"12.0": 12, "1.2e1": 12, "1e3": 1000,
	} {
		got, err := parseCount(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-", "-1", "1.5", "1e30", "0x10", "nan", "1 ", " 1", "18446744073709551616"} {
		_, err := parseCount(text)
		require.Error(t, err, text)
	}
}

func TestParseAddrAsNetip(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "255.255.255.255", "1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3",
		"256.1.1.1", "1.2.3.4 ", "1.2.3.a", "", "::", "::1", "fe80::1%lo", "::ffff:1.2.3.4", "::1.2.3.4", "2001:DB8::1", "1:2", "a.b.c.d"} {
		want, err := netip.ParseAddr(text)
		got, gotErr := parseAddr(text)
		if err != nil || want.Zone() != "" {
			require.Error(t, gotErr, text)
			continue
		}
		require.NoError(t, gotErr, text)
		require.Equal(t, want.Unmap(), got, text)
	}
}

func TestAppendAddr(t *testing.T) {
	for addr, want := range map[string]string{ // conn-semantics §6.7, from Zeek itself
		"1.2.3.4":              "1.2.3.4",
		"::ffff:1.2.3.4":       "1.2.3.4",
		"::":                   "::",
		"::1":                  "::1",
		"::2":                  "::2",
		"::1:2":                "::0.1.0.2",
		"::1:0":                "::0.1.0.0",
		"::102:304":            "::1.2.3.4",
		"::ffff:0:a00:1":       "::ffff:0:10.0.0.1",
		"64:ff9b::102:304":     "64:ff9b::102:304",
		"2001:db8:0:0:1::1":    "2001:db8::1:0:0:1",
		"2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
	} {
		a := netip.MustParseAddr(addr)
		text := string(appendAddr(nil, a))
		require.Equal(t, want, text)
		back, err := parseAddr(text)
		require.NoError(t, err)
		require.Equal(t, a.Unmap(), back)
	}
}

func TestAppendSeconds(t *testing.T) {
	for m, want := range map[conn.Micros]string{
		0: "0.000000", 1: "0.000001", -250000: "-0.250000", 1427325411001122: "1427325411.001122",
		2147483646999999: "2147483646.999999", 2147483647000000: "2.147483647e+09", 2147483647250000: "2.14748364725e+09",
		4000000000000001: "4.000000000000001e+09", 4000000000000000: "4e+09",
	} {
		require.Equal(t, want, string(appendSeconds(nil, m)))
		back, err := parseTime(want)
		require.NoError(t, err)
		require.Equal(t, m, back, want)
	}
}

func TestAppendDouble(t *testing.T) {
	for _, tc := range []struct {
		f         float64
		tsv, json string
	}{
		{0, "0.0", "0.0"},
		{1, "1.0", "1.0"},
		{0.5, "0.5", "0.5"},
		{0.5443, "0.5443", "0.5443"},
		{0.0001, "0.0001", "0.0001"},
		{-0.25, "-0.25", "-0.25"},
		{105918, "105918.0", "105918.0"},
		{2.0 / 3, "0.666667", "0.6666666666666666"},
		{0.0000004, "0", "4e-7"}, // as Zeek: not within 1e-9 of a whole number
		{1e-10, "0.0", "1e-10"},
		{-1.5e-7, "-0", "-1.5e-7"},
		{2147483648, "2147483648.0", "2147483648.0"},
		{2147483648.25, "2147483648.25", "2147483648.25"},
		{1e21, "1000000000000000000000.0", "1e21"},
	} {
		require.Equal(t, tc.tsv, string(appendDouble(nil, tc.f)))
		require.Equal(t, tc.json, string(jsonNotation{}.double(nil, tc.f)))
	}
}

// Every score has the same digits in TSV, JSON and CSV.
func TestScoreDigits(t *testing.T) {
	for k := range 10001 {
		f := float64(k) / 10000
		want := strconv.FormatFloat(f, 'f', -1, 64)
		if k%10000 == 0 {
			want += ".0"
		}
		require.Equal(t, want, string(appendDouble(nil, f)))
		require.Equal(t, want, string(jsonNotation{}.double(nil, f)))
		require.Equal(t, want, string(csvNotation{}.double(nil, f)))
	}
}

func TestUnsetValues(t *testing.T) {
	require.Equal(t, Value{}, Double(math.NaN()))
	require.Equal(t, Value{}, Double(math.Inf(-1)))
	require.NotEqual(t, Value{}, Double(0))
	require.NotEqual(t, Value{}, Text(""))
}

func TestAppendEscaped(t *testing.T) {
	n := &start(TSV).tsvNotation
	for _, tc := range []struct{ text, tsv, json string }{
		{"http", "http", `"http"`},
		{"", "(empty)", `""`},
		{"-", `\x2d`, `"-"`},
		{"(empty)", `\x28empty)`, `"(empty)"`},
		{"a\tb", `a\x09b`, `"a\tb"`},
		{`a\b`, `a\\b`, `"a\\b"`},
		{`say "x"`, `say "x"`, `"say \"x\""`},
		{"ñ€𐌼", "ñ€𐌼", `"ñ€𐌼"`}, // src/util.cc, json_escape_utf8's tests
		{"\xc3\x28", `\xc3(`, `"\\xc3("`},
		{"ñ\xc0\x81", `\xc3\xb1\xc0\x81`, `"\\xc3\\xb1\\xc0\\x81"`},
		{"\x07é", `\x07\xc3\xa9`, `"\\x07\\xc3\\xa9"`},
		{"\ue2e0", `\xee\x8b\xa0`, `"\\xee\\x8b\\xa0"`},
		{"a\nb", `a\x0ab`, `"a\nb"`},
	} {
		require.Equal(t, tc.tsv, string(n.text(nil, tc.text)), "%q", tc.text)
		require.Equal(t, tc.json, string(jsonNotation{}.text(nil, tc.text)), "%q", tc.text)
	}
	require.Equal(t, `a\x2cb,\x2d`, string(n.set(nil, []string{"a,b", "-"})))
	require.Equal(t, "(empty)", string(n.set(nil, nil)))
}
