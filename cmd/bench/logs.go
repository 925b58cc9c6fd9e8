//go:build unix

package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// logs measures the reading, scoring and writing of conn.logs, and training.
func (b *bench) logs(string) error {
	if err := b.makeLogs(); err != nil {
		return err
	}
	tsv, model := b.path("conn.log"), b.path("site.model")
	rows := float64(b.rows)

	t := task{title: "a TSV conn.log, each row read, scored and written", units: rows, unit: "row"}
	t.contenders = append(t.contenders, b.running("zeek-iforest score", "", b.program, "score", "-m", model, tsv))
	if mawk := t.installed("mawk"); mawk != "" {
		t.contenders = append(t.contenders, b.running("mawk, cutting one column out", "", mawk, `-F\t`, "{print $9}", tsv))
	}
	if cut := t.installed("zeek-cut"); cut != "" {
		t.contenders = append(t.contenders, b.running("zeek-cut, the same", tsv, cut, "duration"))
	}
	if err := b.contest(t); err != nil {
		return err
	}

	t = task{title: "the same connections as JSON", units: rows, unit: "row"}
	t.contenders = append(t.contenders, b.running("zeek-iforest score", "", b.program, "score", "-m", model, b.path("conn.json.log")))
	if jq := t.installed("jq"); jq != "" {
		t.contenders = append(t.contenders, b.running("jq, printing one field", "", jq, ".duration", b.path("conn.json.log")))
	}
	if err := b.contest(t); err != nil {
		return err
	}

	t = task{title: "the TSV log as gzip", units: rows, unit: "row"}
	t.contenders = append(t.contenders, b.running("zeek-iforest score", "", b.program, "score", "-m", model, tsv+".gz"))
	if gzip := t.installed("gzip"); gzip != "" {
		t.contenders = append(t.contenders, b.running("gzip -dc alone", "", gzip, "-dc", tsv+".gz"))
	}
	if err := b.contest(t); err != nil {
		return err
	}

	return b.contest(task{title: "training a model of that log", units: rows, unit: "row", contenders: []contender{
		b.running("zeek-iforest train", "", b.program, "train", "-o", b.path("again.model"), tsv),
		b.running("zeek-iforest train, a tenth of the rows", "", b.program, "train", "-o", b.path("again.model"), b.path("tenth.log")),
	}})
}

// makeLogs writes conn.log, tenth.log, conn.log.gz, conn.json.log and a model,
// unless they are there.
func (b *bench) makeLogs() error {
	if exists(b.path("site.model")) {
		return nil
	}
	source := "testdata/pcaps/office-day.pcap.conn.log"
	files := []string{filepath.Join(b.root, source)}
	if dir := b.shared("datasets", "zeek-three-days"); dir != "" {
		hours, err := filepath.Glob(filepath.Join(dir, "*", "conn.*.gz"))
		if err != nil {
			return err
		}
		if slices.Sort(hours); len(hours) > 0 {
			source, files = "../shared/datasets/zeek-three-days, three days of one sensor", hours
		}
	}
	b.report.inputs = append(b.report.inputs, fmt.Sprintf("Logs: %d connections, made of %s, one copy behind the other in time.", b.rows, source))

	var all []conn.Conn
	for _, file := range files {
		if err := readLog(file, func(c *conn.Conn) { all = append(all, *c) }); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return errors.New("no connections in " + source)
	}
	span := conn.Micros(0)
	for i := range all {
		span = max(span, all[i].TS+all[i].Duration-all[0].TS)
	}
	span += 3600e6
	for _, out := range []struct {
		name   string
		rows   int
		format zeeklog.Format
		gzip   bool
	}{{"conn.log", b.rows, zeeklog.TSV, false}, {"tenth.log", b.rows / 10, zeeklog.TSV, false}, {"conn.json.log", b.rows, zeeklog.JSON, false}, {"conn.log.gz", b.rows, zeeklog.TSV, true}} {
		err := writeFile(b.path(out.name), func(w io.Writer) (err error) {
			if out.gzip {
				z := gzip.NewWriter(w)
				defer func() { err = errors.Join(err, z.Close()) }()
				w = z
			}
			log, err := zeeklog.NewWriter(w, out.format, time.Time{})
			if err != nil {
				return err
			}
			for i := range out.rows {
				c := all[i%len(all)]
				c.TS += span * conn.Micros(i/len(all))
				if err := log.Write(&c); err != nil {
					return err
				}
			}
			return log.Close(time.Time{})
		})
		if err != nil {
			return err
		}
	}
	_, err := b.do(b.dir, b.program, "train", "-o", b.path("site.model"), b.path("conn.log"))
	return err
}

// readLog yields the rows of a log that can be read.
func readLog(path string, each func(*conn.Conn)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	r := zeeklog.NewReader(in, path)
	for {
		var row zeeklog.Row
		var bad *zeeklog.Error
		switch err := r.Read(&row); {
		case err == io.EOF:
			return nil
		case errors.As(err, &bad):
		case err != nil:
			return err
		default:
			each(&row.Conn)
		}
	}
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(write(w), w.Flush(), f.Close())
}
