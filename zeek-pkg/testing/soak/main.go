//go:build linux

// Soak lets a real Zeek live with the package on looping traffic: it learns and
// rebuilds its model, its options and its model are changed through the
// configuration framework, and it is ended and started again, once by SIGKILL.
// Then it looks whether each row of conn.log was scored, whether the learner
// went on where it stood, whether memory stayed flat, and whether Zeek warned
// of what it should not have. A Zeek without the package lives the same lives
// beside it, for comparison.
//
//	go run ./zeek-pkg/testing/soak                an hour; needs root, for a network namespace of its own
//	go run ./zeek-pkg/testing/soak -for 3m        a short one
//
// It prints a table in Markdown. Exit status 1 where something does not hold.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

type settings struct {
	duration time.Duration
	lives    int
	rate     int    // packets a second
	dir      string // for logs and state
	plots    string
	root     string // of the repository
}

func main() {
	var s settings
	flag.DurationVar(&s.duration, "for", time.Hour, "how long")
	flag.IntVar(&s.lives, "lives", 6, "how often Zeek is started; the one before the middle ends by SIGKILL")
	flag.IntVar(&s.rate, "rate", 2000, "packets a second")
	flag.StringVar(&s.dir, "dir", "", "an empty `folder` for logs and state (default a temporary one, removed at the end)")
	flag.StringVar(&s.plots, "plots", "", "a `folder` for the curve of memory")
	flag.Parse()

	failed, err := run(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func run(s settings) (failed bool, err error) {
	// Programs are ended with the thread that started them (Pdeathsig), so let
	// it be the first one, which lives as long as this program.
	runtime.LockOSThread()
	if os.Getenv("SOAK_NAMESPACE") == "" {
		return inNamespace()
	}
	if s.root, err = repository(); err != nil {
		return false, err
	}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "soak"); err != nil {
			return false, err
		}
		defer os.RemoveAll(s.dir)
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return false, err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return false, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := makeLink(); err != nil {
		return false, err
	}
	captures, err := readCaptures(filepath.Join(s.root, "testdata", "pcaps"))
	if err != nil {
		return false, err
	}
	os.Setenv("ZEEK_PLUGIN_PATH", filepath.Join(s.root, "build", "zeek-pkg"))
	begin := time.Now()
	sent := make(chan sending, 1)
	ctx, end := context.WithCancel(ctx)
	go func() { sent <- send(ctx, captures, s.rate) }()
	lives, err := live(ctx, s, begin)
	end()
	traffic := <-sent
	if err != nil {
		return false, err
	}
	if traffic.err != nil {
		return false, fmt.Errorf("sending: %w", traffic.err)
	}
	return judge(s, traffic, lives, time.Since(begin))
}

// inNamespace runs this program again in a network namespace, which ends with it.
func inNamespace() (failed bool, err error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), "SOAK_NAMESPACE=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM}
	signal.Ignore(os.Interrupt) // the one within gets it, too
	err = cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		os.Exit(exit.ExitCode())
	}
	return false, err
}

func repository() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	mod := strings.TrimSpace(string(out))
	if err != nil || filepath.Base(mod) != "go.mod" {
		return "", fmt.Errorf("run it from the repository: %v", err)
	}
	return filepath.Dir(mod), nil
}
