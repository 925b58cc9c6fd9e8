//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what one run took.
type cost struct {
	cpu, wall time.Duration
	resident  int64 // largest resident size in bytes, or 0 if not measured
}

// contender is a program, or a piece of this one, that does a task.
type contender struct {
	name    string
	command string // as the report shows it
	run     func() (cost, error)

	costs []cost
}

// task is what contenders do; the first of them is ours.
type task struct {
	title      string
	units      float64 // rows, packets
	unit       string
	contenders []contender
	absent     []string
}

// contest lets the contenders of a task take turns, and notes the result.
func (b *bench) contest(t task) error {
	for round := range b.runs {
		for i := range t.contenders {
			c := &t.contenders[i]
			if err := b.ctx.Err(); err != nil {
				return err
			}
			took, err := c.run()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round == 0 {
				b.say("%s: %s: %.2f s CPU", t.title, c.name, took.cpu.Seconds())
			}
			c.costs = append(c.costs, took)
		}
	}
	b.report.tasks = append(b.report.tasks, t)
	return nil
}

// least and median of the costs, by some measure.
func spread(costs []cost, of func(cost) float64) (least, median float64) {
	all := make([]float64, len(costs))
	for i, c := range costs {
		all[i] = of(c)
	}
	slices.Sort(all)
	return all[0], all[len(all)/2]
}

func cpuOf(c cost) float64  { return c.cpu.Seconds() }
func wallOf(c cost) float64 { return c.wall.Seconds() }

// against returns the median of the ratios of CPU time in the same round.
func against(costs, ours []cost) float64 {
	ratios := make([]float64, len(costs))
	for i := range costs {
		ratios[i] = cpuOf(costs[i]) / cpuOf(ours[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// running returns a contender that is a program; its output goes nowhere. stdin may
// be "".
func (b *bench) running(name, stdin string, command ...string) contender {
	shown := make([]string, len(command))
	for i, arg := range command {
		shown[i] = b.short(arg)
		if strings.ContainsAny(arg, " $\t") {
			shown[i] = "'" + shown[i] + "'"
		}
	}
	shown[0] = shown[0][strings.LastIndexByte(shown[0], '/')+1:]
	c := contender{name: name, command: strings.Join(shown, " ")}
	if stdin != "" {
		c.command += " < " + b.short(stdin)
	}
	c.run = func() (cost, error) { return b.runProgram(stdin, command...) }
	return c
}

func (b *bench) runProgram(stdin string, command ...string) (took cost, err error) {
	cmd := exec.CommandContext(b.ctx, command[0], command[1:]...)
	cmd.Dir = b.dir // some write files where they stand
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if stdin != "" {
		f, err := os.Open(stdin)
		if err != nil {
			return took, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return took, err
	}
	ended := make(chan struct{})
	resident := make(chan int64)
	go func() { resident <- watchResident(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	wall := time.Since(begin)
	close(ended)
	most := <-resident
	if err != nil {
		return took, fmt.Errorf("%w: %s", err, lastLine(errs.String()))
	}
	return cost{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall, most}, nil
}

// watchResident returns the largest resident size of a process, or 0 if there is no
// /proc. What wait4 tells is no use: a child inherits the size of its parent.
func watchResident(pid int, ended <-chan struct{}) (most int64) {
	status := fmt.Sprintf("/proc/%d/status", pid)
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0
	}
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-ended:
			return most
		case <-tick.C:
		}
		if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil || exe == self {
			continue // not begun, or over
		}
		text, err := os.ReadFile(status)
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(text), "VmHWM:")
		number, _, _ := strings.Cut(strings.TrimSpace(after), " ")
		if kilobytes, err := strconv.ParseInt(number, 10, 64); err == nil {
			most = max(most, kilobytes*1024)
		}
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// do runs a program in a folder and returns what it printed.
func (b *bench) do(dir string, command ...string) (string, error) {
	cmd := exec.CommandContext(b.ctx, command[0], command[1:]...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", command[0], err, lastLine(errs.String()))
	}
	return string(out), nil
}

// here returns a contender that is a piece of this process: f, so many times.
func here(name, command string, times int, f func()) contender {
	return contender{name: name, command: command, run: func() (cost, error) {
		took := timed(func() {
			for range times {
				f()
			}
		})
		took.cpu /= time.Duration(times)
		took.wall /= time.Duration(times)
		return took, nil
	}}
}

// timed returns what f takes of this process, without garbage of before.
func timed(f func()) cost {
	runtime.GC()
	cpu, begin := cpuTime(), time.Now()
	f()
	return cost{cpu: cpuTime() - cpu, wall: time.Since(begin)}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // cannot be
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// installed returns the path of a program, or "" and a note that it is absent.
func (t *task) installed(program string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		t.absent = append(t.absent, program)
		return ""
	}
	return path
}
