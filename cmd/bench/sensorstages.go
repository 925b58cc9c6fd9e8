//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sensorStages says where the instructions go that the package costs a Zeek, by
// stage, for each connection: those of a Zeek with the package less those of one
// without, of a capture less those of its first packets. Valgrind counts alike on
// a quiet machine and on a busy one.
func (b *bench) sensorStages(string) error {
	var need task
	valgrind := need.installed("valgrind")
	for _, program := range []string{"zeek", "cmake"} {
		need.installed(program)
	}
	if len(need.absent) > 0 {
		b.say("sensor-stages: skipped: needs %s", strings.Join(need.absent, " and "))
		b.report.absent = append(b.report.absent, need.absent...)
		return nil
	}
	b.rows = min(b.rows, 100_000)
	if err := b.makeLogs(); err != nil { // for the model
		return err
	}
	plugin, err := b.pluginWithSymbols()
	if err != nil {
		return err
	}
	traffic := b.path("traffic")
	if _, err := b.do(b.root, "go", "build", "-o", traffic, "./zeek-pkg/testing/traffic"); err != nil {
		return err
	}
	count := func(pcap string, with bool) (counted, error) {
		dir := b.path("run")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return counted{}, err
		}
		defer os.RemoveAll(dir)
		plugins, zeek := dir, []string{"zeek", "-C", "-r", pcap}
		if with {
			plugins, zeek = plugin, append(zeek, filepath.Join(b.root, "scripts"), "IForest::learn=F", "IForest::model_file="+b.path("site.model"))
		}
		c, err := b.callgrind(valgrind, dir, stageOfSensor, zeek,
			"ZEEK_PLUGIN_PATH="+plugins, "ZEEK_SEED_FILE="+filepath.Join(b.root, "zeek-pkg", "testing", "random.seed"))
		if err != nil {
			return counted{}, err
		}
		rows, err := os.ReadFile(filepath.Join(dir, "conn.log"))
		n := 0
		for line := range strings.Lines(string(rows)) {
			if !strings.HasPrefix(line, "#") {
				n++
			}
		}
		return counted{c.stages(), n}, err
	}

	// With a connection for each feature the first ones, for which the library
	// gets ready, are behind it.
	var start [2]counted
	var columns []column
	for _, c := range []struct {
		title   string
		traffic []string
	}{
		{"", []string{"syns", "100", "1"}},
		{"office-day.pcap, four days", []string{"repeat", "4", filepath.Join(b.root, "testdata", "pcaps", "office-day.pcap")}},
		{"a scan, a SYN each", []string{"syns", "10000", "1"}},
		{"74 minutes each, looked at after 10, 30 and 60", []string{"long", "1000", "74"}},
	} {
		pcap := b.path("sensor.pcap")
		if _, err := b.do(b.dir, append([]string{"sh", "-c", `"$@" >` + pcap, "sh", traffic}, c.traffic...)...); err != nil {
			return err
		}
		var both [2]counted
		for i := range both {
			if both[i], err = count(pcap, i == 1); err != nil {
				return err
			}
		}
		if c.title == "" {
			start = both
			continue
		}
		columns = append(columns, newColumn(c.title, start, both))
	}
	b.report.text = sensorTable(columns, start)
	b.report.inputs = append(b.report.inputs,
		"`GOMAXPROCS=1 GODEBUG=asyncpreemptoff=1 valgrind --tool=callgrind zeek -C -r CAPTURE scripts IForest::learn=F IForest::model_file=site.model`, Zeek's default scripts, the library with its symbols.")
	return nil
}

// pluginWithSymbols builds the package, and gives a copy of it a library in which
// valgrind finds the functions and their files.
func (b *bench) pluginWithSymbols() (string, error) {
	if _, err := b.do(b.root, filepath.Join(b.root, "zeek-pkg", "build.sh")); err != nil {
		return "", err
	}
	plugin := b.path("plugin")
	if err := os.MkdirAll(plugin, 0o755); err != nil {
		return "", err
	}
	for _, part := range []string{"__zeek_plugin__", "lib", "scripts"} {
		if _, err := b.do(b.dir, "cp", "-RL", filepath.Join(b.root, "build", "zeek-pkg", part), plugin); err != nil {
			return "", err
		}
	}
	_, err := b.do(b.root, "env", "CGO_ENABLED=1", "go", "build", "-trimpath", "-buildmode=c-shared", "-o", filepath.Join(plugin, "lib", "libiforest.so"), "./gobridge")
	return plugin, err
}

// counted is what a Zeek took for a capture.
type counted struct {
	stages map[string]uint64
	rows   int
}

func (c counted) all() (n float64) {
	for _, instructions := range c.stages {
		n += float64(instructions)
	}
	return n
}

// column is what one connection of a capture takes.
type column struct {
	title   string
	rows    int
	added   map[string]float64 // by the package
	without float64
}

// newColumn takes runs without the package and with it.
func newColumn(title string, start, both [2]counted) column {
	c := column{title: title, rows: both[0].rows - start[0].rows, added: map[string]float64{}}
	n := float64(c.rows)
	for _, stage := range sensorStageNames {
		took := func(i int) float64 { return float64(both[i].stages[stage]) - float64(start[i].stages[stage]) }
		c.added[stage] = (took(1) - took(0)) / n
	}
	c.without = (both[0].all() - start[0].all()) / n
	return c
}

func sensorTable(columns []column, start [2]counted) string {
	var w strings.Builder
	w.WriteString("| instructions a connection |")
	for _, c := range columns {
		fmt.Fprintf(&w, " %s (%d) |", c.title, c.rows)
	}
	w.WriteString("\n|---|" + strings.Repeat("---|", len(columns)))
	line := func(name string, figure func(c column) string) {
		fmt.Fprintf(&w, "\n| %s |", name)
		for _, c := range columns {
			w.WriteString(" " + figure(c) + " |")
		}
	}
	all := func(c column) (n float64) {
		for _, stage := range c.added {
			n += stage
		}
		return n
	}
	for _, stage := range sensorStageNames {
		line(stage, func(c column) string { return fmt.Sprintf("%.0f", c.added[stage]) })
	}
	line("all", func(c column) string { return fmt.Sprintf("%.0f", all(c)) })
	line("Zeek without the package", func(c column) string { return fmt.Sprintf("%.0f", c.without) })
	line("**with / without**", func(c column) string { return fmt.Sprintf("**%.3f**", 1+all(c)/c.without) })
	fmt.Fprintf(&w, "\n\nThe start and the first hundred connections: %.0f million instructions without the package, %.0f million more with it", start[0].all()/1e6, (start[1].all()-start[0].all())/1e6)
	parts := []string{}
	for _, stage := range sensorStageNames {
		if n := (float64(start[1].stages[stage]) - float64(start[0].stages[stage])) / 1e6; n >= 1 {
			parts = append(parts, fmt.Sprintf("%s %.0f", stage, n))
		}
	}
	fmt.Fprintf(&w, " (%s).\n", strings.Join(parts, ", "))
	return w.String()
}

const (
	ofScripts = "Zeek: scripts interpreted"
	ofLogging = "Zeek: the columns written"
	ofTimers  = "Zeek: timers"
	ofValues  = "Zeek: values and memory for all that (malloc, Val, ODesc)"
	ofZeek    = "Zeek: its loop, packets, analyzers"
	ofPlugin  = "plugin: records read and filled"
	ofBorder  = "Go: border, runtime"
	ofFeature = "Go: features, windows, memory"
	ofForest  = "Go: forest"
	ofAlerts  = "Go: alerts, calibration, learning"
)

var sensorStageNames = []string{ofScripts, ofPlugin, ofBorder, ofFeature, ofForest, ofAlerts, ofLogging, ofTimers, ofValues, ofZeek}

// sensorStageFiles says which files of the library are which stage: the first
// part of a path that fits.
var sensorStageFiles = []struct{ part, stage string }{
	{"model/forest/", ofForest}, {"model/feature/", ofFeature}, {"model/conn/", ofFeature}, {"model/", ofAlerts},
}

// zeekStages says which of Zeek's functions are which stage, by how their names
// begin, after the namespace.
var zeekStages = []struct{ prefix, stage string }{
	{"logging::", ofLogging}, {"threading::formatter", ofLogging}, {"threading::Value", ofLogging}, {"threading::Field", ofLogging},
	{"detail::PriorityQueue", ofTimers}, {"detail::TimerMgr", ofTimers}, {"detail::Timer", ofTimers},
	{"detail::ScriptFunc", ofScripts}, {"detail::BuiltinFunc", ofScripts}, {"detail::Frame", ofScripts}, {"detail::eval_list", ofScripts},
	{"detail::pre_execute_stmt", ofScripts}, {"detail::post_execute_stmt", ofScripts}, {"EventMgr::", ofScripts}, {"EventHandler::", ofScripts}, {"Event::", ofScripts},
	{"iosource::", ofZeek}, {"run_state::", ofZeek}, {"packet_analysis::", ofZeek}, {"analyzer::", ofZeek}, {"session::", ofZeek}, {"Connection::", ofZeek},
	{"file_analysis::", ofZeek}, {"threading::", ofZeek}, {"telemetry::", ofZeek},
}

// stageOfSensor finds the stage of each function by itself. Who called it says
// nothing here: valgrind does not follow cgo to the stack of a goroutine, and takes
// what Zeek does after a call for a part of it.
func stageOfSensor(object, file, function string) string {
	switch filepath.Base(object) {
	case "libiforest.so":
		for _, f := range sensorStageFiles {
			if strings.Contains(file, "zeek-iforest/"+f.part) || strings.HasPrefix(file, f.part) {
				return f.stage
			}
		}
		return ofBorder
	case "IForest-Scorer.linux-x86_64.so", "IForest-Scorer.linux-aarch64.so":
		return ofPlugin
	case "zeek":
		name, ok := strings.CutPrefix(function, "zeek::")
		if !ok {
			return ofValues
		}
		if rest, ok := strings.CutPrefix(name, "detail::"); ok {
			class, _, _ := strings.Cut(rest, "::")
			if strings.HasSuffix(class, "Expr") || strings.HasSuffix(class, "Stmt") || class == "StmtList" {
				return ofScripts
			}
		}
		for _, z := range zeekStages {
			if strings.HasPrefix(name, z.prefix) {
				return z.stage
			}
		}
	}
	return ofValues
}
