package sensor

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// handshakeValues are values of a row of ssl.log.
func handshakeValues(ts float64, name string) []Value {
	text := func(s string) Value { return Value{Set: s != "", Text: s} }
	yes := Value{Set: true, Number: 1}
	return []Value{
		{Set: true, Real: ts}, {Set: true, Address: netip.MustParseAddr("10.0.0.1").As16()}, {Set: true, Number: 40000},
		{Set: true, Address: netip.MustParseAddr("192.0.2.1").As16()}, {Set: true, Number: 443},
		text("TLSv12"), text("TLS_RSA_WITH_AES_128_CBC_SHA"), text(name), text("close_notify"), text("h2"), text("CsxknGIi"),
		text("ok"), text("t13d1516h2_8daaf6152771_02713d6af862"), text("ja3"), {}, yes, yes,
		{Set: true, Texts: []string{"b017", "1940"}}, text("b017"), text("CN=*.example.com,O=Example"), text("CN=R3,O=Let's Encrypt,C=US"),
		{Set: true, Real: 1.5e9}, {Set: true, Real: 1.6e9 + .9999996}, text("vlan=10"),
	}
}

func TestHandshakeOfValues(t *testing.T) {
	k := newSSLKind(10)
	require.Len(t, handshakeValues(1, ""), len(k.Fields()))
	require.NoError(t, k.Read(handshakeValues(1.0000004, "www.example.com")))
	want := ssllog.Handshake{
		Seen:    conn.Seen{TS: 1e6, Orig: netip.MustParseAddrPort("10.0.0.1:40000"), Resp: netip.MustParseAddrPort("192.0.2.1:443"), Context: "vlan=10"},
		Version: "TLSv12", Cipher: "TLS_RSA_WITH_AES_128_CBC_SHA", ServerName: "www.example.com", LastAlert: "close_notify", NextProtocol: "h2",
		History: "CsxknGIi", Validation: "ok", JA4: "t13d1516h2_8daaf6152771_02713d6af862", JA3: "ja3", Established: true, Matches: true, Set: ssllog.Matches | ssllog.KnownCertificate,
		Certificate: ssllog.Certificate{Subject: "CN=*.example.com,O=Example", Issuer: "CN=R3,O=Let's Encrypt,C=US", Begins: 1.5e15, Ends: 1.600000001e15},
	}
	require.Equal(t, want, k.Handshake)
	require.Equal(t, conn.TCP, k.Subject().Proto)
	require.EqualError(t, k.Read(handshakeValues(math.NaN(), "")), "ts is not a time: NaN")

	var live, direct feature.Row
	require.NoError(t, k.Read(handshakeValues(1.0000004, "www.example.com")))
	k.Observe()
	k.Encode(&live)
	ssllog.NewRows(10).Observe(&want, &direct)
	require.Equal(t, direct, live)

	for what, change := range map[string]func(v []Value){
		"ssl.log has no fingerprint":       func(v []Value) { v[17] = Value{Set: true} },
		"ssl.log has another's":            func(v []Value) { v[17].Texts = []string{"1940"} },
		"the chain holds no certificate":   func(v []Value) { v[18] = Value{} },
		"nobody can read when it is valid": func(v []Value) { v[21].Real = math.Inf(1) },
		"nor until when":                   func(v []Value) { v[22].Set = false },
	} {
		v := handshakeValues(1, "www.example.com")
		change(v)
		require.NoError(t, k.Read(v), what)
		require.Equal(t, ssllog.Matches, k.Handshake.Set, what)
		require.Zero(t, k.Handshake.Certificate, what)
	}

	long := handshakeValues(2, strings.Repeat("x", 1<<16))
	for i := range long {
		if long[i].Text != "" {
			long[i].Text = strings.Repeat(`\xff`, 1<<14)
		}
	}
	long[17].Texts = []string{long[18].Text}
	require.NoError(t, k.Read(long))
	require.Equal(t, strings.Repeat(`\xff`, 1024), k.Handshake.Certificate.Issuer, "the last text has room, too")
	k.Observe()
	k.Encode(&live)
	require.Equal(t, uint64(feature.LongCode), live.Codes[ssllog.CipherCode])
}

// A sensor of ssl.log learns, scores, says why, and goes on after a restart.
func TestSensorOfHandshakes(t *testing.T) {
	s, err := Open("ssl", 100)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, s.Learn(Learning{Seed: 1, Warmup: 200, Dir: dir}))
	scored := 0
	for i := range 1000 {
		v := handshakeValues(float64(i)*3, []string{"www.example.com", "mail.example.org", ""}[i%3])
		v[1].Address[15] = byte(i * 7 % 50)
		if i%40 == 0 {
			v[5].Text, v[6].Text, v[11].Text = "TLSv10", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "self signed certificate"
		}
		if _, err := s.ScoreValues(v); err == nil {
			scored++
		}
	}
	require.Equal(t, 1000, scored+int(s.Statistics().Calls[NoModel]))
	require.Greater(t, scored, 500)
	odd := handshakeValues(3001, "q7zk2xw9v4x0x1qqzw.xyz")
	odd[6].Text = "TLS_RSA_WITH_RC4_128_MD5"
	result, err := s.ScoreValues(odd)
	require.NoError(t, err)
	require.NotZero(t, result.Rank)
	require.Greater(t, result.Score, 0.0)
	odd[6].Text = strings.Repeat("x", 30) // Zeek's memory, used anew
	require.NotEmpty(t, s.Reason())
	require.NotContains(t, string(s.Reason()), "xxxx")
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.ScoreValues(odd) }))
	require.NoError(t, s.Finish())

	again, err := Open("ssl", 100)
	require.NoError(t, err)
	require.NoError(t, again.Learn(Learning{Seed: 1, Dir: dir}))
	require.Equal(t, s.Model().Fingerprint(), again.Model().Fingerprint())
	require.Zero(t, again.News())
	require.NoError(t, again.Finish())
}
