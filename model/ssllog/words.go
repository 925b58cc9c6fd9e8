package ssllog

import (
	"cmp"
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Append appends the feature i of a handshake whose window is w in the
// reader's words: "TLSv10, 1 in 2,100 handshakes", "self signed certificate". It
// allocates only what dst needs.
func Append(dst []byte, e *feature.Encoder, i int, h *Handshake, w *feature.Window) []byte {
	if h.Absent != 0 && absent(h.Absent)>>i&1 != 0 {
		return append(dst, "no column"...)
	}
	switch i {
	case cipher:
		if h.Version != "" && h.Cipher != "" {
			dst = append(feature.AppendPrintable(dst, h.Version), ' ')
		}
		return e.AppendRarity(feature.AppendPrintable(dst, cmp.Or(h.Cipher, h.Version)), e.Rarity(CipherCode, cipherCode(h, new(buffer), nil)))
	case nextProtocol:
		return appendRare(dst, e, nextProtocolCode, h.NextProtocol)
	case history:
		return appendRare(dst, e, historyCode, h.History)
	case lastAlert:
		return appendRare(dst, e, lastAlertCode, h.LastAlert)
	case fingerprint:
		return appendRare(dst, e, fingerprintCode, h.Fingerprint())
	case issuer:
		if !h.Has(KnownCertificate) {
			return append(dst, "unset"...)
		}
		return e.AppendRarity(appendIssuer(dst, &h.Certificate), e.Rarity(issuerCode, issuerOf(&h.Certificate, new(buffer), nil)))
	case domain:
		name := nameOf(h, new(buffer))
		name = name[domainOf(name):]
		return e.AppendRarity(feature.AppendPrintable(dst, name), e.Rarity(domainCode, codeOf(name, nil)))
	case port:
		p := h.Resp.Port()
		return e.AppendRarity(strconv.AppendUint(dst, uint64(p), 10), e.Rarity(portCode, uint64(p)))
	case nameLength:
		if name := nameOf(h, new(buffer)); name != "" {
			return feature.AppendCount(dst, float64(len(name)))
		}
		return append(dst, "unset"...)
	case nameSurprise:
		return e.Set().AppendEncoded(dst, i, e.Surprise(nameOf(h, new(buffer))))
	case matches:
		if !h.Has(Matches) {
			return append(dst, "unset"...)
		}
		return appendYes(dst, h.Matches)
	case problems:
		return appendProblems(dst, h)
	case resumed:
		return appendYes(dst, h.Resumed)
	case established:
		return appendYes(dst, h.Established)
	case handshakes:
		return feature.AppendCount(dst, float64(w.Connections))
	case names:
		return feature.AppendDistinct(dst, w.Responders)
	default: // failures
		return feature.AppendCount(dst, float64(w.Failures))
	}
}

// appendRare appends a text and how rare it is.
func appendRare(dst []byte, e *feature.Encoder, i int, text string) []byte {
	return e.AppendRarity(feature.AppendPrintable(dst, text), e.Rarity(i, code(text, new(buffer), nil)))
}

func appendYes(dst []byte, is bool) []byte {
	if is {
		return append(dst, "1"...)
	}
	return append(dst, "0"...)
}
