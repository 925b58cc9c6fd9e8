package recent

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The plain twin: a slice in the order of use.
func TestTableAgreesWithASlice(t *testing.T) {
	for _, capacity := range []int{1, 2, 7, 64} {
		table, again := New[uint64](capacity), New[uint64](capacity)
		var order []uint64
		r := rand.New(rand.NewPCG(uint64(capacity), 0))
		for range 20000 {
			key := r.Uint64N(uint64(2 * capacity))
			at := slices.Index(order, key)
			require.Equal(t, at >= 0, table.Find(key) >= 0)
			require.Equal(t, len(order) == capacity, table.Full())
			if at >= 0 && r.IntN(8) == 0 { // it is retired, and goes first
				table.Retire(table.Find(key))
				again.Retire(again.Find(key))
				order = slices.Insert(slices.Delete(order, at, at+1), 0, key)
				require.Equal(t, key, table.Key(table.Oldest()))
				continue
			}
			if at >= 0 {
				order = slices.Delete(order, at, at+1)
			} else if len(order) == capacity {
				require.Equal(t, order[0], table.Key(table.Oldest()))
				order = order[1:]
			}
			order = append(order, key)

			place, added := table.Use(key)
			require.Equal(t, at < 0, added)
			require.Equal(t, key, table.Key(place))
			require.Equal(t, place, table.Find(key))
			require.Equal(t, len(order), table.Len())

			otherPlace, _ := again.Use(key)
			require.Equal(t, otherPlace, place, "another seed, another place")
		}
	}
}

func TestEmpty(t *testing.T) {
	table := New[uint64](3)
	require.Equal(t, -1, table.Oldest())
	require.Equal(t, -1, table.Find(1))
	require.Equal(t, 3, table.Cap())
}

func TestUseDoesNotAllocate(t *testing.T) {
	table, key := New[[16]byte](10), [16]byte{}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		key[3]++
		table.Use(key)
	}))
}

func BenchmarkUse(b *testing.B) {
	table, key := New[[16]byte](1<<16), [16]byte{}
	for b.Loop() {
		key[3]++
		key[4] += key[3]
		table.Use(key)
	}
}
