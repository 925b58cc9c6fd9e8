package ssllog

import (
	"bytes"
	"math/bits"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// ofCertificate are the features that a certificate is needed for. Its age is
// none: each day a server's certificate is older than any seen before.
const ofCertificate = 1<<issuer | 1<<problems

// valid is the validation_status of a certificate that has nothing wrong.
const valid = "ok"

// setCertificate sets what is made of the server's certificate. Where it is not
// known that says nothing: that TLS 1.3 hides it, or that its x509.log is
// missing, is no news, and version and ssl_history tell the former.
func (s *Rows) setCertificate(r *feature.Row, h *Handshake) {
	if h.Has(KnownCertificate) {
		r.Codes[issuerCode] = issuerOf(&h.Certificate, &s.text, s.texts)
	} else {
		r.Codes[issuerCode] = feature.NoCode
		r.Absent |= ofCertificate
	}
	if found := problemsOf(h, &s.text, &s.also); found != unknown {
		r.Vector[problems] = feature.LogCount(uint64(bits.OnesCount8(uint8(found))))
		r.Absent &^= 1 << problems
	}
}

// found are problems of a certificate, as bits.
type found uint8

const (
	selfIssued found = 1 << iota
	tooEarly
	tooLate
	notValid // so says validation_status
	unknown  // nobody looked
)

// problemsOf returns what is wrong with the server's certificate. It is self-issued
// where its subject is its issuer: no signature is checked.
func problemsOf(h *Handshake, a, b *buffer) (f found) {
	if !h.Has(KnownCertificate) && h.Validation == "" {
		return unknown
	}
	if c := &h.Certificate; h.Has(KnownCertificate) {
		if bytes.Equal(appendText(a[:0], c.Subject), appendText(b[:0], c.Issuer)) {
			f |= selfIssued
		}
		if h.TS < c.Begins {
			f |= tooEarly
		}
		if h.TS > c.Ends {
			f |= tooLate
		}
	}
	if h.Validation != "" && h.Validation != valid {
		f |= notValid
	}
	return f
}

// issuerOf returns the code of who signed a certificate.
func issuerOf(c *Certificate, buf *buffer, texts *feature.Texts) uint64 {
	return codeOf(view(organization(appendText(buf[:0], c.Issuer))), texts)
}

// organization returns the part O=… of a distinguished name, whose commas within a
// value have a backslash before them (RFC 2253, as Zeek writes it); all of the
// name where it has none.
func organization(name []byte) []byte {
	for rest := name; len(rest) > 0; {
		end := 0
		for end < len(rest) && rest[end] != ',' && rest[end] != '+' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(rest))
		if bytes.HasPrefix(rest, []byte("O=")) {
			return rest[:end]
		}
		rest = rest[min(end+1, len(rest)):]
	}
	return name
}

// appendIssuer appends who signed a certificate.
func appendIssuer(dst []byte, c *Certificate) []byte {
	name := organization(appendText(new(buffer)[:0], c.Issuer))
	return feature.AppendPrintable(dst, view(bytes.TrimPrefix(name, []byte("O="))))
}

// appendProblems appends what is wrong with a certificate.
func appendProblems(dst []byte, h *Handshake) []byte {
	f := problemsOf(h, new(buffer), new(buffer))
	switch f {
	case unknown:
		return append(dst, "unset"...)
	case 0:
		return append(dst, "none"...)
	}
	start := len(dst)
	say := func(is found, what string) {
		if f&is == 0 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = append(dst, what...)
	}
	say(selfIssued, "self-issued")
	say(tooEarly, "not valid yet")
	say(tooLate, "expired")
	if f&notValid != 0 {
		say(notValid, "")
		dst = feature.AppendPrintable(dst, h.Validation)
	}
	return dst
}
