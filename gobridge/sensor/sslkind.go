package sensor

import (
	"fmt"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// sslKind are rows of ssl.log.
type sslKind struct {
	ssllog.Record
	texts    kept
	ciphers  names // told as news
	contexts names
}

func newSSLKind(hosts int) *sslKind {
	return &sslKind{Record: ssllog.Record{Rows: ssllog.NewRows(hosts)}}
}

// sslFields are the fields of SSL::Info that a Handshake is made of. Packages
// put ja4 and ja3 there, and policy/protocols/ssl/validate-certs
// validation_status.
var sslFields = fieldsOf(
	Field{"version", String, false},
	Field{"cipher", String, false},
	Field{"server_name", String, false},
	Field{"last_alert", String, false},
	Field{"next_protocol", String, false},
	Field{"ssl_history", String, false},
	Field{"validation_status", String, false},
	Field{"ja4", String, false},
	Field{"ja3", String, false},
	Field{"resumed", Bool, false},
	Field{"established", Bool, false},
	Field{"sni_matches_cert", Bool, false},
	Field{"cert_chain_fps", Strings, false},
	Field{"cert_chain.x509.fingerprint", String, false},
	Field{"cert_chain.x509.certificate.subject", String, false},
	Field{"cert_chain.x509.certificate.issuer", String, false},
	Field{"cert_chain.x509.certificate.not_valid_before", Time, false},
	Field{"cert_chain.x509.certificate.not_valid_after", Time, false},
)

func (k *sslKind) Set() *feature.Set { return ssllog.Set }
func (k *sslKind) Fields() []Field   { return sslFields }

func (k *sslKind) Read(v []Value) error {
	if !finite(v[0].Real) {
		return fmt.Errorf("ts is not a time: %v", v[0].Real)
	}
	k.texts.clear()
	text := func(i int) string { return k.texts.keep(&v[i]) }
	k.Handshake = ssllog.Handshake{
		Seen:         seen(v, &k.contexts),
		Version:      text(5),
		Cipher:       text(6),
		ServerName:   text(7),
		LastAlert:    text(8),
		NextProtocol: text(9),
		History:      text(10),
		Validation:   text(11),
		JA4:          text(12),
		JA3:          text(13),
		Resumed:      v[14].Set && v[14].Number != 0,
		Established:  v[15].Set && v[15].Number != 0,
		Matches:      v[16].Set && v[16].Number != 0,
	}
	if v[16].Set {
		k.Handshake.Set = ssllog.Matches
	}
	k.readCertificate(v[17:])
	return nil
}

// readCertificate takes over the first certificate of the server's chain, if the
// row has its fingerprint, by which a reader of the log finds it.
func (k *sslKind) readCertificate(v []Value) {
	if len(v[0].Texts) == 0 || !v[1].Set || v[0].Texts[0] != v[1].Text {
		return
	}
	for _, at := range v[4:6] {
		if !at.Set || !finite(at.Real) {
			return // no certificate that Zeek can read
		}
	}
	k.Handshake.Set |= ssllog.KnownCertificate
	k.Handshake.Certificate = ssllog.Certificate{
		Subject: k.texts.keep(&v[2]), Issuer: k.texts.keep(&v[3]),
		Begins: conn.FromSeconds(v[4].Real), Ends: conn.FromSeconds(v[5].Real),
	}
}

func (k *sslKind) Novel(e *feature.Encoder, r *feature.Row) (what, name string) {
	if e.Knows(ssllog.CipherCode, r.Codes[ssllog.CipherCode]) {
		return "", ""
	}
	return "a cipher", k.ciphers.of(k.Handshake.Cipher)
}

func (k *sslKind) Places() int { return k.Rows.Hosts.Places() }

func (k *sslKind) AppendState(dst []byte, from, n int) []byte {
	return k.Rows.Hosts.AppendState(dst, from, n)
}

func (k *sslKind) Restore(states [][]byte) (adopt func(), err error) {
	hosts, err := feature.RestoreHosts(k.Rows.Hosts.Cap(), states...)
	return func() { k.Rows.Hosts = hosts }, err
}

// kept holds the texts of the latest row, because the host's do not live beyond
// the call that gave them, and a reason is asked for after it. A text that does
// not fit is cut; longest is more than any kind counts.
type kept struct {
	buffer [48 << 10]byte
	n      int
}

// longest text that is kept: 1,024 bytes as they count, each as \xNN.
const longest = 4096

func (k *kept) clear() { k.n = 0 }

// keep returns a copy of a text, or "" if the value is unset. It is overwritten
// after the next clear.
func (k *kept) keep(v *Value) string {
	if !v.Set || v.Text == "" {
		return ""
	}
	b := k.buffer[k.n:]
	n := copy(b, v.Text[:min(len(v.Text), longest)])
	k.n += n
	return unsafe.String(unsafe.SliceData(b), n)
}
