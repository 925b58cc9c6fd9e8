package seed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// A seed of other features than the library's is noticed here, and not by the
// user whose sensor then has no scores.
func TestSeedFits(t *testing.T) {
	m, err := Model()
	require.NoError(t, err, "go run ./internal/seed makes it anew")
	require.Equal(t, Fingerprint, m.Fingerprint())
	require.Equal(t, model.BalancedTrees, m.Summary().Trees)
	require.Equal(t, model.BalancedSubsample, m.Summary().Subsample, "paths on the scale of a sensor's own")
	require.True(t, m.Summary().Disjoint)
	require.Less(t, len(file), 256<<10)
	_, err = feature.NewEncoder(feature.Conn, m.Encoder().Tables())
	require.NoError(t, err)
}

func TestNameSaysThatItIsTheSeed(t *testing.T) {
	m, err := Model()
	require.NoError(t, err)
	require.True(t, Is(m))
	require.Equal(t, "seed-"+m.Fingerprint(), Name(m))
	require.False(t, Is(nil))

	same, err := model.New(model.Parts{Summary: m.Summary(), Encoder: m.Encoder(), Forest: m.Forest(), Curve: m.Curve(), Usual: usual(m)})
	require.NoError(t, err)
	require.True(t, Is(same), "the same bytes from a file")

	sum := m.Summary()
	sum.Rows++
	other, err := model.New(model.Parts{Summary: sum, Encoder: m.Encoder(), Forest: m.Forest(), Curve: m.Curve(), Usual: usual(m)})
	require.NoError(t, err)
	require.False(t, Is(other))
	require.Equal(t, other.Fingerprint(), Name(other))
}

func usual(m *model.Model) (u [feature.Places]feature.Range) {
	for i := range u {
		u[i] = m.Usual(i)
	}
	return u
}
