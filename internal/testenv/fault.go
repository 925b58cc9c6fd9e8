package testenv

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// Fault is what the kernel is made to answer to a system call.
type Fault struct {
	Call   string // "write"
	Effect string // strace's: "error=ENOSPC", or "signal=KILL" as it is called
}

func (f Fault) String() string { return f.Call + " " + f.Effect }

// Kills reports whether the fault ends the process.
func (f Fault) Kills() bool { return f.Effect == "signal=KILL" }

// Faulty is a run with a fault in it.
type Faulty struct {
	Step           string // which call was hit first: "write .out.*"
	Hits           int    // how many were: each thread counts its own calls
	Status         int    // exit status, -1 when killed
	Stdout, Stderr string
}

// Inject runs a program again and again, with the fault in the first such call
// of a thread, then in the second, and so on, and hands to judge each run in
// which a call on a file below dir was hit. It ends when nothing is hit any
// more. strace does it: the program is the one that is shipped, and nothing is
// preloaded into it.
//
//	testenv.Inject(t, testenv.Fault{"write", "error=EIO"}, dir, prepare, cmd, func(run testenv.Faulty) { … })
//
// prepare is called before each run.
func Inject(t *testing.T, f Fault, dir string, prepare func(), command []string, judge func(Faulty)) {
	t.Helper()
	strace := Program(t, "strace")
	if out, err := exec.Command(strace, "-qq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		Skip(t, "Ptrace", fmt.Sprintf("strace cannot trace here: %s", bytes.TrimSpace(out)))
	}
	trace := filepath.Join(t.TempDir(), "trace")
	// strace counts each thread's calls, and a busy machine moves them between
	// threads: where no file below dir was hit it is all done again.
	met := false
	judged := func(run Faulty) {
		met = true
		judge(run)
	}
	for again := 0; again < 5 && !met; again++ {
		inject(t, strace, trace, f, dir, prepare, command, judged)
	}
}

// inject goes once through the calls. Threads differ from run to run, so one in
// which nothing is hit is not the end yet. Of many calls one in ten is hit, from
// the tenth on.
func inject(t *testing.T, strace, trace string, f Fault, dir string, prepare func(), command []string, judge func(Faulty)) {
	for n, idle := 1, 0; idle < 3; n += 1 + n/10 {
		prepare()
		var out, errs bytes.Buffer
		cmd := exec.Command(strace, append([]string{"-f", "-y", "-qq", "-s", "0", "-o", trace,
			"-e", "trace=" + f.Call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", f.Call, f.Effect, n)}, command...)...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		run := Faulty{Status: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}
		if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
			run.Status = -1
		}
		text, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		run.Step, run.Hits = hitIn(string(text), f, dir)
		switch {
		case run.Step != "":
			judge(run)
		case run.Hits == 0:
			idle++
		}
	}
}

var randomDigits = regexp.MustCompile(`\d{4,}`)

// hitIn finds in strace's output which call on a file below dir was hit first,
// "" for none, and how many calls were hit on any file.
func hitIn(trace string, f Fault, dir string) (step string, hits int) {
	begun := map[string]string{} // by a thread: the call that it is in
	hit := func(call string) {
		hits++
		if at := strings.LastIndex(call, dir); at >= 0 && step == "" {
			name, _, _ := strings.Cut(call[at+len(dir):], ">")
			name, _, _ = strings.Cut(name, `"`)
			step = f.Call + " " + strings.TrimPrefix(randomDigits.ReplaceAllString(name, "*"), "/")
		}
	}
	for line := range strings.Lines(trace) {
		thread, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		call = strings.TrimLeft(call, " ")
		if strings.HasPrefix(call, "<... "+f.Call+" resumed>") {
			call = begun[thread] + call
		}
		if !strings.HasPrefix(call, "+++") { // the thread lives on
			delete(begun, thread)
		}
		if strings.HasPrefix(call, f.Call+"(") && (strings.HasSuffix(call, "= ?") || strings.HasSuffix(call, "<unfinished ...>")) {
			begun[thread] = call
		}
		if strings.HasPrefix(call, f.Call+"(") && strings.Contains(call, "(INJECTED)") {
			hit(call)
		}
	}
	if f.Kills() { // what a killed thread was in has no end
		for _, call := range begun {
			hit(call)
		}
	}
	return step, hits
}

// FullDisk returns a folder on a file system of its own with room for so many
// bytes, or skips the test: mounting takes root and Linux.
func FullDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	mount, err := exec.LookPath("mount")
	if err != nil || os.Getuid() != 0 {
		Skip(t, "Root", "a small file system cannot be mounted")
	}
	if out, err := exec.Command(mount, "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "none", dir).CombinedOutput(); err != nil {
		Skip(t, "Mount", "a small file system cannot be mounted: "+strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %s", dir, out)
		}
	})
	return dir
}
