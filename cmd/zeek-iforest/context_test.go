package main

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// The same addresses in several contexts are as many hosts: each has the scores
// that it has in a log of its own, of TSV and JSON, and tables say which one they
// name.
func TestContextsAreOtherHosts(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join("..", "..", "testdata", "pcaps", "office-day.pcap.conn.log")
	siteModel := filepath.Join(dir, "site.model")
	verbOutput(t, 0, "", "train", "--seed", "1", "-o", siteModel, log)
	text, err := os.ReadFile(log)
	require.NoError(t, err)

	contexts := []string{"\t-\t-", "\t10\t-", "\t10\t5"}
	var mixed, jsonLog strings.Builder
	var fields []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if names, ok := strings.CutPrefix(line, "#fields\t"); ok {
			fields = strings.Split(names, "\t")
			line += "\tid.ctx.vlan\tid.ctx.inner_vlan"
		}
		if strings.HasPrefix(line, "#") {
			mixed.WriteString(line + "\n")
			continue
		}
		for _, context := range contexts {
			mixed.WriteString(line + context + "\n")
			jsonLog.WriteString(jsonOf(fields, line, context) + "\n")
		}
	}

	score := func(log string, args ...string) string {
		out, _ := verbOutput(t, 0, log, append([]string{"score", "-m", siteModel}, args...)...)
		return out
	}
	var alone, each []string
	for line := range strings.Lines(score(string(text))) {
		if !strings.HasPrefix(line, "#") {
			alone = append(alone, line[strings.LastIndexByte(line, '\t')+1:])
		}
	}
	for _, s := range alone {
		for range contexts {
			each = append(each, s)
		}
	}
	var got []string
	for line := range strings.Lines(score(mixed.String())) {
		if !strings.HasPrefix(line, "#") {
			got = append(got, line[strings.LastIndexByte(line, '\t')+1:])
		}
	}
	require.Equal(t, each, got)
	got = nil
	for line := range strings.Lines(score(jsonLog.String())) {
		got = append(got, first(scoreOf, line)+"\n")
	}
	require.Equal(t, each, got)

	out := score(mixed.String(), "--top", "3")
	require.Contains(t, out, " icmp  ")
	require.Contains(t, out, " icmp (vlan=10)  ")
	require.Contains(t, out, " icmp (inner_vlan=5,vlan=10)  ")
}

// jsonOf is a row of Zeek's TSV as JSON, of which only what is set matters.
func jsonOf(fields []string, line, context string) string {
	var b strings.Builder
	values := strings.Split(line+context, "\t")
	for i, name := range append(fields, "id.ctx.vlan", "id.ctx.inner_vlan") {
		value := values[i]
		switch name {
		case "uid", "id.orig_h", "id.resp_h", "proto", "service", "conn_state", "history":
			value = `"` + value + `"`
		case "local_orig", "local_resp":
			value = map[string]string{"T": "true", "F": "false", "-": "-"}[value]
		case "tunnel_parents":
			continue
		}
		if strings.Trim(value, `"`) != "-" {
			b.WriteString(`,"` + name + `":` + value)
		}
	}
	return "{" + b.String()[1:] + "}"
}

// An attack that drill lays over a log is scored as that of the host's context, of
// every log.
func TestDrillsStayInContext(t *testing.T) {
	var rows []evaluate.Row
	for i := range 24 * 60 {
		rows = append(rows, evaluate.Row{Conn: conn.Conn{
			TS: conn.Micros(i) * 60e6, Context: "vlan=10",
			Orig: netip.MustParseAddrPort("10.0.0.1:5000"), Resp: netip.MustParseAddrPort("10.0.0.53:53"),
		}})
	}
	site, err := evaluate.NewSite(rows)
	require.NoError(t, err)
	for _, k := range append([]*logKind{nil}, logKinds...) {
		attacks := evaluate.Attacks
		if k != nil {
			attacks = k.drills
		}
		record := replayedRows(k)
		laid, err := site.Lay(attacks[0], rand.New(rand.NewPCG(1, 0)))
		require.NoError(t, err)
		for i := range laid.Rows {
			require.Equal(t, rows[0].Conn.OrigHost(), record(&laid.Rows[i]).Subject().OrigHost(), rowsOf(k))
		}
	}
}
