package learn_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// Three days of a real sensor: it learns through the first, and through the
// other two raises no more alerts than were asked for. Beside it the number
// of connections that pass the threshold which the first day's end would have
// set for good.
func TestBudgetOverThreeDays(t *testing.T) {
	var rows []labelled
	var days [3]int // where each ends
	for i, day := range []string{"2024-04-19", "2024-04-20", "2024-04-21"} {
		dir := testenv.Shared(t, "datasets", "zeek-three-days", day)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, f := range files {
			rows = append(rows, readLog(t, "zeek-three-days", filepath.Join(day, f.Name()))...)
		}
		days[i] = len(rows)
	}
	for _, perDay := range []float64{5, 20, 100} {
		for seed := range uint64(3) {
			l, hosts, policy := learn.NewLearner(learn.Options{Seed: seed + 1}), feature.NewHosts(model.DefaultHosts), alerts.New(perDay)
			var byDay, incidents [3]uint64
			static, threshold, frozen := 0, 0.0, (*model.Model)(nil)
			day := 0
			for i := range rows {
				if i == days[0] {
					frozen = l.Model()
					paths := scores(t, frozen, rows[:days[0]]) // negated
					slices.Sort(paths)
					threshold = -paths[len(paths)-int(perDay)]
				}
				if i == days[day] {
					day++
				}
				c := &rows[i].Conn
				w := hosts.Observe(c)
				var s model.Score
				if m := l.Model(); m != nil {
					s = m.ScoreRow(rowOf(c, w))
					policy.Incidents(false, func(*alerts.Incident) { byDay[day]++; incidents[day]++ })
					row := alerts.RowOf(c, s.Value, s.Cold, m.Fingerprint())
					if policy.Unusual(&row) && policy.Raise(&row) == alerts.Raise {
						byDay[day]++
					}
				}
				l.Observe(rowOf(c, w), s)
				_, _ = l.Step()
				if frozen != nil && frozen.ScoreRow(rowOf(c, w)).Path <= threshold {
					static++
				}
			}
			sum := float64(byDay[1] + byDay[2])
			require.LessOrEqual(t, sum/2/perDay, 1.2)
			require.GreaterOrEqual(t, sum, 4.0)
			t.Logf("%3g a day, seed %d: lines %v (incidents %v), second and third day %.2f of twice the budget; folded %d, suppressed %d; static %d (%.2f)",
				perDay, seed+1, byDay, incidents, sum/2/perDay, policy.Folded, policy.Suppressed, static, float64(static)/2/perDay)
		}
	}
}
