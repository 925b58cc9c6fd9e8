//go:build cgo

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// built holds what these tests build once: the library, with and without the
// fault that can be provoked, and the host.
var built struct {
	sync.Mutex
	dir  string
	done map[string]string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

func build(t *testing.T, name string, command ...string) string {
	t.Helper()
	testenv.OS(t, "linux")
	built.Lock()
	defer built.Unlock()
	if path, ok := built.done[name]; ok {
		return path
	}
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "gobridge")
		require.NoError(t, err)
		built.dir, built.done = dir, make(map[string]string)
	}
	path := filepath.Join(built.dir, name)
	command = append(command, "-o", path)
	if slices.Contains(command, "go") {
		command = append(command, ".")
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	built.done[name] = path
	return path
}

func library(t *testing.T) string {
	return build(t, "libiforest.so", "go", "build", "-buildmode=c-shared")
}

func provokedLibrary(t *testing.T) string {
	return build(t, "libprovoked.so", "go", "build", "-buildmode=c-shared", "-tags=provoke")
}

func staleLibrary(t *testing.T) string {
	return build(t, "libstale.so", testenv.Program(t, "gcc"), "-shared", "-fPIC", "testdata/stale.c")
}

func host(t *testing.T) string {
	return build(t, "host", testenv.Program(t, "gcc"), "-O2", "-Wall", "-Wextra", "-Werror", "testdata/host.c", "-ldl")
}

// run runs the host with the connections as its input.
func run(t *testing.T, conns []conn.Conn, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var input bytes.Buffer
	for i := range conns {
		fmt.Fprintln(&input, hostLine(&conns[i]))
	}
	// A host without the defences may hang as well as crash.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, host(t), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &input, &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// hostLine is a connection as testdata/host.c reads it.
func hostLine(c *conn.Conn) string {
	when := func(f conn.Fields, text string) string {
		if c.Has(f) {
			return text
		}
		return "-"
	}
	seconds := func(m conn.Micros) string { return strconv.FormatFloat(m.Seconds(), 'x', -1, 64) }
	count := func(n uint64) string { return strconv.FormatUint(n, 10) }
	truth := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	address := func(a netip.Addr) string { b := a.As16(); return hex.EncodeToString(b[:]) }
	return strings.Join([]string{
		seconds(c.TS), when(conn.Duration, seconds(c.Duration)),
		when(conn.OrigBytes, count(c.OrigBytes)), when(conn.RespBytes, count(c.RespBytes)), count(c.MissedBytes),
		count(c.OrigPkts), count(c.OrigIPBytes), count(c.RespPkts), count(c.RespIPBytes),
		when(conn.Service, c.Service), c.State.String(), address(c.Orig.Addr()), address(c.Resp.Addr()),
		count(uint64(c.Orig.Port())), count(uint64(c.Resp.Port())), when(conn.IPProto, count(uint64(c.IPProto))),
		count(uint64(c.Proto)), when(conn.LocalOrig, truth(c.LocalOrig)), when(conn.LocalResp, truth(c.LocalResp)),
	}, "\t")
}

// office returns n connections of an imaginary office, with a few strange ones.
func office(n int, seed uint64) []conn.Conn {
	r := rand.New(rand.NewPCG(seed, 0))
	conns := make([]conn.Conn, n)
	now := conn.Micros(1_700_000_000_000_000)
	for i := range conns {
		now += conn.Micros(r.Int64N(200_000))
		c := &conns[i]
		*c = conn.Conn{
			TS:       now,
			Orig:     netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(40))}), uint16(32768+r.IntN(20000))),
			Resp:     netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 88, 99, byte(r.IntN(200))}), 443),
			Proto:    conn.TCP,
			State:    conn.SF,
			Service:  "ssl",
			Duration: conn.Micros(r.ExpFloat64() * 2e6), OrigBytes: uint64(r.ExpFloat64() * 2e3), RespBytes: uint64(r.ExpFloat64() * 3e4),
			OrigPkts: uint64(5 + r.IntN(20)), RespPkts: uint64(5 + r.IntN(40)),
			IPProto: 6, LocalOrig: true,
			Set: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.IPProto | conn.LocalOrig | conn.LocalResp,
		}
		switch k := r.IntN(100); {
		case k < 40: // DNS, IPv6 now and then
			c.Proto, c.Service, c.IPProto = conn.UDP, "dns", 17
			c.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, 1}), 53)
			if k < 10 {
				c.Orig = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(r.IntN(9))}), c.Orig.Port())
			}
		case k < 45: // no answer
			c.State, c.Set = conn.S0, conn.IPProto
			c.Service, c.Duration, c.OrigBytes, c.RespBytes, c.LocalOrig = "", 0, 0, 0, false
			c.RespPkts = 0
		case k < 46: // strange
			c.Resp = netip.AddrPortFrom(c.Resp.Addr(), uint16(r.IntN(65536)))
			c.OrigBytes, c.MissedBytes, c.Service = 1<<40, 1<<20, "ssl,http"
		}
		c.OrigIPBytes, c.RespIPBytes = c.OrigBytes+40*c.OrigPkts, c.RespBytes+40*c.RespPkts
	}
	return conns
}

// train writes a model of the connections to a file.
func train(t *testing.T, conns []conn.Conn, seed uint64) (*model.Model, string) {
	t.Helper()
	m, _, err := learn.Fit(rowtest.Each(conns), learn.Options{Seed: seed})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "test.model")
	require.NoError(t, m.WriteFile(path))
	return m, path
}

// goScores is what the host has to print: the same connections through model.
func goScores(t *testing.T, s *stream.Stream, record *stream.Conn, conns []conn.Conn) string {
	t.Helper()
	var out strings.Builder
	for i := range conns {
		r, err := s.Next(record.Of(&conns[i]))
		require.NoError(t, err)
		cold := 0
		if r.Cold {
			cold = 1
		}
		fmt.Fprintf(&out, "0\t%s\t%s\t%d\t%s\n", digits(r.Value), digits(float64(r.OneIn())), cold, r.AppendReason(nil))
	}
	return out.String()
}

// digits prints a double as %.17g does for what the library returns.
func digits(f float64) string {
	return strconv.FormatFloat(f, 'g', 17, 64)
}

func TestHostGetsTheDigitsOfGo(t *testing.T) {
	conns := office(3000, 1)
	m, path := train(t, conns, 1)
	want := goScores(t, &stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts)), conns)
	got, stderr, err := run(t, conns, library(t), path)
	require.NoError(t, err, stderr)
	require.Equal(t, want, got)
}

// What the plugin's two masks are for (design: zeek-embedding.md §2.4): a host
// with handlers like Zeek's, while signals arrive all the time. Only with both
// masks does it live, give the digits of Go, and see its handlers on its own
// thread. --reinstall is the handler of Zeek 9.0.
func TestHostUnderSignals(t *testing.T) {
	conns := office(3000, 2)
	m, path := train(t, conns, 1)
	want := goScores(t, &stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts)), conns)

	const (
		crashes = iota // or hangs, in at least one run of ten
		strays         // handlers run on threads of Go
		fine
	)
	for _, tc := range []struct {
		name string
		args []string
		want int
	}{
		{"no defence", []string{"--mask", "none"}, crashes},
		{"mask around the load alone", []string{"--mask", "load"}, crashes},
		{"alternate stack alone", []string{"--mask", "none", "--onstack"}, crashes},
		{"mask around calls alone", []string{"--mask", "call"}, strays},
		{"both masks", []string{"--mask", "both"}, fine},
	} {
		for _, reinstall := range [][]string{nil, {"--reinstall"}} {
			t.Run(tc.name+strings.Join(reinstall, ""), func(t *testing.T) {
				args := append(append(tc.args, reinstall...), "--storm", "100", library(t), path)
				var runs, crashed, onGo, total int
				for ; runs < 3 || tc.want == crashes && crashed == 0 && runs < 10; runs++ {
					got, stderr, err := run(t, conns, args...)
					if err != nil {
						crashed++
						first, _, _ := strings.Cut(stderr, "\n")
						t.Logf("%v: %q", err, first)
						continue
					}
					var signals, strayed int
					_, err = fmt.Sscanf(stderr, "host: %d signals, %d", &signals, &strayed)
					require.NoError(t, err, stderr)
					onGo, total = onGo+strayed, total+signals
					if tc.want == fine {
						require.Equal(t, want, got)
					}
				}
				t.Logf("crashed or hung in %d of %d runs; %d signals handled, %d of them on threads of Go", crashed, runs, total, onGo)
				switch tc.want {
				case crashes:
					require.Positive(t, crashed)
				case strays:
					require.Positive(t, onGo)
				case fine:
					require.Zero(t, crashed)
					require.Zero(t, onGo)
					require.Greater(t, total, 1000, "too few signals to mean anything")
				}
			})
		}
	}
}

func TestHostSurvivesAFaultInTheLibrary(t *testing.T) {
	conns := office(400, 3)
	m, path := train(t, conns, 1)
	scorer, record := &stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
	before := goScores(t, scorer, record, conns[:200])
	after := goScores(t, scorer, record, conns[200:])

	discard := conns[0]
	discard.Resp = netip.AddrPortFrom(discard.Resp.Addr(), 9)
	all := append(append(append([]conn.Conn{}, conns[:200]...), discard), conns[200:]...)
	got, stderr, err := run(t, all, provokedLibrary(t), path)
	require.NoError(t, err, stderr)
	fault := "5\tfault in the sensor library: runtime error: invalid memory address or nil pointer dereference; please report it\n"
	require.Equal(t, before+fault+after, got)
	require.Contains(t, stderr, "scored 400,")
}

func TestHostRefusesALibraryOfAnotherTime(t *testing.T) {
	_, stderr, err := run(t, nil, staleLibrary(t), "none")
	require.Error(t, err)
	require.Equal(t, "host: library speaks version 999, host 10\n", stderr)
}

func TestHostKeepsItsModelWhenGivenGarbage(t *testing.T) {
	conns := office(300, 4)
	m, path := train(t, conns, 1)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	dir := t.TempDir()
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1

	for name, data := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)/2], "flipped": flipped, "text": []byte("#separator \\x09\n"),
	} {
		bad := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(bad, data, 0o600))

		// In place of a good one, and after it.
		scorer, record := &stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
		first, second := goScores(t, scorer, record, conns), goScores(t, scorer, record, conns)
		got, stderr, err := run(t, conns, "--reload", bad, library(t), path)
		require.NoError(t, err, stderr)
		require.True(t, strings.HasPrefix(got, first+"reload\t4\t"), "%s: %.300s", name, got[len(first):])
		require.True(t, strings.HasSuffix(got, "\n"+second), name)
		require.Contains(t, stderr, "models 1, refused 1")

		got, stderr, err = run(t, conns[:1], library(t), bad)
		require.NoError(t, err, stderr)
		require.Equal(t, "2\tno model has been loaded\n", got)
		require.Contains(t, stderr, "host: 4 ")
	}
}

func TestHostTakesAnotherModel(t *testing.T) {
	conns := office(300, 5)
	m, path := train(t, conns, 1)
	m2, path2 := train(t, conns, 2)
	scorer, record := &stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
	want := goScores(t, scorer, record, conns) + "reload\t0\t\n"
	scorer.Model = m2
	want += goScores(t, scorer, record, conns)
	got, stderr, err := run(t, conns, "--reload", path2, library(t), path)
	require.NoError(t, err, stderr)
	require.Equal(t, want, got)
}

func TestHostIsToldOfARecordThatCannotBe(t *testing.T) {
	conns := office(2, 6)
	_, path := train(t, office(300, 6), 1)
	conns[0].Proto = conn.NumProto
	got, stderr, err := run(t, conns, library(t), path)
	require.NoError(t, err, stderr)
	require.Contains(t, got, "3\tconnection cannot be scored: proto has the unknown code 4\n0\t")
}

// A Go runtime ends a process that does not give it the address space it wants:
// the plugin looks before it loads (zeek-pkg/src/AddressSpace.cc).
func TestGoNeedsAddressSpace(t *testing.T) {
	_, path := train(t, office(300, 7), 1)
	limited := func(megabytes int) error {
		cmd := exec.Command("sh", "-c", fmt.Sprintf("ulimit -v %d; exec \"$@\"", megabytes<<10), "sh", host(t), library(t), path)
		out, err := cmd.CombinedOutput()
		t.Logf("%d MB: %v %.80q", megabytes, err, out)
		return err
	}
	require.Error(t, limited(200))
	require.NoError(t, limited(2500))
}

func TestTheLibraryExportsWhatTheHeaderSays(t *testing.T) {
	header, err := os.ReadFile("iforest_abi.h")
	require.NoError(t, err)
	out, err := exec.Command(testenv.Program(t, "nm"), "-D", "--defined-only", library(t)).Output()
	require.NoError(t, err)
	for _, line := range strings.Split(string(header), "\n") {
		if _, rest, ok := strings.Cut(line, "(*iforest_"); ok {
			name, _, _ := strings.Cut(rest, "_fn)")
			require.Contains(t, string(out), " T iforest_"+name+"\n")
		}
	}
}

// Zeek and the library are of one mind about time: nothing in a call may take
// as long as a packet thread would notice.
func TestHostCallTakesMicroseconds(t *testing.T) {
	if testing.Short() {
		t.Skip("short: a measurement")
	}
	conns := office(2000, 8)
	_, path := train(t, conns, 1)
	start := time.Now()
	out, stderr, err := run(t, conns, "--bench", "50", library(t), path)
	require.NoError(t, err, stderr)
	t.Logf("%s (%s, %d processors, %v)", strings.TrimSpace(out), runtime.GOARCH, runtime.NumCPU(), time.Since(start).Round(time.Millisecond))
	var least float64
	_, err = fmt.Sscanf(out, "ns a call: min %g", &least)
	require.NoError(t, err)
	require.Less(t, least, 20_000.0)
}
