package sensor

import (
	"compress/gzip"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// way is how a sensor goes from the seed to the sensor's own model: the path length by
// which a row is judged, n rows after that came, and whether the seed may alert.
type way struct {
	name   string
	alerts bool
	path   func(bySeed, own float64, n uint64) float64
}

func blend(over int) func(bySeed, own float64, n uint64) float64 {
	return func(bySeed, own float64, n uint64) float64 {
		w := min(float64(n)/float64(over), 1)
		return (1-w)*bySeed + w*own
	}
}

func atOnce(_, own float64, _ uint64) float64 { return own }

// How the seed hands over: false alerts in the first hours of a fresh sensor,
// which is begun at each of the hours of three days on which nothing is known to
// have happened, and what is found of two attacks (docs/learning.md).
func TestHandoverFromTheSeed(t *testing.T) {
	if testing.Short() {
		testenv.Skip(t, "time", "-short leaves sixty-eight fresh sensors out")
	}
	bySeed, err := seed.Model()
	require.NoError(t, err)
	rows := threeDays(t)
	ways := []way{
		{"no seed, or the seed without alerts, then at once", false, atOnce},
		{"the seed without alerts, blended over 1,000 rows", false, blend(1000)},
		{"the seed without alerts, blended over 4,000 rows", false, blend(4000)},
		{"the seed with alerts, then at once", true, atOnce},
		{"the seed with alerts, blended over 1,000 rows", true, blend(1000)},
		{"the seed with alerts, blended over 4,000 rows", true, blend(4000)},
	}
	const hour = conn.Micros(3600e6)
	counts := make([]early, len(ways))
	found, laid := make([]int, len(ways)), 0
	starts := 0
	for begin := rows[0].TS; begin < rows[len(rows)-1].TS-4*hour; begin += hour {
		from := slices.IndexFunc(rows, func(c conn.Conn) bool { return c.TS >= begin })
		to := from + slices.IndexFunc(rows[from:], func(c conn.Conn) bool { return c.TS >= begin+4*hour })
		starts++
		fresh := freshSensor(t, bySeed, ways, uint64(starts))
		for i := range rows[from:to] {
			fresh.take(&rows[from+i], func(way, what int) {
				switch first := rows[from+i].TS < begin+hour; what {
				case line:
					count(&counts[way].lines, first)
				case loud:
					count(&counts[way].loud, first)
				}
			})
		}
		var log []evaluate.Row
		for _, c := range rows[from:to] {
			log = append(log, evaluate.Row{Conn: c})
		}
		site, err := evaluate.NewSite(log)
		require.NoError(t, err)
		for k, attack := range evaluate.Attacks[:2] { // the upload, the fast scan
			lies, err := site.Lay(attack, rand.New(rand.NewPCG(uint64(starts), uint64(k))))
			require.NoError(t, err)
			laid++
			fresh, seen := freshSensor(t, bySeed, ways, uint64(starts)), make([]bool, len(ways))
			lies.Each(func(row *evaluate.Row, attack bool) {
				fresh.take(&row.Conn, func(way, what int) { seen[way] = seen[way] || attack && what == named })
			})
			for way, yes := range seen {
				if yes {
					found[way]++
				}
			}
		}
	}
	for k, way := range ways {
		per := func(n int) float64 { return math.Round(100*float64(n)/float64(starts)) / 100 }
		t.Logf("%-52s alerts: first hour %.2f, four hours %.2f; rows of 1 in 1,000: first hour %.2f, four hours %.2f; attacks found %d of %d", way.name,
			per(counts[k].lines[0]), per(counts[k].lines[1]), per(counts[k].loud[0]), per(counts[k].loud[1]), found[k], laid)
	}
	require.Greater(t, starts, 60)
	// The first is the sensor's.
	for k := range ways {
		require.LessOrEqual(t, counts[0].lines[0], counts[k].lines[0], "fewer false alerts in the first hour than with %s", ways[k].name)
		require.GreaterOrEqual(t, found[0], found[k], "and no fewer attacks")
	}
}

// fresh is a sensor without a state, which hands over in several ways.
type fresh struct {
	seed    *model.Model
	ways    []way
	learner *learn.Learner
	hosts   *feature.Hosts
	texts   *feature.Texts
	alerts  []*alerts.Policy
	since   uint64 // rows since there is an own model
}

func freshSensor(t *testing.T, bySeed *model.Model, ways []way, draw uint64) *fresh {
	t.Helper()
	f := &fresh{seed: bySeed, ways: ways, learner: learn.NewLearner(learn.Options{Seed: draw}), hosts: feature.NewHosts(1 << 12), texts: feature.NewTexts()}
	for range ways {
		f.alerts = append(f.alerts, alerts.New(20))
	}
	return f
}

// What fresh tells: a line somebody reads, a row that such a line is about, and
// a row that is 1 in 1,000 or rarer.
const (
	line = iota
	named
	loud
)

// take gives the sensor a row.
func (f *fresh) take(c *conn.Conn, tell func(way, what int)) {
	if feature.Check(c) != nil {
		return
	}
	record := &stream.Conn{Conn: c, Window: f.hosts.Observe(c)}
	s, own := stream.Of(f.seed, record).Score, f.learner.Model()
	if own != nil {
		f.since++
	}
	for k, way := range f.ways {
		judged, by := s, f.seed
		if own != nil {
			judged, by = stream.Of(own, record).Score, own
			judged.Path = way.path(s.Path, judged.Path, f.since)
			judged.Value = math.Round(own.Forest().Score(judged.Path)*1e4) / 1e4
		} else if !way.alerts {
			continue
		}
		f.alerts[k].Incidents(false, func(*alerts.Incident) { tell(k, line) })
		row := alerts.RowOf(c, judged.Value, judged.Cold, by.Fingerprint())
		if f.alerts[k].Unusual(&row) {
			switch f.alerts[k].Raise(&row) {
			case alerts.Raise:
				tell(k, line)
				tell(k, named)
			case alerts.Folded:
				tell(k, named)
			}
		}
		if !judged.Cold && by.Rank(judged.Path) <= 1.0/1000 {
			tell(k, loud)
		}
	}
	var row feature.Row
	row.SetConn(c, record.Window, f.texts)
	_, _ = f.learner.Take(&row)
}

// early counts what fell into the first hour and into the first four.
type early struct{ lines, loud [2]int }

func count(n *[2]int, first bool) {
	n[1]++
	if first {
		n[0]++
	}
}

// threeDays reads the logs of the shared data set.
func threeDays(t testing.TB) (rows []conn.Conn) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(testenv.Shared(t, "datasets", "zeek-three-days"), "*", "conn.*.log.gz"))
	require.NoError(t, err)
	slices.Sort(logs)
	for _, path := range logs {
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		z, err := gzip.NewReader(f)
		require.NoError(t, err)
		for r := zeeklog.NewReader(z, path); ; {
			var row zeeklog.Row
			err := r.Read(&row)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			rows = append(rows, row.Conn)
		}
	}
	return rows
}
