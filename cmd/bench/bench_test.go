//go:build unix

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestExponent(t *testing.T) {
	require.InDelta(t, 1.5, exponent([]float64{1, 100, 10000}, []float64{2, 2000, 2e6}), 1e-9)
	require.Equal(t, "in proportion (exponent 1.02)", words(1.02))
	require.Equal(t, "hardly at all (exponent 0.03)", words(0.03))
}

// The median of ratios of the same round is not the ratio of medians.
func TestAgainst(t *testing.T) {
	seconds := func(all ...time.Duration) (costs []cost) {
		for _, s := range all {
			costs = append(costs, cost{cpu: s * time.Second})
		}
		return costs
	}
	require.Equal(t, 2.0, against(seconds(2, 20, 6), seconds(1, 10, 1)))
	least, median := spread(seconds(3, 1, 2), cpuOf)
	require.Equal(t, [2]float64{1, 2}, [2]float64{least, median})
}

// A part that was measured replaces its own text and no other.
func TestWriteBetweenMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	page := "before\n<!-- measured: logs -->\nold\n<!-- end of logs -->\nbetween\n<!-- measured: soak -->\nkept\n<!-- end of soak -->\n"
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	b := &bench{parts: map[string]string{"logs": "new\n"}, order: []string{"logs"}}
	require.NoError(t, b.write([]string{file}))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "before\n<!-- measured: logs -->\nnew\n<!-- end of logs -->\nbetween\n<!-- measured: soak -->\nkept\n<!-- end of soak -->\n", string(got))
	b = &bench{parts: map[string]string{"forest": "new\n"}, order: []string{"forest"}}
	require.ErrorContains(t, b.write([]string{file}), "measured: forest")
}

// The captures that are made are what they are said to be.
func TestInterleaved(t *testing.T) {
	r, err := capture.NewReader(bytes.NewReader(interleaved(30, 1000)), capture.Options{IgnoreChecksums: true})
	rows := 0
	for err == nil {
		var c conn.Conn
		if err = r.Read(&c); err == nil {
			rows++
		}
	}
	require.Equal(t, io.EOF, err)
	require.Equal(t, 30, rows)
	require.EqualValues(t, 1000, r.Stats().Packets)
	require.Equal(t, 30, r.Stats().MostLive)
}

func TestOffice(t *testing.T) {
	next := office(500, 20)
	hosts := map[string]bool{}
	n := 0
	for c := new(conn.Conn); next(c) == nil; n++ {
		hosts[c.Orig.Addr().String()] = true
	}
	require.Equal(t, 500, n)
	require.Len(t, hosts, 20)
}

// A child's size is its own, not that of this process.
func TestWatchResident(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("skipped: needs Linux: no /proc")
	}
	cmd := exec.Command("sleep", "0.3")
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	size := make(chan int64)
	go func() { size <- watchResident(cmd.Process.Pid, ended) }()
	require.NoError(t, cmd.Wait())
	close(ended)
	got := <-size
	require.Greater(t, got, int64(100<<10))
	require.Less(t, got, int64(20<<20))
}

// Instructions of the runtime count for the stage that called it; an inlined
// function for the file that it stands in.
func TestCallgrind(t *testing.T) {
	c, err := readCallgrind(strings.NewReader(`positions: line
events: Ir

fl=(1) /root/capture/tcp.go
fn=(1) capture.(*tcp).process
10 5
fi=(2) /root/capture/service/pia.go
+3 7
fe=(1)
cfi=(3) /go/src/runtime/memmove.s
cfn=(2) runtime.memmove
calls=2 1
+1 30

fl=(4) /root/capture/pcapfile.go
fn=(3) capture.(*File).next
1 2
cfi=(3)
cfn=(2)
calls=1 1
* 10

fl=(3)
fn=(2)
5 40

fl=(5) /go/src/runtime/mgc.go
fn=(4) runtime.gcBgMarkWorker
5 9
`), stageOfReplay("/root"))
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"TCP": 5 + 30, "service detection": 7, "read": 2 + 10, stageRuntime: 9}, c.stages())
	require.Equal(t, "TCP", c.stageOfStack("\tffff page_fault\n\t123 runtime.memmove\n\t456 capture.(*tcp).process\n"))
	require.Equal(t, stageRuntime, c.stageOfStack("\t123 runtime.gcBgMarkWorker\n"))
	for _, f := range stageFiles {
		found, err := filepath.Glob(filepath.Join("..", "..", f.pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, f.pattern)
		require.Contains(t, stageNames, f.stage)
	}
}

func TestCostTable(t *testing.T) {
	require.Equal(t, "| what | measured |\n|---|---|\n"+
		"| CPU, scan.pcap (15 MB, 300000 connections) | without 8.4 s (median 8.5), with 8.7 s (median 8.9) |\n"+
		"| 530 connections |  |\n"+
		"| + a call of a BiF | median   150 ns, least   140 ns |\n",
		costTable("CPU, scan.pcap (15 MB, 300000 connections): without 8.4 s (median 8.5), with 8.7 s (median 8.9)\n\n"+
			"530 connections\n+ a call of a BiF                           median   150 ns, least   140 ns\n"))
}

func TestUnknownPart(t *testing.T) {
	require.ErrorContains(t, (&bench{}).measure([]string{"speed"}, ""), `no part "speed"`)
	require.True(t, errors.Is(office(0, 1)(new(conn.Conn)), io.EOF))
}
