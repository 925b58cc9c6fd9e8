package feature

import (
	"fmt"
	"math"
)

// A text's surprise is how rare its pairs of characters are here, in bits a
// character: that of made-up names and of encoded data is high, whatever
// language a site's names are in. It is learnt as the rarities are: a Counter
// counts the pairs of the texts that trees may see, so that the volume of one
// behaviour does not make its characters usual; Tables hold the counts, and an
// Encoder the bits of each pair.

const (
	// textLength is how many characters of a text count: the length of a text is
	// a feature of its own.
	textLength = 47
	// TextSize is the size of a Text.
	TextSize = 1 + textLength
	// classes are the kinds of character that are told apart.
	classes = 64
	// Bigrams is the number of counts in Tables.Bigrams.
	Bigrams = classes * classes
)

// Text is the beginning of a text as classes of characters: letters of either
// case, digits, each usual punctuation mark, and some for all the rest. The
// first byte is the number of those that follow; 0 is not text.
type Text [TextSize]byte

// classOf is the class of each byte; 0 stands for the beginning of a text.
var classOf = func() (t [256]byte) {
	const told = "abcdefghijklmnopqrstuvwxyz0123456789.-_/%=&?+:@~,;()*!$# "
	const capital, ascii, control, high = 1 + byte(len(told)), 2 + byte(len(told)), 3 + byte(len(told)), 4 + byte(len(told))
	for i := range t {
		switch {
		case i >= 0x80:
			t[i] = high
		case i < ' ' || i == 0x7f:
			t[i] = control
		case i >= 'A' && i <= 'Z':
			t[i] = capital
		default:
			t[i] = ascii
		}
	}
	for i := range len(told) {
		t[told[i]] = byte(1 + i)
	}
	return t
}()

// Set takes over a text; "" is none. It does not allocate.
func (t *Text) Set(text string) {
	n := min(len(text), textLength)
	t[0] = byte(n)
	for i := range n {
		t[1+i] = classOf[text[i]]
	}
	clear(t[1+n:])
}

// pairs yields the pairs of neighbours, the beginning and the first character
// among them, as places in Tables.Bigrams.
func (t *Text) pairs(yield func(int) bool) {
	before := 0
	for _, class := range t[1 : 1+min(t[0], textLength)] {
		if !yield(before*classes + int(class%classes)) {
			return
		}
		before = int(class % classes)
	}
}

func (s *Set) checkText(row *Sample) error {
	n := row.Text[0]
	if n > textLength || n > 0 && !s.Text {
		return fmt.Errorf("a text of %d characters", n)
	}
	for i, class := range row.Text[1:] {
		if class >= classes || class > 0 && i >= int(n) {
			return fmt.Errorf("a text with the unknown character %d", class)
		}
	}
	if s.Text && row.Vector[s.surprise] != 0 {
		return fmt.Errorf("%s has a number", s.Features[s.surprise].Name)
	}
	return nil
}

// surprises are the bits of each pair of classes.
type surprises [Bigrams]float32

func newSurprises(counts []uint32) *surprises {
	t := new(surprises)
	for a := range classes {
		row := counts[a*classes : (a+1)*classes]
		var sum uint64
		for _, n := range row {
			sum += uint64(n)
		}
		for b, n := range row {
			t[a*classes+b] = float32(-Log((float64(n)+0.5)/(float64(sum)+0.5*classes)) / math.Ln2)
		}
	}
	return t
}

// of returns the surprise of a text.
func (t *surprises) of(text *Text) float32 {
	if text[0] == 0 {
		return Unset
	}
	sum := 0.0
	for pair := range text.pairs {
		sum += float64(t[pair])
	}
	return float32(sum / float64(text[0]))
}
