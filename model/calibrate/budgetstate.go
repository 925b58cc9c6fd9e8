package calibrate

import (
	"encoding/binary"
	"errors"
)

// Append appends the rolling day to dst, for Restore: a few kilobytes.
func (b *Budget) Append(dst []byte) []byte {
	if !b.begun {
		return dst
	}
	dst = binary.AppendVarint(dst, b.first)
	dst = binary.AppendVarint(dst, b.now)
	for _, n := range b.raised {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	gap := uint64(0) // empty places since the last one
	for _, n := range b.ring {
		if n == 0 {
			gap++
			continue
		}
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, gap), uint64(n))
		gap = 0
	}
	return dst
}

var errBudgetState = errors.New("the state of the alert budget is damaged")

// Restore takes up the rolling day that Append wrote, of a Budget of the same
// width. On an error the budget stays as it was.
func (b *Budget) Restore(state []byte) error {
	if len(state) == 0 {
		return nil
	}
	fresh := NewBudget(b.perDay, b.width)
	fresh.begun, fresh.factor = true, b.factor
	bad := false
	signed := func() int64 {
		v, n := binary.Varint(state)
		if n <= 0 {
			bad, n = true, 0
		}
		state = state[n:]
		return v
	}
	number := func(most uint64) uint64 {
		v, n := binary.Uvarint(state)
		if n <= 0 || v > most {
			bad, n, v = true, 0, 0
		}
		state = state[n:]
		return v
	}
	fresh.first, fresh.now = signed(), signed()
	if span := fresh.now - fresh.first; span < 0 || span > day {
		bad = true
	}
	for h := range fresh.raised {
		fresh.raised[h] = uint32(number(1 << 31))
	}
	for i := uint64(0); len(state) > 0 && !bad; i++ {
		if i += number(buckets * Bins); i >= buckets*Bins {
			return errBudgetState
		}
		n := uint32(number(1<<32 - 1))
		fresh.ring[i] = n
		fresh.sum[i%Bins] += n
	}
	if bad {
		return errBudgetState
	}
	fresh.settle()
	*b = *fresh
	return nil
}
