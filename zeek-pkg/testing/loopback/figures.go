//go:build linux

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// moments are what a worker wrote down.
type moments struct {
	rows            []moment            // n: the sending that has it
	told            map[string][]moment // by owner and other worker; n: up to which of its sendings
	counted         int                 // rows
	seconds         float64
	cpu             float64
	took, tookBytes int
}

type moment struct {
	n  int
	at float64
}

func readMoments(name string) (m moments, err error) {
	m.told = map[string][]moment{}
	err = eachLine(name, func(words []string) error {
		var at moment
		var err error
		switch words[0] {
		case "row":
			at, err = readMoment(words[1:])
			m.rows = append(m.rows, at)
		case "told":
			key := words[1] + " " + words[2]
			at, err = readMoment(words[3:])
			if told := m.told[key]; len(told) == 0 || told[len(told)-1].n < at.n {
				m.told[key] = append(told, at)
			}
		case "end":
			_, err = fmt.Sscan(strings.Join(words[1:], " "), &m.counted, &m.seconds, &m.cpu, &m.took, &m.tookBytes)
		}
		return err
	})
	if err == nil && m.counted == 0 {
		err = fmt.Errorf("%s: the worker did not come to its end", name)
	}
	return m, err
}

func readMoment(words []string) (m moment, err error) {
	_, err = fmt.Sscan(strings.Join(words, " "), &m.n, &m.at)
	return m, err
}

func eachLine(name string, do func(words []string) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for n := 1; in.Scan(); n++ {
		if words := strings.Fields(in.Text()); len(words) > 0 {
			if err := do(words); err != nil {
				return fmt.Errorf("%s: line %d: %w", name, n, err)
			}
		}
	}
	return in.Err()
}

func (c *cluster) moments() (all map[string]moments, err error) {
	all = map[string]moments{}
	for _, name := range c.workers {
		if all[name], err = readMoments(filepath.Join(c.dir, name, "moments")); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// tell prints what was measured.
func (c *cluster) tell(s settings, connections int) error {
	all, err := c.moments()
	if err != nil {
		return err
	}
	logged, err := readRows(filepath.Join(c.dir, "logger", "conn.log"))
	if err != nil {
		return err
	}
	whole, err := readRows(filepath.Join(s.dir, "alone", "conn.log"))
	if err != nil {
		return err
	}
	fmt.Printf("%d workers, %d proxies, %s; %d connections in %d s\n", s.workers, s.proxies, s.backend, connections, s.seconds)
	fmt.Printf("rows: one sensor %d, the cluster %d; without a score %d and %d\n", whole.all, logged.all, whole.unscored, logged.unscored)
	fmt.Printf("the scan, %d connections to as many hosts, each worker %d to %d of them\n", len(whole.scan), logged.least(c.workers), logged.most(c.workers))
	fmt.Printf("its score, median and highest: one sensor %.4f %.4f, the cluster %.4f %.4f; of the last quarter %.4f and %.4f (median)\n",
		at(whole.scan, .5), at(whole.scan, 1), at(logged.scan, .5), at(logged.scan, 1), at(lastQuarter(whole.scan), .5), at(lastQuarter(logged.scan), .5))
	for _, of := range []struct{ who, dir string }{{"one sensor", filepath.Join(s.dir, "alone")}, {"the cluster", filepath.Join(c.dir, "logger")}} {
		scan, others, err := readNotices(filepath.Join(of.dir, "notice.log"))
		if err != nil {
			return err
		}
		fmt.Printf("notices of %s: %d of the scan, %d of others\n", of.who, scan, others)
	}

	heard := map[string][2]float64{}
	for _, owner := range c.owners {
		if err := eachLine(filepath.Join(c.dir, owner, "heard"), func(words []string) error {
			n, err1 := strconv.ParseFloat(words[2], 64)
			bytes, err2 := strconv.ParseFloat(words[3], 64)
			was := heard[words[1]]
			heard[words[1]] = [2]float64{was[0] + n, was[1] + bytes}
			return cmp.Or(err1, err2)
		}); err != nil {
			return err
		}
	}
	var sent, sentBytes, took, tookBytes, cpu []float64
	for name, m := range all {
		sent, sentBytes = append(sent, heard[name][0]/m.seconds), append(sentBytes, heard[name][1]/m.seconds/1000)
		took, tookBytes = append(took, float64(m.took)/m.seconds), append(tookBytes, float64(m.tookBytes)/m.seconds/1000)
		cpu = append(cpu, m.cpu)
	}
	fmt.Printf("a worker sends %.2f messages/s, %.2f kB/s; is told %.2f messages/s, %.2f kB/s (means; most %.2f and %.2f kB/s)\n",
		mean(sent), mean(sentBytes), mean(took), mean(tookBytes), slices.Max(sentBytes), slices.Max(tookBytes))
	fmt.Printf("CPU of a worker %.2f s (mean) in %.0f s\n", mean(cpu), all[c.workers[0]].seconds)

	latencies, late := c.latencies(all)
	fmt.Printf("from a row until another worker's window has it: median %.2f s, p90 %.2f s, p99 %.2f s, longest %.2f s (%d times row and worker; %d more did not come before the end)\n",
		at(latencies, .5), at(latencies, .9), at(latencies, .99), at(latencies, 1), len(latencies), late)
	return nil
}

// latencies returns the times from a row at one worker until each other has been told,
// and how many rows were not told of before the other ended.
func (c *cluster) latencies(all map[string]moments) (times []float64, late int) {
	for _, from := range c.workers {
		for _, to := range c.workers {
			for _, owner := range c.owners {
				if from == to {
					continue
				}
				told := all[to].told[owner+" "+from]
				for _, row := range all[from].rows {
					i, _ := slices.BinarySearchFunc(told, row.n, func(m moment, n int) int { return cmp.Compare(m.n, n) })
					if i == len(told) {
						late++
						continue
					}
					times = append(times, told[i].at-row.at)
				}
			}
		}
	}
	slices.Sort(times)
	return times, late
}

// costs runs clusters with and without sharing in turns.
func costs(s settings) error {
	var ratios, with, without []float64
	for range s.cost {
		var took [2]float64
		for i, share := range []string{"T", "F"} {
			c, err := runCluster(s, "cost", "IForest::share_windows="+share, "IForest::moment_one_in=1000000")
			if err != nil {
				return err
			}
			all, err := c.moments()
			if err != nil {
				return err
			}
			for _, m := range all {
				took[i] += m.cpu / float64(len(all))
			}
		}
		with, without, ratios = append(with, took[0]), append(without, took[1]), append(ratios, took[0]/took[1])
		fmt.Printf("CPU of a worker: %.3f s with sharing, %.3f s without: %.4f\n", took[0], took[1], took[0]/took[1])
	}
	slices.Sort(ratios)
	fmt.Printf("%d workers, %d proxies, %s, %d connections a second each: ratio of the sums %.4f, median of the ratios %.4f\n",
		s.workers, s.proxies, s.backend, s.rate/s.workers, mean(with)/mean(without), at(ratios, .5))
	return nil
}

// logged is what a conn.log holds.
type logged struct {
	all, unscored int
	scan          []float64      // scores, in the order of the log
	of            map[string]int // rows of the scan, by worker
}

func (l logged) least(workers []string) int {
	least := len(l.scan)
	for _, name := range workers {
		least = min(least, l.of[name])
	}
	return least
}

func (l logged) most(workers []string) (most int) {
	for _, name := range workers {
		most = max(most, l.of[name])
	}
	return most
}

func readRows(name string) (l logged, err error) {
	l.of = map[string]int{}
	type scored struct{ ts, score float64 }
	var scan []scored
	var fields []string
	err = eachLine(name, func(words []string) error {
		if words[0] == "#fields" {
			fields = words[1:]
		}
		if strings.HasPrefix(words[0], "#") {
			return nil
		}
		value := func(field string) string {
			if i := slices.Index(fields, field); i >= 0 && i < len(words) {
				return words[i]
			}
			return ""
		}
		l.all++
		score, err := strconv.ParseFloat(value("anomaly_score"), 64)
		if err != nil {
			l.unscored++
			return nil
		}
		if value("id.orig_h") == scanner {
			l.of[value("node")]++
			ts, err := strconv.ParseFloat(value("ts"), 64)
			scan = append(scan, scored{ts, score})
			return err
		}
		return nil
	})
	slices.SortFunc(scan, func(a, b scored) int { return cmp.Compare(a.ts, b.ts) })
	for _, x := range scan {
		l.scan = append(l.scan, x.score)
	}
	return l, err
}

// readNotices counts unusual connections and hosts that were told, of the scan and
// of others. No file is no notice.
func readNotices(name string) (scan, others int, err error) {
	err = eachLine(name, func(words []string) error {
		line := strings.Join(words, " ")
		if !strings.Contains(line, "IForest::Anomalous_") {
			return nil
		}
		if strings.Contains(line, scanner) {
			scan++
		} else {
			others++
		}
		return nil
	})
	if os.IsNotExist(err) {
		return 0, 0, nil
	}
	return scan, others, err
}

func lastQuarter(x []float64) []float64 { return x[len(x)*3/4:] }

// at returns the value below which that share of them lies.
func at(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}
