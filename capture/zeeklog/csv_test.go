package zeeklog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

var (
	csvHeader = strings.ReplaceAll(strings.TrimPrefix(fieldsLine, "#fields\t"), "\t", ",")
	csvWeb    = strings.ReplaceAll(strings.Replace(webRow, "Caaa,Cbbb", `"Caaa,Cbbb"`, 1), "\t", ",")
	csvUDP    = strings.ReplaceAll(udpRow, "\t", ",")
)

func TestReadCSV(t *testing.T) {
	web, udp := webConn, udpConn
	two := web
	two.Service = "gssapi,smb"
	for _, tc := range []struct {
		name, text string
		want       []conn.Conn
	}{
		{"plain", csvHeader + csvWeb + csvUDP, []conn.Conn{web, udp}},
		{"empty is unset", csvHeader + strings.ReplaceAll(csvUDP, ",-", ","), []conn.Conn{udp}},
		{"all quoted, CRLF", `"` + strings.NewReplacer(",", `","`, "\n", "\"\r\n\"").Replace(csvHeader+strings.TrimSuffix(csvUDP, "\n")) + `"`, []conn.Conn{udp}},
		{"a comma in a value", csvHeader + strings.Replace(csvWeb, ",http,", `,"gssapi,smb",`, 1), []conn.Conn{two}},
		{"as pandas writes it", csvHeader + strings.NewReplacer("1210953057.834454", "2008-05-16 15:50:57.834454", ",790,", ",790.0,", ",T,F,", ",True,False,").Replace(csvWeb), []conn.Conn{web}},
		{"unknown columns", "n," + strings.Replace(csvHeader, "\n", ",note\n", 1) + "1," + strings.Replace(csvWeb, "\n", ",\"say \"\"hi\"\", you\"\n", 1), []conn.Conn{web}},
		{"byte order mark", "\ufeff" + csvHeader + csvWeb, []conn.Conn{web}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conns, bad := readText(t, tc.text)
			require.Empty(t, bad)
			require.Equal(t, tc.want, conns)
		})
	}
}

func TestBadCSVRows(t *testing.T) {
	conns, bad := readText(t, csvHeader+"1,2\n"+csvWeb+strings.Replace(csvWeb, ",790,", ",many,", 1)+csvUDP)
	require.Equal(t, []conn.Conn{webConn, udpConn}, conns)
	require.Len(t, bad, 2)
	require.EqualError(t, bad[0], "conn.log:2: 2 columns where the header names 22")
	require.EqualError(t, bad[1], `conn.log:4: orig_bytes: "many" is not a number`)
}

// A column added behind an open quotation mark would be part of the last value.
func TestOpenQuotes(t *testing.T) {
	last := strings.TrimSuffix(csvHeader, "\n")
	_, _, err := readAll(strings.NewReader(last + ",\"note\n" + csvWeb))
	require.EqualError(t, err, "conn.log:1: the CSV header: a quotation mark is not closed on its line")

	conns, bad := readText(t, last+",note\n"+strings.Replace(csvWeb, "\n", ",\"two\n", 1)+strings.Replace(csvUDP, "\n", ",\"one\"\n", 1))
	require.Equal(t, []conn.Conn{udpConn}, conns)
	require.Len(t, bad, 1)
	require.EqualError(t, bad[0], "conn.log:2: a quotation mark is not closed on its line")
}
