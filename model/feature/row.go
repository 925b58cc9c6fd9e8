package feature

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Row is a row of any log as numbers and codes: all that scoring and learning
// need of it. It holds no address, and of a text the classes of some characters.
type Row struct {
	Sample
	TS     conn.Micros
	Cell   uint64 // the kind of row that it is, for balanced sampling
	Chance uint64 // a number that depends on when and between whom, for thinning
	Host   uint32 // a hash of the originator's address, not zero
	Cold   bool   // its window may lack rows
}

// Sample is what a learner keeps of a row: the numbers of its vector that need
// no training, and the codes by which its rarities are looked up.
type Sample struct {
	Vector Vector // rarities that have a code are zero
	Codes  [MaxCodes]uint64
	Silent uint8  // bit i: Codes[i] counts as a value that was met, but says nothing of this row
	Text   Text   // where the set has one
	Absent uint32 // features that say nothing, for the log has no column for them: bit i for Set.Features[i]
}

// Codes that are no values. A Counter does not count them.
const (
	NoCode   = 1<<64 - 1 // says nothing: as usual as the most usual value
	LongCode = 1<<64 - 2 // a text too long to count: never met
)

// shortText is the length of the texts that a code holds as they are.
const shortText = 7

// CodeOf returns the code of a text: the same on every machine and for all time.
// Texts of up to seven bytes of ASCII are their own code (TextOf); the code of a
// longer one is a part of its SHA-256, so that nobody finds a second text for
// it. That of "" is zero.
func CodeOf(text string) uint64 {
	if code, ok := shortCode(text); ok {
		return code
	}
	sum := sha256.Sum256(unsafe.Slice(unsafe.StringData(text), len(text)))
	// The uppermost bit tells it from a short text, the last but one from what is
	// no value.
	return (binary.BigEndian.Uint64(sum[:]) | 1<<63) &^ 2
}

// shortCode holds the bytes from the uppermost down, and their number.
func shortCode(text string) (code uint64, ok bool) {
	if len(text) > shortText {
		return 0, false
	}
	for i := range len(text) {
		if text[i] >= 0x80 {
			return 0, false
		}
		code |= uint64(text[i]) << (56 - 8*i)
	}
	return code | uint64(len(text)), true
}

// TextOf returns the text of a code, where the code holds it.
func TextOf(code uint64) (text string, ok bool) {
	n := int(code & 0xff)
	if code>>63 != 0 || n > shortText {
		return "", false
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], code)
	text = string(b[:n])
	again, ok := shortCode(text)
	return text, ok && again == code
}

// Texts remembers the codes of the latest texts, since a SHA-256 takes longer
// than a comparison. A nil Texts remembers none. It is not safe for concurrent
// use.
type Texts struct {
	latest [textsKept]knownText
}

const (
	textsKept = 256
	textSize  = 48 // longer ones are not remembered
)

type knownText struct {
	code uint64
	size uint8 // 0 is none
	text [textSize]byte
}

// NewTexts returns a Texts of 15 KB that knows nothing yet.
func NewTexts() *Texts { return new(Texts) }

// Code is CodeOf(text). It does not allocate.
func (t *Texts) Code(text string) uint64 {
	if code, ok := shortCode(text); ok {
		return code
	}
	if t == nil || len(text) > textSize {
		return CodeOf(text)
	}
	h := uint64(len(text))
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 0x9e3779b97f4a7c15
	}
	k := &t.latest[h>>56]
	if k.size == uint8(len(text)) && string(k.text[:k.size]) == text {
		return k.code
	}
	k.code, k.size = CodeOf(text), uint8(len(text))
	copy(k.text[:], text)
	return k.code
}

// CheckSample reports what of a sample no row of the set has: a number that is
// not finite, or a code out of range.
func (s *Set) CheckSample(row *Sample) error {
	for i, f := range s.Features {
		if x := row.Vector[i]; x-x != 0 {
			return fmt.Errorf("%s is not finite", f.Name)
		}
	}
	for i, c := range s.Codes {
		if code := row.Codes[i]; c.Below > 0 && code >= c.Below && code < LongCode {
			return fmt.Errorf("%s has the unknown code %d", s.Features[c.Feature].Name, code)
		}
		if row.Vector[c.Feature] != 0 { // not before Finish
			return fmt.Errorf("%s has a number", s.Features[c.Feature].Name)
		}
	}
	if row.Silent>>len(s.Codes) != 0 {
		return fmt.Errorf("a value says nothing that is not there: %#x of %d", row.Silent, len(s.Codes))
	}
	if row.Absent>>len(s.Features) != 0 {
		return fmt.Errorf("a feature is absent that is not there: %#x of %d", row.Absent, len(s.Features))
	}
	return s.checkText(row)
}
