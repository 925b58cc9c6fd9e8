package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

var httpLog = zeekLog{
	path:   "http",
	texts:  []string{"method", "host", "uri", "user_agent"},
	counts: []string{"status_code", "request_body_len", "response_body_len"},
	lists:  []string{"orig_mime_types", "resp_mime_types", "tags"},
}

// requestsOfZeek are n rows; odd ones have texts that nobody likes to log.
func requestsOfZeek(n int, odd bool) []zeekRow {
	r := rand.New(rand.NewPCG(7, 8))
	values := map[string][]string{
		"method": {"GET", "GET", "GET", "POST", "HEAD"},
		"host":   {"www.example.com", "WWW.Example.COM.", "cdn.bbc.co.uk:8080", "10.1.2.3", "10.1.2.3:8082", "[2001:db8::1]:80"},
		"uri":    {"/", "/index.html", "/a/b/c.PNG?x=1&y=/2", "/search?q=zeek+iforest", "/static/js/app.4f3e2a.js", "/up/" + strings.Repeat("a", 70)},
		"user_agent": {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Safari/537.36", "curl/8.5.0", "Microsoft-CryptoAPI/10.0"},
		"orig_mime_types": {"text/plain", "application/zip"}, "resp_mime_types": {"text/html", "image/png", "application/x-dosexec", "text/plain"},
	}
	if odd {
		long, bytes := strings.Repeat("Ab./", 1<<14), "j\xe4ger\x00\\x41,\t.\xc3\xa9/../%00?\xff"
		for field := range values {
			values[field] = append(values[field], bytes, long, "", "-", "(empty)", ".", ":80", strings.Repeat("\xff", 5000), strings.Repeat("\\x41", 1200))
		}
	}
	list := make([]zeekRow, n)
	for i := range list {
		row := zeekRow{ts: 1.7e9 + float64(i) + float64(r.IntN(1e6))/1e6, orig: fmt.Sprint("10.0.0.", r.IntN(9)), port: []uint16{80, 80, 80, 8082}[r.IntN(4)],
			texts: map[string]string{}, counts: map[string]uint64{}, lists: map[string][]string{"tags": {}}}
		for _, field := range httpLog.texts {
			if !odd || r.IntN(4) > 0 {
				row.texts[field] = values[field][r.IntN(len(values[field]))]
			}
		}
		for _, field := range httpLog.counts {
			if !odd || r.IntN(4) > 0 {
				row.counts[field] = uint64(r.IntN(1 << r.IntN(20)))
			}
		}
		if !odd || r.IntN(4) > 0 {
			row.counts["status_code"] = []uint64{200, 200, 304, 404, 0, 99999, math.MaxUint64}[r.IntN(map[bool]int{false: 4, true: 7}[odd])]
		}
		for _, field := range httpLog.lists[:2] {
			for range r.IntN(3) {
				row.lists[field] = append(row.lists[field], values[field][r.IntN(len(values[field]))])
			}
		}
		if odd && r.IntN(20) == 0 {
			row.lists["resp_mime_types"] = []string{}
		}
		list[i] = row
	}
	return list
}

// A sensor, TSV and JSON give each row of http.log the same digits and the same
// reason.
func TestSensorOfHTTPIsTheLog(t *testing.T) {
	sensorIsTheLog(t, &httpKind, &httpLog, requestsOfZeek(1000, true))
}

// The same of a week of a real sensor's rows.
func TestSensorOfHTTPIsARealLog(t *testing.T) {
	file, err := os.Open(testenv.Shared(t, "datasets/campaigns/trickbot-week/http.log.gz"))
	require.NoError(t, err)
	defer file.Close()
	log, err := gzip.NewReader(file)
	require.NoError(t, err)
	r := zeeklog.NewReader(log, "http.log").Of(httpKind.schema)
	record := httpKind.open(model.DefaultHosts)().(*httpRecord)
	var values [][]sensor.Value
	var rows []feature.Row
	for {
		var at zeeklog.Row
		err := r.Read(&at)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		fields := r.Fields()
		takeRow(record, &at, fields, "http.log")
		require.NoError(t, at.Err)
		var row feature.Row
		record.Observe()
		record.Encode(&row)
		rows = append(rows, row)
		q := &record.Request
		text := func(i int) sensor.Value { return sensor.Value{Set: fields[i].IsSet(), Text: fields[i].Text()} }
		count := func(i int, n uint64) sensor.Value { return sensor.Value{Set: fields[i].IsSet(), Number: n} }
		list := func(i int) sensor.Value {
			if !fields[i].IsSet() {
				return sensor.Value{}
			}
			return sensor.Value{Set: true, Texts: elements(t, &fields[i])}
		}
		values = append(values, []sensor.Value{
			{Set: true, Real: q.TS.Seconds()}, {Set: true, Address: q.Orig.Addr().As16()}, {Set: true, Number: uint64(q.Orig.Port())},
			{Set: true, Address: q.Resp.Addr().As16()}, {Set: true, Number: uint64(q.Resp.Port())},
			text(httpMethod), text(httpHost), text(httpURI), text(httpUserAgent),
			count(httpStatus, q.StatusCode), count(httpRequestLength, q.RequestLength), count(httpResponseLength, q.ResponseLength),
			list(httpRequestTypes), list(httpResponseTypes), {}, // without a context
		})
	}
	require.Len(t, rows, 1149)
	s, path := httpSensor(t, rows)
	m, err := model.ReadFile(path)
	require.NoError(t, err)
	for i := range rows {
		got, err := s.ScoreValues(values[i])
		require.NoError(t, err)
		require.Equal(t, m.ScoreRow(&rows[i]).Value, got.Score, "row %d", i)
	}
}

// httpSensor is a sensor with a model of those rows, and the model's file.
func httpSensor(t testing.TB, rows []feature.Row) (*sensor.Sensor, string) {
	m, _, err := learn.FitRows(rowtest.Each(rows), learn.Options{Set: httpKind.set, Seed: 1})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "http.model")
	require.NoError(t, m.WriteFile(path))
	s, err := sensor.Open("http", model.DefaultHosts)
	require.NoError(t, err)
	require.NoError(t, s.LoadFile(path))
	return s, path
}

// trainedHTTPSensor is a sensor with a model of rows of Zeek, and these rows.
func trainedHTTPSensor(t testing.TB, n int) (*sensor.Sensor, [][]sensor.Value) {
	list := requestsOfZeek(n, false)
	r := zeeklog.NewReader(strings.NewReader(httpLog.of(t, list, false)), "http.log").Of(httpKind.schema)
	record := httpKind.open(model.DefaultHosts)()
	rows := make([]feature.Row, n)
	for i := range rows {
		var at zeeklog.Row
		require.NoError(t, r.Read(&at))
		takeRow(record, &at, r.Fields(), "http.log")
		require.NoError(t, at.Err)
		record.Observe()
		record.Encode(&rows[i])
	}
	s, _ := httpSensor(t, rows)
	values := make([][]sensor.Value, n)
	for i := range list {
		values[i] = list[i].values(s.Fields())
	}
	return s, values
}

// Scoring a row from Zeek allocates nothing, and what is no row is refused.
func TestSensorOfHTTPIsFrugalAndStrict(t *testing.T) {
	s, list := trainedHTTPSensor(t, 600)
	i := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = s.ScoreValues(list[i%len(list)]); i++ }))
	for want, change := range map[string]func(v []sensor.Value){
		"ts is not a time: NaN":    func(v []sensor.Value) { v[0].Real = math.NaN() },
		"field id.orig_h is unset": func(v []sensor.Value) { v[1].Set = false },
		"13 values, want 15":       nil,
	} {
		v := slices.Clone(list[0])
		if change == nil {
			v = v[:13]
		} else {
			change(v)
		}
		_, err := s.ScoreValues(v)
		require.ErrorContains(t, err, want)
	}
}

// A column that the log does not have is no reason, and is named; a sip.log is
// no http.log.
func TestHTTPLogThatLacksColumns(t *testing.T) {
	dir := t.TempDir()
	list := requestsOfZeek(300, false)
	whole, lacking, sip := filepath.Join(dir, "http.log"), filepath.Join(dir, "lacking.log"), filepath.Join(dir, "sip.log")
	require.NoError(t, os.WriteFile(whole, []byte(httpLog.of(t, list, false)), 0o600))
	few := zeekLog{path: "http", texts: []string{"method", "host", "uri"}, counts: httpLog.counts, lists: httpLog.lists}
	require.NoError(t, os.WriteFile(lacking, []byte(few.of(t, list, false)), 0o600))
	require.NoError(t, os.WriteFile(sip, []byte(strings.Replace(httpLog.of(t, list, false), "#path\thttp", "#path\tsip", 1)), 0o600))
	path := filepath.Join(dir, "http.model")
	of := func(args ...string) (int, string, string) {
		var stdout, stderr strings.Builder
		return run(&session{Context: t.Context(), stdout: &stdout, stderr: &stderr}, args), stdout.String(), stderr.String()
	}
	status, _, stderr := of("train", "-o", path, whole)
	require.Zero(t, status, stderr)
	status, out, stderr := of("score", "-m", path, "--columns", "score,reason", lacking)
	require.Zero(t, status, stderr)
	require.Contains(t, stderr, "columns are missing: 2 of the 21 features count as usual and are no reason, so what is unusual in them alone is not found: user_agent, user_agent for this originator")
	require.NotContains(t, out, "user_agent ")
	status, _, stderr = of("train", "-o", path, sip)
	require.NotZero(t, status)
	require.Contains(t, stderr, "sip.log")
}

// A log without a header of Zeek's is told by its columns, and by its keys.
func TestHTTPLogIsTold(t *testing.T) {
	list := requestsOfZeek(1, false)
	for want, text := range map[string]string{
		"http": httpLog.of(t, list, true), "ssl": "ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,version,cipher\n", "dns": "ts\tid.orig_h\tquery\n",
		"sip": `{"ts":1,"uid":"C","id.orig_h":"::1","trans_depth":0,"method":"INVITE","call_id":"x"}`, "": "ts,id.orig_h,conn_state,method,status_code\n",
	} {
		require.Equal(t, want, zeeklog.LogOf(text), text)
	}
	require.Equal(t, "http", zeeklog.LogOf("ts,uid,id.orig_h,method,host,uri,status_code\n"))
}

// FuzzHTTPLog reads any text as a http.log: a row is made or refused, and what is
// made of it is one of the set.
func FuzzHTTPLog(f *testing.F) {
	f.Add(httpLog.of(f, requestsOfZeek(3, false), false))
	f.Add(httpLog.of(f, requestsOfZeek(3, false), true))
	f.Add(`{"ts":1.5,"id.orig_h":"::1","id.orig_p":1,"id.resp_h":"::2","id.resp_p":2,"host":"..:80","uri":"\u0000\\xff","resp_mime_types":[null,""],"status_code":18446744073709551615}` + "\n")
	fuzzLog(f, &httpKind)
}

func BenchmarkSensorOfHTTP(b *testing.B) { scoreValues(b, trainedHTTPSensor) }
