package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// zeekRow is a row of a log as Zeek holds it: values by their fields, what is not
// there is unset.
type zeekRow struct {
	ts     float64
	orig   string
	port   uint16
	texts  map[string]string
	bools  map[string]bool
	counts map[string]uint64
	lists  map[string][]string
	hidden map[string]sensor.Value // fields that are not logged
}

// zeekLog are a log's columns beside ts, uid and id.
type zeekLog struct {
	path                        string
	texts, bools, counts, lists []string
}

// values are the row as the plugin gives it.
func (r *zeekRow) values(fields []sensor.Field) (list []sensor.Value) {
	by := map[string]sensor.Value{
		"ts": {Set: true, Real: r.ts}, "id.orig_h": {Set: true, Address: netip.MustParseAddr(r.orig).As16()}, "id.orig_p": {Set: true, Number: 4000},
		"id.resp_h": {Set: true, Address: netip.MustParseAddr("2001:db8::1").As16()}, "id.resp_p": {Set: true, Number: uint64(r.port)},
	}
	for field, text := range r.texts {
		by[field] = sensor.Value{Set: true, Text: text}
	}
	for field, is := range r.bools {
		by[field] = sensor.Value{Set: true, Number: map[bool]uint64{true: 1}[is]}
	}
	for field, n := range r.counts {
		by[field] = sensor.Value{Set: true, Number: n}
	}
	for field, texts := range r.lists {
		by[field] = sensor.Value{Set: true, Texts: texts}
	}
	for field, v := range r.hidden {
		by[field] = v
	}
	for _, f := range fields {
		list = append(list, by[f.Name])
	}
	return list
}

// of writes the rows as Zeek does.
func (l *zeekLog) of(t testing.TB, list []zeekRow, asJSON bool) string {
	var b strings.Builder
	if !asJSON {
		b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" + l.path + "\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p")
		for _, fields := range [][]string{l.texts, l.bools, l.counts, l.lists} {
			for _, field := range fields {
				b.WriteString("\t" + field)
			}
		}
		b.WriteByte('\n')
	}
	for i := range list {
		if asJSON {
			line, err := json.Marshal(list[i].json(i))
			require.NoError(t, err)
			b.Write(append(line, '\n'))
		} else {
			b.WriteString(l.tsv(&list[i], i))
		}
	}
	return b.String()
}

func (r *zeekRow) json(i int) map[string]any {
	row := map[string]any{"ts": json.Number(fmt.Sprintf("%.6f", r.ts)), "uid": fmt.Sprint("C", i), "id.orig_h": r.orig, "id.orig_p": 4000, "id.resp_h": "2001:db8::1", "id.resp_p": r.port}
	for field, text := range r.texts {
		row[field] = jsonText(text)
	}
	for field, is := range r.bools {
		row[field] = is
	}
	for field, n := range r.counts {
		row[field] = n
	}
	for field, texts := range r.lists {
		elements := []string{}
		for _, text := range texts {
			elements = append(elements, jsonText(text))
		}
		row[field] = elements
	}
	return row
}

func (l *zeekLog) tsv(r *zeekRow, i int) string {
	row := []string{fmt.Sprintf("%.6f", r.ts), fmt.Sprint("C", i), r.orig, "4000", "2001:db8::1", fmt.Sprint(r.port)}
	add := func(set bool, text string) {
		if !set {
			text = "-"
		}
		row = append(row, text)
	}
	for _, field := range l.texts {
		text, set := r.texts[field]
		add(set, tsvText(text))
	}
	for _, field := range l.bools {
		is, set := r.bools[field]
		add(set, map[bool]string{true: "T", false: "F"}[is])
	}
	for _, field := range l.counts {
		n, set := r.counts[field]
		add(set, fmt.Sprint(n))
	}
	for _, field := range l.lists {
		texts, set := r.lists[field]
		var elements []string
		for _, text := range texts {
			elements = append(elements, tsvText(text))
		}
		if len(texts) == 0 {
			elements = []string{"(empty)"}
		}
		add(set, strings.Join(elements, ","))
	}
	return strings.Join(row, "\t") + "\n"
}

// tsvText is a text that is set.
func tsvText(text string) string {
	switch text {
	case "":
		return "(empty)"
	case "-", "(empty)": // as Zeek tells them from these
		return fmt.Sprintf("\\x%02x%s", text[0], text[1:])
	}
	return tsv(text)
}

// sensorIsTheLog tests that a sensor, TSV and JSON give each row the same digits
// and the same reason. Certificates are those of the files.
func sensorIsTheLog(t *testing.T, k *logKind, l *zeekLog, list []zeekRow, x509 ...string) {
	dir := t.TempDir()
	path, log := filepath.Join(dir, "model"), filepath.Join(dir, l.path+".log")
	require.NoError(t, os.WriteFile(log, []byte(l.of(t, list, false)), 0o600))
	var stderr strings.Builder
	require.Zero(t, run(&session{Context: t.Context(), stdout: io.Discard, stderr: &stderr}, []string{"train", "-o", path, log, "--x509", strings.Join(x509, ",")}), &stderr)
	m, err := model.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, uint64(len(list)), m.Summary().Rows)
	for _, asJSON := range []bool{false, true} {
		s, err := sensor.Open(l.path, model.DefaultHosts)
		require.NoError(t, err)
		require.NoError(t, s.LoadFile(path))
		r := zeeklog.NewReader(strings.NewReader(l.of(t, list, asJSON)), l.path+".log").Of(k.schema)
		of := &session{Context: t.Context(), stderr: &stderr}
		require.NoError(t, of.readCertificates(x509))
		record := of.recordsOf(k, model.DefaultHosts)()
		for i := range list {
			var at zeeklog.Row
			require.NoError(t, r.Read(&at))
			takeRow(record, &at, r.Fields(), l.path+".log")
			require.NoError(t, at.Err)
			row := new(feature.Row)
			record.Observe()
			record.Encode(row)
			got, err := s.ScoreValues(list[i].values(s.Fields()))
			require.NoError(t, err)
			require.Equal(t, m.ScoreRow(row).Value, got.Score, "JSON %v, row %d: %.300q %.300v", asJSON, i, list[i].texts, list[i].lists)
			require.Equal(t, string(stream.Of(m, record).AppendReason(nil)), string(s.Reason()))
			require.Equal(t, fmt.Sprint("C", i), record.Subject().UID)
		}
	}
}

// fuzzLog reads any text as a log of a kind: a row is made or refused, and what is
// made of it is one of the set.
func fuzzLog(f *testing.F, k *logKind) {
	f.Fuzz(func(t *testing.T, log string) {
		r := zeeklog.NewReader(strings.NewReader(log), k.set.Log+".log").Of(k.schema)
		record := k.open(8)()
		var at zeeklog.Row
		for {
			err := r.Read(&at)
			if bad := (*zeeklog.Error)(nil); err != nil && !errors.As(err, &bad) {
				return
			} else if err != nil {
				continue
			}
			if takeRow(record, &at, r.Fields(), k.set.Log+".log"); at.Err != nil {
				continue
			}
			var row feature.Row
			record.Observe()
			record.Encode(&row)
			require.NoError(t, k.set.CheckSample(&row.Sample))
			_, _ = record.alike(), record.cells()
		}
	})
}

// scoreValues scores rows as Zeek gives them.
func scoreValues(b *testing.B, trained func(testing.TB, int) (*sensor.Sensor, [][]sensor.Value)) {
	s, list := trained(b, 4096)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.ScoreValues(list[i%len(list)])
		i++
	}
}
