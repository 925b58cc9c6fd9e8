//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is what a part of a run found.
type report struct {
	inputs []string
	tasks  []task
	absent []string
	text   string // Markdown behind the table
}

// Each part of the measured text stands between these lines, so that a run that
// measures one part leaves the others.
func marks(part string) (begin, end string) {
	return "<!-- measured: " + part + " -->", "<!-- end of " + part + " -->"
}

// finish makes the Markdown of a part.
func (b *bench) finish(part string) {
	if b.parts == nil {
		b.parts = map[string]string{}
	}
	var w strings.Builder
	fmt.Fprintf(&w, "%s, %s, load at the end %s.", machine(), time.Now().UTC().Format("2006-01-02"), load())
	if len(b.report.tasks) > 0 {
		fmt.Fprintf(&w, " Each program ran %d times, taking turns; least and (median).", b.runs)
	}
	for _, line := range b.report.inputs {
		fmt.Fprintf(&w, "\n%s", line)
	}
	absent := slices.Clone(b.report.absent)
	for _, t := range b.report.tasks {
		absent = append(absent, t.absent...)
	}
	slices.Sort(absent)
	if absent = slices.Compact(absent); len(absent) > 0 {
		fmt.Fprintf(&w, "\nNot on this machine, so not measured: %s.", strings.Join(absent, ", "))
	}
	w.WriteString("\n\n")
	if len(b.report.tasks) > 0 {
		w.WriteString(table(b.report.tasks) + "\n")
	}
	w.WriteString(b.report.text)
	b.parts[part] = strings.TrimRight(w.String(), "\n") + "\n"
	b.order = append(b.order, part)
	b.report = report{}
}

// write puts each part that was measured into its place in the files.
func (b *bench) write(files []string) error {
	if len(files) == 0 {
		for _, name := range b.order {
			fmt.Printf("## %s\n\n%s\n", name, b.parts[name])
		}
		return nil
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		put := 0
		for name, part := range b.parts {
			begin, end := marks(name)
			before, rest, ok := strings.Cut(string(text), begin+"\n")
			_, after, ok2 := strings.Cut(rest, end)
			if ok && ok2 {
				text = []byte(before + begin + "\n" + part + end + after)
				put++
			}
		}
		if put == 0 {
			begin, _ := marks(b.order[0])
			return fmt.Errorf("%s has no place for what was measured: a line %q", file, begin)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// table has one row for each program in each task.
func table(tasks []task) string {
	var w strings.Builder
	fmt.Fprintf(&w, "| task | program | CPU time | wall clock | a unit, CPU | × ours, CPU | memory |\n|---|---|---|---|---|---|---|\n")
	for _, t := range tasks {
		for i, c := range t.contenders {
			title := ""
			if i == 0 {
				title = t.title
			}
			units := t.units
			if strings.Contains(c.name, "a tenth") {
				units /= 10
			}
			cpu, cpuMedian := spread(c.costs, cpuOf)
			wall, wallMedian := spread(c.costs, wallOf)
			_, resident := spread(c.costs, func(c cost) float64 { return float64(c.resident) })
			memory := ""
			if resident > 0 {
				memory = fmt.Sprintf("%.0f MB", resident/1e6)
			}
			ratio := ""
			if i > 0 {
				ratio = fmt.Sprintf("%.2g", against(c.costs, t.contenders[0].costs))
				if r := against(c.costs, t.contenders[0].costs); r >= 100 {
					ratio = fmt.Sprintf("%.0f", r)
				}
			}
			fmt.Fprintf(&w, "| %s | %s: `%s` | %s (%s) | %s (%s) | %s/%s | %s | %s |\n", title, c.name, strings.ReplaceAll(c.command, "|", `\|`),
				duration(cpu), duration(cpuMedian), duration(wall), duration(wallMedian), duration(cpu/units), t.unit, ratio, memory)
		}
	}
	return w.String()
}

// duration returns a number of seconds with three digits.
func duration(s float64) string {
	switch {
	case s >= 1:
		return fmt.Sprintf("%.3g s", s)
	case s >= 1e-3:
		return fmt.Sprintf("%.3g ms", s*1e3)
	case s >= 1e-6:
		return fmt.Sprintf("%.3g µs", s*1e6)
	}
	return fmt.Sprintf("%.3g ns", s*1e9)
}

func machine() string {
	name := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for s := bufio.NewScanner(bytes.NewReader(info)); s.Scan(); {
			if key, value, _ := strings.Cut(s.Text(), ":"); strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	text := fmt.Sprintf("%s, %d cores, %s", name, runtime.NumCPU(), runtime.Version())
	if out, err := exec.Command("zeek", "--version").Output(); err == nil {
		text += ", " + strings.TrimSpace(string(out))
	}
	return text
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
