package sklearn_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/sklearn"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// small is a forest of one tree with two leaves.
func small() *sklearn.Forest {
	return &sklearn.Forest{Width: feature.Conn.N(), MaxSamples: 3, Offset: -0.5, Trees: []sklearn.Tree{{
		Feature: []int{4, -1, -1}, Threshold: []float64{0.5, -2, -2},
		Left: []int{1, -1, -1}, Right: []int{2, -1, -1}, Samples: []int{3, 2, 1},
	}}}
}

func TestRefusesWhatNoTrainingWrites(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*sklearn.Forest)
		want   string
	}{
		"no trees":         {func(f *sklearn.Forest) { f.Trees = nil }, "no trees"},
		"other features":   {func(f *sklearn.Forest) { f.Width = 4 }, "a forest of 4 features"},
		"another order":    {func(f *sklearn.Forest) { f.Features = sklearn.Names(); slices.Reverse(f.Features) }, "features"},
		"offset":           {func(f *sklearn.Forest) { f.Offset = 0.5 }, "offset 0.5"},
		"bootstrap":        {func(f *sklearn.Forest) { f.MaxSamples = 5 }, "bootstrap=True"},
		"a loop":           {func(f *sklearn.Forest) { f.Trees[0].Left[0] = 0 }, "its child is 0 of 3"},
		"a child twice":    {func(f *sklearn.Forest) { t := &f.Trees[0]; t.Feature[1], t.Left[1], t.Right[1] = 0, 2, 2 }, "two parents"},
		"half a split":     {func(f *sklearn.Forest) { f.Trees[0].Left[0] = -1 }, "its child is -1"},
		"a node left over": {func(f *sklearn.Forest) { f.Trees[0].Left[0], f.Trees[0].Right[0] = -1, -1 }, "1 of 3 nodes"},
		"feature":          {func(f *sklearn.Forest) { f.Trees[0].Feature[0] = feature.Conn.N() }, "splits by feature 21"},
		"lengths":          {func(f *sklearn.Forest) { f.Trees[0].Samples = nil }, "0 samples"},
		"sums":             {func(f *sklearn.Forest) { f.Trees[0].Samples[1] = 1 }, "3 rows split into 1 and 1"},
		"threshold":        {func(f *sklearn.Forest) { f.Trees[0].Threshold[0] = 1e300 }, "want a finite number"},
	} {
		f := small()
		tc.change(f)
		assert.ErrorContains(t, load(f), tc.want, name)
	}
	require.NoError(t, load(small()))
	_, err := sklearn.Read(strings.NewReader("#separator \\x09"))
	assert.ErrorContains(t, err, "export.py")
}

// load reads a forest through its file.
func load(f *sklearn.Forest) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	got, err := sklearn.Read(bytes.NewReader(text))
	if err != nil {
		return err
	}
	p, err := got.Plain()
	if err != nil {
		return err
	}
	_, err = p.Forest()
	return err
}

// A value goes left where scikit-learn sends it, beside thresholds that are no
// floats and on those that are.
func TestThresholdsSplitFloatsAlike(t *testing.T) {
	for _, threshold := range []float64{0, 1, -1, 0.1, -0.1, 1.0 / 3, 0.5, 1e-46, -1e-46, 1e-45, -1e-45, 16777217, math.Pi, -math.Pi, 3e38} {
		f := small()
		f.Trees[0].Threshold[0] = threshold
		p, err := f.Plain()
		require.NoError(t, err)
		g, err := p.Forest()
		require.NoError(t, err, threshold)
		at := float32(threshold)
		down, up := math.Nextafter32(at, float32(math.Inf(-1))), math.Nextafter32(at, float32(math.Inf(1)))
		for _, x := range []float32{at, down, up, 0, float32(math.Copysign(0, -1))} {
			v := make([]float32, feature.Conn.N())
			v[4] = x
			want := 1.0 // right: a leaf of one row
			if float64(x) <= threshold {
				want = 2 // left: two rows, c(2) = 1
			}
			assert.Equal(t, want, g.MeanPath(v), "%v with threshold %v", x, threshold)
		}
	}
}

func FuzzRead(f *testing.F) {
	text, err := json.Marshal(small())
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"n_features":21,"max_samples":1,"trees":[{"feature":[-2],"threshold":[-2],"left":[-1],"right":[-1],"samples":[1]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		forest, err := sklearn.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		p, err := forest.Plain()
		if err != nil {
			return
		}
		if g, err := p.Forest(); err == nil {
			g.MeanPath(make([]float32, feature.Conn.N()))
		}
	})
}

// fit trains forests on vectors and writes each with the scores of all rows,
// and of rows on and beside its thresholds.
const fit = `
import sys, numpy
from sklearn.ensemble import IsolationForest
exec(open(sys.argv[2]).read())
X = numpy.load(sys.argv[1])
rng = numpy.random.default_rng(1)
for name, o in {"default": {}, "small": dict(n_estimators=7, max_samples=3), "large": dict(n_estimators=20, max_samples=5000),
                "columns": dict(max_features=0.4), "two": dict(max_samples=2), "contamination": dict(contamination=0.001)}.items():
    f = IsolationForest(random_state=1, **o).fit(X)
    save(f, name + ".json")
    rows = X[rng.integers(0, len(X), 40000)].copy()
    for e, columns in zip(f.estimators_, f.estimators_features_):
        t = e.tree_
        for i in numpy.flatnonzero(t.children_left >= 0)[:100]:
            for x in numpy.float32(t.threshold[i]), numpy.nextafter(numpy.float32(t.threshold[i]), numpy.float32(99)), numpy.nextafter(numpy.float32(t.threshold[i]), numpy.float32(-99)):
                rows[rng.integers(0, len(rows), 5), columns[t.feature[i]]] = x
    rows.tofile(name + ".rows")
    (-f.score_samples(rows)).tofile(name + ".scores")
`

func TestScoresAreScikitLearns(t *testing.T) {
	python := testenv.Python(t, "sklearn")
	days, err := filepath.Glob(filepath.Join(testenv.Shared(t, "datasets/zeek-three-days"), "*", "conn.*.log.gz"))
	require.NoError(t, err)
	slices.Sort(days)
	days = days[:24]
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	do := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		require.NoError(t, err, "%v: %s%s", args, &said, out)
		return string(out)
	}
	build := exec.Command("go", "build", "-o", at("zeek-iforest"), "./cmd/zeek-iforest")
	build.Dir = testenv.Root(t)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	do(at("zeek-iforest"), append([]string{"train", "-o", "base.model"}, days...)...)
	do(at("zeek-iforest"), append([]string{"export", "--vectors", "day.npy", "base.model"}, days...)...)
	require.NoError(t, os.WriteFile(at("export.py"), []byte(do(at("zeek-iforest"), "import", "--script")), 0o600))
	do(python, "-c", fit, "day.npy", "export.py")

	for _, name := range []string{"default", "small", "large", "columns", "two", "contamination"} {
		file, err := os.Open(at(name + ".json"))
		require.NoError(t, err)
		defer file.Close()
		foreign, err := sklearn.Read(file)
		require.NoError(t, err)
		p, err := foreign.Plain()
		require.NoError(t, err)
		f, err := p.Forest()
		require.NoError(t, err)
		rows, want := floats(t, at(name+".rows")), doubles(t, at(name+".scores"))
		require.Len(t, rows, len(want)*feature.Conn.N())
		paths := make([]float64, len(want))
		f.MeanPaths(paths, rows, 0)
		worst := 0.0
		for i := range want {
			require.Equal(t, f.MeanPath(rows[i*feature.Conn.N():(i+1)*feature.Conn.N()]), paths[i])
			worst = max(worst, math.Abs(f.Score(paths[i])-want[i]))
		}
		t.Logf("%s: %d trees of %d, %d rows, scores differ by %.1e at most", name, f.Trees(), f.Subsample(), len(want), worst)
		assert.Less(t, worst, 1e-6, name)
	}

	// The command line gives the same scores to four decimals.
	do(at("zeek-iforest"), append([]string{"import", "--sklearn", "default.json", "-m", "base.model", "-o", "sk.model"}, days...)...)
	do(python, "-c", `
import numpy, pickle, sys
from sklearn.ensemble import IsolationForest
X = numpy.load("day.npy")
(-IsolationForest(random_state=1).fit(X).score_samples(X)).tofile("day.scores")`)
	want := doubles(t, at("day.scores"))
	n := 0
	for line := range strings.Lines(do(at("zeek-iforest"), append([]string{"score", "-m", "sk.model"}, days...)...)) {
		if line[0] == '#' {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		got, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		require.NoError(t, err)
		require.InDelta(t, want[n], got, 0.5e-4+1e-6, "row %d", n)
		n++
	}
	require.Len(t, want, n)
	t.Logf("command line: %d scores", n)

	// CSV holds the same numbers.
	do(at("zeek-iforest"), append([]string{"export", "--vectors", "day.csv", "base.model"}, days...)...)
	do(python, "-c", `
import csv, numpy
rows = list(csv.reader(open("day.csv")))
assert len(rows[0]) == 21 and rows[0][0] == "duration", rows[0]
X = numpy.load("day.npy")
Y = numpy.array(rows[1:], dtype=float)
assert X.shape == Y.shape and (X == Y).all()`)
}

func floats(t *testing.T, path string) []float32 {
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	x := make([]float32, len(raw)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return x
}

func doubles(t *testing.T, path string) []float64 {
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	x := make([]float64, len(raw)/8)
	for i := range x {
		x[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return x
}
