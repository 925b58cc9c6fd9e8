package feature

import (
	"math/bits"
	"slices"
)

// A distinct counter says how many different keys a host met in the last five
// minutes. Its content is a function of the rows of those minutes alone, so it
// forgets completely:
//
//   - recent holds the 24 keys seen last, newest first. While fewer than 24 of
//     them belong to the five minutes, it holds all keys of these minutes and
//     the count is exact.
//   - marks, which few hosts need, has a meaning from then on until there are
//     fewer again: a multiresolution bitmap (Estan, Varghese, Fisk 2003) for each
//     minute. Level l receives a share 4^−l of the keys, 32 bits each. The union
//     of the five minutes gives an estimate, with a standard error of about 17 %.
//
// The hash is a fixed one, because the estimate must not differ from sensor to
// command line. Somebody who chooses addresses to collide can hold the count
// down to 24, which is unusual already, and hides nothing from the count of
// connections and of failures.
type distinct struct {
	upto   [minutes]uint8    // upto[i]: how many of recent were seen in the newest i+1 minutes
	spots  [recentKeys]uint8 // the bits of recent in marks
	recent [recentKeys]uint32
}

// marks is a bitmap for each minute of the ring.
type marks [minutes][markWords]uint64

const (
	minutes    = 5
	recentKeys = 24
	markLevels = 8
	levelBits  = 32
	markWords  = markLevels * levelBits / 64
	levelFull  = 29 // a level with more bits set says too little
)

// linearCount[k] is 1024 times the expected number of keys that set k bits of a
// level, −32 ln(1 − k/32); for a full level as if half a bit were missing.
var linearCount = func() (t [levelBits + 1]uint64) {
	for k := range t {
		empty := max(float64(levelBits-k), 0.5) / levelBits
		t[k] = uint64(float64(-levelBits*1024*Log(empty)) + 0.5)
	}
	return t
}()

// advance lets d > 0 minutes pass; slot is the ring position of the new minute.
func (d *distinct) advance(passed int64, slot int, m *marks) {
	if passed >= minutes {
		d.upto = [minutes]uint8{}
		return
	}
	full := d.full()
	for range passed {
		copy(d.upto[1:], d.upto[:minutes-1])
		d.upto[0] = 0
		if full {
			m[slot] = [markWords]uint64{}
		}
		slot = (slot + minutes - 1) % minutes
	}
}

// full reports whether there are at least 24 keys, so that marks counts.
func (d *distinct) full() bool { return d.upto[minutes-1] == recentKeys }

// add counts a key in the newest minute: key tells keys apart, hash spreads them.
func (d *distinct) add(key uint32, hash uint64, slot int, m *marks) {
	if d.upto[0] > 0 && d.recent[0] == key {
		return // the newest already
	}
	spot := spotOf(hash)
	full := d.full()

	live := int(d.upto[minutes-1])
	at := 0
	for at < live && d.recent[at] != key {
		at++
	}
	for i := range d.upto { // the key leaves place at and becomes the newest
		if int(d.upto[i]) <= at && d.upto[i] < recentKeys {
			d.upto[i]++
		}
	}
	at = min(at, recentKeys-1)
	copy(d.recent[1:], d.recent[:at])
	copy(d.spots[1:], d.spots[:at])
	d.recent[0], d.spots[0] = key, spot

	if full {
		m.set(slot, spot)
	} else if d.full() {
		d.mark(slot, m)
	}
}

// spotOf returns the bit of a key in marks.
func spotOf(hash uint64) uint8 {
	level := min(bits.LeadingZeros64(hash)/2, markLevels-1)
	return uint8(level*levelBits + int(hash%levelBits))
}

// met reports whether a key was counted in the newest minute; slot is its place
// in the ring.
func (d *distinct) met(key uint32, hash uint64, slot int, m *marks) bool {
	newest := d.recent[:d.upto[0]]
	if len(newest) == recentKeys { // others may have been, before these
		spot := spotOf(hash)
		return m[slot][spot/64]>>(spot%64)&1 != 0
	}
	return slices.Contains(newest, key)
}

// mark marks the 24 keys in the minutes in which they were seen last.
func (d *distinct) mark(slot int, m *marks) {
	*m = marks{}
	d.spread(slot, 0, m)
}

// spread marks the keys in the minutes in which they were seen last, the newest
// of which was so many minutes before that of slot.
func (d *distinct) spread(slot, ago int, m *marks) {
	from := 0
	for minute := range minutes - ago {
		for ; from < int(d.upto[minute]); from++ {
			m.set((slot+minutes-ago-minute)%minutes, d.spots[from])
		}
	}
}

func (m *marks) set(slot int, spot uint8) { m[slot][spot/64] |= 1 << (spot % 64) }

// count returns the number of different keys in the five minutes.
func (d *distinct) count(m *marks) uint32 {
	live := uint32(d.upto[minutes-1])
	if live < recentKeys {
		return live
	}
	return max(live, m.estimate())
}

func (m *marks) estimate() uint32 {
	_ = [1]struct{}{}[minutes-5] // it does not compile unless the union below has all minutes
	var set [markLevels]int
	for w := range markWords {
		union := m[0][w] | m[1][w] | m[2][w] | m[3][w] | m[4][w]
		set[2*w] = bits.OnesCount32(uint32(union))
		set[2*w+1] = bits.OnesCount32(uint32(union >> 32))
	}
	base := 0
	for l, n := range set {
		if n > levelFull {
			base = min(l+1, markLevels-1)
		}
	}
	var sum uint64
	for _, n := range set[base:] {
		sum += linearCount[n]
	}
	return uint32(sum << (2 * base) >> 10)
}
