package report

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
)

// The first of those that lead are the first of all, filled in alike, whatever the
// order in which scores come, equal ones among them.
func TestOnlyTheFirst(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + random.IntN(12)
		all, few := NewStrangest[int](), NewStrangest[int]().Only(n)
		fills := 0
		for place := range uint64(2000) {
			of, score := random.IntN(300), float64(random.IntN(500))/500
			fill := func(k *Strange) { k.OneIn, k.Reason = place, strconv.FormatUint(place, 10) }
			all.Observe(of, place, score, 0, fill)
			few.Observe(of, place, score, 0, func(k *Strange) { fills++; fill(k) })
		}
		want, got := all.Sorted()[:n], few.Sorted()[:n]
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("the first %d differ: %+v, want %+v", n, got, want)
		}
		if fills > 2000/4 {
			t.Errorf("%d rows filled in for the first %d", fills, n)
		}
	}
}
