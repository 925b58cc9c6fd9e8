//go:build unix

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// stages says what each part of replay's work takes: in instructions, which
// valgrind counts alike on a quiet machine and on a busy one, and in CPU time,
// which perf samples. What the runtime, the standard library and the kernel do
// counts for the stage that called them.
func (b *bench) stages(string) error {
	var need task
	valgrind := need.installed("valgrind")
	if valgrind == "" {
		b.say("stages: skipped: needs valgrind")
		b.report.absent = append(b.report.absent, need.absent...)
		return nil
	}
	perf := need.installed("perf")
	b.report.absent = append(b.report.absent, need.absent...)
	if err := b.makeLogs(); err != nil { // for the model
		return err
	}
	// Valgrind does not follow Go's signals, nor cgo's stacks.
	program := b.path("zeek-iforest-nocgo")
	if _, err := b.do(b.root, "env", "CGO_ENABLED=0", "go", "build", "-o", program, "./cmd/zeek-iforest"); err != nil {
		return err
	}
	replay := func(pcap string) []string {
		return []string{program, "replay", "-m", b.path("site.model"), "-o", os.DevNull, pcap}
	}
	count := func(pcap string) (*callgrind, error) {
		return b.callgrind(valgrind, b.dir, stageOfReplay(b.root), replay(pcap))
	}

	var text strings.Builder
	for _, c := range []struct {
		name   string
		title  string
		probes int
	}{
		{"merged", "a capture of many applications", 0},
		{"scanned", "the same and twice as many probes of scans", 2},
	} {
		pcap := b.path(c.name + ".pcap")
		packets, err := b.makeCapture(c.name+".pcap", c.probes)
		if err != nil {
			return err
		}
		// Valgrind takes fifty times as long, so it gets a tenth; what it counts
		// of one packet is the start.
		first, tenth := b.path(c.name+"-first.pcap"), b.path(c.name+"-tenth.pcap")
		if err := cutCapture(first, pcap, 1); err != nil {
			return err
		}
		if err := cutCapture(tenth, pcap, packets/10); err != nil {
			return err
		}
		start, err := count(first)
		if err != nil {
			return err
		}
		counted, err := count(tenth)
		if err != nil {
			return err
		}
		var sampled map[string]uint64
		if perf != "" {
			if sampled, err = b.sample(perf, counted, replay(pcap)); err != nil {
				return err
			}
		}
		writeStages(&text, fmt.Sprintf("%s (%d packets counted, %d sampled)", c.title, packets/10, packets),
			counted.stages(), start.stages(), float64(packets/10-1), sampled)
	}
	b.report.text = text.String()
	b.report.inputs = append(b.report.inputs,
		"`GOMAXPROCS=1 GODEBUG=asyncpreemptoff=1 valgrind --tool=callgrind zeek-iforest replay -m site.model -o /dev/null CAPTURE` (built with CGO_ENABLED=0), without what the same does for its first packets; CPU time: `perf record -e cpu-clock`.")
	return nil
}

// cutCapture writes the first packets of a capture to another file.
func cutCapture(to, from string, packets int) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return writeFile(to, func(w io.Writer) error {
		r := bufio.NewReader(in)
		if _, err := io.CopyN(w, r, 24); err != nil {
			return err
		}
		for range packets {
			header, err := r.Peek(16)
			if err != nil {
				return err
			}
			if _, err := io.CopyN(w, r, 16+int64(binary.LittleEndian.Uint32(header[8:]))); err != nil {
				return err
			}
		}
		return nil
	})
}

// sample lets perf look a thousand times a second which stage is at work.
func (b *bench) sample(perf string, known *callgrind, command []string) (map[string]uint64, error) {
	data := b.path("perf.data")
	record := append([]string{perf, "record", "-q", "-e", "cpu-clock", "-F", "999", "--call-graph", "fp", "-o", data}, command...)
	if _, err := b.do(b.dir, append([]string{"env", "GOMAXPROCS=1"}, record...)...); err != nil {
		return nil, err
	}
	out, err := b.do(b.dir, perf, "script", "-i", data, "-F", "ip,sym")
	if err != nil {
		return nil, err
	}
	samples := map[string]uint64{}
	for stack := range strings.SplitSeq(strings.TrimSpace(out), "\n\n") {
		samples[known.stageOfStack(stack)]++
	}
	return samples, nil
}

// stageOfStack returns that of the innermost frame that has one.
func (c *callgrind) stageOfStack(stack string) string {
	for line := range strings.Lines(stack) {
		_, symbol, _ := strings.Cut(strings.TrimSpace(line), " ")
		if stage := c.stage[symbol]; stage != "" {
			return stage
		}
	}
	return stageRuntime
}

func writeStages(w io.Writer, title string, counted, start map[string]uint64, packets float64, sampled map[string]uint64) {
	total, samples := 0.0, uint64(0)
	for _, s := range stageNames {
		total += less(counted[s], start[s])
		samples += sampled[s]
	}
	fmt.Fprintf(w, "| %s | instructions a packet | share | share of the CPU time |\n|---|---|---|---|\n", title)
	row := func(name string, n float64, hits uint64) {
		cpu := ""
		if samples > 0 {
			cpu = fmt.Sprintf("%.0f %%", 100*float64(hits)/float64(samples))
		}
		fmt.Fprintf(w, "| %s | %.0f | %.0f %% | %s |\n", name, n/packets, 100*n/total, cpu)
	}
	begun := 0.0
	for _, s := range stageNames {
		row(s, less(counted[s], start[s]), sampled[s])
		begun += float64(start[s])
	}
	row("all", total, samples)
	fmt.Fprintf(w, "\nThe start, until the first packets are read: %.0f million instructions; %.0f million more for the rest.\n\n", begun/1e6, total/1e6)
}

func less(a, b uint64) float64 { return max(0, float64(a)-float64(b)) }

const stageRuntime = "runtime: collector, scheduler"

// stageNames are the stages in the order of a packet's way.
var stageNames = []string{"read", "link, IP, checksums", "table", "TCP", "service detection", "timers", "features", "forest", "writing", stageRuntime}

// stageFiles says which files, from the root of the repository, are which
// stage: the first line that fits.
var stageFiles = []struct{ pattern, stage string }{
	{"capture/service/*", "service detection"},
	{"capture/zeeklog/*", "writing"},
	{"cmd/zeek-iforest/*", "writing"},
	{"capture/source.go", "read"}, {"capture/pcap*.go", "read"}, {"capture/lend.go", "read"},
	{"capture/merge.go", "read"}, {"capture/ahead.go", "read"}, {"capture/capture.go", "read"},
	{"capture/timer*.go", "timers"}, {"capture/expire.go", "timers"},
	{"capture/tcp*.go", "TCP"}, {"capture/seq.go", "TCP"}, {"capture/buffer.go", "TCP"},
	{"capture/decode.go", "link, IP, checksums"}, {"capture/link*.go", "link, IP, checksums"}, {"capture/ip*.go", "link, IP, checksums"},
	{"capture/tunnel*.go", "link, IP, checksums"}, {"capture/fragment.go", "link, IP, checksums"}, {"capture/checksum.go", "link, IP, checksums"},
	{"capture/weird.go", "link, IP, checksums"}, {"capture/encapsulation.go", "link, IP, checksums"},
	{"capture/*", "table"},
	{"model/feature/*", "features"}, {"model/conn/*", "features"},
	{"model/forest/*", "forest"}, {"model/*", "forest"}, {"model/*/*", "forest"},
}

// stageOfReplay finds the stage of a file of the repository's.
func stageOfReplay(root string) func(_, file, _ string) string {
	return func(_, file, _ string) string { return stageOfFile(strings.TrimPrefix(file, root+"/")) }
}

func stageOfFile(file string) string {
	if strings.Contains(file, "google/gopacket") {
		return "link, IP, checksums"
	}
	for _, f := range stageFiles {
		if ok, _ := filepath.Match(f.pattern, file); ok {
			return f.stage
		}
	}
	return ""
}

// callgrind is what valgrind counted.
type callgrind struct {
	stage  map[string]string             // of the functions that have one
	direct map[string]uint64             // instructions by stage
	self   map[string]uint64             // of functions without a stage
	calls  map[string]map[string]float64 // inclusive: by callee without a stage, by caller
}

// callgrind counts the instructions of a command that valgrind runs in a directory,
// on one thread and without the signals that valgrind does not follow; env is added
// to its environment. stageOf is readCallgrind's.
func (b *bench) callgrind(valgrind, dir string, stageOf func(object, file, function string) string, command []string, env ...string) (*callgrind, error) {
	out := b.path("callgrind.out")
	under := slices.Concat([]string{"env"}, env, []string{"GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1", valgrind, "-q", "--tool=callgrind", "--callgrind-out-file=" + out}, command)
	if _, err := b.do(dir, under...); err != nil {
		return nil, err
	}
	f, err := os.Open(out)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readCallgrind(f, stageOf)
}

// readCallgrind reads a file of callgrind's, with positions by line and one
// event (https://valgrind.org/docs/manual/cl-format.html). Costs of a
// function that was inlined stand under its own file. stageOf may know none.
func readCallgrind(r io.Reader, stageOf func(object, file, function string) string) (*callgrind, error) {
	c := &callgrind{stage: map[string]string{}, direct: map[string]uint64{}, self: map[string]uint64{}, calls: map[string]map[string]float64{}}
	objects, files, functions := map[string]string{}, map[string]string{}, map[string]string{}
	name := func(known map[string]string, text string) string { // "(12) name", then "(12)"
		id, name, ok := strings.Cut(text, " ")
		if ok {
			known[id] = name
		}
		return known[id]
	}
	var object, file, function, callee string
	called := false
	known := map[[3]string]string{} // of stageOf
	stageOfLine := func() string {
		key := [3]string{object, file, function}
		stage, ok := known[key]
		if !ok {
			stage = stageOf(object, file, function)
			known[key] = stage
		}
		return stage
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		line := s.Text()
		key, value, _ := strings.Cut(line, "=")
		switch key {
		case "ob":
			object = name(objects, value)
		case "cob":
			name(objects, value)
		case "fl", "fi", "fe":
			file = name(files, value)
		case "fn":
			function = plain(name(functions, value))
			if stage := stageOfLine(); stage != "" {
				c.stage[function] = stage
			}
		case "cfn":
			callee = plain(name(functions, value))
		case "cfi", "cfl":
			name(files, value)
		case "calls":
			called = true
		default:
			position, n, ok := strings.Cut(line, " ")
			if !ok || !strings.Contains("+-*0123456789", position[:min(1, len(position))]) {
				continue
			}
			cost, err := strconv.ParseUint(n, 10, 64)
			if err != nil {
				continue
			}
			switch stage := stageOfLine(); {
			case called:
				if c.calls[callee] == nil {
					c.calls[callee] = map[string]float64{}
				}
				c.calls[callee][function] += float64(cost)
				called = false
			case stage != "":
				c.direct[stage] += cost
			case c.stage[function] != "":
				c.direct[c.stage[function]] += cost
			default:
				c.self[function] += cost
			}
		}
	}
	return c, s.Err()
}

// plain returns a function's name without the number that callgrind gives to what a
// recursion called.
func plain(function string) string {
	if i := strings.LastIndexByte(function, '\''); i > 0 && strings.Trim(function[i+1:], "0123456789") == "" {
		return function[:i]
	}
	return function
}

// stages returns the instructions of each stage, those of functions without one
// shared out among their callers.
func (c *callgrind) stages() map[string]uint64 {
	shares := map[string]map[string]float64{} // of functions without a stage
	for range 40 {                            // deep enough for any chain of calls
		next := map[string]map[string]float64{}
		for callee, callers := range c.calls {
			if c.stage[callee] != "" {
				continue
			}
			share, all := map[string]float64{}, 0.0
			for caller, cost := range callers {
				all += cost
				if stage := c.stage[caller]; stage != "" {
					share[stage] += cost
					continue
				}
				for stage, part := range shares[caller] {
					share[stage] += part * cost
				}
			}
			for stage := range share {
				share[stage] /= max(all, 1)
			}
			next[callee] = share
		}
		shares = next
	}
	stages := map[string]uint64{}
	for stage, n := range c.direct {
		stages[stage] += n
	}
	for function, n := range c.self {
		rest := float64(n)
		for stage, part := range shares[function] {
			stages[stage] += uint64(part * float64(n))
			rest -= part * float64(n)
		}
		stages[stageRuntime] += uint64(max(0, rest))
	}
	return stages
}
