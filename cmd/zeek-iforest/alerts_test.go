package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// TestOnePolicy: the same log, model and budget give the same alerts, in the
// same order, through score, watch (with the log's scores, and with its own),
// the sensor, and report.
func TestOnePolicy(t *testing.T) {
	dir := t.TempDir()
	model, scored, plain := filepath.Join(dir, "model"), filepath.Join(dir, "scored.log"), filepath.Join(dir, "plain.log")
	log := strings.Join(threeDays(t)[:60_000], "\n")
	require.NoError(t, os.WriteFile(plain, []byte(log), 0o600))
	verbOutput(t, exitDone, "", "train", "-o", model, plain)
	verbOutput(t, exitDone, "", "score", "-m", model, "--columns", "score,rank,reason,model", "-o", scored, plain)

	uid := regexp.MustCompile(`\bC[0-9A-Za-z]{15,}\b`)
	incident := regexp.MustCompile(`([0-9]+) more (?:unusual|anomalous) connections (to|of|from) (\S+?)[, ]`)
	lines := func(text string) (found []string) {
		for line := range strings.Lines(text) {
			if m := incident.FindStringSubmatch(line); m != nil {
				found = append(found, m[1]+" "+m[3])
			} else if m := uid.FindString(line); m != "" {
				found = append(found, m)
			}
		}
		return found
	}
	out, _ := verbOutput(t, exitDone, "", "score", "-m", model, "--alerts-per-day", "20", plain)
	want := lines(out)
	require.Greater(t, len(want), 8)

	for name, args := range map[string][]string{"the log's scores": {scored}, "its own": {"-m", model, plain}} {
		out, _ := verbOutput(t, exitDone, "", append([]string{"watch", "--dry-run"}, args...)...)
		var got []string
		for line := range strings.Lines(out) {
			var a alert.Alert
			require.NoError(t, json.Unmarshal([]byte(line), &a))
			if a.Kind == alert.Connection {
				got = append(got, a.Connection.UID)
			} else {
				got = append(got, lines(a.Title())...)
			}
		}
		require.Equal(t, want, got, "watch, with %s", name)
	}

	var got []string
	rows := (&session{Context: t.Context(), stderr: &strings.Builder{}}).rows([]string{plain}, true)
	defer rows.close()
	m, err := readModel(model)
	require.NoError(t, err)
	s := sensor.New(1 << 16)
	require.NoError(t, s.LoadBytes(m.Bytes()))
	s.SetAlerts(20)
	news := func() {
		for s.News() > 0 {
			if e := s.Event(); e.Kind == sensor.Incident {
				got = append(got, lines(describe(&e.Incident))...)
			}
		}
	}
	var c conn.Conn
	for rows.next(&c) == nil {
		r, err := s.Score(recordOf(&c))
		require.NoError(t, err)
		news()
		if r.Unusual && s.Raise() == alerts.Raise {
			got = append(got, strings.Clone(c.UID))
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
}

// recordOf is the connection as Zeek's plugin hands it over.
func recordOf(c *conn.Conn) *sensor.Record {
	return &sensor.Record{
		TS: c.TS.Seconds(), Duration: c.Duration.Seconds(), OrigBytes: c.OrigBytes, RespBytes: c.RespBytes, MissedBytes: c.MissedBytes,
		OrigPkts: c.OrigPkts, RespPkts: c.RespPkts, OrigIPBytes: c.OrigIPBytes, RespIPBytes: c.RespIPBytes,
		Service: c.Service, State: c.State.String(), OrigHost: c.Orig.Addr().As16(), RespHost: c.Resp.Addr().As16(),
		OrigPort: c.Orig.Port(), RespPort: c.Resp.Port(), IPProto: c.IPProto, Proto: uint8(c.Proto),
		LocalOrig: c.LocalOrig, LocalResp: c.LocalResp, Set: c.Set &^ conn.History,
	}
}
