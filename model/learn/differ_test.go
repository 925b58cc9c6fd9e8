package learn

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// How strange the next model finds what was worth an alert to the one before: for
// stillRank, which has to tell a model that knows an attack from one that is
// another draw of the same traffic.
func TestModelsOfTheSameTrafficDiffer(t *testing.T) {
	testenv.NoRace(t)
	var conns []conn.Conn
	for _, day := range []string{"2024-04-19", "2024-04-20"} {
		dir := testenv.Shared(t, "datasets", "zeek-three-days", day)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, f := range files {
			file, err := os.Open(filepath.Join(dir, f.Name()))
			require.NoError(t, err)
			defer file.Close()
			z, err := gzip.NewReader(file)
			require.NoError(t, err)
			r := zeeklog.NewReader(z, f.Name())
			var row zeeklog.Row
			for err = r.Read(&row); err == nil; err = r.Read(&row) {
				conns = append(conns, row.Conn)
				row = zeeklog.Row{}
			}
			require.True(t, errors.Is(err, io.EOF), "%v", err)
		}
	}
	var ranks []float64
	for seed := range uint64(4) {
		l, i := NewLearner(Options{Seed: seed + 101, RebuildEvery: 5000}), 0
		hosts, texts := feature.NewHosts(l.o.Hosts), feature.NewTexts()
		var r feature.Row
		for ; i < len(conns); i++ {
			r.SetConn(&conns[i], hosts.Observe(&conns[i]), texts)
			before := l.model
			if m, _ := l.Take(&r); m == nil || before == nil || i < 10_000 {
				continue
			}
			l.alerts.each(func(_ uint64, _ uint32, s *feature.Sample) {
				if before.Rank(path(before, s)) <= alertRank {
					ranks = append(ranks, l.model.Rank(path(l.model, s)))
				}
			})
		}
	}
	less := func(than float64) (n int) {
		for _, rank := range ranks {
			if rank > than {
				n++
			}
		}
		return n
	}
	t.Logf("of %d rows that were 1 in %.0f: less strange than 1 in 500 %d, 1 in 200 %d, 1 in 100 %d, 1 in 50 %d",
		len(ranks), 1/alertRank, less(.002), less(.005), less(.01), less(stillRank))
	require.Greater(t, len(ranks), 20)
	require.Less(t, less(stillRank)*8, len(ranks))
	require.Greater(t, less(.005)*8, len(ranks), "a stricter rule would refuse models by chance")
}
