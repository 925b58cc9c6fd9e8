package zeeklog

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestReadTSV(t *testing.T) {
	shuffled := "#fields\tconn_state\tproto\tid.resp_p\tid.resp_h\tcommunity_id\tid.orig_h\tts\n"
	few := conn.Conn{
		TS: 1500000, State: conn.SF, Proto: conn.TCP,
		Orig: netip.MustParseAddrPort("10.0.0.1:0"), Resp: netip.MustParseAddrPort("10.0.0.2:443"),
		Absent: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.LocalOrig |
			conn.MissedBytes | conn.OrigPkts | conn.OrigIPBytes | conn.RespPkts | conn.RespIPBytes,
	}
	web, udp := webConn, udpConn
	for _, tc := range []struct {
		name, text string
		want       []conn.Conn
	}{
		{"as Zeek writes it", tsvHeader + webRow + udpRow + "#close\t2024-04-19-01-00-00\n", []conn.Conn{web, udp}},
		{"no #close, no line end", tsvHeader + webRow + strings.TrimSuffix(udpRow, "\n"), []conn.Conn{web, udp}},
		{"CRLF", strings.ReplaceAll(tsvHeader+webRow+udpRow, "\n", "\r\n"), []conn.Conn{web, udp}},
		{"header only", tsvHeader, nil},
		{"empty", "", nil},
		{"blank lines", "\n" + tsvHeader + "\n" + webRow + "\r\n\n" + udpRow + "\n\n", []conn.Conn{web, udp}},
		{"byte order mark", "\ufeff" + tsvHeader + webRow, []conn.Conn{web}},
		{"#fields alone", fieldsLine + webRow, []conn.Conn{web}},
		{"names without #fields (LogAscii's tsv option)", strings.TrimPrefix(fieldsLine, "#fields\t") + webRow, []conn.Conn{web}},
		{"other columns and order", shuffled + "SF\ttcp\t443\t10.0.0.2\t1:abc=\t10.0.0.1\t1.500000\n", []conn.Conn{few}},
		{"concatenation with other columns", tsvHeader + webRow + "#close\tx\n" + shuffled + "SF\ttcp\t443\t10.0.0.2\t1:abc=\t10.0.0.1\t1.500000\n" + tsvHeader + udpRow, []conn.Conn{web, few, udp}},
		{"a comment between rows", tsvHeader + webRow + "# note\n" + udpRow, []conn.Conn{web, udp}},
		{"separator ,", "#separator ,\n#set_separator,|\n" + strings.ReplaceAll(fieldsLine+strings.ReplaceAll(webRow, ",", "|"), "\t", ","), []conn.Conn{web}},
		{"separator of two bytes", "#separator \\x7c\\x7c\n" + strings.ReplaceAll(fieldsLine+webRow, "\t", "||"), []conn.Conn{web}},
		{"other unset and empty", "#separator \\x09\n#unset_field\tNULL\n#empty_field\t{}\n" + fieldsLine + strings.ReplaceAll(udpRow, "\t-", "\tNULL"), []conn.Conn{udp}},
		{"a new log resets them", "#separator \\x09\n#unset_field\tNULL\n" + fieldsLine + strings.ReplaceAll(udpRow, "\t-", "\tNULL") + tsvHeader + udpRow, []conn.Conn{udp, udp}},
		{"labelled (IoT-23): three names in one column",
			strings.Replace(fieldsLine, "tunnel_parents\tip_proto", "ip_proto\ttunnel_parents   label   detailed-label", 1) +
				strings.Replace(udpRow, "-\t17\n", "17\t-   Malicious   PartOfAHorizontalPortScan\n", 1), []conn.Conn{udp}},
		{"a column twice", strings.Replace(fieldsLine, "\n", "\tservice\n", 1) + strings.Replace(webRow, "\n", "\tother\n", 1), []conn.Conn{web}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conns, bad := readText(t, tc.text)
			require.Empty(t, bad)
			require.Equal(t, tc.want, conns)
		})
	}
}

func TestReadTSVValues(t *testing.T) {
	for _, tc := range []struct {
		field, text string
		check       func(t *testing.T, c conn.Conn)
	}{
		{"service", "(empty)", func(t *testing.T, c conn.Conn) {
			require.True(t, c.Has(conn.Service))
			require.Empty(t, c.Service)
		}},
		{"service", `a\x09\x2db\\x2d`, func(t *testing.T, c conn.Conn) { require.Equal(t, "a\t-b\\x2d", c.Service) }},
		{"tunnel_parents", "(empty)", func(t *testing.T, c conn.Conn) {
			require.True(t, c.Has(conn.TunnelParents))
			require.Empty(t, c.TunnelParents)
		}},
		{"tunnel_parents", `a\x2cb,c`, func(t *testing.T, c conn.Conn) { require.Equal(t, []string{"a,b", "c"}, c.TunnelParents) }},
		{"id.orig_h", "::ffff:10.1.2.3", func(t *testing.T, c conn.Conn) { require.Equal(t, "10.1.2.3", c.Orig.Addr().String()) }},
		{"conn_state", "-", func(t *testing.T, c conn.Conn) { require.Equal(t, conn.NoState, c.State) }},
		{"orig_pkts", "-", func(t *testing.T, c conn.Conn) { require.Zero(t, c.OrigPkts) }},
		{"orig_bytes", "18446744073709551615", func(t *testing.T, c conn.Conn) { require.Equal(t, ^uint64(0), c.OrigBytes) }},
	} {
		t.Run(tc.field+" "+tc.text, func(t *testing.T) { tc.check(t, readOne(t, tsvHeader+withField(tc.field, tc.text))) })
	}
}

func TestBadTSVRows(t *testing.T) {
	for _, tc := range []struct {
		name, row    string
		field, error string
	}{
		{"too few columns", "1.0\tC1\n", "", "2 columns where the header names 22"},
		{"too many columns", strings.Replace(webRow, "\n", "\tx\ty\n", 1), "", "24 columns where the header names 22"},
		{"nan", withField("duration", "nan"), "duration", `"nan" is not a number`},
		{"infinite", withField("ts", "inf"), "ts", `"inf" is not a number`},
		{"negative duration", withField("duration", "-0.000001"), "duration", "-0.000001 is negative"},
		{"out of range", withField("ts", "1e300"), "ts", `"1e300" is out of range`},
		{"required field unset", withField("ts", "-"), "ts", "is unset"},
		{"address", withField("id.orig_h", "10.0.0.256"), "id.orig_h", `"10.0.0.256" is not an IP address`},
		{"address with zone", withField("id.orig_h", "fe80::1%eth0"), "id.orig_h", `"fe80::1%eth0" is not an IP address`},
		{"port", withField("id.resp_p", "65536"), "id.resp_p", `"65536" is not a port: 0 to 65535`},
		{"negative count", withField("orig_bytes", "-1"), "orig_bytes", `"-1" is negative`},
		{"count too large", withField("orig_bytes", "18446744073709551616"), "orig_bytes", `"18446744073709551616" is larger than a count can be`},
		{"empty number", withField("resp_pkts", ""), "resp_pkts", `"" is not a number`},
		{"proto", withField("proto", "sctp"), "proto", `"sctp" is not a transport protocol: tcp, udp, icmp or unknown_transport`},
		{"conn_state", withField("conn_state", "S9"), "conn_state", `"S9" is not a conn_state of Zeek`},
		{"bool", withField("local_orig", "maybe"), "local_orig", `"maybe" is neither T nor F`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conns, bad := readText(t, tsvHeader+webRow+tc.row+udpRow)
			require.Equal(t, []conn.Conn{webConn, udpConn}, conns)
			require.Len(t, bad, 1)
			require.Equal(t, "conn.log", bad[0].File)
			require.Equal(t, strings.Count(tsvHeader, "\n")+2, bad[0].Line)
			require.Equal(t, tc.field, bad[0].Field)
			require.EqualError(t, bad[0].Err, tc.error)
		})
	}
}

func TestNoConnLog(t *testing.T) {
	for _, tc := range []struct{ name, text, error string }{
		{"rows without header", webRow, "conn.log:1: a row before any header (LogAscii::include_meta = F?): name its columns, if they are Zeek's own with --columns-in ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,service,duration,orig_bytes,resp_bytes,conn_state,local_orig,local_resp,missed_bytes,history,orig_pkts,orig_ip_bytes,resp_pkts,resp_ip_bytes,tunnel_parents,ip_proto"},
		{"rows of more columns without header", strings.TrimSpace(webRow) + "\tx\n", "conn.log:1: a row before any header (LogAscii::include_meta = F?): name its columns, if they are Zeek's own with --columns-in ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,service,duration,orig_bytes,resp_bytes,conn_state,local_orig,local_resp,missed_bytes,history,orig_pkts,orig_ip_bytes,resp_pkts,resp_ip_bytes,tunnel_parents,ip_proto,-"},
		{"neither log nor header", "\nnotes\n", `conn.log:2: not a conn.log: expected Zeek's header (#fields), a JSON object, or a CSV header with conn.log's column names, found "notes"`},
		{"names that the map changed", strings.NewReplacer("id.orig_h", "src", "id.resp_h", "dst").Replace(tsvHeader) + webRow, "conn.log:8: not a conn.log: no column id.orig_h, id.resp_h; if they have other names: --columns-in NAME=id.orig_h,NAME=id.resp_h"},
		{"the same as CSV", strings.NewReplacer("id.orig_h", "src", "id.resp_h", "dst").Replace(csvHeader) + csvWeb, "conn.log:1: not a conn.log: no column id.orig_h, id.resp_h; if they have other names: --columns-in NAME=id.orig_h,NAME=id.resp_h"},
		{"JSON behind a syslog header", "Nov 20 10:00:00 zeek zeek: " + webObject, `conn.log:1: not a conn.log: expected Zeek's header (#fields), a JSON object, or a CSV header with conn.log's column names, found "Nov 20 10:00:00 zeek zeek: {\"ts\":1210953"…: what stands before the JSON object must be taken off`},
		{"binary data", "\x00\x01\xffabc\tdef\n", "conn.log:1: not a conn.log: expected Zeek's header (#fields), a JSON object, or a CSV header with conn.log's column names, found binary data that begins with 00 01 ff 61 62 63 09 64"},
		{"no #fields", "#separator \\x09\n#path\tconn\n" + webRow, "conn.log:3: no #fields line before the first row"},
		{"another log", "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\n1\tC\t10.0.0.1\t1\t10.0.0.2\t2\tudp\t3\n", "conn.log:4: not a conn.log but dns.log: no column conn_state"},
		{"a pcap", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00", "conn.log:1: not a conn.log but a pcap: replay makes a conn.log of it"},
		{"a pcapng", "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a", "conn.log:1: not a conn.log but a pcap: replay makes a conn.log of it"},
		{"a pcap whose first line is long", "\xd4\xc3\xb2\xa1" + strings.Repeat("\x00", MaxLine), "conn.log:1: not a conn.log but a pcap: replay makes a conn.log of it"},
		{"CSV of something else", "id.orig_h,bytes\n10.0.0.1,5\n", "conn.log:1: not a conn.log: no column ts, id.resp_h, id.resp_p, proto, conn_state"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := readAll(strings.NewReader(tc.text))
			require.ErrorContains(t, err, strings.TrimSuffix(tc.error, "…"))
		})
	}
}

// After a good header, a bad one makes bad rows: nothing is lost.
func TestAnotherLogInMidFile(t *testing.T) {
	dns := "#separator \\x09\n#fields\tts\tuid\n1\tC\n2\tC\n"
	conns, bad := readText(t, tsvHeader+webRow+dns+tsvHeader+udpRow)
	require.Equal(t, []conn.Conn{webConn, udpConn}, conns)
	require.Len(t, bad, 2)
	require.EqualError(t, bad[0], "conn.log:11: not a conn.log: no column id.orig_h, id.resp_h, id.resp_p, proto, conn_state")
}
