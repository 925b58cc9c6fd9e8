//go:build linux

// Loopback runs a cluster of real Zeeks on this machine's loopback, whose workers
// share what they count, and measures: what a scan that is spread evenly over all
// workers scores, beside one sensor; messages and bytes; how long it takes until
// another worker's window has a row; and what sharing costs a worker. Each worker
// reads its share of a trace as time goes by (zeek --pseudo-realtime).
//
//	go run ./zeek-pkg/testing/loopback -workers 16 -proxies 1
//	go run ./zeek-pkg/testing/loopback -workers 2 -rate 10000 -seconds 30 -cost 5    CPU time, with and without sharing in turns
//
// It needs zeek-pkg/build.sh. A line for each figure, of which all are of this
// machine in its present state.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

type settings struct {
	workers, proxies int
	backend          string
	rate, seconds    int // connections a second of all workers, length of the trace
	cost             int
	budget           int
	dir, root        string
}

func main() {
	var s settings
	flag.IntVar(&s.workers, "workers", 4, "how many workers")
	flag.IntVar(&s.proxies, "proxies", 1, "how many proxies, to which windows belong; without one to the manager")
	flag.StringVar(&s.backend, "backend", "broker", "broker or zeromq")
	flag.IntVar(&s.rate, "rate", 400, "connections a second, of all workers together")
	flag.IntVar(&s.seconds, "seconds", 420, "length of the trace; the scan is in its last sixth")
	flag.IntVar(&s.cost, "cost", 0, "`runs` with and without sharing in turns, for their CPU time alone")
	flag.IntVar(&s.budget, "budget", 0, "alerts a day, if not the package's default; an hour has a sixth of them, and each trace is within one")
	flag.StringVar(&s.dir, "dir", "", "an empty `folder` to work in, which stays (default a temporary one)")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "loopback:", err)
		os.Exit(2)
	}
}

func run(s settings) (err error) {
	// Programs are ended with the thread that started them (Pdeathsig), so let
	// it be the first one, which lives as long as this program.
	runtime.LockOSThread()
	if s.workers < 2 || s.proxies < 0 || s.backend != "broker" && s.backend != "zeromq" {
		return fmt.Errorf("two workers or more, on broker or zeromq")
	}
	if s.root, err = repository(); err != nil {
		return err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "loopback"); err != nil {
			return err
		}
		defer os.RemoveAll(s.dir)
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	all := flows(s.rate, s.seconds)
	if _, err := writeTraces(s.dir, all, s.workers); err != nil {
		return err
	}
	os.Setenv("ZEEK_PLUGIN_PATH", filepath.Join(s.root, "build", "zeek-pkg"))
	os.Setenv("PATH", filepath.Join(s.root, "build", "bin")+":"+os.Getenv("PATH"))
	if err := alone(s); err != nil {
		return err
	}
	if s.cost > 0 {
		return costs(s)
	}
	c, err := runCluster(s, "cluster")
	if err != nil {
		return err
	}
	return c.tell(s, len(all))
}

// alone has one sensor read all of it, and makes the model of what is not the scan.
func alone(s settings) error {
	for _, step := range []struct {
		dir  string
		args []string
	}{
		{"calm", []string{"zeek", "-C", "-b", "-r", "../calm.pcap", "IForest::Scorer", s.pkg(), "base/protocols/conn", "IForest::learn=F"}},
		{"calm", []string{"zeek-iforest", "train", "--seed", "1", "-o", "../site.model", "conn.log"}},
		{"alone", append([]string{"zeek", "-C", "-b", "-r", "../all.pcap", "IForest::Scorer", s.pkg(), "base/protocols/conn", "base/frameworks/notice"}, s.model()...)},
	} {
		dir := filepath.Join(s.dir, step.dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		cmd := exec.Command(step.args[0], step.args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(step.args, " "), err, out)
		}
	}
	return nil
}

func (s settings) pkg() string { return filepath.Join(s.root, "scripts") }
func (s settings) model() []string {
	options := []string{"IForest::model_file=" + filepath.Join(s.dir, "site.model")}
	if s.budget > 0 {
		options = append(options, fmt.Sprintf("IForest::alerts_per_day=%d", s.budget))
	}
	return options
}

func repository() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	mod := strings.TrimSpace(string(out))
	if err != nil || filepath.Base(mod) != "go.mod" {
		return "", fmt.Errorf("run it from the repository: %v", err)
	}
	return filepath.Dir(mod), nil
}
