package forest

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A row has its path whether it is new, waits for the trees, was met lately or
// was pushed out of the memory meanwhile; in one batch or in several.
func TestRowsThatRepeat(t *testing.T) {
	f := frozenForest(t)
	random := rand.New(rand.NewPCG(7, 7))
	for _, kinds := range []int{1, 2, sliceRows + 1, 1000, 4 * memoryPlaces} {
		rows := make([]float32, 0, 6*kinds)
		for range cap(rows) {
			rows = append(rows, float32(random.IntN(60)))
		}
		want := make([]float64, kinds)
		for i := range want {
			want[i] = f.MeanPath(rows[6*i : 6*i+6])
		}
		for _, n := range []int{minSliced, 2*sliceRows - 1, 3000} {
			batch, of := make([]float32, 0, 6*n), make([]int, n)
			for i := range of {
				of[i] = random.IntN(kinds)
				batch = append(batch, rows[6*of[i]:6*of[i]+6]...)
			}
			paths := make([]float64, n)
			f.MeanPaths(paths, batch, 1)
			for i, path := range paths {
				require.Equal(t, want[of[i]], path, "row %d of %d, %d kinds", i, n, kinds)
			}
		}
	}
}
