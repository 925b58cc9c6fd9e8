package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/parquetlog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// isParquet tells a Parquet file by its first bytes. Standard input is none: the
// columns of Parquet are found from its end.
func isParquet(path string) bool {
	f, err := os.Open(path)
	if path == "-" || err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	start := make([]byte, len(parquetlog.Magic))
	_, err = io.ReadFull(f, start)
	return err == nil && string(start) == parquetlog.Magic
}

func anyParquet(files []string) bool {
	for _, file := range files {
		if isParquet(file) {
			return true
		}
	}
	return false
}

// parquetRows reads the connections of a Parquet file one after the other.
type parquetRows struct {
	*parquetlog.Log
	group parquetlog.Group
	read  int // row groups
	row   int // of this one

	numbers map[string]*wholes // of columns that were asked for, in this one
}

// wholes are a column of whole numbers.
type wholes struct {
	of  []int64
	set []bool
}

// value returns the text of a whole number of the row last read; a column that has
// none, or is not there, has no value.
func (p *parquetRows) value(column string) (string, bool) {
	n, ok := p.numbers[column]
	if !ok {
		n = &wholes{}
		if p.HasColumn(column) {
			if of, set, err := p.group.Whole(column); err == nil {
				n.of, n.set = of, set
			}
		}
		if p.numbers == nil {
			p.numbers = map[string]*wholes{}
		}
		p.numbers[column] = n
	}
	if row := p.row - 1; row < len(n.of) && n.set[row] {
		return strconv.FormatInt(n.of[row], 10), true
	}
	return "", false
}

// next reads the next connection, returns io.EOF after the last, and a
// *zeeklog.Error for a row that cannot be used.
func (p *parquetRows) next(c *conn.Conn) error {
	for p.row == len(p.group.Rows) {
		if p.read == p.Groups() {
			return io.EOF
		}
		if err := p.Read(p.read, &p.group); err != nil {
			return err
		}
		p.read, p.row, p.numbers = p.read+1, 0, nil
	}
	row := &p.group.Rows[p.row]
	*c = row.Conn
	p.row++
	return row.Err
}

// parquetScoring scores row groups: they are decoded, scored and encoded side by
// side, observed and written in order.
type parquetScoring struct {
	*scoring
	columns []zeeklog.Column
	out     *parquetlog.Writer         // nil: nothing is written
	groups  []parquetGroup             // of all files
	used    map[*parquetlog.Log]uint64 // rows with a score

	mu               sync.Mutex
	changed          sync.Cond
	taken            int // groups
	observed, commit int // the next one to observe, to write
	err              error
}

// parquetGroup is a row group of a file.
type parquetGroup struct {
	log *parquetlog.Log
	at  int
}

// parquet scores Parquet files into one.
func (sc *scoring) parquet(w *output, files []string, columns []zeeklog.Column, quiet bool) error {
	p := &parquetScoring{scoring: sc, columns: columns, used: map[*parquetlog.Log]uint64{}}
	var logs []*parquetlog.Log
	p.changed.L = &p.mu
	for _, file := range files {
		if !isParquet(file) {
			return hinted(fmt.Errorf("%s: no Parquet among Parquet files", displayName(file)), "what is written has one format: score them apart")
		}
		l, err := parquetlog.Open(file, parquetlog.Columns(quiet || sc.n > 0))
		if err != nil {
			return err
		}
		defer l.Close()
		logs = append(logs, l)
		for at := range l.Groups() {
			p.groups = append(p.groups, parquetGroup{l, at})
		}
		switch {
		case quiet:
		case p.out == nil:
			if p.out, err = parquetlog.NewWriter(w, l, sc.keep, columns...); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		default:
			if err := p.out.Takes(l); err != nil {
				return err
			}
		}
	}
	bar := sc.progress(-1, "connections")
	defer bar.Finish()
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			p.fail(p.work(func(n int) { bar.Add(n) }))
		}()
	}
	workers.Wait()
	if p.err != nil {
		return p.err
	}
	for _, l := range logs {
		if p.limit > 0 && p.used[l] == 0 {
			return p.lookedAtNothing(l.Name() + ": no row has a score")
		}
	}
	if p.out == nil {
		return nil
	}
	if err := p.out.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", w.name, err)
	}
	sc.lake.sayCold(sc.session, sc.cold, sc.place)
	return nil
}

// fail ends the work of all; nil does nothing.
func (p *parquetScoring) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil && p.err == nil {
		p.err = err
	}
	p.changed.Broadcast()
}

// wait waits until it is the turn of group n, and is false when the work ends.
func (p *parquetScoring) wait(turn *int, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for *turn != n && p.err == nil {
		p.changed.Wait()
	}
	return p.err == nil
}

func (p *parquetScoring) pass(turn *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*turn++
	p.changed.Broadcast()
}

// take gives the number of the next group, false after the last.
func (p *parquetScoring) take() (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken++
	return p.taken - 1, p.err == nil && p.taken <= len(p.groups)
}

func (p *parquetScoring) work(done func(rows int)) error {
	var g parquetlog.Group
	var conns []stream.Conn
	texts := feature.NewTexts()
	for {
		n, ok := p.take()
		if !ok {
			return nil
		}
		if err := p.Err(); err != nil {
			return err
		}
		if err := p.groups[n].log.Read(p.groups[n].at, &g); err != nil {
			return err
		}
		if !p.wait(&p.observed, n) {
			return nil
		}
		first := p.place
		var err error
		for len(conns) < len(g.Rows) {
			conns = append(conns, stream.Conn{Texts: texts})
		}
		if err = p.observe(p.groups[n].log, &g, conns); err != nil {
			return err
		}
		done(len(g.Rows))
		p.pass(&p.observed)

		if p.alerts != nil && !p.wait(&p.commit, n) { // in order, too
			return nil
		}
		values := p.score(&g, conns, first)
		if p.alerts != nil {
			p.pass(&p.commit)
		}
		if p.out == nil {
			continue
		}
		encoded, err := p.out.Encode(&g, values)
		if err != nil {
			return err
		}
		if !p.wait(&p.commit, n) {
			return nil
		}
		if err := p.out.Write(encoded); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		p.pass(&p.commit)
	}
}

// wholeColumns are the columns of a group that the options of a lake read.
type wholeColumns struct {
	row     int
	numbers map[string][]int64
	set     map[string][]bool
}

func (w *wholeColumns) Value(column string) (string, bool) {
	numbers, ok := w.numbers[column]
	if !ok || !w.set[column][w.row] {
		return "", false
	}
	return strconv.FormatInt(numbers[w.row], 10), true
}

// observe is scoring.observe for a row group.
func (p *parquetScoring) observe(log *parquetlog.Log, g *parquetlog.Group, conns []stream.Conn) error {
	read := wholeColumns{numbers: map[string][]int64{}, set: map[string][]bool{}}
	for _, name := range p.lake.reads() {
		if !log.HasColumn(name) {
			continue
		}
		numbers, set, err := g.Whole(name)
		if err != nil {
			return err
		}
		read.numbers[name], read.set[name] = numbers, set
	}
	for i := range g.Rows {
		row := &g.Rows[i]
		if row.Err == nil {
			if err := feature.Check(&row.Conn); err != nil {
				row.Err = p.named(log, g, i, err)
			}
		}
		if row.Err != nil {
			if p.strict {
				return row.Err
			}
			p.unused(row.Err)
			continue
		}
		p.used[log]++
		p.lack(log.Name(), &row.Conn)
		read.row = i
		c := conns[i].Of(&row.Conn)
		if err := p.lake.observe(c, &read); err != nil {
			return p.named(log, g, i, err)
		}
		p.count(c.Window.Cold)
	}
	p.place += uint64(len(g.Rows))
	return nil
}

func (p *parquetScoring) named(log *parquetlog.Log, g *parquetlog.Group, i int, err error) error {
	return &zeeklog.Error{File: log.Name(), Line: int(g.First) + i, Err: err}
}

// scoredAtOnce is a batch that stays in a core's cache.
const scoredAtOnce = 512

// score gives the values of the added columns for a row group.
func (p *parquetScoring) score(g *parquetlog.Group, conns []stream.Conn, first uint64) [][]any {
	columns := make([][]any, len(p.columns))
	for k := range columns {
		columns[k] = make([]any, len(g.Rows))
	}
	if p.lake.responders != nil {
		for i := range g.Rows {
			if g.Rows[i].Err == nil {
				columns[0][i] = uint64(conns[i].Window.RespFailures)
			}
		}
		return columns
	}
	batch := stream.Batch{Reasons: p.scoring.columns.reasons()}
	values := make([]zeeklog.Value, len(p.columns))
	for from := 0; from < len(g.Rows); from += scoredAtOnce {
		to := min(from+scoredAtOnce, len(g.Rows))
		batch.Reset(p.model)
		for i := from; i < to; i++ {
			if g.Rows[i].Err == nil {
				batch.Add(&conns[i])
			}
		}
		n := 0
		for i := from; i < to; i++ {
			if g.Rows[i].Err != nil {
				continue
			}
			row := batch.Scored(n)
			n++
			p.scoring.columns.fill(values, row)
			p.offer(first+uint64(i), row)
			if p.alerts != nil {
				p.alerts.observe(row)
			}
			for k := range values {
				columns[k][i] = values[k].Any()
			}
		}
	}
	return columns
}
