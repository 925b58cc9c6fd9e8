package learn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// One in so many of what is common, wherever it was seen and whatever came
// between; the first of each kind.
func TestThinning(t *testing.T) {
	var rows []conn.Conn
	for i := range 40_000 { // two kinds take turns
		c := officeRows(5, 1)[0]
		c.TS += conn.Micros(i) * 500_000
		c.Service, c.State = []string{"dns", "ssl"}[i%2], conn.SF
		rows = append(rows, c)
	}
	all, thin, third := learn.NewThinning(1), learn.NewThinning(10), learn.NewThinning(10)
	taken := map[string]int{}
	for i := range rows {
		c, r := &rows[i], rowOf(&rows[i], feature.Window{})
		require.True(t, all.Takes(r))
		takes := thin.Takes(r)
		if takes {
			taken[c.Service]++
		}
		if i%3 == 0 {
			if again := third.Takes(r); i > 3*2*64 {
				require.Equal(t, takes, again, "another worker takes the same")
			}
		}
		if i%1000 == 999 { // and something rare
			rare := *c
			rare.State = conn.RSTO
			if thin.Takes(rowOf(&rare, feature.Window{})) {
				taken["rare"]++
			}
		}
	}
	require.InDelta(t, 64+2000, taken["dns"], 180)
	require.InDelta(t, 64+2000, taken["ssl"], 180)
	require.Equal(t, 40, taken["rare"])
	first := rowOf(&rows[0], feature.Window{})
	require.Zero(t, testing.AllocsPerRun(100, func() { thin.Takes(first) }))
}
