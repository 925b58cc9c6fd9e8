package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// growth is a way to grow the forest.
type growth struct {
	name string
	use  []int
	drawing
}

func growths() []growth {
	base := make([]int, numbers)
	for i := range base {
		base[i] = i
	}
	lean := without(base, 5, 6, 12) // IP bytes and connections: what packets, bytes, share and failures say
	type d = drawing
	return []growth{
		{"as it is", base, product},
		{"400 trees", base, d{cell, 400, 64, false}},
		{"800 trees", base, d{cell, 800, 64, false}},
		{"2000 trees", base, d{cell, 2000, 64, false}},
		{"no kind twice in a tree", base, d{cell, 200, 64, true}},
		{"no kind twice in a tree, 400 trees of 48", base, d{cell, 400, 48, true}},
		{"kinds by fourfold bytes", base, d{fourfold, 200, 64, false}},
		{"kinds by tenfold bytes", base, d{tenfold, 200, 64, false}},
		{"kinds by tenfold bytes, of 32", base, d{tenfold, 200, 32, false}},
		{"without connections, IP bytes", lean, product},
		{"without connections, IP bytes; 400 trees", lean, d{cell, 400, 64, false}},
		{"without connections, IP bytes; 800 trees", lean, d{cell, 800, 64, false}},
		{"without IP bytes", without(base, 5, 6), product},
		{"without connections, IP bytes; fourfold", lean, d{fourfold, 200, 64, false}},
		{"without connections, IP bytes; tenfold, of 32", lean, d{tenfold, 200, 32, false}},
		{"without connections, IP bytes; tenfold, 400 of 32", lean, d{tenfold, 400, 32, false}},
		{"without packets, IP bytes", without(base, 3, 4, 5, 6), product},
		{"without packets, IP bytes; with who sent", append(without(base, 3, 4, 5, 6), whoSent), product},
	}
}

// fourfold and tenfold tell kinds apart by coarser steps of bytes than cell.
func fourfold(c *conn.Conn) [6]int {
	key := cell(c)
	key[0], key[1] = key[0]/2, key[1]/2
	return key
}

func tenfold(c *conn.Conn) [6]int {
	key := cell(c)
	if c.State.Failed() {
		key[2] = -1
		return key
	}
	step := func(n uint64) int { return int(math.Log10(float64(n + 1))) }
	key[0], key[1] = step(c.OrigIPBytes), step(c.RespIPBytes)
	return key
}

// experiment is rows to learn from and rows to score, as vectors.
type experiment struct {
	train  []conn.Conn
	trainX [][]float32
	test   []evaluate.Row
	testX  [][]float32
}

func prepare(train []conn.Conn, test []evaluate.Row) experiment {
	encoder, err := feature.NewEncoder(feature.Conn, count(train))
	check(err)
	shares, conns := countShares(train), make([]conn.Conn, len(test))
	for i := range test {
		conns[i] = test[i].Conn
	}
	return experiment{train, encode(train, encoder, nil, shares), test, encode(conns, encoder, nil, shares)}
}

// forests prints one table. External attacks and shapes of ctu-mixed-008 are
// the mean of both directions, first half to second and second to first; the
// shapes of one row give their rank "1 in", the geometric mean over four shapes
// and their places.
func forests(folder, part string) {
	labelled := filepath.Join(folder, "zeek-labelled")
	day8 := external(read(filepath.Join(labelled, "ctu-mixed-008.conn.log.labeled.gz"), "label"))
	day10 := external(read(filepath.Join(labelled, "ctu-mixed-010.conn.log.labeled.gz"), "label"))
	nmap := read(filepath.Join(labelled, "nmap-port-scan-002.conn.log.gz"), "")
	for i := range nmap {
		nmap[i].Family = "nmap"
	}
	one, two := day8[:len(day8)/2], day8[len(day8)/2:]
	halves := []experiment{
		prepare(normal(one), slices.Concat(two, drills(two, 12))),
		prepare(normal(two), slices.Concat(one, drills(one, 12))),
	}
	attacked := prepare(conns(one), two)
	var days []experiment
	first, second := day(folder, "2024-04-19"), day(folder, "2024-04-20")
	for n := range uint64(4) {
		days = append(days, prepare(first, laid(second, n)))
	}
	reporting := prepare(normal(day8), slices.Concat(day10, nmap))

	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "forest\t008: external\testablished\tfast scan\tsingle, 1 in\tof all rows: external\tthree days: fast scan\tsingle, 1 in\treporting: external\tnmap\tof these established\t")
	for _, g := range growths() {
		if !strings.Contains(g.name, part) {
			continue
		}
		fmt.Fprint(t, g.name)
		h, a, d, r := g.all(halves...), g.all(attacked), g.all(days...), g.all(reporting)
		fmt.Fprintf(t, "\t%s\t%s\t%s\t%.0f", h.found("external"), h.found("external"+established), h.found("fast port scan"), h.oneIn())
		fmt.Fprintf(t, "\t%s\t%s\t%.0f", a.found("external"), d.found("fast port scan"), d.oneIn())
		fmt.Fprintf(t, "\t%s\t%s\t%s\t\n", r.found("external"), r.found("nmap"), r.found("nmap"+established))
	}
	check(t.Flush())
}

// outcome is the scores of some experiments with all seeds.
type outcome struct {
	tests  [][]evaluate.Row
	scores [][]float64
}

func (g growth) all(experiments ...experiment) (o outcome) {
	for _, e := range experiments {
		scores := make([][]float64, seeds)
		var wg sync.WaitGroup
		for seed := range scores {
			wg.Add(1)
			go func() {
				defer wg.Done()
				scores[seed] = score(grow(e.trainX, e.train, g.use, g.drawing, uint64(seed)), e.testX, g.use)
			}()
		}
		wg.Wait()
		for _, s := range scores {
			o.tests, o.scores = append(o.tests, e.test), append(o.scores, s)
		}
	}
	return o
}

// found returns the share found at 1 % and at 0.1 %, and the latter's standard
// deviation.
func (o outcome) found(family string) string {
	var at1, at01, squares float64
	n := float64(len(o.scores))
	for i, s := range o.scores {
		a, b := found(o.tests[i], s, family)
		at1, at01, squares = at1+a/n, at01+b/n, squares+b*b/n
	}
	return fmt.Sprintf("%.3f / %.3f ± %.3f", at1, at01, math.Sqrt(max(0, squares-at01*at01)*n/(n-1)))
}

// oneIn returns the geometric mean of the ranks of the shapes that are one row.
func (o outcome) oneIn() float64 {
	sum, n := 0.0, 0.0
	for i, s := range o.scores {
		var ordinary []float64
		for row, r := range o.tests[i] {
			if !r.Anomaly {
				ordinary = append(ordinary, -s[row])
			}
		}
		slices.Sort(ordinary)
		for row, r := range o.tests[i] {
			if r.Family == "drills" {
				above, _ := slices.BinarySearch(ordinary, -s[row])
				sum += math.Log(float64(len(ordinary)+1) / float64(above+1))
				n++
			}
		}
	}
	return math.Exp(sum / n)
}

// laid lays each attack once over a day.
func laid(log []conn.Conn, place uint64) (rows []evaluate.Row) {
	site, err := evaluate.NewSite(rowsOf(log))
	check(err)
	type row struct {
		evaluate.Row
		end conn.Micros // the latest end up to it, which is where attacks go
	}
	var all []row
	latest := conn.Micros(math.MinInt64)
	for i := range log {
		latest = max(latest, log[i].End())
		all = append(all, row{evaluate.Row{Conn: log[i]}, latest})
	}
	for i, a := range evaluate.Attacks {
		attack, err := site.Lay(a, rand.New(rand.NewPCG(uint64(i), place)))
		check(err)
		family := "drills"
		if len(attack.Rows) > 1 {
			family = a.Name
		}
		for _, r := range attack.Rows {
			all = append(all, row{evaluate.Row{Conn: r.Conn, Anomaly: true, Family: family}, r.Conn.End()})
		}
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Compare(a.end, b.end) })
	for _, r := range all {
		rows = append(rows, r.Row)
	}
	return rows
}

func day(folder, date string) (log []conn.Conn) {
	files, err := filepath.Glob(filepath.Join(folder, "zeek-three-days", date, "conn.*.log.gz"))
	check(err)
	for _, f := range files {
		log = append(log, conns(read(f, ""))...)
	}
	return log
}

func rowsOf(log []conn.Conn) (rows []evaluate.Row) {
	for _, c := range log {
		rows = append(rows, evaluate.Row{Conn: c})
	}
	return rows
}

func conns(rows []evaluate.Row) (all []conn.Conn) {
	for i := range rows {
		all = append(all, rows[i].Conn)
	}
	return all
}

// external names the attacks of a capture that has them of one family.
func external(rows []evaluate.Row) []evaluate.Row {
	for i := range rows {
		if rows[i].Anomaly {
			rows[i].Family = "external"
		}
	}
	return rows
}
