//go:build unix

package main

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// rivals.py times the forests of Python's libraries on the same rows.
//
//go:embed rivals.py
var rivals string

const (
	forestRows = 100_000
	forestDim  = 16
)

// heavyTailed rows are log-normal, like a log's byte counts; model/forest's
// benchmarks have the same.
func heavyTailed(n, dim int) []float32 {
	random := rand.New(rand.NewPCG(2008, 16))
	rows := make([]float32, n*dim)
	for i := range rows {
		rows[i] = float32(math.Exp(random.NormFloat64()))
	}
	return rows
}

var paperOptions = forest.Options{Trees: 100, Subsample: 256, Seed: 1, Workers: 1}

// forest measures the algorithm alone: growing, a batch of rows, one row.
func (b *bench) forest(string) error {
	rows := heavyTailed(forestRows, forestDim)
	f, err := forest.Grow(rows, forestDim, paperOptions)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := binary.Write(&file, binary.LittleEndian, rows); err != nil {
		return err
	}
	if err := os.WriteFile(b.path("rows.f32"), file.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(b.path("rivals.py"), []byte(rivals), 0o600); err != nil {
		return err
	}

	paths := make([]float64, forestRows)
	tasks := []task{
		{title: "growing 100 trees of 256 from 100,000 rows of 16 features", units: 1, unit: "forest", contenders: []contender{
			here("zeek-iforest", "forest.Grow", 20, func() {
				if _, err := forest.Grow(rows, forestDim, paperOptions); err != nil {
					panic(err) // it grew before
				}
			})}},
		{title: "scoring these rows in a batch, one core", units: forestRows, unit: "row", contenders: []contender{
			here("zeek-iforest", "Forest.MeanPaths", 5, func() { f.MeanPaths(paths, rows, 1) })}},
		{title: "scoring one row at a time", units: 1, unit: "row", contenders: []contender{
			{name: "zeek-iforest", command: "Forest.MeanPath", run: func() (cost, error) { // each row once, as on a sensor
				took := timed(func() {
					for i := range forestRows {
						f.MeanPath(rows[i*forestDim : (i+1)*forestDim])
					}
				})
				return cost{cpu: took.cpu / forestRows, wall: took.wall / forestRows}, nil
			}}}},
	}
	for _, library := range []string{"scikit-learn", "isotree"} {
		timer := &libraryTimer{b: b, library: library}
		if err := timer.time(); err != nil {
			for i := range tasks {
				tasks[i].absent = append(tasks[i].absent, library)
			}
			b.say("%s: %v", library, err)
			continue
		}
		for i, what := range []string{"fit", "batch", "one"} {
			tasks[i].contenders = append(tasks[i].contenders, contender{
				name: timer.version, command: "rivals.py " + library, run: func() (cost, error) { return timer.next(what) },
			})
		}
	}
	for _, t := range tasks {
		if err := b.contest(t); err != nil {
			return err
		}
	}
	return nil
}

// libraryTimer runs rivals.py, which times all three tasks in one go.
type libraryTimer struct {
	b       *bench
	library string
	version string
	ready   map[string][]cost // measured, not yet asked for
}

func (l *libraryTimer) time() error {
	cmd := exec.CommandContext(l.b.ctx, "/usr/bin/python3", l.b.path("rivals.py"), l.library, l.b.path("rows.f32"), fmt.Sprint(forestDim))
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("not measured (%w): it needs python3 with that library and NumPy", err)
	}
	var took map[string]any
	if err := json.Unmarshal(out, &took); err != nil {
		return err
	}
	if l.ready == nil {
		l.ready = map[string][]cost{}
	}
	l.version, _ = took["version"].(string)
	for _, what := range []string{"fit", "batch", "one"} {
		times, _ := took[what].([]any)
		if len(times) != 2 {
			return fmt.Errorf("rivals.py did not time %s", what)
		}
		seconds := func(i int) time.Duration { s, _ := times[i].(float64); return time.Duration(s * 1e9) }
		l.ready[what] = append(l.ready[what], cost{cpu: seconds(0), wall: seconds(1)})
	}
	return nil
}

func (l *libraryTimer) next(what string) (cost, error) {
	if len(l.ready[what]) == 0 {
		if err := l.time(); err != nil {
			return cost{}, err
		}
	}
	took := l.ready[what][0]
	l.ready[what] = l.ready[what][1:]
	return took, nil
}
