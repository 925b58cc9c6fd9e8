package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// A detector of tunnels gives each query of a log a number; more is stranger.
type tunnelDetector struct {
	name  string
	begin func() func(*evaluate.Row) float64
}

// byDomain adds a weight up over the different names below a registered domain,
// within each hour.
func byDomain(weight func(below string) float64) func() func(*evaluate.Row) float64 {
	return func() func(*evaluate.Row) float64 {
		type of struct {
			hour   int64
			domain string
		}
		sums, seen := map[of]float64{}, map[string]int64{}
		return func(row *evaluate.Row) float64 {
			q := unescaped(row)
			at := of{int64(row.Conn.TS) / 3600e6, dnslog.Domain(q)}
			if hour, known := seen[q]; !known || hour != at.hour {
				seen[q] = at.hour
				sums[at] += weight(q[:max(len(q)-len(at.domain), 0)])
			}
			return sums[at]
		}
	}
}

// information is a text's length times the entropy of its characters, in bits.
func information(text string) (bits float64) {
	counts := map[byte]float64{}
	for i := range len(text) {
		counts[text[i]]++
	}
	for _, n := range counts {
		bits -= n * math.Log2(n/float64(len(text)))
	}
	return bits
}

// TestTunnelsAgainstRules measures how many bytes of names leave before the first
// alert: by the forest, by the number of different names below a domain in an hour
// (as Elastic's rule counts), and by the information in them (as Information-based
// Heavy Hitters do, Ozery et al. 2023, arXiv 2307.02614; counted exactly, where theirs
// are sketches), each at the threshold that as many registered domains of the ordinary
// queries pass. The table is that of docs/dns.md.
func TestTunnelsAgainstRules(t *testing.T) {
	if testing.Short() {
		t.Skip("an experiment: minutes on a busy machine")
	}
	week := testenv.Shared(t, "datasets/campaigns/trickbot-week/dns.log.gz")
	s := &session{Context: t.Context(), stderr: testWriter{t}}
	log, err := s.readUsable(&dnsKind, []string{week})
	require.NoError(t, err)
	slices.SortStableFunc(log, func(a, b evaluate.Row) int { return cmp.Compare(a.Conn.TS, b.Conn.TS) })
	train, test := log[:len(log)*3/5], log[len(log)*3/5:]
	m, err := fitRows(&dnsKind, train, learn.Options{Seed: model.DefaultSeed})
	require.NoError(t, err)

	detectors := []tunnelDetector{
		{"forest", func() func(*evaluate.Row) float64 {
			s, record := stream.Stream{Model: m}, replayedRows(&dnsKind)
			return func(row *evaluate.Row) float64 {
				r := record(row)
				r.Observe()
				return -s.Score(r).Path
			}
		}},
		{"names", byDomain(func(string) float64 { return 1 })},
		{"information", byDomain(information)},
	}
	site, err := evaluate.NewSite(test)
	require.NoError(t, err)
	const places = 5
	for _, falseAlerts := range []int{0, 1, 3} {
		line := fmt.Sprintf("%d false:", falseAlerts)
		for _, d := range detectors {
			line += fmt.Sprintf(" %s > %.1f", d.name, thresholdOf(d, test, falseAlerts))
		}
		t.Log(line)
		for i, a := range evaluate.DNSAttacks {
			line := fmt.Sprintf("  %-26s", a.Name)
			whole := 0
			for _, d := range detectors {
				least := thresholdOf(d, test, falseAlerts)
				var leaked []int
				for place := range uint64(places) {
					laid, err := site.Lay(a, rand.New(rand.NewPCG(place, uint64(i))))
					require.NoError(t, err)
					bytes := leakedBefore(laid, d.begin(), least, &whole)
					leaked = append(leaked, bytes)
				}
				slices.Sort(leaked)
				if middle := leaked[places/2]; middle == never {
					line += fmt.Sprintf(" %s never", d.name)
				} else {
					line += fmt.Sprintf(" %s %d", d.name, middle)
				}
			}
			t.Logf("%s of %d", line, whole)
			if falseAlerts == 0 && a.Name == "iodine" { // what the page says
				laid, err := site.Lay(a, rand.New(rand.NewPCG(0, uint64(i))))
				require.NoError(t, err)
				require.Less(t, leakedBefore(laid, detectors[0].begin(), thresholdOf(detectors[0], test, 0), &whole), 100_000)
			}
		}
	}
}

// unescaped is the name of a query, a byte for each escape.
func unescaped(row *evaluate.Row) string {
	return string(feature.AppendText(nil, row.Value.(*dnslog.Query).Query, dnslog.MaxText))
}

// thresholdOf is what so many registered domains of the rows pass.
func thresholdOf(d tunnelDetector, rows []evaluate.Row, falseAlerts int) float64 {
	score, most := d.begin(), map[string]float64{}
	for i := range rows {
		domain := dnslog.Domain(unescaped(&rows[i]))
		value := score(&rows[i])
		if known, ok := most[domain]; !ok || value > known {
			most[domain] = value
		}
	}
	var values []float64
	for _, v := range most {
		values = append(values, v)
	}
	slices.Sort(values)
	return values[len(values)-1-falseAlerts]
}

// never is more than any tunnel sends.
const never = math.MaxInt

// leakedBefore is how many bytes of names the attack has sent with the first row
// beyond the threshold, and whole how many it sends in all.
func leakedBefore(laid *evaluate.Laid, score func(*evaluate.Row) float64, least float64, whole *int) int {
	sent, at := 0, never
	laid.Each(func(row *evaluate.Row, attack bool) {
		value := score(row)
		if !attack {
			return
		}
		sent += len(unescaped(row))
		if value > least && at == never {
			at = sent
		}
	})
	*whole = sent
	return at
}

// testWriter says what a session says.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
