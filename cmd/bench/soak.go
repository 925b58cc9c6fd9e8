//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"

	plots "github.com/zeek-iforest/zeek-iforest/internal/report"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// sample is the state of a soak after so many rows.
type sample struct {
	rows     int
	resident float64 // bytes
	heap     float64 // bytes in live objects and garbage
	perRow   float64 // seconds of CPU since the sample before
	models   int
}

// soak lets connections pass through scoring and learning as in a sensor, with
// Go's collector set as there (gobridge/sensor/runtime.go), and looks whether
// memory or the time for a row grow.
func (b *bench) soak(rows int, folder string) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(512 << 20)
	hosts := max(rows/10, 1000)
	next := office(rows, hosts)
	windows, learner := feature.NewHosts(model.DefaultHosts), learn.NewLearner(learn.Options{Seed: 1})
	const steps = 100
	every := max(rows/steps, 1)

	var samples []sample
	var refused int
	var c conn.Conn
	var row feature.Row
	texts := feature.NewTexts()
	var collections runtime.MemStats
	begin := cpuTime()
	for n := 1; ; n++ {
		if err := next(&c); err == io.EOF {
			break
		}
		row.SetConn(&c, windows.Observe(&c), texts)
		var s model.Score
		if m := learner.Model(); m != nil {
			s = m.ScoreRow(&row)
		}
		learner.Observe(&row, s)
		switch m, err := learner.Step(); {
		case m != nil:
			runtime.GC() // as the sensor's Tidy
		case err != nil:
			var no *learn.Refused
			if !errors.As(err, &no) {
				return err
			}
			refused++
		}
		if n%every == 0 {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			took := (cpuTime() - begin).Seconds() / float64(every)
			resident, err := residentSize()
			if err != nil {
				return err
			}
			runtime.ReadMemStats(&collections)
			samples = append(samples, sample{n, resident, float64(collections.HeapAlloc), took, learner.Stats().Promoted})
			begin = cpuTime()
		}
	}
	return b.soaked(rows, hosts, refused, int(collections.NumGC), samples, folder)
}

// soaked draws the samples and judges them.
func (b *bench) soaked(rows, hosts, refused, collections int, samples []sample, folder string) error {
	if len(samples) < 10 {
		return fmt.Errorf("%d connections are too few to judge", rows)
	}
	resident, heap, perRow := plots.Line{Name: "resident size"}, plots.Line{Name: "Go's heap, garbage included"}, plots.Line{Name: "a row"}
	for _, s := range samples {
		x := float64(s.rows) / 1e6
		resident.X, resident.Y = append(resident.X, x), append(resident.Y, s.resident/1e6)
		heap.X, heap.Y = append(heap.X, x), append(heap.Y, s.heap/1e6)
		perRow.X, perRow.Y = append(perRow.X, x), append(perRow.Y, s.perRow*1e6)
	}
	for name, draw := range map[string]func(io.Writer) error{
		"soak-memory.svg": func(w io.Writer) error {
			return plots.Lines(w, "memory of a learning sensor", "million connections", "MB", false, resident, heap)
		},
		"soak-time.svg": func(w io.Writer) error {
			return plots.Lines(w, "CPU time for scoring and learning a connection", "million connections", "µs", false, perRow)
		},
	} {
		if err := writeFile(filepath.Join(folder, name), draw); err != nil {
			return err
		}
	}
	fifth := len(samples) / 5
	early, late := samples[fifth:2*fifth], samples[len(samples)-fifth:] // by then all tables are full
	times := func(of []sample) float64 {
		all := make([]float64, len(of))
		for i := range of {
			all[i] = of[i].perRow
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	most := func(of []sample) (m float64) {
		for _, s := range of {
			m = math.Max(m, s.resident)
		}
		return m
	}
	last := samples[len(samples)-1]
	b.report.text = fmt.Sprintf(`%d connections of %d hosts; %d models came into use, %d were refused; %d collections.

| | second fifth | last fifth |
|---|---|---|
| CPU time for a row (median of the samples) | %s | %s |
| largest resident size | %.0f MB | %.0f MB |

![memory](soak-memory.svg)
![time for a row](soak-time.svg)
`, last.rows, hosts, last.models, refused, collections, duration(times(early)), duration(times(late)), most(early)/1e6, most(late)/1e6)
	b.finish("soak")
	return nil
}

// residentSize returns the process's, of Linux's statm, or else Go's own view.
func residentSize() (float64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.Sys - m.HeapReleased), nil
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, errors.New("/proc/self/statm: not two fields")
	}
	pages, err := strconv.ParseFloat(string(fields[1]), 64)
	return pages * float64(os.Getpagesize()), err
}
