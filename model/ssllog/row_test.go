package ssllog_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	. "github.com/zeek-iforest/zeek-iforest/model/ssllog"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// site are n handshakes of a site; of them the last is odd.
func site(n int) []Handshake {
	r := rand.New(rand.NewPCG(4, 4))
	names := rand.NewZipf(r, 1.3, 1, 400)
	rows := make([]Handshake, n)
	for i := range rows {
		rows[i] = Handshake{
			Seen: conn.Seen{
				TS:   conn.Micros(i) * 2e6,
				Orig: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(20))}), uint16(40000+i%20000)), Resp: netip.MustParseAddrPort("192.0.2.1:443"),
			},
			Version: "TLSv13", Cipher: []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}[r.IntN(2)], NextProtocol: []string{"h2", ""}[r.IntN(2)],
			ServerName: []string{"www", "mail", "static"}[r.IntN(3)] + fmt.Sprintf(".example%d.com", names.Uint64()),
			History:    "CsiI", Established: true, Resumed: r.IntN(3) == 0,
		}
		if i%40 == 0 { // what a site has of old devices
			rows[i].Version, rows[i].Cipher, rows[i].History = "TLSv12", "TLS_RSA_WITH_AES_128_CBC_SHA", "CsxkniI"
			rows[i].Resp = netip.MustParseAddrPort("192.0.2.7:8443")
			rows[i].Validation = "ok"
			rows[i].Certificate = Certificate{Subject: "CN=mail", Issuer: "CN=R3,O=Let's Encrypt,C=US", Begins: rows[i].TS - 40*86400e6, Ends: rows[i].TS + 50*86400e6}
			rows[i].Set = KnownCertificate
		}
	}
	last := &rows[n-1]
	last.Version, last.Cipher, last.ServerName, last.Validation = "TLSv10", "TLS_RSA_WITH_RC4_128_MD5", "q7zk2xw9v4x0x1qqzw.xyz", "self signed certificate"
	last.Certificate, last.Set = Certificate{Subject: "CN=a", Issuer: "CN=a", Begins: last.TS + 1, Ends: last.TS + 86400e6}, KnownCertificate
	last.Resp = netip.MustParseAddrPort("203.0.113.9:4443")
	return rows
}

func TestModelOfHandshakes(t *testing.T) {
	rows := site(3000) // beside old devices
	m, s := rowtest.OddLast(t, Set, rows, func() *Rows { return NewRows(100) })
	h := &Record{Handshake: rows[len(rows)-1], Rows: s}
	of := stream.Stream{Model: m}
	scored, err := of.Peek(h)
	require.NoError(t, err)
	require.NotEmpty(t, string(scored.AppendReason(nil)))
	all := ""
	for i := range Set.Features {
		all += string(h.AppendValue(append([]byte(Set.Features[i].Name), ": "...), m.Encoder(), i)) + "\n"
	}
	require.Contains(t, all, "domain of server_name: q7zk2xw9v4x0x1qqzw.xyz, never seen\n")
	require.Contains(t, all, "version and cipher: TLSv10 TLS_RSA_WITH_RC4_128_MD5, never seen\n")
	require.Contains(t, all, "certificate problems: self-issued, not valid yet, self signed certificate\n")
	require.Contains(t, all, "issuer: CN=a, never seen\n")
	require.Contains(t, all, "resp_port: 4443, never seen\n")
	require.Contains(t, all, "sni_matches_cert: unset\n")
	text := make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		scored, _ = of.Next(h)
		text = scored.AppendReason(text[:0])
	}))
}

// The same row in its two ways of being logged, and with what does not count.
func TestRowDoesNotDependOnHowItIsLogged(t *testing.T) {
	of := func(change func(*Handshake)) (r feature.Row) {
		h := site(1)[0]
		change(&h)
		NewRows(10).Observe(&h, &r)
		return r
	}
	for name, two := range map[string][2]func(*Handshake){
		"escapes":                         {func(h *Handshake) { h.ServerName = "a\xffb.example.com" }, func(h *Handshake) { h.ServerName = `a\xffb.example.com` }},
		"capitals and dot":                {func(h *Handshake) { h.ServerName = "WWW.Example.com." }, func(h *Handshake) { h.ServerName = "www.example.com" }},
		"a text's end":                    {func(h *Handshake) { h.ServerName = strings.Repeat("x", 60000) }, func(h *Handshake) { h.ServerName = strings.Repeat("x", MaxText) }},
		"long values":                     {func(h *Handshake) { h.NextProtocol = strings.Repeat("x", 60000) }, func(h *Handshake) { h.NextProtocol = strings.Repeat("y", 256) }},
		"a certificate that is not known": {func(h *Handshake) { h.Set, h.Certificate = 0, Certificate{Issuer: "O=A"} }, func(h *Handshake) { h.Set = 0 }},
		"one in two notations": {
			func(h *Handshake) {
				h.Set, h.Certificate.Subject, h.Certificate.Issuer = KnownCertificate, "CN=\xff", "CN=\xff"
			},
			func(h *Handshake) {
				h.Set, h.Certificate.Subject, h.Certificate.Issuer = KnownCertificate, `CN=\xff`, "CN=\xff"
			},
		},
		"the issuer's organization": {
			func(h *Handshake) { h.Set, h.Certificate.Issuer = KnownCertificate, `CN=R3,O=A\, Inc.,C=US` },
			func(h *Handshake) { h.Set, h.Certificate.Issuer = KnownCertificate, `O=A\, Inc.+CN=R4` },
		},
		"JA4 before JA3": {func(h *Handshake) { h.JA4, h.JA3 = "t13d", "ff" }, func(h *Handshake) { h.JA4 = "t13d" }},
	} {
		a, b := of(two[0]), of(two[1])
		require.Equal(t, a, b, name)
	}
	none := of(func(h *Handshake) { h.ServerName, h.Set, h.Validation = "", 0, "" })
	require.Equal(t, float32(feature.Unset), none.Vector[Set.Find("length of server_name")])
	require.NotEqual(t, none.Vector[Set.Find("sni_matches_cert")], of(func(h *Handshake) { h.Set = Matches }).Vector[Set.Find("sni_matches_cert")])
	const certificate = 1<<7 | 1<<11 // its issuer, problems
	require.Equal(t, uint32(certificate), none.Absent, "TLS 1.3 hides it")
	require.Zero(t, of(func(h *Handshake) { h.Set = KnownCertificate }).Absent)
	require.Equal(t, uint32(certificate&^(1<<Set.Find("certificate problems"))), of(func(h *Handshake) { h.Set = 0 }).Absent, "validation_status tells")
	for n, h := range []Handshake{
		{Validation: "ok"},
		{Validation: "unable to get local issuer certificate"},
		{Validation: "self signed certificate", Set: KnownCertificate, Certificate: Certificate{Ends: 1}},
		{Validation: "certificate has expired", Set: KnownCertificate, Certificate: Certificate{Ends: -1}},
	} {
		var r feature.Row
		NewRows(1).Observe(&h, &r)
		require.Equal(t, feature.LogCount(uint64(n)), r.Vector[Set.Find("certificate problems")], h.Validation)
	}
	lacking := of(func(h *Handshake) {
		h.Absent = Version | Established
		h.Established, h.Set, h.Validation = false, 0, ""
	})
	require.Equal(t, uint32(1<<Set.Find("version and cipher")|1<<Set.Find("established")|1<<Set.Find("failures")|certificate), lacking.Absent)
	require.Zero(t, lacking.Vector[Set.Find("failures")])
}
