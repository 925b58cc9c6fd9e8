package feature

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// Counter counts the codes of which Tables are made, in bounded memory without
// pointers. It is not safe for concurrent use.
type Counter struct {
	set   *Set
	rows  uint64
	steps uint64 // calls of Count ever
	codes []codeCounts
	pairs []uint32 // of characters, where the set has a text
}

// codeCounts are the counts of one of the set's codes.
type codeCounts struct {
	numbers []uint64 // by code, where codes are small numbers
	met     []uint64 // a bit for each of them that was met
	codes   table[codeCount, *codeCount]
}

// codeCount is how often a code was met.
type codeCount uint64

// NewCounter returns an empty counter, for conn.log about 2.2 MB.
func NewCounter(s *Set) *Counter {
	k := &Counter{set: s, codes: make([]codeCounts, len(s.Codes))}
	for i, c := range s.Codes {
		if c.Below > 0 {
			k.codes[i].numbers = make([]uint64, c.Below)
			k.codes[i].met = make([]uint64, (c.Below+63)/64)
		} else {
			k.codes[i].codes = newTable[codeCount](c.Most)
		}
	}
	if s.Text {
		k.pairs = make([]uint32, Bigrams)
	}
	return k
}

// Rows returns the number of rows counted.
func (k *Counter) Rows() uint64 { return k.rows }

// Count counts the codes of a row. Of codes that are no small numbers the one
// met longest ago makes room where there are too many. It does not allocate.
func (k *Counter) Count(s *Sample) {
	k.rows++
	k.steps++
	for i := range k.codes {
		k.codes[i].count(s.Codes[i], k.steps)
	}
}

// CountText counts the characters of a row that trees may see. It does not
// allocate.
func (k *Counter) CountText(s *Sample) {
	if k.pairs == nil {
		return
	}
	for pair := range s.Text.pairs {
		if k.pairs[pair] < math.MaxUint32 {
			k.pairs[pair]++
		}
	}
}

func (c *codeCounts) count(code, step uint64) {
	switch {
	case code < uint64(len(c.numbers)):
		c.met[code/64] |= 1 << (code % 64)
		c.numbers[code]++
	case c.numbers == nil && code < LongCode:
		n, _ := c.codes.use(code, step)
		*n++
	}
}

// Halve halves all counts, so that what is long past weighs less.
func (k *Counter) Halve() {
	k.rows /= 2
	for i := range k.codes {
		c := &k.codes[i]
		for code := range c.eachNumber {
			c.numbers[code] /= 2
		}
		for place := range c.places() {
			c.codes.entries[place].value /= 2
		}
	}
	for i := range k.pairs {
		k.pairs[i] /= 2
	}
}

// Tables freezes the counts. Of more codes than the set keeps, the ones met
// most stay; where counts agree in their five leading bits, the lower code.
func (k *Counter) Tables() Tables {
	t := Tables{Rows: k.rows, Codes: make([][]CodeCount, len(k.codes)), Bigrams: slices.Clone(k.pairs)}
	for i := range k.codes {
		t.Codes[i] = k.codes[i].most(k.set.Codes[i].Most)
	}
	return t
}

func (c *codeCounts) most(room int) []CodeCount {
	var met [magnitudes]int
	total := 0
	for _, n := range c.each {
		met[magnitude(n)]++
	}
	least := magnitudes
	for least > 1 && met[least-1] <= room {
		least--
		room -= met[least]
		total += met[least]
	}
	list := make([]CodeCount, 0, total+room)
	add := func(code, n uint64) {
		switch m := magnitude(n); {
		case m >= least:
		case m > 0 && m == least-1 && room > 0:
			room--
		default:
			return
		}
		list = append(list, CodeCount{code, n})
	}
	if c.numbers != nil {
		for code := range c.eachNumber {
			add(uint64(code), c.numbers[code])
		}
		return list
	}
	sorted := make([]CodeCount, 0, c.places())
	for code, n := range c.each {
		sorted = append(sorted, CodeCount{code, n})
	}
	slices.SortFunc(sorted, func(a, b CodeCount) int { return cmp.Compare(a.Code, b.Code) })
	for _, n := range sorted {
		add(n.Code, n.Rows)
	}
	return list
}

// each yields the codes that were met, and how often: small numbers in order.
func (c *codeCounts) each(yield func(code, n uint64) bool) {
	for code := range c.eachNumber {
		if !yield(uint64(code), c.numbers[code]) {
			return
		}
	}
	for place := range c.places() {
		if !yield(c.codes.keys.Key(place), uint64(c.codes.entries[place].value)) {
			return
		}
	}
}

// eachNumber yields the small numbers that were met, in order. There are far
// more that were not.
func (c *codeCounts) eachNumber(yield func(int) bool) {
	for w, word := range c.met {
		for ; word != 0; word &= word - 1 {
			if !yield(w*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

// places returns the number of codes that are no small numbers.
func (c *codeCounts) places() int {
	if c.numbers != nil {
		return 0
	}
	return c.codes.keys.Len()
}

// magnitudes is the number of values of magnitude.
const magnitudes = 64 * 16

// magnitude orders counts by their five leading bits; only zero has magnitude 0.
func magnitude(n uint64) int {
	if n < 16 {
		return int(n)
	}
	shift := bits.Len64(n) - 5
	return (shift+1)*16 + int(n>>shift) - 16
}

func (n *codeCount) append(dst []byte) []byte { return binary.AppendUvarint(dst, uint64(*n)) }
func (n *codeCount) read(r *stateReader)      { *n = codeCount(r.uvarint()) }
