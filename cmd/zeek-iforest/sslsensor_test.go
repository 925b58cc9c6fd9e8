package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var sslLog = zeekLog{
	path:  "ssl",
	texts: []string{"version", "cipher", "server_name", "last_alert", "next_protocol", "ssl_history", "validation_status", "ja4", "ja3"},
	bools: []string{"resumed", "established", "sni_matches_cert"},
}

func handshakesOfZeek(n int) []zeekRow {
	r := rand.New(rand.NewPCG(5, 6))
	long, bytes := strings.Repeat("Ab.", 1<<14), "j\xe4ger\x00\\x41,\t.\xc3\xa9.example.com."
	values := map[string][]string{
		"version": {"TLSv12", "TLSv13", "TLSv10", "unknown-64282"}, "cipher": {"TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_MD5", ""},
		"server_name": {"www.example.com", "WWW.Example.COM.", "mail.bbc.co.uk", "10.1.2.3", bytes, long, "-", "(empty)", "."}, "last_alert": {"close_notify", "unknown_ca"},
		"next_protocol": {"h2", "http/1.1", "", bytes, long}, "ssl_history": {"CsxknGIi", "CsiI", ""}, "validation_status": {"ok", "self signed certificate"},
		"ja4": {"t13d1516h2_8daaf6152771_02713d6af862", ""}, "ja3": {"e7d705a3286e19ea42f587b344ee6865"},
	}
	list := make([]zeekRow, n)
	for i := range list {
		h := zeekRow{ts: 1.7e9 + float64(i) + float64(r.IntN(1e6))/1e6, orig: fmt.Sprint("10.0.0.", r.IntN(9)), port: []uint16{443, 443, 8443, 993}[r.IntN(4)],
			texts: map[string]string{}, bools: map[string]bool{}}
		for _, field := range sslLog.texts {
			if r.IntN(3) > 0 {
				h.texts[field] = values[field][r.IntN(len(values[field]))]
			}
		}
		for _, field := range sslLog.bools {
			if field != "sni_matches_cert" || r.IntN(2) == 0 {
				h.bools[field] = r.IntN(4) > 0
			}
		}
		list[i] = h
	}
	return list
}

// A sensor, TSV and JSON give each row of ssl.log the same digits and the same
// reason.
func TestSensorOfSSLIsTheLog(t *testing.T) {
	sensorIsTheLog(t, &sslKind, &sslLog, handshakesOfZeek(1500))
}
