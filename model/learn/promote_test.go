package learn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerdict(t *testing.T) {
	paths := func(f func(i int) float64) []float64 {
		p := make([]float64, 1000)
		for i := range p {
			p[i] = f(i)
		}
		return p
	}
	up := paths(func(i int) float64 { return float64(i) })
	down := paths(func(i int) float64 { return float64(-i) })
	for name, tc := range map[string]struct {
		trial trial
		want  string
	}{
		"the same order":            {trial{held: 1000, nowPath: up, nextPath: up}, ""},
		"the opposite order":        {trial{held: 1000, nowPath: up, nextPath: down}, "agrees on 0 % of the strangest"},
		"too few to say":            {trial{held: leastHeldBack - 1, nowPath: up, nextPath: down}, ""},
		"nothing held back":         {trial{}, ""},
		"a hundredth is strange":    {trial{held: 1000, nowPath: up, nextPath: up, strangeNow: 10, strangeNext: 15}, ""},
		"a tenth is strange":        {trial{held: 1000, nowPath: up, nextPath: up, strangeNow: 10, strangeNext: 100}, "finds 10 % of 1000"},
		"as for the old one":        {trial{held: 1000, nowPath: up, nextPath: up, strangeNow: 90, strangeNext: 100}, ""},
		"alerts are strange still":  {trial{alerts: 20, still: 10}, ""},
		"alerts are ordinary now":   {trial{alerts: 20, still: 9}, "only 9 of the last 20"},
		"too few alerts to be sure": {trial{alerts: leastAlerts - 1}, ""},
	} {
		got := tc.trial.verdict()
		if tc.want == "" {
			require.Nil(t, got, name)
			continue
		}
		require.ErrorContains(t, got, tc.want, name)
		require.ErrorContains(t, got, "model refused: ")
	}
}
