package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
)

// dayOfLogs writes conn.log, dns.log, http.log and ssl.log of one day, whose rows of
// one number have one uid, and a model of each. It returns the models as options, and
// the logs.
func dayOfLogs(t *testing.T, x509 string) (models, logs []string) {
	dir := t.TempDir()
	const n = 1500
	queries, requests, handshakes := queriesOfZeek(n), requestsOfZeek(n, false), handshakesOfZeek(n)
	var conns strings.Builder
	for i := range n {
		at := 1700006400 + 40*float64(i) // 17 hours of one day, from its midnight
		orig := fmt.Sprintf("10.0.%d.%d", i%7, i%29)
		queries[i].ts, requests[i].ts, handshakes[i].ts = at+1, at+2, at+3
		queries[i].orig, requests[i].orig, handshakes[i].orig = orig, orig, orig
		fmt.Fprintf(&conns, `{"ts":%.6f,"uid":"C%d","id.orig_h":%q,"id.orig_p":4000,"id.resp_h":"2001:db8::1","id.resp_p":%d,"proto":"tcp","service":"ssl","duration":5.0,"orig_bytes":%d,"resp_bytes":%d,"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"ShADadFf","orig_pkts":9,"orig_ip_bytes":%d,"resp_pkts":9,"resp_ip_bytes":%d}`+"\n",
			at, i, orig, handshakes[i].port, i*i%977, i*i*i%9973, i*i%977+400, i*i*i%9973+400)
	}
	for _, log := range []struct{ name, text string }{
		{"conn", conns.String()}, {"dns", logOfZeek(t, queries, false)}, {"http", httpLog.of(t, requests, false)}, {"ssl", sslLog.of(t, handshakes, false)},
	} {
		file, model := filepath.Join(dir, log.name+".log"), filepath.Join(dir, log.name+".model")
		require.NoError(t, os.WriteFile(file, []byte(log.text), 0o600))
		args := []string{"train", "-o", model, file}
		if log.name == "ssl" && x509 != "" {
			args = append(args, "--x509", x509)
		}
		verbOutput(t, exitDone, "", args...)
		models, logs = append(models, "-m", model), append(logs, file)
	}
	return models, logs
}

// TestOnePolicyOfLogsTogether: the same logs, models and budget give the same alerts,
// in the same order and with the same reasons, cases and certificates included, through
// score, watch and report.
func TestOnePolicyOfLogsTogether(t *testing.T) {
	x509 := writeX509(t, zeekCertificates)
	models, logs := dayOfLogs(t, x509)
	args := func(verb ...string) []string {
		return append(append(append(verb, models...), "--x509", x509, "--alerts-per-day", "40"), logs...)
	}
	incident := regexp.MustCompile(`([0-9]+) more (?:unusual|anomalous) (?:connections|rows of [a-z.]+|rows of several logs) (?:to|of|from) (\S+?)[, ]`)
	uid := regexp.MustCompile(`\bC[0-9]+\b`)
	incidentOr := func(text, row string) string {
		if m := incident.FindStringSubmatch(text); m != nil {
			return m[1] + " of " + m[2]
		}
		return row
	}

	table, stderr := verbOutput(t, exitDone, "", args("score")...)
	require.NotContains(t, stderr, "certificate")
	var want, uids []string
	several := map[string]bool{}
	columns := regexp.MustCompile(` {2,}`)
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		cells := columns.Split(line, 8)
		if i == 0 {
			require.Equal(t, []string{"time (UTC)", "score", "1 in", "connection", "log", "row", "uid", "reason"}, cells)
			continue
		}
		require.Len(t, cells, 8, line)
		several[cells[4]] = true
		want = append(want, incidentOr(cells[7], cells[4]+" "+cells[6]+" "+cells[7]))
		uids = append(uids, incidentOr(cells[7], cells[6]))
	}
	require.Greater(t, len(want), 10)
	for _, log := range scoredLogs() {
		require.True(t, several[log], "%s.log has no alert: %s", log, table)
	}
	require.Regexp(t, `; (dns|http|ssl)\.log 0\.[0-9]{4}, 1 in`, table, "a connection is told with the rows of its uid")

	out, stderr := verbOutput(t, exitDone, "", args("watch", "--dry-run")...)
	require.NotContains(t, stderr, "certificate")
	var got []string
	for line := range strings.Lines(out) {
		var a alert.Alert
		require.NoError(t, json.Unmarshal([]byte(line), &a))
		row := ""
		if a.Kind == alert.Connection {
			row = cmp.Or(a.Log, "conn") + " " + a.Connection.UID + " " + a.Reason
		}
		got = append(got, incidentOr(a.Title(), row))
	}
	require.Equal(t, want, got, "watch")

	page, stderr := verbOutput(t, exitDone, "", args("report", "--html", "-")...)
	require.NotContains(t, stderr, "certificate")
	_, page, _ = strings.Cut(page, "<h2>Alerts</h2>")
	page, _, _ = strings.Cut(page, "</table>")
	got = nil
	for row := range strings.Lines(strings.ReplaceAll(page, "<tr>", "\n")) {
		if found := incidentOr(row, uid.FindString(row)); found != "" {
			got = append(got, found)
		}
	}
	require.Equal(t, uids, got, "report")
}
