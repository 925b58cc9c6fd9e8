//go:build cgo

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// asSensor is the model that train --as-sensor makes.
func asSensor(t *testing.T, conns []conn.Conn, seed uint64) *model.Model {
	t.Helper()
	m, _, err := learn.Fit(rowtest.Each(conns), learn.Options{Seed: seed, AsSensor: true})
	require.NoError(t, err)
	return m
}

func modelIn(t *testing.T, dir string) *model.Model {
	t.Helper()
	m, err := model.ReadFile(filepath.Join(dir, "model"))
	require.NoError(t, err)
	return m
}

// Through the C ABI and over restarts: the model that train makes of the rows.
func TestHostLearns(t *testing.T) {
	conns := office(8000, 9)
	dir := filepath.Join(t.TempDir(), "state")
	lines := 0
	for at := 0; at < len(conns); at += 2000 {
		out, stderr, err := run(t, conns[at:at+2000], "--learn", dir, "--seed", "11", "--save", "700", "--alerts", "20", library(t), "none")
		require.NoError(t, err, stderr)
		lines += strings.Count(out, "\n")
		if at == 0 {
			require.Contains(t, stderr, "event\t1\tmodel ")
			require.Contains(t, out, "\n0\t", "scores after the warmup")
		} else {
			require.True(t, strings.HasPrefix(out, "0\t"), "scores from the first row on")
		}
		require.NotContains(t, stderr, "event\t5")
	}
	require.Equal(t, len(conns), lines)
	require.Equal(t, asSensor(t, conns, 11).Fingerprint(), modelIn(t, dir).Fingerprint())
}

// A fresh sensor has a score for its first connection, by the seed, and goes on
// with its own model.
func TestHostUsesTheSeed(t *testing.T) {
	s, err := seed.Model()
	require.NoError(t, err)
	conns := office(3000, 12)
	run := func(conns []conn.Conn, args ...string) (rows []string, model string) {
		out, stderr, err := run(t, conns, append(args, "--learn", "-", "--seed", "5", "--alerts", "20", library(t), "none")...)
		require.NoError(t, err, stderr)
		_, model, _ = strings.Cut(stderr, "host: model ")
		return strings.Split(strings.TrimSuffix(out, "\n"), "\n"), model
	}
	rows, name := run(conns[:1], "--use-seed")
	require.Regexp(t, "^0\t0\\.[0-9]", rows[0])
	require.Contains(t, name, fmt.Sprintf("seed-%s, by seed 1 of %d connections, last 0; 1 scored by the seed", s.Fingerprint(), s.Summary().Rows))

	with, name := run(conns, "--use-seed")
	without, _ := run(conns)
	first := slices.IndexFunc(without, func(row string) bool { return strings.HasPrefix(row, "0\t") })
	require.Greater(t, first, model.DefaultWarmup)
	require.Equal(t, without[first:], with[first:], "the seed changes nothing of what comes after")
	require.Contains(t, name, fmt.Sprintf("%s, by seed 0 of ", asSensor(t, conns, 5).Fingerprint()))
	require.Contains(t, name, fmt.Sprintf("; %d scored by the seed", first))
	for _, row := range with[:first] {
		require.True(t, strings.HasPrefix(row, "0\t"))
		require.NotContains(t, row, "raise")
	}
}

// Killed at any moment, also while it saves, a sensor goes on from its last
// saving.
func TestHostKilledWhileSaving(t *testing.T) {
	if testing.Short() {
		t.Skip("short: kills and waits")
	}
	conns := office(3000, 10)
	dir := t.TempDir()
	var input bytes.Buffer
	for i := range conns {
		fmt.Fprintln(&input, hostLine(&conns[i]))
	}
	r := rand.New(rand.NewPCG(2, 2))
	var before, behind uint64
	for range 15 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		cmd := exec.CommandContext(ctx, host(t), "--learn", dir, "--seed", "5", "--save", "300", "--pauses", "100000000", library(t), "none")
		var stderr bytes.Buffer
		cmd.Stdin, cmd.Stderr = bytes.NewReader(input.Bytes()), &stderr
		require.NoError(t, cmd.Start())
		saved := func() time.Time {
			info, err := os.Stat(filepath.Join(dir, "state"))
			if err != nil {
				return time.Time{}
			}
			return info.ModTime()
		}
		for had, until := saved(), time.Now().Add(5*time.Second); saved() == had && time.Now().Before(until); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(r.IntN(30_000)) * time.Microsecond)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		cancel()
		require.NotContains(t, stderr.String(), "event\t5", "nothing to complain of")
		if _, err := os.Stat(filepath.Join(dir, "state")); err != nil {
			continue // killed before the first saving was over
		}
		l, err := learn.RestoreRows(filepath.Join(dir, "state"), learn.Options{}, nil, func([][]byte) error { return nil })
		require.NoError(t, err)
		require.GreaterOrEqual(t, l.Stats().Rows, before)
		if l.Stats().Rows > before {
			behind++
		}
		before = l.Stats().Rows
	}
	t.Logf("%d connections learnt in 15 lives, %d of which left more than they found", before, behind)
	require.Greater(t, behind, uint64(5))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries { // temporary files do not pile up
		require.False(t, strings.HasPrefix(e.Name(), ".model") && len(entries) > 12, "%v", entries)
	}
}

// How long a call may hold the packet thread: all slices of learning, saving
// and promoting are within calls.
func TestHostPauses(t *testing.T) {
	if testing.Short() {
		t.Skip("short: a measurement")
	}
	calls := "200000"
	if n := os.Getenv("IFOREST_PAUSES"); n != "" {
		calls = n
	}
	conns := office(20000, 11)
	args := []string{"--learn", t.TempDir(), "--seed", "5", "--save", "20000", "--alerts", "20", "--pauses", calls, library(t), "none"}
	var input bytes.Buffer
	for i := range conns {
		fmt.Fprintln(&input, hostLine(&conns[i]))
	}
	cmd := exec.Command(testenv.Program(t, "taskset"), append([]string{"-c", "0", host(t)}, args...)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = &input, &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	t.Logf("%s", out)
	var median, p99, p999, p9999, longest float64
	_, err = fmt.Sscanf(string(out), "us a call: median %g p99 %g p99.9 %g p99.99 %g max %g", &median, &p99, &p999, &p9999, &longest)
	require.NoError(t, err)
	require.Less(t, p99, 2000.0)
}
