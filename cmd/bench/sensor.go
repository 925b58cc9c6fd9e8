//go:build unix

package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// sensor builds the package, lets zeek-pkg/testing/cost measure what it costs a
// Zeek, and keeps its lines.
func (b *bench) sensor(string) error {
	var t task
	for _, program := range []string{"zeek", "cmake"} {
		t.installed(program)
	}
	if len(t.absent) > 0 {
		b.say("sensor: skipped: needs %s", strings.Join(t.absent, " and "))
		b.report.absent = append(b.report.absent, t.absent...)
		return nil
	}
	testing := filepath.Join(b.root, "zeek-pkg", "testing")
	if _, err := b.do(b.root, filepath.Join(b.root, "zeek-pkg", "build.sh")); err != nil {
		return err
	}
	if err := b.makeLogs(); err != nil {
		return err
	}
	out, err := b.do(b.root, filepath.Join(testing, "cost"), b.path("site.model"), fmt.Sprint(b.runs), fmt.Sprint(b.packets))
	if err != nil {
		return err
	}
	b.report.inputs = append(b.report.inputs, fmt.Sprintf("%d runs with and without the package, in turns; the learning sensor begins from nothing in each.", b.runs))
	b.report.text = costTable(out)
	return nil
}

// costTable returns what the script says, which is lines of "what: figures" and of
// "step    median … ns, least … ns", as Markdown.
func costTable(out string) string {
	var w strings.Builder
	w.WriteString("| what | measured |\n|---|---|\n")
	for line := range strings.Lines(strings.TrimSpace(out)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		what, figures, ok := strings.Cut(line, ": ")
		if !ok {
			if at := strings.Index(line, " median "); at >= 0 {
				what, figures = strings.TrimSpace(line[:at]), strings.TrimSpace(line[at:])
			} else {
				what, figures = line, ""
			}
		}
		fmt.Fprintf(&w, "| %s | %s |\n", what, figures)
	}
	return w.String()
}
