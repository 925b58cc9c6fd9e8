//go:build unix

// Command bench measures how fast zeek-iforest is, beside every rival that the
// machine has, and writes the table of docs/benchmarks.md. It names the rivals
// that are absent.
//
//	go run ./cmd/bench                     everything but the soak; takes some minutes
//	go run ./cmd/bench --only logs         one part: forest, logs, captures, stages, sensor, sensor-stages or scaling
//	go run ./cmd/bench --soak 10000000     a sensor's whole life instead, as fast as it goes
//
// Times are CPU time, user and system, and wall clock. Contenders take turns, so
// that a machine that slows down slows all of them; what counts is the ratio in
// the same round. The inputs are made from testdata and, where it lies beside
// the repository, from ../shared: the output says from which.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{ctx: ctx}
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	flags.IntVar(&b.runs, "runs", 5, "rounds in which each contender runs once")
	flags.IntVar(&b.rows, "rows", 1_000_000, "connections in the logs")
	flags.IntVar(&b.packets, "packets", 1_000_000, "packets in the captures")
	only := flags.StringSlice("only", nil, "the `PARTS` to measure: forest, logs, captures, stages, sensor, sensor-stages, scaling")
	into := flags.StringArrayP("into", "o", nil, "replace the measured part of this Markdown `FILE`; may be given again (without it, standard output)")
	plots := flags.String("plots", "docs", "the `FOLDER` for the curves of scaling and soak")
	soak := flags.Int("soak", 0, "let `N` connections of N/10 hosts pass through a learning sensor, and measure nothing else")
	err := flags.Parse(os.Args[1:])
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("%q is not an option", flags.Arg(0))
	case err == nil && *soak > 0:
		err = b.soak(*soak, *plots)
	case err == nil:
		err = b.measure(*only, *plots)
	}
	if err == nil {
		err = b.write(*into)
	}
	b.close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
}

// bench is one run of the command.
type bench struct {
	ctx     context.Context
	runs    int
	rows    int
	packets int

	dir     string // for what is built and made
	root    string // of the repository
	program string // zeek-iforest
	report  report // of the part being measured
	parts   map[string]string
	order   []string
}

// part is something to measure.
type part struct {
	name string
	run  func(*bench, string) error
}

func (b *bench) measure(only []string, plots string) error {
	parts := []part{{"forest", (*bench).forest}, {"logs", (*bench).logs}, {"captures", (*bench).captures}, {"stages", (*bench).stages}, {"sensor", (*bench).sensor}, {"sensor-stages", (*bench).sensorStages}, {"scaling", (*bench).scaling}}
	for _, name := range only {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("there is no part %q: --help lists them", name)
		}
	}
	if err := b.setUp(); err != nil {
		return err
	}
	for _, p := range parts {
		if len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		if err := p.run(b, plots); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		b.finish(p.name)
	}
	return nil
}

// setUp finds the repository and builds the program.
func (b *bench) setUp() (err error) {
	if b.root, err = os.Getwd(); err != nil {
		return err
	}
	for !exists(filepath.Join(b.root, "go.mod")) {
		if b.root == filepath.Dir(b.root) {
			return errors.New("run it from the repository: there is no go.mod above this folder")
		}
		b.root = filepath.Dir(b.root)
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	b.program = filepath.Join(b.dir, "zeek-iforest")
	_, err = b.do(b.root, "go", "build", "-o", b.program, "./cmd/zeek-iforest")
	return err
}

func (b *bench) close() {
	if b.dir != "" {
		os.RemoveAll(b.dir)
	}
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: %s\n", fmt.Sprintf(format, args...))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// shared returns a path in the data beside the repository, or "" if it is absent.
func (b *bench) shared(elem ...string) string {
	path := filepath.Join(append([]string{b.root, "..", "shared"}, elem...)...)
	if !exists(path) {
		return ""
	}
	return path
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// short returns a path as the report shows it: without this machine's folders.
func (b *bench) short(arg string) string {
	for _, dir := range []string{b.dir, b.root} {
		arg = strings.ReplaceAll(arg, dir+string(filepath.Separator), "")
	}
	return arg
}
