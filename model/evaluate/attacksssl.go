package evaluate

import (
	"math/rand/v2"
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// shaken returns a handshake on a port.
func shaken(at conn.Micros, port uint16, h ssllog.Handshake) Row {
	return Row{Conn: conn.Conn{TS: at, Proto: conn.TCP, Resp: netip.AddrPortFrom(netip.Addr{}, port)}, Value: &h}
}

// openSSLs is a certificate with the names that OpenSSL proposes, as TrickBot's
// servers show it.
var openSSLs = ssllog.Certificate{
	Subject: "O=Internet Widgits Pty Ltd,ST=Some-State,C=AU",
	Issuer:  "O=Internet Widgits Pty Ltd,ST=Some-State,C=AU",
	Begins:  1515681334 * second,
	Ends:    1547217334 * second,
}

// SSLAttacks are the attacks of a drill over ssl.log.
var SSLAttacks = []Attack{
	{
		Name: "TrickBot's C2, self-signed",
		Source: "campaigns' trickbot-week, port 449: 2,203 handshakes of two hosts, one each 201 s and each fifth after 267 s, without a server name; " +
			"285 of them, as in the drill over conn.log; all show one certificate with the names that OpenSSL proposes, which a log without certificates does not tell",
		Outside: true,
		other: func(*rand.Rand) (rows []Row) {
			at := conn.Micros(0)
			for i := range 285 {
				rows = append(rows, shaken(at, 449, ssllog.Handshake{
					Version: "TLSv10", Cipher: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", History: "CsxknGIi", Established: true,
					Certificate: openSSLs, Set: ssllog.KnownCertificate,
				}))
				if at += 201 * second; i%5 == 4 {
					at += 66 * second
				}
			}
			return rows
		},
	}, {
		Name: "self-signed C2 over TLS 1.3",
		Source: "curl -k of Debian 12 to openssl s_server by its address, whose certificate TLS 1.3 hides: the handshake as it is; " +
			"on port 8443, one each minute for eight hours, which is ours",
		Outside: true,
		other: func(*rand.Rand) (rows []Row) {
			for i := range 480 {
				rows = append(rows, shaken(conn.Micros(i)*60*second, 8443, ssllog.Handshake{
					Version: "TLSv13", Cipher: "TLS_AES_256_GCM_SHA384", History: "CsiI", Established: true,
				}))
			}
			return rows
		},
	}, {
		Name: "scan of ciphers",
		Source: "nmap --script ssl-enum-ciphers against openssl s_server: 57 handshakes in 2.0 s, none of them finished: 21 refused, 8 with an internal error of the server, " +
			"28 broken off by nmap behind the server's choice; on port 443",
		other: func(random *rand.Rand) (rows []Row) {
			var all []ssllog.Handshake
			add := func(n int, version, alert, history string, ciphers ...string) {
				for range n {
					h := ssllog.Handshake{Version: version, LastAlert: alert, History: history}
					if len(ciphers) > 0 {
						h.Cipher = ciphers[random.IntN(len(ciphers))]
					}
					all = append(all, h)
				}
			}
			add(21, "", "handshake_failure", "Cl")
			add(8, "", "internal_error", "Cl")
			add(17, "TLSv12", "decode_error", "Csxknl", scanned...)
			add(6, "TLSv12", "decode_error", "Csxnl", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_GCM_SHA384")
			add(5, "TLSv13", "decode_error", "Cjil", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for i, h := range all {
				rows = append(rows, shaken(conn.Micros(i)*35_000, 443, h))
			}
			return rows
		},
	},
}

// scanned are ciphers that a server chooses where nmap asks for one at a time.
var scanned = []string{
	"TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
}
