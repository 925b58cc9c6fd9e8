package ssllog_test

import (
	"net/netip"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	. "github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// Whatever a handshake's texts are, its row is one that a model takes, and what
// is said of it can be printed.
func FuzzHandshake(f *testing.F) {
	f.Add("www.example.com", "TLSv12", `a\xff`, "CsxknGIi", int64(1), uint16(443), uint16(0))
	f.Add(".", "DTLS", "\\x", "", int64(-1), uint16(0), uint16(0xffff))
	e := rowtest.Encoder(f, Set)
	f.Fuzz(func(t *testing.T, name, version, text, history string, ts int64, port, fields uint16) {
		h := Handshake{
			Seen:    conn.Seen{TS: conn.Micros(ts), Orig: netip.AddrPortFrom(netip.IPv6Unspecified(), port), Resp: netip.AddrPortFrom(netip.IPv4Unspecified(), port)},
			Version: version, ServerName: name, NextProtocol: text, Cipher: text, JA3: text, History: history, Validation: text,
			Certificate: Certificate{Subject: name, Issuer: text, Begins: conn.Micros(ts) * 2, Ends: -conn.Micros(ts)},
			Set:         Fields(fields) & (Matches | KnownCertificate), Absent: Fields(fields) & (KnownCertificate<<1 - 1),
		}
		var r feature.Row
		rows := NewRows(2)
		w := rows.Observe(&h, &r)
		require.NoError(t, Set.CheckSample(&r.Sample))
		require.NotZero(t, r.Host)
		for i := range Set.Features {
			require.True(t, utf8.Valid(Append(nil, e, i, &h, &w)))
		}
	})
}
