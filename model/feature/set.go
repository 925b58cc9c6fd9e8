// Package feature turns rows of a log into numbers: a Set says which numbers,
// Hosts remembers what one row alone does not tell (conn.log's part), a Row
// carries what a forest and a learner need, and an Encoder knows how often a
// value was met in training.
package feature

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

const (
	// Places is the most features of a Set.
	Places = 24
	// MaxCodes is the most features of a Set that are looked up by a code.
	MaxCodes = 8
)

// Vector holds the features of one row in the order of its Set. Its entries
// are always finite; those beyond the Set's features are zero.
type Vector [Places]float32

// Kind is how a feature is encoded and printed.
type Kind uint8

// The kinds of feature.
const (
	Seconds  Kind = iota // ln(x + 0.0001)
	Bytes                // ln(x + 1)
	Packets              // ln(x + 1)
	Rarity               // −ln((n + 0.5)/(N + 1)), n of N training rows with the same value
	Count                // ln(x + 1), from the originator's window
	Share                // x, from 0 to 1, from the originator's window
	Span                 // ln(x + 1) of seconds
	Amount               // ln(x + 1), may be unset
	Surprise             // bits a character under the bigrams of the training rows, may be unset
	numKinds = iota
)

// encodings are part of a set's identity: whoever changes how a number is made
// changes its words here.
var encodings = [numKinds]string{
	Seconds:  "ln(x+0.0001) of microseconds/1e6, unset -12",
	Bytes:    "ln(x+1), unset -12",
	Packets:  "ln(x+1)",
	Rarity:   "-ln((n+0.5)/(N+1))",
	Count:    "ln(x+1)",
	Share:    "x",
	Span:     "ln(x+1) of seconds",
	Amount:   "ln(x+1), unset -12",
	Surprise: "mean of -log2((n(a,b)+0.5)/(n(a)+0.5*64)) over the pairs of classes of the first 47 characters, unset -12",
}

// mayBeUnset reports whether a feature of the kind can be Unset.
func (k Kind) mayBeUnset() bool { return k == Seconds || k == Bytes || k == Amount || k == Surprise }

// Encoding says how a number of the kind is made.
func (k Kind) Encoding() string { return encodings[k] }

// Feature describes one column of a Vector.
type Feature struct {
	Name  string // as anomaly_reason says it
	Field string // the fields of the log that it is made from
	Unit  string
	Kind  Kind
	Why   string // what it is there to find
	After string // what is said after a value of the kind Share: " of connections failed in five minutes"
}

// Coded is a rarity that is looked up by a code: a small number such as a
// port, or CodeOf a text.
type Coded struct {
	Feature int                      // of the Set
	Below   uint64                   // every code is below this one; 0 if any number is a code
	Most    int                      // codes that a model keeps: those met most
	Number  func(code uint64) string // what a small number stands for; nil if codes are of texts
}

// Say returns the value that a code stands for, "code" and sixteen hexadecimal digits
// where the code of a text does not hold it.
func (c *Coded) Say(code uint64) string {
	if c.Number != nil {
		return c.Number(code)
	}
	if text, ok := TextOf(code); ok {
		return text
	}
	return fmt.Sprintf("code %016x", code)
}

// Set is all that is particular to the numbers of one log. What learns,
// scores, calibrates and stores them knows nothing else of the log.
type Set struct {
	Log      string // #path of the log, "conn"; there is no other set of it
	Rows     string // what a row is, in the plural: "connections"
	Features []Feature
	Codes    []Coded // in the order of Sample.Codes
	Text     bool    // whether one feature is of the kind Surprise, of Sample.Text

	// Beyond are the features that cuts may split beyond the data, bit i for
	// Features[i].
	Beyond uint64

	// Constants say in words what else shapes the numbers, such as the length
	// of a window.
	Constants string

	// ID identifies what the numbers mean: a hash of the features and of the
	// constants. A model of another identity is refused. NewSet makes it.
	ID string

	surprise          int            // the feature of that kind
	before, one, many [Places]string // what is said around a value
}

// NewSet makes a Set of a description, which must not change any more. It
// panics where that describes none: sets are part of the program.
func NewSet(s Set) *Set {
	if n := len(s.Features); n == 0 || n > Places || s.Beyond>>n != 0 {
		panic(fmt.Sprintf("feature: %s.log has %d features, want 1 to %d", s.Log, n, Places))
	}
	if len(s.Codes) > MaxCodes {
		panic(fmt.Sprintf("feature: %s.log has %d codes, want at most %d", s.Log, len(s.Codes), MaxCodes))
	}
	for _, f := range s.Features {
		if (f.Kind == Share) != (f.After != "") {
			panic(fmt.Sprintf("feature: %s of %s.log is a share, and nobody says of what", f.Name, s.Log))
		}
	}
	for _, c := range s.Codes {
		if s.Features[c.Feature].Kind != Rarity || c.Most <= 0 || c.Below > maxNumbers {
			panic(fmt.Sprintf("feature: %s of %s.log cannot be looked up", s.Features[c.Feature].Name, s.Log))
		}
	}
	texts := 0
	for i, f := range s.Features {
		if s.before[i], s.one[i], s.many[i] = f.phrases(); f.Kind == Surprise {
			texts, s.surprise = texts+1, i
		}
	}
	if texts > 1 || s.Text != (texts == 1) {
		panic(fmt.Sprintf("feature: %s.log has %d features of a text's surprise, want one where it has a text", s.Log, texts))
	}
	s.ID = s.identity()
	return &s
}

func (s *Set) identity() string {
	var b strings.Builder
	for _, f := range s.Features {
		fmt.Fprintf(&b, "%s|%s|%s|%s\n", f.Name, f.Field, f.Unit, encodings[f.Kind])
	}
	b.WriteString(s.Constants)
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}

// N returns the number of features.
func (s *Set) N() int { return len(s.Features) }

// Find returns the index of the feature of that name, −1 where there is none.
func (s *Set) Find(name string) int {
	return slices.IndexFunc(s.Features, func(f Feature) bool { return f.Name == name })
}

// Phrases returns what is said before a value of the feature i, and after it: after
// "1", and after any other.
func (s *Set) Phrases(i int) (before, one, many string) { return s.before[i], s.one[i], s.many[i] }

var singular = strings.NewReplacer("failures ", "failure ", "errors ", "error ", "names ", "name ", "queries", "query")

func (f *Feature) phrases() (before, one, many string) {
	switch f.Kind {
	case Count:
		name := strings.TrimSuffix(singular.Replace(f.Name), "s")
		return "", " " + name + " in five minutes", " " + f.Name + " in five minutes"
	case Share:
		return "", f.After, f.After
	}
	return f.Name + " ", "", ""
}
