package ssllog

import (
	"math/bits"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Rows makes rows of handshakes, in the order of the log, and remembers what
// their originators did. It is not safe for concurrent use.
type Rows struct {
	Hosts *feature.Hosts // by originator
	texts *feature.Texts
	name  buffer
	text  buffer
	also  buffer
}

// buffer holds a text as it counts.
type buffer [MaxText]byte

// NewRows returns Rows with memory for so many originators.
func NewRows(hosts int) *Rows {
	return &Rows{Hosts: feature.NewHosts(hosts), texts: feature.NewTexts()}
}

// Observe counts the handshake and writes to r what it is. It does not allocate.
func (s *Rows) Observe(h *Handshake, r *feature.Row) feature.Window {
	name := nameOf(h, &s.name)
	e := eventOf(h, name)
	w := s.Hosts.ObserveEvent(&e)
	s.set(r, h, name, w)
	return w
}

// Peek does the same and counts nothing.
func (s *Rows) Peek(h *Handshake, r *feature.Row) feature.Window {
	name := nameOf(h, &s.name)
	e := eventOf(h, name)
	w := s.Hosts.PeekEvent(&e)
	s.set(r, h, name, w)
	return w
}

// nameOf returns the server's name as it counts, in the buffer.
func nameOf(h *Handshake, buf *buffer) string {
	b := appendText(buf[:0], h.ServerName)
	if len(b) > 0 && b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	feature.Lower(b)
	return view(b)
}

// view returns a text whose bytes are somebody's.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func eventOf(h *Handshake, name string) feature.Event {
	return feature.Event{
		Host: feature.HostKey(h.OrigHost()), End: h.TS,
		Failed: !h.Established && h.Absent&Established == 0,
		Peer:   feature.KeyOf(feature.HashText(name)),
	}
}

// set makes the row of a handshake.
func (s *Rows) set(r *feature.Row, h *Handshake, name string, w feature.Window) {
	*r = feature.Row{TS: h.TS, Cold: w.Cold}
	c := &r.Codes
	c[CipherCode] = cipherCode(h, &s.text, s.texts)
	c[nextProtocolCode] = s.code(h.NextProtocol)
	c[historyCode] = s.code(h.History)
	c[lastAlertCode] = s.code(h.LastAlert)
	c[domainCode] = codeOf(name[domainOf(name):], s.texts)
	c[portCode] = uint64(h.Resp.Port())
	c[fingerprintCode] = s.code(h.Fingerprint())

	v := &r.Vector
	v[nameLength], v[matches] = feature.Unset, feature.Unset
	if name != "" {
		v[nameLength] = feature.LogCount(uint64(len(name)))
	}
	if h.Has(Matches) {
		v[matches] = yes(h.Matches)
	}
	v[resumed], v[established] = yes(h.Resumed), yes(h.Established)
	v[handshakes] = feature.LogCount(uint64(w.Connections))
	v[names] = feature.LogCount(uint64(w.Responders))
	v[failures] = feature.LogCount(uint64(w.Failures))
	r.Text.Set(name)

	if h.Absent != 0 {
		r.Absent = absent(h.Absent)
	}
	s.setCertificate(r, h)
	orig := feature.HashHost(h.OrigHost())
	r.Host = uint32(orig>>32) | 1
	r.Chance = feature.Hash(orig, uint64(h.TS), uint64(h.Orig.Port())<<16|uint64(h.Resp.Port()))
	r.Cell = cell(h, r, name)
}

// yes is 1 or 0, as a count.
func yes(is bool) float32 {
	if is {
		return feature.LogCount(1)
	}
	return 0
}

func (s *Rows) code(text string) uint64 { return code(text, &s.text, s.texts) }

// code returns the code of a text of a row.
func code(text string, buf *buffer, texts *feature.Texts) uint64 {
	if text == "" {
		return 0
	}
	return codeOf(view(appendText(buf[:0], text)), texts)
}

// cipherCode returns the code of version and cipher together: one says little more
// than the other.
func cipherCode(h *Handshake, buf *buffer, texts *feature.Texts) uint64 {
	if h.Version == "" && h.Cipher == "" {
		return 0
	}
	b := append(feature.AppendText(buf[:0], h.Version, maxCoded+1), ' ')
	b = feature.AppendText(b, h.Cipher, maxCoded+1)
	return codeOf(view(b), texts)
}

// codeOf returns the code of a text as it counts.
func codeOf(text string, texts *feature.Texts) uint64 {
	if len(text) > maxCoded {
		return feature.LongCode
	}
	return texts.Code(text)
}

// cell returns the kind of handshake: what was agreed on, how it ended, and how long
// the name is. Names and fingerprints do not count: one client's many names are
// one kind.
func cell(h *Handshake, r *feature.Row, name string) uint64 {
	key := uint64(bits.Len(uint(len(name))))
	for _, is := range [...]bool{h.Established, h.Resumed, h.Has(Matches), h.Matches, r.Vector[problems] == 0} {
		key <<= 1
		if is {
			key |= 1
		}
	}
	return feature.Hash(r.Codes[CipherCode], r.Codes[nextProtocolCode], key)
}

// madeFrom are the features that need a field, in the order of FieldNames.
var madeFrom = [...]uint32{
	1 << cipher, 1 << cipher, 1<<domain | 1<<nameLength | 1<<nameSurprise | 1<<names,
	1 << lastAlert, 1 << nextProtocol, 1 << history, 1 << problems, 1 << resumed,
	1<<established | 1<<failures, 1 << matches, ofCertificate,
}

// absent returns the features that say nothing where those fields have no column.
func absent(fields Fields) (features uint32) {
	for ; fields != 0; fields &= fields - 1 {
		features |= madeFrom[bits.TrailingZeros16(uint16(fields))]
	}
	return features
}
