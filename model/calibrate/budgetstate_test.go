package calibrate

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A budget that is saved and restored goes on as if nothing had been.
func TestBudgetRestored(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	a, b := NewBudget(20, width), NewBudget(20, width)
	for i := range 30_000 {
		ts, path := int64(i)*(2*day/30_000), 11-1.3*random.ExpFloat64()
		require.Equal(t, a.Observe(ts, path), b.Observe(ts, path), "row %d", i)
		if i%3001 == 3000 {
			state := b.Append(nil)
			require.Less(t, len(state), 64<<10)
			b = NewBudget(20, width)
			require.NoError(t, b.Restore(state))
		}
	}
}

func FuzzBudgetRestore(f *testing.F) {
	b := NewBudget(20, width)
	for i := range 100 {
		b.Observe(int64(i)*hour/10, float64(i%7))
	}
	f.Add(b.Append(nil))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, state []byte) {
		b := NewBudget(20, width)
		if b.Restore(state) == nil && len(state) > 0 {
			b.Observe(b.now, 3)
		}
	})
}
