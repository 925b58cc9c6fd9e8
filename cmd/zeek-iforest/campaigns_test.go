package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// A day of ordinary rows, then a scan, a campaign that looks ordinary, and a
// strange row that belongs to none.
func TestCampaigns(t *testing.T) {
	e := logEval{perDay: 20, average: 8}
	var rows []evaluate.Row
	var scores []float64
	ts := conn.Micros(1e15)
	add := func(campaign, orig, resp string, score float64) {
		ts += 60e6
		rows = append(rows, evaluate.Row{Campaign: campaign, Anomaly: campaign != "", Conn: conn.Conn{
			TS: ts, Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 1024), Resp: netip.MustParseAddrPort(resp),
			Set: conn.LocalOrig, LocalOrig: true,
		}})
		scores = append(scores, math.Log2(score)*e.average)
	}
	for range 24 * 60 {
		add("", "10.0.0.1", "192.0.2.1:443", 0.4)
	}
	for i := range 100 {
		score := 0.45 // as it begins, it looks ordinary
		if i >= 4 {
			score = 0.65
		}
		add("scan", "10.0.0.2", fmt.Sprintf("192.0.2.9:%d", i+1), score)
		add("quiet", "10.0.0.3", "192.0.2.7:443", 0.45)
	}
	add("", "10.0.0.4", "192.0.2.8:22", 0.7)
	got := e.campaignsBy(rows, scores)
	require.InDelta(t, 1.14, got.Days, 0.01)
	require.EqualValues(t, 4, got.Told, "the scan's first alert, ten, its end, and the other row")
	require.Equal(t, 1, got.False)
	require.Equal(t, 1, got.Found)
	require.Equal(t, []campaignFound{
		{Name: "quiet", Rows: 100},
		{Name: "scan", Rows: 100, Told: 3, Row: 5, Seconds: 8 * 60},
	}, got.Campaigns)
}

// On a log: the column tells the anomalies, and no label is needed.
func TestEvalCampaign(t *testing.T) {
	day, _ := verbOutput(t, exitDone, "", "replay", "--format", "json", "--columns", "score", filepath.Join("..", "..", "testdata", "pcaps", "office-day.pcap"))
	var log strings.Builder
	for line := range strings.Lines(day) {
		var row map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		if row["id.resp_p"] == 4444.0 {
			row["campaign"] = "upload"
		}
		text, err := json.Marshal(row)
		require.NoError(t, err)
		log.Write(append(text, '\n'))
	}
	model := filepath.Join(t.TempDir(), "model")
	verbOutput(t, exitDone, day, "train", "-o", model, "-")
	out, _ := verbOutput(t, exitDone, log.String(), "eval", "-m", model, "--campaign", "campaign", "--alerts-per-day", "100", "-")
	require.Regexp(t, `seed 1: 1 of 1 campaign with an alert; [0-9]+ lines in [0-9.]+ days at 100 a day at most, [0-9]+ false`, out)
	require.Regexp(t, `upload +[0-9]+ +1 of 1 +row 1, after`, out)

	_, errs := verbOutput(t, exitNot, log.String(), "eval", "-m", model, "--campaign", "other", "-")
	require.Contains(t, errs, `no column "other"`)
	_, errs = verbOutput(t, exitNot, log.String(), "eval", "-m", model, "--alerts-per-day", "5", "-")
	require.Contains(t, errs, "--alerts-per-day means nothing without --campaign")
}
