package feature

import (
	"encoding/binary"
	"errors"
	"math"
)

// codesPerPart is how many codes a part of a Counter's state covers.
const codesPerPart = 1 << 12

// StateParts returns the number of parts of a Counter's state.
func (k *Counter) StateParts() int {
	n := 1
	for i := range k.codes {
		n += k.codes[i].parts(k.set.Codes[i])
	}
	if k.pairs != nil {
		n++ // the last
	}
	return n
}

func (c *codeCounts) parts(of Coded) int {
	if c.numbers != nil {
		return ceil(len(c.numbers), codesPerPart)
	}
	return ceil(of.Most, codesPerPart)
}

// part finds the counts that a part after the first belongs to, and the first
// code, or place, in it.
func (k *Counter) part(part int) (c *codeCounts, from int) {
	part--
	for i := range k.codes {
		c := &k.codes[i]
		n := c.parts(k.set.Codes[i])
		if part < n {
			return c, part * codesPerPart
		}
		part -= n
	}
	return nil, 0
}

// AppendState appends one part of the state, 0 to StateParts−1. All parts give
// the counter again.
func (k *Counter) AppendState(dst []byte, part int) []byte {
	if part == 0 {
		return binary.AppendUvarint(binary.AppendUvarint(dst, k.rows), k.steps)
	}
	c, from := k.part(part)
	if c == nil {
		for _, n := range k.pairs {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
		return dst
	}
	if c.numbers == nil {
		return c.codes.append(dst, from, codesPerPart)
	}
	for i, n := range c.numbers[from:min(from+codesPerPart, len(c.numbers))] {
		if n > 0 {
			dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(from+i)), n)
		}
	}
	return dst
}

// RestoreState brings a part back into a counter that was empty before; after
// the last part RestoreEnd must follow.
func (k *Counter) RestoreState(part int, data []byte) error {
	r := stateReader{data: data}
	if part == 0 {
		k.rows, k.steps = r.uvarint(), r.uvarint()
		return r.end()
	}
	c, _ := k.part(part)
	if c == nil {
		return k.restorePairs(part, &r)
	}
	if c.numbers == nil {
		c.codes.read(&r)
		return r.end()
	}
	for r.err == nil && len(r.data) > 0 {
		code, n := r.uvarint(), r.uvarint()
		if r.err == nil && code >= uint64(len(c.numbers)) {
			return errState
		}
		if r.err == nil {
			c.numbers[code] = n
			c.met[code/64] |= 1 << (code % 64)
		}
	}
	return r.err
}

// restorePairs reads the last part, where the set has a text.
func (k *Counter) restorePairs(part int, r *stateReader) error {
	if part != k.StateParts()-1 {
		return errState
	}
	for i := range k.pairs {
		n := r.uvarint()
		if n > math.MaxUint32 {
			return errState
		}
		k.pairs[i] = uint32(n)
	}
	return r.end()
}

// RestoreEnd puts the counter together after its parts. Rows may have been
// counted from one part to the next: no value was met more often than there were
// rows.
func (k *Counter) RestoreEnd() error {
	for i := range k.codes {
		c := &k.codes[i]
		if c.numbers == nil {
			if err := c.restore(); err != nil {
				return err
			}
		}
		for _, n := range c.each {
			k.rows = max(k.rows, n)
		}
	}
	return nil
}

// restore puts the codes that were read into their table.
func (c *codeCounts) restore() error {
	saved := len(c.codes.saved)
	for _, s := range c.codes.saved {
		if s.key >= LongCode {
			return errState
		}
	}
	if c.codes.restore(); c.places() != saved {
		return errors.New("state of counts names a value twice, or too many")
	}
	return nil
}

// end returns the error of a state that was read, or of one that is too long.
func (r *stateReader) end() error {
	if r.err == nil && len(r.data) > 0 {
		r.err = errState
	}
	return r.err
}
