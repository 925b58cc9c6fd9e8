package zeeklog

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

var noTime time.Time

const (
	fieldsLine = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\tip_proto\n"
	typesLine  = "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]\tcount\n"
	tsvHeader  = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" + fieldsLine + typesLine

	webRow = "1210953057.834454\tCRPOmC46t2ewjClfg\t192.168.2.16\t1578\t75.126.203.78\t80\ttcp\thttp\t0.407908\t790\t171\tRSTO\tT\tF\t0\tShADadR\t6\t1038\t4\t335\tCaaa,Cbbb\t6\n"
	udpRow = "1210953060.000001\tCx\tfe80::1\t5353\tff02::fb\t5353\tudp\t-\t-\t-\t-\tS0\tF\tF\t0\tD\t1\t73\t0\t0\t-\t17\n"

	webObject = `{"ts":1210953057.834454,"uid":"CRPOmC46t2ewjClfg","id.orig_h":"192.168.2.16","id.orig_p":1578,"id.resp_h":"75.126.203.78","id.resp_p":80,"proto":"tcp","service":"http","duration":0.407908,"orig_bytes":790,"resp_bytes":171,"conn_state":"RSTO","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShADadR","orig_pkts":6,"orig_ip_bytes":1038,"resp_pkts":4,"resp_ip_bytes":335,"tunnel_parents":["Caaa","Cbbb"],"ip_proto":6}` + "\n"
	udpObject = `{"ts":1210953060.000001,"uid":"Cx","id.orig_h":"fe80::1","id.orig_p":5353,"id.resp_h":"ff02::fb","id.resp_p":5353,"proto":"udp","conn_state":"S0","local_orig":false,"local_resp":false,"missed_bytes":0,"history":"D","orig_pkts":1,"orig_ip_bytes":73,"resp_pkts":0,"resp_ip_bytes":0,"ip_proto":17}` + "\n"
)

var (
	webConn = conn.Conn{
		TS: 1210953057834454, UID: "CRPOmC46t2ewjClfg",
		Orig: netip.MustParseAddrPort("192.168.2.16:1578"), Resp: netip.MustParseAddrPort("75.126.203.78:80"),
		Proto: conn.TCP, Service: "http", Duration: 407908, OrigBytes: 790, RespBytes: 171, State: conn.RSTO,
		LocalOrig: true, History: "ShADadR", OrigPkts: 6, OrigIPBytes: 1038, RespPkts: 4, RespIPBytes: 335,
		TunnelParents: []string{"Caaa", "Cbbb"}, IPProto: 6,
		Set: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.LocalOrig | conn.LocalResp |
			conn.History | conn.TunnelParents | conn.IPProto,
	}
	udpConn = conn.Conn{
		TS: 1210953060000001, UID: "Cx",
		Orig: netip.MustParseAddrPort("[fe80::1]:5353"), Resp: netip.MustParseAddrPort("[ff02::fb]:5353"),
		Proto: conn.UDP, State: conn.S0, History: "D", OrigPkts: 1, OrigIPBytes: 73, IPProto: 17,
		Set: conn.LocalOrig | conn.LocalResp | conn.History | conn.IPProto,
	}
)

// readAll reads a log to its end: the good rows, the errors of the bad ones,
// and the error that ended it unless that was io.EOF.
func readAll(r io.Reader) (conns []conn.Conn, bad []*Error, err error) {
	reader := NewReader(r, "conn.log")
	for {
		var row Row
		err := reader.Read(&row)
		var e *Error
		switch {
		case err == nil:
			conns = append(conns, row.Conn)
		case err == io.EOF:
			return conns, bad, nil
		case errors.As(err, &e):
			bad = append(bad, e)
		default:
			return conns, bad, err
		}
	}
}

// readText reads a log that ends without error.
func readText(t *testing.T, text string) ([]conn.Conn, []*Error) {
	t.Helper()
	conns, bad, err := readAll(strings.NewReader(text))
	require.NoError(t, err)
	return conns, bad
}

// readOne reads a log of one good row.
func readOne(t *testing.T, text string) conn.Conn {
	t.Helper()
	conns, bad := readText(t, text)
	require.Empty(t, bad)
	require.Len(t, conns, 1)
	return conns[0]
}

// withField returns webRow with one field replaced.
func withField(name, value string) string {
	fields := strings.Split(strings.TrimSuffix(webRow, "\n"), "\t")
	fields[fieldNamed(name)] = value
	return strings.Join(fields, "\t") + "\n"
}
