package calibrate

import "math"

// The rolling day of a Budget: buckets of an hour, the newest not yet full.
const (
	hour    = 3600 * 1000 * 1000 // microseconds
	day     = 24 * hour
	buckets = day / hour
)

// Budget turns a number of alerts a day into a threshold on path lengths that
// follows the traffic: the one that would have raised that many within the
// last day, had no hour raised more than a sixth of them (but one at least).
// A connection below it is worth an alert, unless its hour has had its sixth.
//
// The limit of an hour is needed twice. A scan makes each of its connections
// stranger than the one before; without the limit all of them would pass. And
// counted by its rows it would press the threshold down for a day; counted by
// the alerts that it may raise it does not.
//
// The day is driven by the connections' own time, never by a clock, so the
// same rows give the same alerts. In the first day only its share that has
// passed is allowed: at 20 a day the first alert comes after 72 minutes.
//
// All memory (400 KB) is reserved at the start, without pointers. A Budget is
// not safe for concurrent use.
type Budget struct {
	perDay float64
	factor float64 // of perDay, for the limit
	width  float64

	begun bool
	first int64    // when the time covered begins, microseconds
	now   int64    // the latest time, microseconds; it never goes back within a day
	ring  []uint32 // buckets × Bins; the hour h since 1970 is in h mod buckets
	sum   []uint32 // of the ring, by bin

	limit   int             // rows in bins below it are unusual enough
	settled bool            // limit is where it belongs as long as allowed is below blocked
	blocked float64         // alerts that one bin more would have raised
	below   [buckets]uint32 // rows in these bins, by hour
	raised  [buckets]uint32 // alerts, by hour
}

// NewBudget returns a Budget of that many alerts a day, none for 0. width is
// WidthFor's.
func NewBudget(perDay, width float64) *Budget {
	return &Budget{
		perDay: perDay,
		factor: 1,
		width:  width,
		ring:   make([]uint32, buckets*Bins),
		sum:    make([]uint32, Bins),
	}
}

// SetPerDay changes the number of alerts a day, from the next Observe on.
func (b *Budget) SetPerDay(perDay float64) { b.perDay, b.settled = perDay, false }

// Aim moves the threshold to that multiple of the number of alerts a day, but
// not the limit of an hour: for a caller of whose alerts some are not raised
// after all, or some come on top.
func (b *Budget) Aim(factor float64) { b.factor, b.settled = factor, false }

// Observe counts a connection and reports whether it is worth an alert. ts is
// in microseconds since 1970. A time before the latest one counts as the
// latest; one that differs by more than a day begins a new day, so that a
// wrong clock costs a day's memory and not more. It does not allocate.
func (b *Budget) Observe(ts int64, path float64) bool {
	b.Count(ts, path)
	i, h := bin(path, b.width), bucket(hourOf(b.now))
	if i >= b.limit || float64(b.raised[h]+1) > b.hourly() {
		return false
	}
	b.raised[h]++
	return true
}

// Count counts a connection as Observe does, but raises nothing.
func (b *Budget) Count(ts int64, path float64) {
	b.advance(ts)
	i, h := bin(path, b.width), bucket(hourOf(b.now))
	b.ring[h*Bins+i]++
	b.sum[i]++
	if i < b.limit {
		b.below[h]++
	}
	if i <= b.limit {
		b.settled = false
	}
	b.settle()
}

// Unusual reports whether a connection of that time would raise an alert if its
// hour had room. It counts nothing.
func (b *Budget) Unusual(ts int64, path float64) bool {
	b.advance(ts)
	b.settle()
	return bin(path, b.width) < b.limit
}

// Threshold returns the path length below which the next connection is worth
// an alert, unless it is itself one too many; 0 when none is.
func (b *Budget) Threshold() float64 { return float64(b.limit) * b.width }

// Expected returns how many connections a day are at least as unusual as this
// path length, judged by the last day: the alerts of a fixed threshold. It is
// 0 before any time has passed.
func (b *Budget) Expected(path float64) float64 {
	covered := b.now - b.first
	if covered <= 0 {
		return 0
	}
	n := uint64(0)
	for _, rows := range b.sum[:bin(path, b.width)+1] {
		n += uint64(rows)
	}
	return float64(n) * (day / float64(covered))
}

// allowed is the budget of the part of a day that is covered.
func (b *Budget) allowed() float64 { return b.perDay * b.factor * (float64(b.now-b.first) / day) }

// hourly is the most alerts of an hour.
func (b *Budget) hourly() float64 {
	if b.perDay <= 0 {
		return 0
	}
	return max(1, b.perDay/6)
}

// wouldRaise is the number of alerts that the limit would have raised.
func (b *Budget) wouldRaise() float64 {
	n, most := 0.0, b.hourly()
	for _, rows := range b.below {
		n += min(float64(rows), most)
	}
	return n
}

// settle moves the limit as far up as the budget allows.
func (b *Budget) settle() {
	allowed := b.allowed()
	if b.settled && b.blocked > allowed {
		return
	}
	b.settled, b.blocked = true, math.Inf(1)
	for b.limit > 0 && b.wouldRaise() > allowed {
		b.limit--
		for h := range b.below {
			b.below[h] -= b.ring[h*Bins+b.limit]
		}
	}
	for ; b.limit < Bins; b.limit++ {
		if b.sum[b.limit] == 0 {
			continue
		}
		before := b.below
		for h := range b.below {
			b.below[h] += b.ring[h*Bins+b.limit]
		}
		if b.blocked = b.wouldRaise(); b.blocked > allowed {
			b.below = before
			return
		}
	}
}

// advance brings the day up to a time.
func (b *Budget) advance(ts int64) {
	then, now := hourOf(b.now), hourOf(ts)
	if !b.begun || now-then >= buckets || then-now >= buckets {
		clear(b.ring)
		clear(b.sum)
		b.limit, b.settled, b.below, b.raised = 0, false, [buckets]uint32{}, [buckets]uint32{}
		b.begun, b.first, b.now = true, ts, ts
		return
	}
	if ts <= b.now {
		return
	}
	b.now = ts
	if now == then {
		return
	}
	b.settled = false
	for h := then + 1; h <= now; h++ {
		k := bucket(h)
		old := b.ring[k*Bins : (k+1)*Bins]
		for i, n := range old {
			b.sum[i] -= n
		}
		clear(old)
		b.below[k], b.raised[k] = 0, 0
	}
	b.first = max(b.first, (now-buckets+1)*hour)
}

func bucket(hour int64) int { return int((hour%buckets + buckets) % buckets) }

// hourOf is the hour since 1970, rounded down also before that.
func hourOf(ts int64) int64 {
	h := ts / hour
	if ts%hour < 0 {
		h--
	}
	return h
}
