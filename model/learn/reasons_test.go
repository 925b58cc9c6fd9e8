package learn_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Of the strangest hundredth of real logs no reason names a value that is
// usual, unless it says that the values are rare together.
func TestReasonsNameWhatIsUnusual(t *testing.T) {
	for _, path := range [][]string{
		{"campaigns", "trickbot-week.conn.log.gz"},
		{"campaigns", "apt29-day1-NASHUA.conn.log.gz"},
		{"campaigns", "android-1.conn.log.gz"},
		{"zeek-labelled", "ctu-mixed-010.conn.log.labeled.gz"},
		{"zeek-three-days", filepath.Join("2024-04-20", "conn.12-00-00-13-00-00.log.gz")},
	} {
		rows := readLog(t, path...)
		m := fit(t, rows, learn.Options{Seed: 1})
		hosts := feature.NewHosts(model.DefaultHosts)
		type found struct {
			path   float64
			reason string
			why    []model.Reason
		}
		var all []found
		for i := range rows {
			c := &rows[i].Conn
			w := hosts.Observe(c)
			row := stream.Of(m, &stream.Conn{Conn: c, Window: w})
			all = append(all, found{row.Path, string(row.AppendReason(nil)), row.Explain(0)})
		}
		slices.SortStableFunc(all, func(a, b found) int {
			switch {
			case a.path < b.path:
				return -1
			case a.path > b.path:
				return 1
			}
			return 0
		})
		together := 0
		for _, f := range all[:max(len(all)/100, 5)] {
			if strings.HasPrefix(f.reason, "rare together: ") {
				require.False(t, slices.ContainsFunc(f.why, func(r model.Reason) bool { return r.Credit > 0 && r.Unusual }), f.reason)
				together++
				continue
			}
			for _, part := range strings.Split(f.reason, "; ") {
				require.NotContains(t, part, "unset, usually unset", f.reason)
				require.NotContains(t, part, "usual by itself", f.reason)
				require.True(t, slices.ContainsFunc(f.why, func(r model.Reason) bool {
					return r.Unusual && strings.Contains(part, r.Value)
				}), "%q names what is usual", part)
			}
		}
		t.Logf("%s: %d of the strangest %d are rare only together", filepath.Join(path...), together, max(len(all)/100, 5))
	}
}
