package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// threeDays are the shared three days as one JSON log in the sensor's order,
// each row with its number as seq.
func threeDays(t *testing.T) []string {
	t.Helper()
	testenv.NoRace(t)
	root := testenv.Shared(t, "datasets/zeek-three-days")
	files, err := filepath.Glob(filepath.Join(root, "*", "conn.*.log.gz"))
	require.NoError(t, err)
	slices.Sort(files)
	var text bytes.Buffer
	w, err := zeeklog.NewWriter(&text, zeeklog.JSON, time.Time{}, zeeklog.Column{Name: "seq", Type: "count"})
	require.NoError(t, err)
	s := &session{Context: t.Context(), stderr: io.Discard}
	rows := s.rows(files, true)
	for n := uint64(0); ; n++ {
		var c conn.Conn
		if err := rows.next(&c); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
		require.NoError(t, w.Write(&c, zeeklog.Count(n)))
	}
	require.NoError(t, w.Close(time.Time{}))
	return strings.Split(strings.TrimSpace(text.String()), "\n")
}

// verbOutput runs a verb and returns what it wrote.
func verbOutput(t *testing.T, status int, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	s := &session{Context: t.Context(), stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs}
	require.Equal(t, status, run(s, args), "%v: %s", args, &errs)
	return out.String(), errs.String()
}

var (
	origOf  = regexp.MustCompile(`"id\.orig_h":"([^"]+)"`)
	respOf  = regexp.MustCompile(`"id\.resp_h":"([^"]+)"`)
	seqOf   = regexp.MustCompile(`"seq":(\d+)`)
	scoreOf = regexp.MustCompile(`"anomaly_score":([0-9.]+)`)
	coldOf  = regexp.MustCompile(`(?m)^zeek-iforest: (\d+) rows? of`)
)

func first(re *regexp.Regexp, line string) string {
	if m := re.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}

// scoresBySeq are the scores of a scored log by the rows' numbers.
func scoresBySeq(t *testing.T, logs ...string) map[string]string {
	t.Helper()
	scores := map[string]string{}
	for _, log := range logs {
		for line := range strings.Lines(log) {
			scores[first(seqOf, line)] = first(scoreOf, line)
		}
	}
	return scores
}

func coldRows(t *testing.T, stderr string) int {
	t.Helper()
	n, err := strconv.Atoi(first(coldOf, stderr))
	if err != nil {
		return 0
	}
	return n
}

// parts deals lines into n parts by a hash of the host.
func parts(lines []string, host *regexp.Regexp, n int) []string {
	parts := make([]strings.Builder, n)
	for _, line := range lines {
		h := fnv.New32a()
		io.WriteString(h, first(host, line))
		fmt.Fprintln(&parts[h.Sum32()%uint32(n)], line)
	}
	out := make([]string, n)
	for i := range parts {
		out[i] = parts[i].String()
	}
	return out
}

// grouped are the lines host after host.
func grouped(lines []string, host *regexp.Regexp) string {
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(first(host, a), first(host, b)) })
	return strings.Join(lines, "\n") + "\n"
}

// The contract of --partition-by on three real days: the scores of the whole log
// row by row, and its cold rows, however the rows are laid out.
func TestPartitionsGiveTheWholeLogsScores(t *testing.T) {
	if testing.Short() {
		testenv.Skip(t, "time", "-short")
	}
	lines := threeDays(t)
	require.Greater(t, len(lines), 50_000)
	log := strings.Join(lines, "\n") + "\n"
	modelFile := filepath.Join(t.TempDir(), "m")
	verbOutput(t, exitDone, log, "train", "-o", modelFile)
	score := func(stdin string, options ...string) (string, string) {
		return verbOutput(t, exitDone, stdin, append([]string{"score", "-m", modelFile, "--order-by", "seq"}, options...)...)
	}
	out, said := score(log)
	want, cold := scoresBySeq(t, out), coldRows(t, said)
	require.Len(t, want, len(lines))

	// When the log began, as the whole log itself found.
	h := feature.NewHosts(model.DefaultHosts)
	s := &session{Context: t.Context(), stdin: strings.NewReader(log), stderr: io.Discard}
	rows := s.rows(nil, false)
	for range 64 {
		var c conn.Conn
		require.NoError(t, rows.next(&c))
		h.Observe(&c)
	}
	begin := fmt.Sprint(int64(h.Opening() / 1e6))

	differ := func(got map[string]string) (n int, most, mean float64) {
		require.Len(t, got, len(want))
		for seq, s := range want {
			if got[seq] == s {
				continue
			}
			a, _ := strconv.ParseFloat(s, 64)
			b, _ := strconv.ParseFloat(got[seq], 64)
			n, most, mean = n+1, max(most, math.Abs(a-b)), mean+math.Abs(a-b)/float64(len(want))
		}
		return n, most, mean
	}
	var failures []string
	for _, part := range parts(slices.Clone(lines), respOf, 5) {
		out, _ := verbOutput(t, exitDone, part, "score", "--partition-by", "responder", "--order-by", "seq")
		failures = append(failures, strings.Split(strings.TrimSpace(out), "\n")...)
	}
	bySeq := func(a, b string) int {
		x, _ := strconv.Atoi(first(seqOf, a))
		y, _ := strconv.Atoi(first(seqOf, b))
		return x - y
	}
	slices.SortFunc(failures, bySeq)

	own := map[int]map[string]string{}
	for name, in := range map[string][]string{"own rows only": lines, "with anomaly_resp_failures": failures} {
		for layout, inputs := range map[int][]string{1: {grouped(slices.Clone(in), origOf)}, 4: parts(in, origOf, 4)} {
			got, colds := map[string]string{}, 0
			for _, input := range inputs {
				out, said := score(input, "--partition-by", "originator", "--log-start", begin)
				maps.Copy(got, scoresBySeq(t, out))
				colds += coldRows(t, said)
			}
			n, most, mean := differ(got)
			t.Logf("%s, %d part(s): %d of %d scores differ, by %.4f at most, %.4f in the mean; %d cold rows (whole log: %d)", name, layout, n, len(want), most, mean, colds, cold)
			require.Equal(t, cold, colds, "%s, %d", name, layout)
			if name == "own rows only" {
				own[layout] = got
				require.NotZero(t, n, "others' failures at the responder are a feature")
			} else {
				require.Zero(t, n, "%s, %d", name, layout)
			}
		}
	}
	require.Equal(t, own[1], own[4], "the layout says nothing")
}

func TestOutOfOrder(t *testing.T) {
	row := func(orig, resp string, seq int) string {
		return fmt.Sprintf(`{"ts":1.5,"uid":"C%d","id.orig_h":%q,"id.orig_p":1,"id.resp_h":%q,"id.resp_p":2,"proto":"udp","conn_state":"S0","seq":%d}`+"\n", seq, orig, resp, seq)
	}
	mixed := row("10.0.0.1", "10.0.0.9", 5) + row("10.0.0.2", "10.0.0.9", 3)
	_, said := verbOutput(t, exitNot, mixed, "score", "--partition-by", "responder", "--order-by", "seq")
	require.Contains(t, said, "standard input:2: seq 3 comes after 5 of the same responder")
	require.Contains(t, said, "hint: ")
	_, said = verbOutput(t, exitNot, mixed, "score", "--partition-by", "responder", "--order-by", "none")
	require.Contains(t, said, "no value in the column none of --order-by")
	verbOutput(t, exitDone, row("10.0.0.1", "10.0.0.8", 5)+row("10.0.0.1", "10.0.0.9", 3), "score", "--partition-by", "responder", "--order-by", "seq")
	_, said = verbOutput(t, exitNot, mixed, "score", "--partition-by", "service")
	require.Contains(t, said, `invalid --partition-by "service": want originator or responder`)
	_, said = verbOutput(t, exitNot, mixed, "score", "--partition-by", "responder", "-m", os.DevNull)
	require.Contains(t, said, "--model means nothing with --partition-by responder")
	out, _ := verbOutput(t, exitDone, row("10.0.0.1", "10.0.0.9", 1)+row("10.0.0.2", "10.0.0.9", 2), "score", "--partition-by", "responder")
	require.Contains(t, out, `"anomaly_resp_failures":2}`)
}

// A model of originators' rows that know what others did is the whole log's.
func TestTrainOnAPart(t *testing.T) {
	lines := threeDays(t)[:20_000]
	log := strings.Join(lines, "\n") + "\n"
	dir := t.TempDir()
	train := func(name, stdin string, options ...string) string {
		path := filepath.Join(dir, name)
		verbOutput(t, exitDone, stdin, append([]string{"train", "-o", path}, options...)...)
		bytes, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(bytes)
	}
	failures, _ := verbOutput(t, exitDone, log, "score", "--partition-by", "responder", "--order-by", "seq")
	part := []string{"--partition-by", "originator", "--order-by", "seq"}
	whole := train("whole", log)
	require.Equal(t, whole, train("part", failures, part...))
	require.NotEqual(t, whole, train("own", log, part...), "others' failures are not there")

	out := filepath.Join(dir, "not")
	_, said := verbOutput(t, exitNot, lines[1]+"\n"+lines[0]+"\n", "train", "-o", out, "--order-by", "seq")
	require.Contains(t, said, "seq 0 comes after 1")
	_, said = verbOutput(t, exitNot, log, "train", "-o", out, "--partition-by", "responder")
	require.Contains(t, said, "want originator: score --partition-by responder goes before it")
	_, said = verbOutput(t, exitNot, log, "train", "-o", out, "--as-sensor", "--partition-by", "originator")
	require.Contains(t, said, "--partition-by means nothing with --as-sensor")
}
