package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// zeekQuery is a row of dns.log as Zeek holds it.
type zeekQuery struct {
	ts, rtt    float64
	orig, resp string
	query      string
	qtype      uint64
	rcode      int // −1 is unset
	answers    []string
	ttls       []float64
	noName     bool
}

// values are the row as the plugin gives it.
func (q *zeekQuery) values(fields []sensor.Field) (list []sensor.Value) {
	address := func(text string) sensor.Value {
		return sensor.Value{Set: true, Address: netip.MustParseAddr(text).As16()}
	}
	by := map[string]sensor.Value{
		"ts": {Set: true, Real: q.ts}, "id.orig_h": address(q.orig), "id.resp_h": address(q.resp),
		"id.orig_p": {Set: true, Number: 4000}, "id.resp_p": {Set: true, Number: 53},
		"rtt": {Set: q.rcode >= 0, Real: q.rtt}, "query": {Set: !q.noName, Text: q.query}, "qtype": {Set: true, Number: q.qtype},
		"rcode": {Set: q.rcode >= 0, Number: uint64(max(q.rcode, 0))}, "answers": {Set: q.answers != nil, Texts: q.answers[:min(len(q.answers), sensor.MaxElements)]},
		"TTLs": {Set: q.ttls != nil, Reals: q.ttls},
	}
	for _, f := range fields {
		list = append(list, by[f.Name])
	}
	return list
}

// tsv escapes a text as Zeek's writer does.
func tsv(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == ',' || c == '\t' || c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// jsonText is the text that Zeek puts in JSON: \xNN for what is not printable.
func jsonText(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func queriesOfZeek(n int) []zeekQuery {
	r := rand.New(rand.NewPCG(3, 4))
	list := make([]zeekQuery, n)
	for i := range list {
		q := zeekQuery{ts: 1.7e9 + float64(i) + float64(r.IntN(1e6))/1e6, orig: fmt.Sprint("10.0.0.", r.IntN(9)), resp: []string{"10.0.0.53", "fd00::53"}[r.IntN(2)],
			rtt: float64(r.IntN(1e6)) / 1e6, qtype: uint64([]int{1, 28, 16, 65}[r.IntN(4)]), rcode: []int{0, 0, 0, 3, -1}[r.IntN(5)],
			query: []string{"www", "mail", "cdn"}[r.IntN(3)] + "." + []string{"example.com", "bbc.co.uk", "zeek.org"}[r.IntN(3)]}
		switch r.IntN(12) {
		case 0:
			q.query = "j\xe4ger\x00\\x41,\t." + strings.Repeat("Ab", r.IntN(40)) + ".evil.duckdns.org"
		case 1:
			q.query = strings.Repeat("x.", r.IntN(1<<15))
		case 2:
			q.noName, q.query = true, ""
		}
		for range r.IntN(4) {
			q.answers = append(q.answers, []string{"192.0.2.1", "a,b\\", "TXT 4 \xff\xfe\x00z", strings.Repeat("é", 900)}[r.IntN(4)])
			q.ttls = append(q.ttls, float64(r.IntN(1e6))/1e3)
		}
		if i%100 == 7 {
			for range 200 {
				q.answers, q.ttls = append(q.answers, "192.0.2.9"), append(q.ttls, 60)
			}
		}
		list[i] = q
	}
	return list
}

// logOfZeek writes the rows as Zeek does.
func logOfZeek(t testing.TB, list []zeekQuery, asJSON bool) string {
	var b strings.Builder
	if !asJSON {
		b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n" +
			"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\trtt\tquery\tqtype\trcode\tanswers\tTTLs\n")
	}
	for i, q := range list {
		if asJSON {
			row := map[string]any{"ts": json.Number(fmt.Sprintf("%.6f", q.ts)), "id.orig_h": q.orig, "id.orig_p": 4000, "id.resp_h": q.resp, "id.resp_p": 53, "qtype": q.qtype}
			if !q.noName {
				row["query"] = jsonText(q.query)
			}
			if q.rcode >= 0 {
				row["rtt"], row["rcode"] = json.Number(fmt.Sprintf("%.6f", q.rtt)), q.rcode
			}
			if q.answers != nil {
				var texts []string
				for _, a := range q.answers {
					texts = append(texts, jsonText(a))
				}
				row["answers"], row["TTLs"] = texts, q.ttls
			}
			line, err := json.Marshal(row)
			require.NoError(t, err)
			b.Write(append(line, '\n'))
			continue
		}
		optional := func(set bool, format string, value any) string {
			if !set {
				return "-"
			}
			return fmt.Sprintf(format, value)
		}
		var answers, ttls []string
		for i, a := range q.answers {
			answers, ttls = append(answers, tsv(a)), append(ttls, fmt.Sprintf("%.6f", q.ttls[i]))
		}
		fmt.Fprintf(&b, "%.6f\tC%d\t%s\t4000\t%s\t53\tudp\t%s\t%s\t%d\t%s\t%s\t%s\n", q.ts, i, q.orig, q.resp, optional(q.rcode >= 0, "%.6f", q.rtt),
			optional(!q.noName, "%s", map[bool]string{true: "(empty)", false: tsv(q.query)}[q.query == ""]), q.qtype, optional(q.rcode >= 0, "%d", q.rcode),
			optional(q.answers != nil, "%s", strings.Join(answers, ",")), optional(q.ttls != nil, "%s", strings.Join(ttls, ",")))
	}
	return b.String()
}

// eachRow reads a dns.log as the command line does.
func eachRow(t testing.TB, log io.Reader, each func(r *dnsRecord, row *feature.Row, fields []zeeklog.Field)) {
	r := zeeklog.NewReader(log, "dns.log").Of(dnsKind.schema)
	record := dnsKind.open(model.DefaultHosts)()
	var at zeeklog.Row
	for {
		err := r.Read(&at)
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		takeRow(record, &at, r.Fields(), "dns.log")
		require.NoError(t, at.Err)
		row := new(feature.Row)
		record.Observe()
		record.Encode(row)
		each(record.(*dnsRecord), row, r.Fields())
	}
}

func modelOfLog(t testing.TB, log io.Reader) (*model.Model, string) {
	var rows []feature.Row
	eachRow(t, log, func(_ *dnsRecord, row *feature.Row, _ []zeeklog.Field) { rows = append(rows, *row) })
	m, _, err := learn.FitRows(rowtest.Each(rows), learn.Options{Set: dnsKind.set, Seed: 1})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "dns.model")
	require.NoError(t, m.WriteFile(path))
	return m, path
}

// A sensor, TSV and JSON give each row the same digits and the same reason.
func TestSensorOfDNSIsTheLog(t *testing.T) {
	list := queriesOfZeek(1500)
	m, path := modelOfLog(t, strings.NewReader(logOfZeek(t, list, false)))
	for _, asJSON := range []bool{false, true} {
		s, err := sensor.Open("dns", model.DefaultHosts)
		require.NoError(t, err)
		require.NoError(t, s.LoadFile(path))
		i := 0
		eachRow(t, strings.NewReader(logOfZeek(t, list, asJSON)), func(r *dnsRecord, row *feature.Row, _ []zeeklog.Field) {
			want := m.ScoreRow(row)
			got, err := s.ScoreValues(list[i].values(s.Fields()))
			require.NoError(t, err)
			require.Equal(t, want.Value, got.Score, "row %d, %q", i, list[i].query)
			require.Equal(t, string(stream.Of(m, r).AppendReason(nil)), string(s.Reason()))
			i++
		})
		require.Equal(t, len(list), i)
	}
}

// The same of a week of a real sensor's rows.
func TestSensorOfDNSIsARealLog(t *testing.T) {
	file, err := os.Open(testenv.Shared(t, "datasets/campaigns/trickbot-week/dns.log.gz"))
	require.NoError(t, err)
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	require.NoError(t, err)
	log, err := io.ReadAll(unpacked)
	require.NoError(t, err)
	m, path := modelOfLog(t, strings.NewReader(string(log)))
	s, err := sensor.Open("dns", model.DefaultHosts)
	require.NoError(t, err)
	require.NoError(t, s.LoadFile(path))
	n := 0
	eachRow(t, strings.NewReader(string(log)), func(r *dnsRecord, row *feature.Row, fields []zeeklog.Field) {
		q := &r.Query
		given := map[string]sensor.Value{
			"ts": {Set: true, Real: q.TS.Seconds()}, "id.orig_h": {Address: q.Orig.Addr().As16()}, "id.resp_h": {Address: q.Resp.Addr().As16()},
			"id.orig_p": {Number: uint64(q.Orig.Port())}, "id.resp_p": {Number: uint64(q.Resp.Port())},
			"rtt": {Real: q.RTT.Seconds()}, "query": {Text: fields[dnsQuery].Text()}, "qtype": {Number: q.QType}, "rcode": {Number: q.RCode},
			"answers": {Texts: elements(t, &fields[dnsAnswers])},
		}
		for _, text := range elements(t, &fields[dnsTTLs]) {
			ttl, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			v := given["TTLs"]
			v.Reals = append(v.Reals, ttl)
			given["TTLs"] = v
		}
		var v []sensor.Value
		for _, f := range s.Fields() {
			value := given[f.Name]
			value.Set = f.Name == "ts" || f.Name != "id.ctx" && fields[dnsKind.place(t, f.Name)].IsSet() // these logs have no contexts
			v = append(v, value)
		}
		want := m.ScoreRow(row)
		got, err := s.ScoreValues(v)
		require.NoError(t, err)
		require.Equal(t, want.Value, got.Score, "row %d, %q", n, q.Query)
		n++
	})
	require.Equal(t, 1534, n)
}

func elements(t *testing.T, f *zeeklog.Field) (list []string) {
	require.NoError(t, f.Elements(func(text string) { list = append(list, text) }))
	return list
}

func (k *logKind) place(t *testing.T, name string) int {
	i := slices.Index(k.schema.Columns, name)
	require.NotEqual(t, -1, i)
	return i
}

// Scoring a row from Zeek allocates nothing, and what is no row is refused.
func TestSensorOfDNSIsFrugalAndStrict(t *testing.T) {
	list := queriesOfZeek(600)
	_, path := modelOfLog(t, strings.NewReader(logOfZeek(t, list, false)))
	s, err := sensor.Open("dns", 1000)
	require.NoError(t, err)
	require.NoError(t, s.LoadFile(path))
	values := list[0].values(s.Fields())
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = s.ScoreValues(values) }))
	for want, change := range map[string]func(v []sensor.Value){
		"ts is not a number: NaN":     func(v []sensor.Value) { v[0].Real = math.NaN() },
		"a TTL is not a number: +Inf": func(v []sensor.Value) { v[10] = sensor.Value{Set: true, Reals: []float64{math.Inf(1)}} },
		"rtt is negative":             func(v []sensor.Value) { v[5] = sensor.Value{Set: true, Real: -1} },
		"field id.orig_h is unset":    func(v []sensor.Value) { v[1].Set = false },
		"rcode is no code of DNS: 0":  func(v []sensor.Value) { v[8] = sensor.Value{Set: true, Number: 1 << 40} },
	} {
		v := slices.Clone(values)
		change(v)
		_, err := s.ScoreValues(v)
		require.ErrorContains(t, err, want)
	}
}

// FuzzDNSLog reads any text as a dns.log: a row is made or refused, and what is
// made of it is one of the set.
func FuzzDNSLog(f *testing.F) {
	log := "#separator \\x09\n#set_separator\t,\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\trtt\tquery\tqtype\trcode\tanswers\tTTLs\n"
	f.Add(log + "1.5\tC\t10.0.0.1\t4\t10.0.0.53\t53\tudp\t0.1\ta\\x00\\xff.co.uk\t16\t3\tx,y\t1.0,2.0\n")
	f.Add(`{"ts":1.5,"id.orig_h":"::1","id.resp_h":"::2","query":"..","qtype":65535,"rcode":9,"answers":["",null],"TTLs":[1e9,0.5],"rtt":0}` + "\n")
	f.Add(`{"ts":9e9,"id":{"orig_h":"::1","resp_h":"::2"},"query":"\\\\x41.\u0000","rtt":1e9,"TTLs":["-"]}` + "\n")
	f.Add("ts,id.orig_h,id.resp_h,query\n1,::1,::2,\n")
	fuzzLog(f, &dnsKind)
}

// trainedDNSSensor is a sensor with a model of rows of Zeek, and these rows.
func trainedDNSSensor(b testing.TB, n int) (*sensor.Sensor, [][]sensor.Value) {
	list := slices.DeleteFunc(queriesOfZeek(n), func(q zeekQuery) bool { return len(q.query) > 100 || len(q.answers) > 10 })
	_, path := modelOfLog(b, strings.NewReader(logOfZeek(b, list, false)))
	s, err := sensor.Open("dns", model.DefaultHosts)
	require.NoError(b, err)
	require.NoError(b, s.LoadFile(path))
	values := make([][]sensor.Value, len(list))
	for i := range list {
		values[i] = list[i].values(s.Fields())
	}
	return s, values
}

func BenchmarkSensorOfDNS(b *testing.B) { scoreValues(b, trainedDNSSensor) }
