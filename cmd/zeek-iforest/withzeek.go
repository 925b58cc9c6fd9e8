package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// withZeek is a replay by a Zeek that is installed: it writes its logs, and
// those whose rows have scores get them.
type withZeek struct {
	*session
	dir     string
	models  map[string]*model.Model // by log
	columns chosenColumns
	noModel noModel
	limits  func() (*strangest, int)
}

// scoredLogs returns the logs of a Zeek whose rows have scores, in the order in
// which they are told.
func scoredLogs() []string {
	logs := []string{feature.Conn.Log}
	for _, k := range logKinds {
		logs = append(logs, k.set.Log)
	}
	return logs
}

// readModels reads the models that -m names, of each log one at most.
func readModels(paths []string) (map[string]*model.Model, error) {
	models := map[string]*model.Model{}
	for _, path := range paths {
		m, err := readAnyModel(path)
		if err != nil {
			return nil, err
		}
		log := m.Set().Log
		if models[log] != nil {
			return nil, fmt.Errorf("-m: %s is the second model of %s.log", path, log)
		}
		models[log] = m
	}
	return models, nil
}

// run has Zeek read the capture, and scores what it wrote.
func (w *withZeek) run(capture string, ignoreChecksums bool, nets []netip.Prefix, json bool) error {
	program, err := exec.LookPath("zeek")
	if err != nil {
		return hinted(errors.New("no zeek on PATH"), "install Zeek 8.0 or later (https://zeek.org/get-zeek) or add its bin to PATH; without --with-zeek, replay makes conn.log by itself")
	}
	if err := w.prepare(); err != nil {
		return err
	}
	if err := w.zeek(program, capture, zeekArguments(ignoreChecksums, nets, json)); err != nil {
		return err
	}
	var passed error
	n := 0
	for _, log := range scoredLogs() {
		file := filepath.Join(w.dir, log+".log")
		if !exists(file) {
			continue
		}
		n++
		err := w.log(log, file)
		if limit := (limitError{}); errors.As(err, &limit) {
			passed = errors.Join(passed, err)
		} else if err != nil {
			return err
		}
	}
	if n == 0 {
		return fmt.Errorf("%s: Zeek wrote no %s.log for this capture", w.dir, strings.Join(scoredLogs(), ".log, "))
	}
	return passed
}

// prepare makes the folder, which must not hold logs: they would be mixed with
// those of this capture.
func (w *withZeek) prepare() error {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	logs, err := filepath.Glob(filepath.Join(w.dir, "*.log*"))
	if err != nil {
		return err
	}
	if len(logs) > 0 {
		return hinted(fmt.Errorf("%s holds logs already: %s", w.dir, filepath.Base(logs[0])), "name another folder with --with-zeek, or empty this one")
	}
	return nil
}

// zeekArguments returns those of a Zeek that reads a capture from its standard input.
func zeekArguments(ignoreChecksums bool, nets []netip.Prefix, json bool) []string {
	args := []string{"-r", "-"}
	if ignoreChecksums {
		args = append([]string{"-C"}, args...)
	}
	if len(nets) > 0 {
		var all []string
		for _, net := range nets {
			all = append(all, subnet(net))
		}
		args = append(args, "Site::local_nets={"+strings.Join(all, ",")+"}")
	}
	if json {
		args = append(args, "LogAscii::use_json=T")
	}
	return args
}

// subnet returns a network as Zeek's scripts write it.
func subnet(p netip.Prefix) string {
	if p.Addr().Is4() {
		return p.String()
	}
	return fmt.Sprintf("[%v]/%d", p.Addr(), p.Bits())
}

// zeek runs Zeek in the folder.
func (w *withZeek) zeek(program, capture string, args []string) error {
	in, err := openInput(capture, w.stdin)
	if err != nil {
		return err
	}
	defer in.Close()
	said := &lastLines{}
	cmd := exec.CommandContext(w, program, args...)
	cmd.Dir, cmd.Stdin, cmd.Stderr = w.dir, in, said
	err = cmd.Run()
	switch {
	case w.Err() != nil:
		return w.Err()
	case err != nil && said.last() != "":
		return fmt.Errorf("%s: zeek: %w: %s", displayName(capture), err, said.last())
	case err != nil:
		return fmt.Errorf("%s: zeek: %w", displayName(capture), err)
	}
	for line := range strings.Lines(said.text.String()) {
		w.say("zeek: %s", strings.TrimSuffix(line, "\n"))
	}
	return nil
}

// lastLines keeps the end of what a program says.
type lastLines struct{ text bytes.Buffer }

// mostSaid bounds what is kept.
const mostSaid = 16 << 10

func (l *lastLines) Write(p []byte) (int, error) {
	l.text.Write(p)
	if more := l.text.Len() - mostSaid; more > 0 {
		l.text.Next(more)
	}
	return len(p), nil
}

// last returns the last line that is not empty.
func (l *lastLines) last() string {
	lines := strings.Split(strings.TrimSpace(l.text.String()), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// log scores one of the logs, in its place.
func (w *withZeek) log(log, file string) error {
	k, m := kindOf(log), w.models[log]
	if m == nil {
		var err error
		without := w.noModel
		without.input = log + ".log itself"
		m, err = without.ofLogs(w.session, []string{file}, false)
		if errors.Is(err, forest.ErrTooFewRows) {
			w.warn("%s: too few %s to learn from, so they have no score: name a model with -m", file, rowsOf(k))
			return nil
		} else if err != nil {
			return err
		}
	}
	best, top := w.limits()
	best.of = k
	path := file
	if top > 0 {
		path = ""
	}
	o, err := w.output(path)
	if err != nil {
		return err
	}
	defer o.discard()
	sc := scoring{session: w.session, model: m, kind: k, lake: &lake{hosts: feature.NewHosts(model.DefaultHosts)}, columns: w.columns, strangest: best}
	if err := sc.logs(o, []string{file}, top > 0); err != nil {
		return err
	}
	if top > 0 {
		fmt.Fprintf(o, "%s.log\n", log)
		if err := best.table(o, top); err != nil {
			return err
		}
		if log != w.lastLog() {
			io.WriteString(o, "\n")
		}
	}
	if err := o.commit(); err != nil {
		return err
	}
	if top == 0 {
		w.say("%s: %s scored", file, pluralOf(sc.used, rowsOf(k)))
	}
	return best.passed()
}

// lastLog returns the last of the logs that Zeek wrote.
func (w *withZeek) lastLog() string {
	logs := scoredLogs()
	slices.Reverse(logs)
	for _, log := range logs {
		if exists(filepath.Join(w.dir, log+".log")) {
			return log
		}
	}
	return ""
}
