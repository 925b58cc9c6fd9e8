package cases

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func caseOf(oneIn ...float64) (c Case) {
	for i, n := range oneIn {
		c.Add(Row{Log: fmt.Sprintf("log%d", i), Score: 0.5, OneIn: n}, nil)
	}
	return c
}

// Fisher's table: the tail of χ² with 4 degrees of freedom at −2 ln(0.05²) is
// 0.0175, with 6 at −2 ln(0.1³) 0.0318.
func TestDecadesAreFishers(t *testing.T) {
	c := caseOf(20)
	require.InDelta(t, -math.Log10(0.0175)-math.Log10(20), c.Decades(20), 1e-3)
	c = caseOf(10, 10)
	require.InDelta(t, -math.Log10(0.03177)-1, c.Decades(10), 2e-3)
	c = Case{}
	require.Zero(t, c.Decades(1000))
	c = caseOf(1, 1, 1)
	require.Less(t, c.Decades(1000), 0.0, "what no other log finds unusual is less so")
	require.Zero(t, c.Decades(1), "nothing is more common than all")
}

// Where all logs are ordinary, a share p of connections has a case as rare as p.
func TestCasesAreAsRareAsTheySay(t *testing.T) {
	r, n, rare := rand.New(rand.NewPCG(1, 2)), 200_000, 0
	for range n {
		c := caseOf(1/(1-r.Float64()), 1/(1-r.Float64()))
		own := 1 / (1 - r.Float64())
		if math.Log10(own)+c.Decades(own) >= 2 {
			rare++
		}
	}
	require.InEpsilon(t, float64(n)/100, rare, 0.08)
}

func TestCaseKeepsTheStrangestRowOfEachLog(t *testing.T) {
	var c Case
	asked := 0
	reason := func() string { asked++; return fmt.Sprint("reason ", asked) }
	c.Add(Row{Log: "ssl", Score: 0.5, OneIn: 40}, reason)
	c.Add(Row{Log: "dns", Score: 0.6, OneIn: 40}, reason)
	c.Add(Row{Log: "ssl", Score: 0.4, OneIn: 10}, reason)
	c.Add(Row{Log: "http", Score: 0.45, OneIn: 400}, reason)
	require.Equal(t, []Row{{"http", 0.45, 400, "reason 3"}, {"dns", 0.6, 40, "reason 2"}, {"ssl", 0.5, 40, "reason 1"}}, c.Strangest())
	c.Add(Row{Log: "smtp", Score: 0.5}, nil)
	c.Add(Row{Log: "a fifth", Score: 0.9, OneIn: 1e6}, reason)
	require.Len(t, c.Strangest(), MaxLogs)
}

func TestTable(t *testing.T) {
	table, c := NewTable(3), Case{}
	for i := range 3 {
		table.Add(fmt.Sprint("C", i), Row{Log: "dns", Score: 0.5, OneIn: float64(i + 1)}, nil)
	}
	table.Add("", Row{Log: "dns", Score: 0.9}, nil)
	table.Take("C1", &c)
	require.EqualValues(t, 2, c.Strangest()[0].OneIn)
	table.Take("C1", &c)
	require.Empty(t, c.Strangest(), "taken once")
	table.Add("C3", Row{Log: "ssl", Score: 0.5, OneIn: 4}, nil)
	table.Take("C0", &c)
	require.Len(t, c.Strangest(), 1, "the place of one that was taken is used before that of one that is open")
	table.Add("C4", Row{Log: "ssl", Score: 0.5, OneIn: 5}, nil)
	table.Add("C5", Row{Log: "ssl", Score: 0.5, OneIn: 6}, nil)
	table.Take("C2", &c)
	require.Empty(t, c.Strangest(), "there was no room, and it had no row for the longest time")
	table.Take("C3", &c)
	require.Len(t, c.Strangest(), 1)

	row := Row{Log: "dns", Score: 0.5, OneIn: 3}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		table.Add("CA7x6GsmPeSkJIbHj", row, nil)
		table.Take("CA7x6GsmPeSkJIbHj", &c)
	}))
}
