package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

// TestOnePolicyOfOtherLogs is TestOnePolicy for rows of dns.log: score, watch,
// report and the sensor raise the same alerts, in TSV and JSON.
func TestOnePolicyOfOtherLogs(t *testing.T) {
	testenv.NoRace(t)
	dir := t.TempDir()
	list := queriesOfZeek(3000)
	for i := range list {
		list[i].ts = 1.7e9 + 20*float64(i) // 17 hours of one day
		list[i].orig = fmt.Sprintf("10.0.%d.%d", i%7, i%29)
	}
	model, scored, plain := filepath.Join(dir, "model"), filepath.Join(dir, "scored.log"), filepath.Join(dir, "dns.log")
	require.NoError(t, os.WriteFile(plain, []byte(logOfZeek(t, list, false)), 0o600))
	verbOutput(t, exitDone, "", "train", "-o", model, plain)
	verbOutput(t, exitDone, "", "score", "-m", model, "--columns", "score,rank,reason,model", "-o", scored, plain)

	uid := regexp.MustCompile(`\bC[0-9]+\b`)
	incident := regexp.MustCompile(`([0-9]+) more (?:unusual rows of dns.log|anomalous rows of dns.log) (?:to|of|from) (\S+?)[, ]`)
	lines := func(text string) (found []string) {
		for line := range strings.Lines(text) {
			if m := incident.FindStringSubmatch(line); m != nil {
				found = append(found, m[1]+" "+m[2])
			} else if m := uid.FindString(line); m != "" {
				found = append(found, m)
			}
		}
		return found
	}
	out, _ := verbOutput(t, exitDone, "", "score", "-m", model, "--alerts-per-day", "20", plain)
	want := lines(out)
	require.Greater(t, len(want), 5, "%s", out)

	for name, args := range map[string][]string{"the log's scores": {scored}, "its own": {"-m", model, plain}} {
		out, _ := verbOutput(t, exitDone, "", append([]string{"watch", "--dry-run"}, args...)...)
		var got []string
		for line := range strings.Lines(out) {
			var a alert.Alert
			require.NoError(t, json.Unmarshal([]byte(line), &a))
			require.Equal(t, "dns", a.Log)
			if a.Kind == alert.Connection {
				got = append(got, a.Connection.UID)
				require.NotEmpty(t, a.Reason)
			} else {
				got = append(got, lines(a.Title())...)
			}
		}
		require.Equal(t, want, got, "watch, with %s", name)
	}

	m, err := readAnyModel(model)
	require.NoError(t, err)
	s, err := sensor.Open("dns", 1<<16)
	require.NoError(t, err)
	require.NoError(t, s.LoadBytes(m.Bytes()))
	s.SetAlerts(20)
	var got []string
	news := func() {
		for s.News() > 0 {
			if e := s.Event(); e.Kind == sensor.Incident {
				got = append(got, lines(describe(&e.Incident))...)
			}
		}
	}
	for i := range list {
		r, err := s.ScoreValues(list[i].values(s.Fields()))
		require.NoError(t, err)
		news()
		if r.Unusual && s.Raise() == alerts.Raise {
			got = append(got, fmt.Sprint("C", i))
		}
	}
	require.NoError(t, s.Finish())
	news()
	require.Equal(t, want, got, "the sensor")

	out, _ = verbOutput(t, exitDone, "", "report", "-m", model, "--html", "-", plain)
	_, table, _ := strings.Cut(out, "<h2>Alerts</h2>")
	table, _, _ = strings.Cut(table, "</table>")
	ofDay := lines(strings.ReplaceAll(table, "<td>", "\n "))
	require.NotEmpty(t, ofDay)
	require.Equal(t, want[len(want)-len(ofDay):], ofDay, "report, of the latest day")

	require.NoError(t, os.WriteFile(plain, []byte(strings.ReplaceAll(logOfZeek(t, list, true), `{"`, `{"_path":"dns","`)), 0o600))
	out, _ = verbOutput(t, exitDone, "", "score", "-m", model, "--alerts-per-day", "20", plain)
	require.Equal(t, len(want), strings.Count(out, "\n")-1, "JSON")

	allow := filepath.Join(dir, "allow.tsv")
	require.NoError(t, os.WriteFile(allow, []byte("#fields\toriginator\tresponder\tnetwork\tresp_p\tservice\texpires\tcomment\n-\t-\t-\t53/udp\tdns\t-\tknown\n"), 0o600))
	out, _ = verbOutput(t, exitDone, "", "watch", "--dry-run", "--allow", allow, scored)
	require.Empty(t, out)
}

// What the other logs say of a connection is in its alert, through score, watch
// and report alike, and decides whether there is one.
func TestOnePolicyOfCases(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	rows := threeDays(t)[:30_000]
	require.NoError(t, os.WriteFile(at("conn.log"), []byte(strings.Join(rows, "\n")), 0o600))
	uids := regexp.MustCompile(`"uid":"([^"]+)"`)
	var ssl strings.Builder
	ssl.WriteString("#separator \\x09\n#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tversion\tcipher\tserver_name\tssl_history\tanomaly_score\tanomaly_rank\tanomaly_reason\n")
	var odd string
	for i := 20_000; i < 21_000; i += 10 {
		uid := uids.FindStringSubmatch(rows[i])[1]
		rank, score, reason := 2, 0.4, "ordinary"
		if i == 20_500 {
			odd, rank, score, reason = uid, 4_000_000_000, 0.7, "a name never seen"
		}
		fmt.Fprintf(&ssl, "1.0\t%s\t10.0.0.1\t1\t10.0.0.2\t443\tTLSv12\tx\ty\tC\t%.4f\t%d\t%s\n", uid, score, rank, reason)
	}
	require.NoError(t, os.WriteFile(at("ssl.log"), []byte(ssl.String()), 0o600))
	verbOutput(t, exitDone, "", "train", "-o", at("model"), at("conn.log"))
	verbOutput(t, exitDone, "", "score", "-m", at("model"), "--uid-column", "--columns", "score,rank,reason,model", "-o", at("scored.log"), at("conn.log"), at("ssl.log"))
	log, err := os.ReadFile(at("scored.log"))
	require.NoError(t, err)
	require.Equal(t, 100, strings.Count(string(log), `"anomaly_uid_log":"ssl"`))
	require.Equal(t, 1, strings.Count(string(log), `"anomaly_uid_reason"`), "of what is rare alone")

	told, _ := verbOutput(t, exitDone, "", "score", "-m", at("model"), "--uid-column", "--alerts-per-day", "60", at("conn.log"), at("ssl.log"))
	uid := regexp.MustCompile(`\bC[0-9A-Za-z]{15,}\b`)
	want := uid.FindAllString(told, -1)
	out, _ := verbOutput(t, exitDone, "", "watch", "--dry-run", "--alerts-per-day", "60", at("scored.log"))
	var got []string
	for line := range strings.Lines(out) {
		var a alert.Alert
		require.NoError(t, json.Unmarshal([]byte(line), &a))
		if a.Kind == alert.Connection {
			got = append(got, a.Connection.UID)
			if a.Connection.UID == odd {
				require.Contains(t, a.Reason, "; ssl.log 0.7000, 1 in 4000000000: a name never seen")
			}
		}
	}
	require.Equal(t, want, got)
	require.Contains(t, want, odd)
	require.Contains(t, told, "a name never seen")

	top, _ := verbOutput(t, exitDone, "", "score", "-m", at("model"), "--uid-column", "--top", "5", at("conn.log"), at("ssl.log"))
	require.Contains(t, top, "; ssl.log 0.7000, 1 in 4000000000: a name never seen")
	page, _ := verbOutput(t, exitDone, "", "report", "--alerts-per-day", "60", "--html", "-", at("scored.log"))
	require.Contains(t, page, "ssl.log 0.7000, 1 in 4000000000: a name never seen")

	_, refused := verbOutput(t, exitNot, "", "score", "-m", at("model"), "--uid-column", at("conn.log"))
	require.Contains(t, refused, "there is no other log beside conn.log")
	_, refused = verbOutput(t, exitNot, "", "score", "-m", at("model"), "--uid-column", at("ssl.log"))
	require.Contains(t, refused, "there is no conn.log among the logs")
	require.NoError(t, os.WriteFile(at("ssl.log"), []byte(strings.ReplaceAll(ssl.String(), "anomaly_rank", "other_rank")), 0o600))
	_, refused = verbOutput(t, exitNot, "", "score", "-m", at("model"), "--uid-column", at("conn.log"), at("ssl.log"))
	require.Contains(t, refused, "its rows have no anomaly_score, or no anomaly_rank")
}
