package calibrate

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const width = 0x1p-8

// slowBudget keeps all rows and follows Budget's comment word by word.
type slowBudget struct {
	perDay     float64
	rows       []slowRow
	raised     []int64 // hours of alerts
	begun      bool
	first, now int64
}

type slowRow struct {
	ts  int64
	bin int
}

func (b *slowBudget) Observe(ts int64, path float64) bool {
	if !b.begun || hourOf(ts)-hourOf(b.now) >= 24 || hourOf(b.now)-hourOf(ts) >= 24 {
		*b = slowBudget{perDay: b.perDay, begun: true, first: ts, now: ts}
	}
	b.now = max(b.now, ts)
	row := slowRow{b.now, bin(path, width)}
	b.rows = append(b.rows, row)
	from := (hourOf(b.now) - 23) * hour
	if b.first < from {
		b.first = from
	}
	if b.perDay == 0 {
		return false
	}
	hourly := max(1, b.perDay/6)
	rows := map[int64]float64{} // at least as unusual, by hour
	for _, r := range b.rows {
		if r.ts >= from && r.bin <= row.bin {
			rows[hourOf(r.ts)]++
		}
	}
	wouldRaise, raised := 0.0, 0.0
	for _, n := range rows {
		wouldRaise += min(n, hourly)
	}
	for _, h := range b.raised {
		if h == hourOf(b.now) {
			raised++
		}
	}
	if wouldRaise > b.perDay*(float64(b.now-b.first)/day) || raised+1 > hourly {
		return false
	}
	b.raised = append(b.raised, hourOf(b.now))
	return true
}

func TestBudgetEqualsThePlainOne(t *testing.T) {
	raised := 0
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		perDay := []float64{0, 10, 5, 20, 100}[seed%5]
		fast, slow := NewBudget(perDay, width), &slowBudget{perDay: perDay}
		ts := int64(random.Uint64N(1<<50)) - 1<<49
		alerts := 0
		for i := range 2500 {
			switch random.IntN(400) {
			case 0:
				ts += random.Int64N(40) * hour // a gap, perhaps of more than a day
			case 1:
				ts -= random.Int64N(40) * hour // a clock set back
			default:
				ts += random.Int64N(hour / 40)
			}
			path := 11 - 2*random.ExpFloat64()
			if random.IntN(3) == 0 {
				path = float64(random.IntN(12)) // ties
			}
			want, unusual := slow.Observe(ts, path), false
			if i%2 == 0 {
				unusual = fast.Unusual(ts, path)
			}
			require.Equal(t, want, fast.Observe(ts, path), "seed %d, row %d", seed, i)
			if i%2 == 0 && want {
				require.True(t, unusual, "seed %d, row %d", seed, i)
			}
			if want {
				alerts++
			}
			if i == 1200 {
				perDay *= 2
				fast.SetPerDay(perDay)
				slow.perDay = perDay
			}
		}
		raised += alerts
	}
	assert.Greater(t, raised, 200, "too few alerts to compare")
}

// Ten days of rows that are alike: the budget is met on each day but the first.
func TestBudgetIsMet(t *testing.T) {
	for _, perDay := range []float64{5, 20, 100} {
		random := rand.New(rand.NewPCG(7, uint64(perDay)))
		b := NewBudget(perDay, width)
		const rowsPerDay, days = 20_000, 10
		alerts := 0
		for i := range rowsPerDay * days {
			alert := b.Observe(int64(i)*(day/rowsPerDay), 11-1.3*random.ExpFloat64())
			if alert && i >= rowsPerDay {
				alerts++
			}
		}
		// a Poisson count's sd is its root; the rows of a bin are taken or left together
		want := perDay * (days - 1)
		assert.InDelta(t, want, alerts, 0.1*want+3*7, "%v a day", perDay)
	}
}

// A storm of equal rows, or of ever stranger ones, as a scan makes them, raises
// a sixth of the day's alerts, and does not silence the rest of the day.
func TestStormRaisesASixth(t *testing.T) {
	for name, path := range map[string]func(i int) float64{
		"equal":         func(int) float64 { return 4 },
		"ever stranger": func(i int) float64 { return 6 - float64(i)/1000 },
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBudget(24, width)
			random := rand.New(rand.NewPCG(1, 1))
			ts := int64(0)
			ordinary := func(days int) (alerts int) {
				for range days * 10_000 {
					ts += day / 10_000
					if b.Observe(ts, 9-0.5*random.ExpFloat64()) {
						alerts++
					}
				}
				return alerts
			}
			ordinary(2)
			alerts := 0
			for i := range 5000 {
				ts += 1000
				if b.Observe(ts, path(i)) {
					alerts++
				}
			}
			assert.Equal(t, 4, alerts)
			assert.InDelta(t, 20, ordinary(1), 9, "what is left of the budget")
			assert.InDelta(t, 24, ordinary(1), 10, "the storm is forgotten")
		})
	}
}

func TestFirstAlertWaitsForItsShareOfTheDay(t *testing.T) {
	b := NewBudget(20, width)
	var first int64 = -1
	for ts := int64(0); ts < 3*hour && first < 0; ts += hour / 60 {
		if b.Observe(ts, 11-float64(ts)/hour) { // each stranger than all before
			first = ts
		}
	}
	assert.EqualValues(t, 72*hour/60, first)
}

func TestThresholdAndExpected(t *testing.T) {
	b := NewBudget(10, width)
	assert.Zero(t, b.Threshold())
	assert.Zero(t, b.Expected(5))
	for i := range 1001 {
		b.Observe(int64(i)*(day/2)/1000, 2+float64(i%100)/10) // ten rows or so of each path in half a day
	}
	assert.InDelta(t, 2*11, b.Expected(2), 1, "scaled to a day")
	assert.InDelta(t, 2*1001, b.Expected(100), 1e-9)
	// 5 are allowed in half a day; 11 rows have the path 2, about one each hour
	assert.Equal(t, 2.0, b.Threshold())
	b.SetPerDay(22)
	assert.False(t, b.Observe(day/2, 2), "the 12th where 11 are allowed")
	assert.True(t, b.Observe(day/2, 1))
}

func BenchmarkObserve(b *testing.B) {
	budget := NewBudget(20, width)
	random := rand.New(rand.NewPCG(1, 1))
	paths := make([]float64, 1<<16)
	for i := range paths {
		paths[i] = 11 - 1.3*random.ExpFloat64()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		budget.Observe(int64(i)*(day/100_000), paths[i%len(paths)])
	}
}
