package main

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/browse"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// labelled are the alerts of a sensor on which somebody labels the first k
// benign, each as soon as it is raised.
type labelled struct {
	labels, lines, raised, kinds, repeated, quieted int
}

// alertKind is what an analyst would call the same alert again.
type alertKind struct {
	own     bool
	host    string
	proto   conn.Proto
	service string
	state   conn.State
}

func labelFirst(log *browse.Log, perDay float64, k int, scope alert.Scope) (l labelled) {
	policy, seen := alerts.New(perDay), map[alertKind]bool{}
	var allow []alert.AllowLine
	each := func(*alerts.Incident) {}
	for i := range log.Rows {
		row, c := log.Row(i), log.Conn(i)
		policy.Incidents(false, each)
		if !policy.Unusual(&row) {
			continue
		}
		if alert.Find(allow, c, c.TS.Time()) != nil {
			l.quieted++
			continue
		}
		if policy.Raise(&row) != alerts.Raise {
			continue
		}
		l.raised++
		host := c.Resp.Addr()
		if row.Own {
			host = c.Orig.Addr()
		}
		kind := alertKind{row.Own, host.String(), c.Proto, c.Service, c.State}
		if seen[kind] {
			l.repeated++
		}
		seen[kind] = true
		if len(allow) < k {
			allow = append(allow, alert.AllowLine{Entry: *alert.Like(c, scope)})
		}
	}
	policy.Incidents(true, each)
	l.labels, l.lines, l.kinds = len(allow), int(policy.Raised), len(seen)
	return l
}

// TestLabelsQuietRepeats measures how many alerts of two days of a sensor, with
// a model of the day before, come again after k labels.
func TestLabelsQuietRepeats(t *testing.T) {
	if testing.Short() {
		t.Skip("reads three days of a sensor")
	}
	files, err := filepath.Glob(filepath.Join(testenv.Shared(t, "datasets/zeek-three-days"), "*", "conn.*.log.gz"))
	require.NoError(t, err)
	require.Len(t, files, 72)
	s := &session{Context: t.Context(), stdin: nil, stdout: io.Discard, stderr: io.Discard}
	site := filepath.Join(t.TempDir(), "site.model")
	require.Zero(t, run(s, append([]string{"train", "-o", site}, files[:24]...)))
	log, err := s.scoredLog(site, files[24:], false)
	require.NoError(t, err)
	for _, perDay := range []float64{20, 100} {
		none := labelFirst(log, perDay, 0, alert.ScopeHost)
		require.NotZero(t, none.repeated)
		for _, scope := range []alert.Scope{alert.ScopePair, alert.ScopeHost, alert.ScopeSite} {
			for _, k := range []int{1, 3, 5, 10, 1000} {
				l := labelFirst(log, perDay, k, scope)
				t.Logf("%v a day, scope %s, %d labels: %d lines, %d alerts of %d kinds, %d repeated (without: %d, %d of %d, %d); %d connections quieted",
					perDay, scope, l.labels, l.lines, l.raised, l.kinds, l.repeated, none.lines, none.raised, none.kinds, none.repeated, l.quieted)
				if k == 1000 && scope == alert.ScopeHost {
					assert.Less(t, 4*l.repeated*none.raised, none.repeated*l.raised, "of the alerts less than a quarter as many come again")
					assert.Greater(t, l.kinds, none.kinds, "there is room for others")
				}
			}
		}
	}
}
