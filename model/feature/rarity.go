package feature

import (
	"errors"
	"fmt"
)

// maxNumbers bounds a code that is a small number: counts and rarities are then
// kept in arrays of that length.
const maxNumbers = 1 << 18

// Tables says how often each code was met in the training rows: all that an
// Encoder learns. Codes that are not listed were never met, or were crowded out
// of a full table.
type Tables struct {
	Rows    uint64
	Codes   [][]CodeCount // of each of the Set's codes, in the order of the codes
	Bigrams []uint32      // of pairs of characters, where the Set has a text
}

// CodeCount says how many rows had that code.
type CodeCount struct{ Code, Rows uint64 }

// Encoder makes vectors of samples. It is immutable and safe for concurrent
// use.
type Encoder struct {
	set      *Set
	tables   Tables
	unseen   float32
	rarities []rarities // of each of the set's codes
	bits     *surprises // nil where the set has no text
	usual    Vector     // what a feature counts as that says nothing
}

// rarities are those of one feature.
type rarities struct {
	place   int
	usual   float32            // of the most usual code
	numbers []float32          // by code, where codes are small numbers; 0 is never met, so that most pages stay untouched
	codes   map[uint64]float32 // otherwise
}

// NewEncoder checks the tables and makes an encoder of them. It keeps t's
// slices.
func NewEncoder(s *Set, t Tables) (*Encoder, error) {
	if err := t.validate(s); err != nil {
		return nil, err
	}
	e := &Encoder{set: s, tables: t, unseen: rarity(0, t.Rows), rarities: make([]rarities, len(s.Codes))}
	for i, coded := range s.Codes {
		r := &e.rarities[i]
		r.place, r.usual = coded.Feature, e.unseen
		if coded.Below > 0 {
			r.numbers = make([]float32, coded.Below)
		} else {
			r.codes = make(map[uint64]float32, len(t.Codes[i]))
		}
		for _, c := range t.Codes[i] {
			x := rarity(c.Rows, t.Rows)
			r.usual = min(r.usual, x)
			if coded.Below > 0 {
				r.numbers[c.Code] = x
			} else {
				r.codes[c.Code] = x
			}
		}
	}
	if s.Text {
		e.bits = newSurprises(t.Bigrams)
	}
	return e, nil
}

// Set returns what the encoder makes vectors of.
func (e *Encoder) Set() *Set { return e.set }

// Tables returns what the encoder was made of; the caller must not change it.
func (e *Encoder) Tables() Tables { return e.tables }

// Finish writes the vector of a sample. It does not allocate.
func (e *Encoder) Finish(v *Vector, s *Sample) {
	*v = s.Vector
	for i := range e.rarities {
		v[e.rarities[i].place] = e.of(s, i)
	}
	if e.bits != nil {
		v[e.set.surprise] = e.bits.of(&s.Text)
	}
	if s.Absent != 0 {
		put(v, &e.usual, s.Absent)
	}
}

// Surprise returns that of a text, Unset for "".
func (e *Encoder) Surprise(text string) float32 {
	var t Text
	t.Set(text)
	return e.bits.of(&t)
}

// of returns the rarity of the sample's i-th code.
func (e *Encoder) of(s *Sample, i int) float32 {
	if s.Silent>>i&1 != 0 {
		return e.rarities[i].usual
	}
	return e.Rarity(i, s.Codes[i])
}

// Rarity returns the rarity of a code, the i-th of the set's.
func (e *Encoder) Rarity(i int, code uint64) float32 {
	r := &e.rarities[i]
	if r.numbers != nil {
		if code < uint64(len(r.numbers)) {
			if x := r.numbers[code]; x != 0 {
				return x
			}
			return e.unseen
		}
	} else if x, ok := r.codes[code]; ok {
		return x
	}
	if code == NoCode {
		return r.usual
	}
	return e.unseen
}

// Knows reports whether a row had the code before, the i-th of the set's. It
// does not allocate.
func (e *Encoder) Knows(i int, code uint64) bool { return e.Rarity(i, code) != e.unseen }

// rarity is −ln of the smoothed share of rows with a value; it is positive.
func rarity(n, rows uint64) float32 {
	return float32(-Log((float64(n) + 0.5) / (float64(rows) + 1)))
}

// maxRows keeps a hostile model's counts where a float64 holds them exactly.
const maxRows = 1 << 53

func (t *Tables) validate(s *Set) error {
	if t.Rows > maxRows {
		return fmt.Errorf("%d training rows", t.Rows)
	}
	if len(t.Codes) != len(s.Codes) {
		return fmt.Errorf("counts of %d features, want %d", len(t.Codes), len(s.Codes))
	}
	if want := map[bool]int{true: Bigrams}[s.Text]; len(t.Bigrams) != want {
		return fmt.Errorf("counts of %d pairs of characters, want %d", len(t.Bigrams), want)
	}
	var errs []error
	for i, counts := range t.Codes {
		errs = append(errs, s.Codes[i].validate(s.Features[s.Codes[i].Feature].Name, counts, t.Rows))
	}
	return errors.Join(errs...)
}

func (c *Coded) validate(name string, counts []CodeCount, rows uint64) error {
	if len(counts) > c.Most {
		return fmt.Errorf("%d values of %s, more than %d", len(counts), name, c.Most)
	}
	for i, n := range counts {
		switch {
		case i > 0 && n.Code <= counts[i-1].Code:
			return fmt.Errorf("value %#x of %s is out of order", n.Code, name)
		case c.Below > 0 && n.Code >= c.Below, n.Code >= LongCode:
			return fmt.Errorf("value %#x of %s is out of range", n.Code, name)
		case n.Rows > rows:
			return fmt.Errorf("a value of %s met %d times in %d rows", name, n.Rows, rows)
		}
	}
	return nil
}
