//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// How the sensor learns here: often, so that an hour holds many rebuilds.
const (
	warmup       = 2000
	rebuildEvery = 10_000
	saveEvery    = 20_000
)

// life is one run of Zeek with the package, and of one without it beside it.
type life struct {
	dir           string
	killed        bool
	began         time.Time
	lasted        time.Duration
	with, without []sample
}

// sample is the state of a process.
type sample struct {
	at       time.Time
	resident float64 // bytes
	cpu      time.Duration
}

// live starts Zeek again and again until the time is over.
func live(ctx context.Context, s settings, begin time.Time) (lives []*life, err error) {
	for _, seed := range []string{"1", "2"} {
		train := exec.Command(filepath.Join(s.root, "build", "bin", "zeek-iforest"), "train", "--seed", seed,
			"-o", filepath.Join(s.dir, "given"+seed+".model"), filepath.Join(s.root, "testdata", "pcaps", "office-day.pcap.conn.log"))
		if out, err := train.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", train, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "garbage.model"), []byte("garbage\n"), 0o600); err != nil {
		return nil, err
	}
	each := s.duration / time.Duration(s.lives)
	for n := range s.lives {
		l := &life{dir: filepath.Join(s.dir, fmt.Sprintf("life-%d", n+1)), killed: n+1 == s.lives/2, began: time.Now()}
		if err := l.live(ctx, s, begin.Add(time.Duration(n+1)*each), each/6); err != nil {
			return nil, fmt.Errorf("life %d: %w", n+1, err)
		}
		lives = append(lives, l)
		fmt.Fprintf(os.Stderr, "soak: life %d is over, %v after the beginning\n", n+1, time.Since(begin).Round(time.Second))
	}
	return lives, nil
}

// steps is what changes at run time, one after the other: a line of the file
// that the configuration framework watches, and which model is in given.model.
var steps = []struct{ line, model string }{
	{"IForest::alerts_per_day 100", "1"},
	{"IForest::model_file DIR/given.model", "1"}, // learning ends, what was learnt is saved
	{"IForest::model_generation 1", "2"},
	{"IForest::model_file ", "2"},                  // learning goes on
	{"IForest::model_file DIR/garbage.model", "2"}, // refused, with the warning that is expected
}

// process is a Zeek that runs.
type process struct {
	cmd   *exec.Cmd
	ended chan error
	said  string // the file that has its stderr
}

func start(dir string, args ...string) (*process, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	said, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	p := &process{exec.Command("zeek", append([]string{"-i", listener}, args...)...), make(chan error, 1), said.Name()}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "TZ=UTC")
	p.cmd.Stdout, p.cmd.Stderr = said, said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, nil
}

// end sends a signal and waits.
func (p *process) end(how syscall.Signal) error {
	if err := p.cmd.Process.Signal(how); err != nil {
		return err
	}
	if err := <-p.ended; err != nil && how != syscall.SIGKILL {
		return fmt.Errorf("zeek: %w; see %s", err, p.said)
	}
	return nil
}

// look returns the size of the process and the CPU time it has taken.
func (p *process) look() (s sample, err error) {
	s.at = time.Now()
	proc := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	memory, err1 := os.ReadFile(proc + "statm")
	stat, err2 := os.ReadFile(proc + "stat")
	if err := errors.Join(err1, err2); err != nil {
		return s, err
	}
	pages := strings.Fields(string(memory))
	times := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third field on
	resident, err1 := strconv.ParseFloat(pages[1], 64)
	user, err2 := strconv.Atoi(times[11])
	system, err3 := strconv.Atoi(times[12])
	s.resident = resident * float64(os.Getpagesize())
	s.cpu = time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
	return s, errors.Join(err1, err2, err3)
}

// live is one life, until a time.
func (l *life) live(ctx context.Context, s settings, until time.Time, every time.Duration) (err error) {
	options := filepath.Join(s.dir, "options")
	if err := errors.Join(os.WriteFile(options, nil, 0o600), give(s.dir, "1")); err != nil {
		return err
	}
	scripts := filepath.Join(s.root, "scripts")
	with, err := start(l.dir, scripts, scripts+"/log-model.zeek", scripts+"/log-rank.zeek", scripts+"/log-reason.zeek",
		filepath.Join(s.root, "zeek-pkg", "testing", "soak", "soak.zeek"),
		"-e", fmt.Sprintf("redef Config::config_files += { %q };", options),
		"IForest::state_dir="+filepath.Join(s.dir, "state"),
		fmt.Sprintf("IForest::warmup=%d", warmup), fmt.Sprintf("IForest::rebuild_every=%d", rebuildEvery), fmt.Sprintf("IForest::save_every=%d", saveEvery))
	if err != nil {
		return err
	}
	defer with.cmd.Process.Kill() // where it has not ended
	without, err := start(filepath.Join(l.dir, "without"))
	if err != nil {
		return err
	}
	defer without.cmd.Process.Kill()

	over := time.NewTimer(time.Until(until))
	next, step := time.NewTicker(every), 0
	defer next.Stop()
	look := time.NewTicker(2 * time.Second)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-with.ended:
			return fmt.Errorf("zeek ended by itself: %v; see %s", err, with.said)
		case <-look.C:
			a, err1 := with.look()
			b, err2 := without.look()
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			l.with, l.without = append(l.with, a), append(l.without, b)
		case <-next.C:
			if step == len(steps) {
				continue
			}
			if err := errors.Join(give(s.dir, steps[step].model), change(options, strings.ReplaceAll(steps[step].line, "DIR", s.dir))); err != nil {
				return err
			}
			step++
		case <-over.C:
			l.lasted = time.Since(l.began)
			how := syscall.SIGTERM
			if l.killed {
				how = syscall.SIGKILL
			}
			return errors.Join(with.end(how), without.end(how))
		}
	}
}

// give puts one of the two models under the name that the options have.
func give(dir, which string) error {
	data, err := os.ReadFile(filepath.Join(dir, "given"+which+".model"))
	if err != nil {
		return err
	}
	fresh := filepath.Join(dir, "given.model.new")
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(dir, "given.model"))
}

// change sets an option in the file that Zeek watches.
func change(options, line string) error {
	text, err := os.ReadFile(options)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(line, " ")
	var kept []string
	for _, l := range strings.SplitAfter(string(text), "\n") {
		if l != "" && !strings.HasPrefix(l, name+" ") {
			kept = append(kept, l)
		}
	}
	fresh := options + ".new"
	if err := os.WriteFile(fresh, []byte(strings.Join(kept, "")+line+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, options)
}
