package report

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// evaluation measures 100 ordinary rows, whose paths are 5 to 6, and four
// anomalies with paths of 3.
func evaluation(t *testing.T) *Evaluation {
	var rows []evaluate.Row
	var scores []float64
	for i := range 100 {
		rows = append(rows, evaluate.Row{Conn: conn.Conn{State: conn.SF, OrigPkts: uint64(i)}})
		scores = append(scores, -5-float64(i)/100)
	}
	for range 4 {
		rows = append(rows, evaluate.Row{Conn: conn.Conn{State: conn.S0, OrigPkts: 50}, Anomaly: true, Family: "<b>scan</b>"})
		scores = append(scores, -3)
	}
	rules := evaluate.Rules(evaluate.ConnColumns, rows)
	g, err := evaluate.Measure("all", rows, [][]float64{scores}, rules, 1)
	require.NoError(t, err)
	family := g
	family.Name = "<b>scan</b>"
	return &Evaluation{
		Title:   "A & B",
		Origin:  "of a test",
		Seeds:   1,
		Groups:  []evaluate.Group{g, family},
		Rule:    Curve{Name: "best single column: conn_state = S0", Ranking: g.First, Rule: true},
		ToScore: func(minusPath float64) float64 { return math.Exp2(minusPath / 5) },
	}
}

func TestEvaluationPage(t *testing.T) {
	var page bytes.Buffer
	require.NoError(t, evaluation(t).WriteHTML(&page))
	html := page.String()
	require.Contains(t, html, "<h1>A &amp; B</h1>")
	require.Contains(t, html, "one in 100 ordinary connections passes, 100 % of the anomalies are found: level with the best rule on a single column (conn_state = S0), which finds 100 %.")
	require.Contains(t, html, "a firm figure needs at least 1000 ordinary connections")
	require.Contains(t, html, "<td>20</td><td>100 %</td><td>16.0</td>", "20 alerts a day: 4 anomalies, 16 others")
	require.Contains(t, html, "&lt;b&gt;scan&lt;/b&gt;")
	require.NotContains(t, html, "<b>scan", "names come from logs")
	require.Equal(t, 5, bytes.Count(page.Bytes(), []byte("<svg")))
	for _, word := range []string{"src=", "href=", "@import", "<script"} {
		require.NotContains(t, html, word, "nothing from the network")
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 1: "100 %", 0.001: "0.1 %", 0.9964: "99.64 %", 0.709: "70.9 %", 0.5: "50 %"} {
		require.Equal(t, want, percent(share))
	}
}
