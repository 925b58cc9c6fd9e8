package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// zeekHandshake is a row of ssl.log as Zeek holds it: texts and bools by their
// fields, what is not there is unset.
type zeekHandshake struct {
	ts    float64
	orig  string
	port  uint16
	texts map[string]string
	bools map[string]bool
}

var sslTexts = []string{"version", "cipher", "server_name", "last_alert", "next_protocol", "ssl_history", "validation_status", "ja4", "ja3"}
var sslBools = []string{"resumed", "established", "sni_matches_cert"}

func handshakesOfZeek(n int) []zeekHandshake {
	r := rand.New(rand.NewPCG(5, 6))
	long, bytes := strings.Repeat("Ab.", 1<<14), "j\xe4ger\x00\\x41,\t.\xc3\xa9.example.com."
	values := map[string][]string{
		"version": {"TLSv12", "TLSv13", "TLSv10", "unknown-64282"}, "cipher": {"TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_MD5", ""},
		"server_name": {"www.example.com", "WWW.Example.COM.", "mail.bbc.co.uk", "10.1.2.3", bytes, long, "-", "(empty)", "."}, "last_alert": {"close_notify", "unknown_ca"},
		"next_protocol": {"h2", "http/1.1", "", bytes, long}, "ssl_history": {"CsxknGIi", "CsiI", ""}, "validation_status": {"ok", "self signed certificate"},
		"ja4": {"t13d1516h2_8daaf6152771_02713d6af862", ""}, "ja3": {"e7d705a3286e19ea42f587b344ee6865"},
	}
	list := make([]zeekHandshake, n)
	for i := range list {
		h := zeekHandshake{ts: 1.7e9 + float64(i) + float64(r.IntN(1e6))/1e6, orig: fmt.Sprint("10.0.0.", r.IntN(9)), port: []uint16{443, 443, 8443, 993}[r.IntN(4)],
			texts: map[string]string{}, bools: map[string]bool{}}
		for _, field := range sslTexts {
			if r.IntN(3) > 0 {
				h.texts[field] = values[field][r.IntN(len(values[field]))]
			}
		}
		for _, field := range sslBools {
			if field != "sni_matches_cert" || r.IntN(2) == 0 {
				h.bools[field] = r.IntN(4) > 0
			}
		}
		list[i] = h
	}
	return list
}

// values are the row as the plugin gives it.
func (h *zeekHandshake) values(fields []sensor.Field) (list []sensor.Value) {
	by := map[string]sensor.Value{
		"ts": {Set: true, Real: h.ts}, "id.orig_h": {Set: true, Address: netip.MustParseAddr(h.orig).As16()}, "id.orig_p": {Set: true, Number: 4000},
		"id.resp_h": {Set: true, Address: netip.MustParseAddr("2001:db8::1").As16()}, "id.resp_p": {Set: true, Number: uint64(h.port)},
	}
	for field, text := range h.texts {
		by[field] = sensor.Value{Set: true, Text: text}
	}
	for field, is := range h.bools {
		by[field] = sensor.Value{Set: true, Number: map[bool]uint64{true: 1}[is]}
	}
	for _, f := range fields {
		list = append(list, by[f.Name])
	}
	return list
}

// sslLogOfZeek writes the rows as Zeek does.
func sslLogOfZeek(t testing.TB, list []zeekHandshake, asJSON bool) string {
	var b strings.Builder
	if !asJSON {
		b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t" +
			strings.Join(sslTexts, "\t") + "\t" + strings.Join(sslBools, "\t") + "\n")
	}
	for i, h := range list {
		if asJSON {
			row := map[string]any{"ts": json.Number(fmt.Sprintf("%.6f", h.ts)), "uid": fmt.Sprint("C", i), "id.orig_h": h.orig, "id.orig_p": 4000, "id.resp_h": "2001:db8::1", "id.resp_p": h.port}
			for field, text := range h.texts {
				row[field] = jsonText(text)
			}
			for field, is := range h.bools {
				row[field] = is
			}
			line, err := json.Marshal(row)
			require.NoError(t, err)
			b.Write(append(line, '\n'))
			continue
		}
		fmt.Fprintf(&b, "%.6f\tC%d\t%s\t4000\t2001:db8::1\t%d", h.ts, i, h.orig, h.port)
		for _, field := range sslTexts {
			switch text, set := h.texts[field]; {
			case !set:
				b.WriteString("\t-")
			case text == "":
				b.WriteString("\t(empty)")
			case text == "-" || text == "(empty)": // as Zeek tells them from these
				fmt.Fprintf(&b, "\t\\x%02x%s", text[0], text[1:])
			default:
				b.WriteString("\t" + tsv(text))
			}
		}
		for _, field := range sslBools {
			is, set := h.bools[field]
			b.WriteString("\t" + map[bool]string{false: "-", true: map[bool]string{true: "T", false: "F"}[is]}[set])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// A sensor, TSV and JSON give each row of ssl.log the same digits and the same
// reason.
func TestSensorOfSSLIsTheLog(t *testing.T) {
	list := handshakesOfZeek(1500)
	dir := t.TempDir()
	path, log := filepath.Join(dir, "ssl.model"), filepath.Join(dir, "ssl.log")
	require.NoError(t, os.WriteFile(log, []byte(sslLogOfZeek(t, list, false)), 0o600))
	var stderr strings.Builder
	require.Zero(t, run(&session{Context: t.Context(), stdout: io.Discard, stderr: &stderr}, []string{"train", "-o", path, log}), &stderr)
	m, err := model.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, uint64(len(list)), m.Summary().Rows)
	for _, asJSON := range []bool{false, true} {
		s, err := sensor.Open("ssl", model.DefaultHosts)
		require.NoError(t, err)
		require.NoError(t, s.LoadFile(path))
		r := zeeklog.NewReader(strings.NewReader(sslLogOfZeek(t, list, asJSON)), "ssl.log").Of(sslKind.schema)
		record := sslKind.open(model.DefaultHosts)()
		for i := range list {
			var at zeeklog.Row
			require.NoError(t, r.Read(&at))
			takeRow(record, &at, r.Fields(), "ssl.log")
			require.NoError(t, at.Err)
			row := new(feature.Row)
			record.Observe()
			record.Encode(row)
			got, err := s.ScoreValues(list[i].values(s.Fields()))
			require.NoError(t, err)
			require.Equal(t, m.ScoreRow(row).Value, got.Score, "JSON %v, row %d: %q", asJSON, i, list[i].texts)
			require.Equal(t, string(stream.Of(m, record).AppendReason(nil)), string(s.Reason()))
			require.Equal(t, fmt.Sprint("C", i), record.Subject().UID)
		}
	}
}
