package ssllog

import (
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// AppendValue appends the feature i of a handshake whose window is w in the
// reader's words: "TLSv10, 1 in 2,100 handshakes", "self signed certificate". It
// allocates only what dst needs.
func (s *Rows) AppendValue(dst []byte, e *feature.Encoder, i int, h *Handshake, w feature.Window) []byte {
	if h.Absent != 0 && absent(h.Absent)>>i&1 != 0 {
		return append(dst, "no column"...)
	}
	switch i {
	case version:
		return s.appendText(dst, e, versionCode, h.Version)
	case cipher:
		return s.appendText(dst, e, CipherCode, h.Cipher)
	case nextProtocol:
		return s.appendText(dst, e, nextProtocolCode, h.NextProtocol)
	case history:
		return s.appendText(dst, e, historyCode, h.History)
	case lastAlert:
		return s.appendText(dst, e, lastAlertCode, h.LastAlert)
	case fingerprint:
		return s.appendText(dst, e, fingerprintCode, h.Fingerprint())
	case domain:
		name := s.name(h)
		name = name[domainOf(name):]
		return e.AppendRarity(appendShown(dst, name), e.Rarity(domainCode, s.codeOf(name)))
	case port:
		p := h.Resp.Port()
		return e.AppendRarity(strconv.AppendUint(dst, uint64(p), 10), e.Rarity(portCode, uint64(p)))
	case nameLength:
		if name := s.name(h); name != "" {
			return feature.AppendCount(dst, float64(len(name)))
		}
		return append(dst, "unset"...)
	case nameSurprise:
		return e.Set().AppendEncoded(dst, i, e.Surprise(s.name(h)))
	case matches:
		if !h.Has(Matches) {
			return append(dst, "unset"...)
		}
		return appendYes(dst, h.Matches)
	case invalid:
		return appendShown(dst, h.Validation)
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

// appendText appends a text and how rare it is.
func (s *Rows) appendText(dst []byte, e *feature.Encoder, i int, text string) []byte {
	return e.AppendRarity(appendShown(dst, text), e.Rarity(i, s.code(text)))
}

// shown is how much of a text is said.
const shown = 63

func appendShown(dst []byte, text string) []byte {
	switch {
	case text == "":
		return append(dst, "unset"...)
	case len(text) > shown:
		return append(append(dst, text[:shown]...), "..."...)
	}
	return append(dst, text...)
}

func appendYes(dst []byte, is bool) []byte {
	if is {
		return append(dst, "1"...)
	}
	return append(dst, "0"...)
}
