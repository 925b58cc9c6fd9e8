//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/internal/report"
)

// rows is what a conn.log holds.
type rows struct {
	all, unscored  int
	unscoredBehind int // the first that is scored
	models         map[string]bool
	cutOff         bool // the last line
}

// readRows reads a conn.log that a Zeek may have left in the middle of a line.
func readRows(name string) (r rows, err error) {
	f, err := os.Open(name)
	if err != nil {
		return r, err
	}
	defer f.Close()
	r.models = map[string]bool{}
	score, model := -1, -1
	for in := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			r.cutOff = line != ""
			return r, nil
		}
		if err != nil {
			return r, err
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			if fields[0] == "#fields" {
				score, model = slices.Index(fields, "anomaly_score")-1, slices.Index(fields, "anomaly_model")-1
			}
			continue
		}
		r.all++
		if score < 0 { // a Zeek without the package
			continue
		}
		if len(fields) <= max(score, model) {
			return r, fmt.Errorf("%s: row %d has too few fields", name, r.all)
		}
		if value, err := strconv.ParseFloat(fields[score], 64); err == nil && value > 0 && value < 1 {
			r.models[fields[model]] = true
			continue
		}
		r.unscored++
		if len(r.models) > 0 {
			r.unscoredBehind++
		}
	}
}

// counts is a line of what soak.zeek tells.
type counts map[string]float64

func readCounts(name string) (all []counts, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) < 3 || !strings.Contains(line, "raised=") {
			continue // the last one of a Zeek that was killed
		}
		c := counts{}
		if words[0] == "end" {
			c["end"] = 1
		}
		for _, word := range words[2:] {
			name, value, _ := strings.Cut(word, "=")
			if c[name], err = strconv.ParseFloat(value, 64); err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no counts", name)
	}
	return all, nil
}

var (
	stamp   = regexp.MustCompile(`^([0-9]+\.[0-9]+ +)?(<command line>, line [0-9]+: )?`)
	dropped = regexp.MustCompile(`([0-9]+) packets received on interface.* ([0-9]+) \([0-9.]+%\) dropped`)
	// What Zeek says in any case, and the warning that is asked for.
	expected = regexp.MustCompile(`^(listening on |received termination signal|[0-9]+ packets received|` +
		`warning in .*model\.zeek.*: IForest: model [0-9a-f]{12} stays: .*garbage\.model)`)
)

// said reads what Zeek wrote on stderr: lines that were not expected, those of
// the refused model, packets received and dropped.
func said(name string) (surprises []string, refusals, received, lost int, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		line = stamp.ReplaceAllString(strings.TrimSpace(line), "")
		if m := dropped.FindStringSubmatch(line); m != nil {
			received, _ = strconv.Atoi(m[1])
			lost, _ = strconv.Atoi(m[2])
		}
		switch {
		case line == "":
		case !expected.MatchString(line):
			surprises = append(surprises, line)
		case strings.Contains(line, "garbage"):
			refusals++
		}
	}
	return surprises, refusals, received, lost, nil
}

// mayGrow is how far the resident size may grow within a life, and from life to
// life: what an allocator's luck needs.
const mayGrow = 1.05

// judgement is what was found wrong, and what one life leaves to the next.
type judgement struct {
	faults     []string
	stood      float64 // the learner's rows at the end of the life before
	lost       float64 // of them by SIGKILL
	lastKilled bool
	promoted   float64
	refused    float64
	settled    []float64 // resident sizes at the ends of the lives
}

func (j *judgement) wrong(n int, format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf("life %d: ", n+1)+fmt.Sprintf(format, args...))
}

// rows: each is scored once there is a model, and the others came before it.
func (j *judgement) rows(n int, killed bool, r rows, last counts) {
	if r.unscoredBehind > 0 {
		j.wrong(n, "%d rows behind the first score are not scored", r.unscoredBehind)
	}
	if n > 0 && r.unscored > 0 {
		j.wrong(n, "%d rows are not scored, though a model was kept", r.unscored)
	}
	if n == 0 && (r.unscored < warmup || r.unscored > warmup+rebuildEvery/10) {
		j.wrong(n, "%d rows without a model, and the first was due after %d", r.unscored, warmup)
	}
	if float64(r.unscored) != last["no_model"] || last["other"] != 0 {
		j.wrong(n, "%d rows are not scored; counted are %.0f without a model and %.0f for other causes", r.unscored, last["no_model"], last["other"])
	}
	if killed {
		return // what was in buffers is gone
	}
	if float64(r.all) != last["scored"]+last["no_model"] {
		j.wrong(n, "%d rows, but %.0f were scored and %.0f had no model", r.all, last["scored"], last["no_model"])
	}
	if r.cutOff {
		j.wrong(n, "conn.log ends in the middle of a line")
	}
}

// learner: it goes on where it stood. start is where that was.
func (j *judgement) learner(n int, killed bool, told []counts) (start float64) {
	first := true
	for _, c := range told {
		if c["learning"] != 1 {
			continue
		}
		if first {
			start, first = c["learnt"]-c["scored"]-c["no_model"], false
			if j.lastKilled {
				j.lost += j.stood - start
			}
			if lost := j.stood - start; lost < 0 || lost > 0 && !j.lastKilled || lost > 2*saveEvery {
				j.wrong(n, "learning began at row %.0f, and had come to %.0f", start, j.stood)
			}
		} else if c["learnt"] < j.stood {
			j.wrong(n, "the learner went back from row %.0f to %.0f", j.stood, c["learnt"])
		}
		j.stood, j.promoted, j.refused = c["learnt"], c["promoted"], c["refused"]
	}
	if first {
		j.wrong(n, "it did not learn")
	}
	j.lastKilled = killed
	return start
}

// memory: it is the same while the sensor learns before its options change and
// when it learns again behind that, and from life to life. In the first life
// tables fill.
func (j *judgement) memory(n int, l *life) (before, after float64) {
	before, after = settled(l.with[len(l.with)/6:len(l.with)/3]), settled(l.with[7*len(l.with)/8:])
	if n > 0 && after > mayGrow*before {
		j.wrong(n, "the resident size grew from %.0f to %.0f MB", before/1e6, after/1e6)
	}
	if n > 1 && after > mayGrow*j.settled[1] {
		j.wrong(n, "the resident size is %.0f MB at its end, and was %.0f MB at that of the second life", after/1e6, j.settled[1]/1e6)
	}
	j.settled = append(j.settled, after)
	return before, after
}

// warnings returns the lines of reporter.log that were not asked for.
func warnings(name string) (lines []string, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "garbage.model") && !strings.Contains(line, "\tReporter::INFO\t") {
			lines = append(lines, "reporter.log: "+strings.TrimSpace(line))
		}
	}
	return lines, err
}

// judge prints what became of the lives, and says whether something failed.
func judge(s settings, traffic sending, lives []*life, took time.Duration) (failed bool, err error) {
	var j judgement
	var table, surprises strings.Builder
	total, unscored := 0, 0
	for n, l := range lives {
		if len(l.with) < 24 {
			return false, fmt.Errorf("life %d was too short to judge", n+1)
		}
		bare := filepath.Join(l.dir, "without")
		r, err1 := readRows(filepath.Join(l.dir, "conn.log"))
		plain, err2 := readRows(filepath.Join(bare, "conn.log"))
		told, err3 := readCounts(filepath.Join(l.dir, "counts"))
		odd, refusals, received, drops, err4 := said(filepath.Join(l.dir, "stderr"))
		_, _, _, plainDrops, err5 := said(filepath.Join(bare, "stderr"))
		more, err6 := warnings(filepath.Join(l.dir, "reporter.log"))
		if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
			return false, err
		}
		j.rows(n, l.killed, r, told[len(told)-1])
		start := j.learner(n, l.killed, told)
		before, after := j.memory(n, l)
		if refusals != 1 {
			j.wrong(n, "%d warnings of a refused model, 1 was asked for", refusals)
		}
		if odd = append(odd, more...); len(odd) > 0 {
			j.wrong(n, "%d lines that were not expected", len(odd))
		}
		for _, line := range slices.Compact(odd) {
			fmt.Fprintf(&surprises, "life %d: %s\n", n+1, line)
		}

		end := "SIGTERM"
		if l.killed {
			end = "SIGKILL"
		}
		fmt.Fprintf(&table, "| %d, %.1f min, %s | %d (%d) | %d | %d | %.0f … %.0f | %.0f, %.0f, %.0f (%.0f) | %.3f (%.3f) | %d, %d (%d) |\n",
			n+1, l.lasted.Minutes(), end, r.all, plain.all, r.unscored, len(r.models), start, j.stood,
			before/1e6, after/1e6, largest(l.with)/1e6, settled(l.without[7*len(l.without)/8:])/1e6,
			cores(l.with), cores(l.without), received, drops, plainDrops)
		total, unscored = total+r.all, unscored+r.unscored
	}

	fmt.Printf("%v; %d packets of %d offices and %d strangers sent. %d rows of conn.log, %d without a score. "+
		"Models learnt: %.0f promoted, %.0f refused. SIGKILL lost %.0f rows of learning.\n\n", took.Round(time.Second), traffic.packets, traffic.offices,
		traffic.strangers, total, unscored, j.promoted, j.refused, j.lost)
	fmt.Println("In brackets a Zeek without the package on the same traffic.")
	fmt.Println()
	fmt.Println("| life | rows | not scored | models in the log | learnt: from row … to | MB resident: before the changes, at the end, most | cores used | packets seen, dropped |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	fmt.Println(table.String())
	fmt.Print(surprises.String())
	for _, fault := range j.faults {
		fmt.Println("FAILED:", fault)
	}
	if s.plots != "" {
		err = plot(filepath.Join(s.plots, "soak-sensor.svg"), lives)
	}
	return len(j.faults) > 0, err
}

// cores returns the CPU time for a second of wall clock.
func cores(of []sample) float64 {
	last := of[len(of)-1]
	return (last.cpu - of[0].cpu).Seconds() / last.at.Sub(of[0].at).Seconds()
}

func largest(of []sample) (most float64) {
	for _, s := range of {
		most = max(most, s.resident)
	}
	return most
}

// settled returns the median, which what is there for a minute does not move.
func settled(of []sample) float64 {
	sizes := make([]float64, len(of))
	for i := range of {
		sizes[i] = of[i].resident
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2]
}

func plot(name string, lives []*life) error {
	with, without := report.Line{Name: "with the package"}, report.Line{Name: "without it"}
	for _, l := range lives {
		for i := 0; i < len(l.with); i += 5 {
			at := l.with[i].at.Sub(lives[0].began).Minutes()
			with.X, with.Y = append(with.X, at), append(with.Y, l.with[i].resident/1e6)
			without.X, without.Y = append(without.X, at), append(without.Y, l.without[i].resident/1e6)
		}
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(report.Lines(f, "resident size of Zeek on looping traffic, which is ended and started again", "minutes", "MB", false, with, without), f.Close())
}
