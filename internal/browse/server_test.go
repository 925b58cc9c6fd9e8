package browse

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// office is the office's day, with a model of it.
func office(t testing.TB) *Log {
	t.Helper()
	f, err := os.Open(filepath.Join(testenv.Root(t), "testdata", "pcaps", "office-day.pcap.conn.log"))
	require.NoError(t, err)
	defer f.Close()
	log := &Log{}
	reader := zeeklog.NewReader(f, "office-day")
	for {
		var row zeeklog.Row
		if err := reader.Read(&row); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
		row.Conn.UID = strings.Clone(row.Conn.UID)
		row.Conn.TunnelParents = nil
		log.Rows = append(log.Rows, Row{Conn: row.Conn})
	}
	i := 0
	log.Model, _, err = learn.Fit(func(c *conn.Conn) error {
		if i == len(log.Rows) {
			return io.EOF
		}
		*c = log.Rows[i].Conn
		i++
		return nil
	}, learn.Options{Seed: model.DefaultSeed})
	require.NoError(t, err)
	log.Learnt = true
	log.Finish()
	return log
}

func officeServer(t testing.TB, allow string) *Server {
	t.Helper()
	s, err := New(office(t), Options{Files: "office-day.conn.log", PerDay: 100, Allow: allow})
	require.NoError(t, err)
	return s
}

// asking sends requests to a server.
type asking struct {
	*testing.T
	s *Server
}

func (a asking) request(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:4711"
	if method == http.MethodPost {
		r.Header.Set("X-Token", a.s.secret)
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	a.s.ServeHTTP(w, r)
	return w
}

// get fills to with the answer to a question.
func (a asking) get(what string, to any) {
	a.Helper()
	w := a.request(http.MethodGet, a.s.Path()+"api/"+what, "", nil)
	require.Equal(a, http.StatusOK, w.Code, w.Body.String())
	require.NoError(a, json.Unmarshal(w.Body.Bytes(), to))
}

func TestOnlyThisPageIsAnswered(t *testing.T) {
	allow := filepath.Join(t.TempDir(), "allow.tsv")
	a := asking{t, officeServer(t, allow)}
	label := `{"row":0,"verdict":"benign","scope":"host","why":"","days":30}`
	p := a.s.Path()
	for name, test := range map[string]struct {
		method, path, body string
		change             func(*http.Request)
		want               int
	}{
		"the page":               {"GET", p, "", nil, 200},
		"its script":             {"GET", p + "app.js", "", nil, 200},
		"localhost":              {"GET", p, "", func(r *http.Request) { r.Host = "localhost:1" }, 200},
		"a folder above":         {"GET", p + "../server.go", "", nil, 404},
		"no secret":              {"GET", "/", "", nil, 404},
		"another secret":         {"GET", "/" + strings.Repeat("0", 32) + "/", "", nil, 404},
		"data without a secret":  {"GET", "/api/overview", "", nil, 404},
		"another name":           {"GET", p, "", func(r *http.Request) { r.Host = "evil.example:4711" }, 403},
		"a name that begins so":  {"GET", p, "", func(r *http.Request) { r.Host = "127.0.0.1.evil.example" }, 403},
		"a label without header": {"POST", p + "api/label", label, func(r *http.Request) { r.Header.Del("X-Token") }, 403},
		"a label from elsewhere": {"POST", p + "api/label", label, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		"a label by reading":     {"GET", p + "api/remove", label, nil, 404},
		"another method":         {"DELETE", p, "", nil, 405},
		"no such question":       {"GET", p + "api/secret", "", nil, 404},
		"no such row":            {"GET", p + "api/row?i=99999", "", nil, 404},
		"a row below zero":       {"GET", p + "api/row?i=-1", "", nil, 404},
		"no number":              {"GET", p + "api/rows?low=NaN", "", nil, 400},
		"no such reason":         {"GET", p + "api/rows?reason=99", "", nil, 400},
		"no such incident":       {"GET", p + "api/rows?incident=99", "", nil, 404},
		"no such order":          {"GET", p + "api/rows?sort=uid", "", nil, 400},
		"no such day":            {"GET", p + "api/overview?day=today", "", nil, 400},
		"no such verdict":        {"POST", p + "api/label", strings.Replace(label, "benign", "good", 1), nil, 400},
		"no such scope":          {"POST", p + "api/label", strings.Replace(label, "host", "world", 1), nil, 400},
		"a label without end":    {"POST", p + "api/label", strings.Replace(label, "30", "0", 1), nil, 400},
		"a label of no row":      {"POST", p + "api/label", strings.Replace(label, `"row":0`, `"row":-1`, 1), nil, 404},
		"a label with more":      {"POST", p + "api/label", strings.Replace(label, "{", `{"file":"/etc/passwd",`, 1), nil, 400},
		"a label that is none":   {"POST", p + "api/label", "[", nil, 400},
		"a line that is none":    {"POST", p + "api/remove", `{"line":7,"text":""}`, nil, 400},
	} {
		w := a.request(test.method, test.path, test.body, test.change)
		assert.Equal(t, test.want, w.Code, "%s: %s", name, w.Body)
		assert.Equal(t, policy, w.Header().Get("Content-Security-Policy"), name)
		assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), name)
	}
	assert.NoFileExists(t, allow)
	w := a.request("POST", p+"api/label", label, func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:4711") })
	assert.Equal(t, http.StatusOK, w.Code, w.Body.String())
	assert.FileExists(t, allow)
}

func TestRowsAreFilteredAndPaged(t *testing.T) {
	a := asking{t, officeServer(t, filepath.Join(t.TempDir(), "allow.tsv"))}
	all := a.s.log.Rows
	count := func(has func(*Row) bool) (n int) {
		for i := range all {
			if has(&all[i]) {
				n++
			}
		}
		return n
	}
	middle := all[len(all)/2].Conn.TS
	from := middle.Time().UTC().Format("2006-01-02")
	require.NotEmpty(t, from)
	for filter, has := range map[string]func(*Row) bool{
		"":                func(*Row) bool { return true },
		"host=10.20.0.11": func(r *Row) bool { return strings.Contains(r.Conn.Orig.String()+r.Conn.Resp.String(), "10.20.0.11:") },
		"host=fd20::/16": func(r *Row) bool {
			n := netip.MustParsePrefix("fd20::/16")
			return n.Contains(r.Conn.Orig.Addr()) || n.Contains(r.Conn.Resp.Addr())
		},
		"service=dns":     func(r *Row) bool { return r.Conn.Service == "dns" },
		"service=":        func(r *Row) bool { return r.Conn.Service == "" },
		"service=nothing": func(*Row) bool { return false },
		"low=0.5":         func(r *Row) bool { return float32(r.Score) >= 0.5 },
		"high=0.45&service=http": func(r *Row) bool {
			return float32(r.Score) <= 0.45 && r.Conn.Service == "http"
		},
	} {
		var p rowsPage
		a.get("rows?"+filter, &p)
		assert.Equal(t, count(has), p.Total, filter)
		assert.Len(t, p.Rows, min(p.Total, pageRows), filter)
		for i := range p.Rows {
			assert.True(t, has(&all[p.Rows[i].I]), filter)
			if i > 0 {
				assert.GreaterOrEqual(t, p.Rows[i-1].Score, p.Rows[i].Score)
			}
		}
	}
	seen := map[int]bool{}
	for offset := 0; offset < len(all); offset += pageRows {
		var p rowsPage
		a.get("rows?sort=time&offset="+json.Number(itoa(offset)).String(), &p)
		for i, r := range p.Rows {
			assert.False(t, seen[r.I])
			seen[r.I] = true
			if i > 0 {
				assert.GreaterOrEqual(t, p.Rows[i-1].TS, r.TS)
			}
		}
	}
	assert.Len(t, seen, len(all), "each row is on one page")
	var o overview
	a.get("overview", &o)
	sum := 0
	for _, why := range o.Reasons {
		var p rowsPage
		a.get("rows?reason="+itoa(why.Feature), &p)
		assert.Equal(t, why.Rows, p.Total)
		sum += p.Total
	}
	assert.Positive(t, sum)
}

func itoa(n int) string { text, _ := json.Marshal(n); return string(text) }

func TestIncidentsAreThoseOfThePolicy(t *testing.T) {
	a := asking{t, officeServer(t, filepath.Join(t.TempDir(), "allow.tsv"))}
	told := alert.Rehearse(a.s.log, 100, nil)
	var o overview
	a.get("overview", &o)
	require.Len(t, o.Incidents, len(told.Incidents))
	require.NotEmpty(t, o.Incidents)
	alerts := 0
	for _, in := range o.Incidents {
		var p rowsPage
		a.get("rows?incident="+itoa(in.Number), &p)
		assert.Equal(t, in.Rows, p.Total)
		assert.Equal(t, in.Score, p.Rows[0].Score)
		for _, r := range p.Rows {
			if r.Alert {
				alerts++
			}
		}
	}
	inBins, rows := 0, 0
	for _, b := range o.Bins {
		inBins, rows = inBins+b.Alerts, rows+b.Rows
	}
	assert.Equal(t, alerts, inBins)
	assert.Equal(t, len(a.s.log.Rows), rows)
}

func TestARowIsExplained(t *testing.T) {
	a := asking{t, officeServer(t, filepath.Join(t.TempDir(), "allow.tsv"))}
	i := int(a.s.index.byScore[0])
	var d detail
	a.get("row?i="+itoa(i), &d)
	r := &a.s.log.Rows[i]
	assert.Equal(t, r.Score, d.Own)
	sum := 0.0
	for _, b := range d.Reasons {
		sum += b.Credit
	}
	m := a.s.log.Model
	assert.InDelta(t, m.Forest().AverageLength()-stream.Of(m, &stream.Conn{Conn: &r.Conn, Window: r.Window}).Path, sum, 1e-9)
	require.NotEmpty(t, d.Similar)
	assert.NotEmpty(t, d.Change)
	assert.Less(t, d.Changed.Score, d.Score)
	usual := int(a.s.index.byScore[len(a.s.index.byScore)-1])
	a.get("row?i="+itoa(usual), &d)
	assert.Empty(t, d.Similar, "it is ordinary")

	a.s.log.Model = nil
	var bare detail
	a.get("row?i="+itoa(i), &bare)
	assert.Empty(t, bare.Reasons)
}

func TestLabelsAreTriedThenWritten(t *testing.T) {
	allow := filepath.Join(t.TempDir(), "allow.tsv")
	a := asking{t, officeServer(t, allow)}
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	a.s.Now = func() time.Time { return now }
	var o overview
	a.get("overview", &o)
	row := o.Incidents[0].Row
	var tr tried
	a.get("label?verdict=benign&scope=host&i="+itoa(row), &tr)
	assert.Positive(t, tr.Quieted)
	assert.NotEmpty(t, tr.Gone)
	assert.NoFileExists(t, allow)

	write := func(l labelling) *httptest.ResponseRecorder {
		body, err := json.Marshal(l)
		require.NoError(t, err)
		return a.request("POST", a.s.Path()+"api/label", string(body), nil)
	}
	w := write(labelling{row, "benign", "host", "line\tand\nbreak", 30})
	require.Equal(t, 200, w.Code, w.Body)
	var after overview
	a.get("overview", &after)
	require.Len(t, after.Entries, 1)
	assert.Equal(t, "line and break", after.Entries[0].Comment)
	assert.Equal(t, "2026-12-29", after.Entries[0].Expires)
	assert.Equal(t, tr.Quieted, after.Allowed)
	var d detail
	a.get("row?i="+itoa(row), &d)
	assert.Equal(t, "benign", d.Label)

	require.Equal(t, 200, write(labelling{row, "bad", "pair", "", 0}).Code)
	a.get("row?i="+itoa(row), &d)
	assert.Equal(t, "bad", d.Label)
	a.get("overview", &after)
	assert.Equal(t, o.Incidents, after.Incidents, "a bad label holds against a benign one")

	remove := func(e entry) *httptest.ResponseRecorder {
		body, _ := json.Marshal(map[string]any{"line": e.Line, "text": e.Text})
		return a.request("POST", a.s.Path()+"api/remove", string(body), nil)
	}
	stale := after.Entries[0]
	stale.Text += "x"
	assert.Contains(t, remove(stale).Body.String(), "has changed meanwhile")
	require.Equal(t, 200, remove(after.Entries[1]).Code)
	require.Equal(t, 200, remove(after.Entries[0]).Code)
	a.get("overview", &after)
	assert.Empty(t, after.Entries)

	// What others write is seen; a mistake leaves the list before it.
	require.NoError(t, alert.AppendAllow(allow, &alert.Entry{Service: "dns"}))
	a.get("overview", &after)
	assert.Len(t, after.Entries, 1)
	require.NoError(t, os.WriteFile(allow, []byte("nonsense\n"), 0o600))
	a.get("overview", &after)
	assert.Len(t, after.Entries, 1)
	assert.Contains(t, after.Wrong, "no header before the first entry")
	assert.Equal(t, http.StatusBadRequest, write(labelling{row, "bad", "pair", "", 0}).Code)
}

func TestServeIsOnTheLoopbackOnly(t *testing.T) {
	s := officeServer(t, filepath.Join(t.TempDir(), "allow.tsv"))
	done, begun, ended := make(chan struct{}), make(chan string), make(chan error)
	go func() { ended <- s.Serve(done, func(url string) { begun <- url }) }()
	url := <-begun
	assert.True(t, strings.HasPrefix(url, "http://127.0.0.1:"))
	r, err := http.Get(url)
	require.NoError(t, err)
	text, err := io.ReadAll(r.Body)
	r.Body.Close()
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, r.StatusCode)
	assert.Contains(t, string(text), "<title>zeek-iforest</title>")
	assert.NotContains(t, string(text), "style=", "the policy would refuse it")
	close(done)
	require.NoError(t, <-ended)
	_, err = http.Get(url)
	assert.Error(t, err)
}

func TestABrokenListIsSaidAtOnce(t *testing.T) {
	allow := filepath.Join(t.TempDir(), "allow.tsv")
	require.NoError(t, os.WriteFile(allow, []byte("nonsense\n"), 0o600))
	_, err := New(office(t), Options{PerDay: 20, Allow: allow})
	assert.ErrorContains(t, err, "allow.tsv:1: no header")
	_, err = New(office(t), Options{PerDay: 20, Allow: t.TempDir()})
	var path *os.PathError
	assert.True(t, err != nil && !errors.As(err, &path), "%v", err)
}

// million are a million rows: the office's day over and over.
func million(t testing.TB) *Log {
	small := office(t)
	log := &Log{Model: small.Model, Rows: make([]Row, 0, 1_000_000)}
	for len(log.Rows) < cap(log.Rows) {
		r := small.Rows[len(log.Rows)%len(small.Rows)]
		r.Conn.TS += conn.Micros(len(log.Rows) * 170_000)
		r.Score -= float64(len(log.Rows)%997) / 1e5
		log.Rows = append(log.Rows, r)
	}
	return log
}

// BenchmarkMillion is what the page asks, with a million rows.
func BenchmarkMillion(b *testing.B) {
	log := million(b)
	begun := time.Now()
	s, err := New(log, Options{PerDay: 20, Allow: filepath.Join(b.TempDir(), "allow.tsv")})
	require.NoError(b, err)
	b.Logf("opened in %v", time.Since(begun))
	for _, question := range []string{"overview", "rows?sort=score&n=%", "rows?host=10.20.0.1&n=%", "rows?low=0.5&sort=time&n=%", "rows?sort=score&offset=500000", "row?i=500", "label?verdict=benign&scope=host&i=0"} {
		b.Run(question, func(b *testing.B) {
			for range b.N {
				if strings.HasSuffix(question, "%") {
					s.found = nil // asked anew, not paged
				}
				r := httptest.NewRequest("GET", s.Path()+"api/"+strings.TrimSuffix(question, "&n=%"), nil)
				r.Host = "127.0.0.1"
				w := httptest.NewRecorder()
				if s.ServeHTTP(w, r); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
