package learn

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// theft is the label of what stolen makes.
const theft = "10.0.0.200\t-\ttcp\tftp-data\tSF\t268435456-2147483647\t16384-131071\n"

// stolen is a connection by which a host sends much, to another each time.
func stolen(host byte, ts conn.Micros) conn.Conn {
	c := from(host, ts)
	c.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(ts >> 28), byte(ts >> 20)}), 20)
	c.Service, c.Set = "ftp-data", conn.Service
	c.OrigIPBytes, c.OrigPkts, c.RespIPBytes, c.RespPkts = 800<<20, 600_000, 40_000, 900
	return c
}

// stealing is four days: on the first two of ordinary traffic, then one host steals,
// and from then on so does everybody.
func stealing() (rows []conn.Conn, first, rest int) {
	for i := range 16_000 {
		rows = append(rows, ordinary(i, day))
	}
	for i := range 400 {
		rows = append(rows, ordinary(i, 3*day))
		if i%20 == 0 {
			rows = append(rows, stolen(200, 3*day+conn.Micros(i)*1e6))
		}
	}
	first = len(rows)
	for i := range 8000 {
		rows = append(rows, ordinary(i, 5*day), stolen(byte(100+i%101), 5*day+conn.Micros(i)*1e6))
	}
	return rows, first, len(rows)
}

// sensing is a sensor that is stopped and started again after each n rows; 0 is
// never.
type sensing struct {
	t        *testing.T
	l        *Learner
	hosts    *feature.Hosts
	o        Options
	n        int
	changes  []LabelChange
	promoted int
	refused  []string
}

func newSensing(t *testing.T, n int) *sensing {
	o := Options{Seed: 4, Warmup: 500, RebuildEvery: 4000, Trees: 60, Hosts: 1000}
	return &sensing{t: t, l: NewLearner(o), hosts: feature.NewHosts(o.Hosts), o: o, n: n}
}

func (s *sensing) label(text string) (changed bool) {
	at := s.l.Rows()
	changed, err := s.l.SetLabels(text)
	require.NoError(s.t, err)
	if changed {
		s.changes = append(s.changes, LabelChange{at, s.l.Labels()})
	}
	return changed
}

func (s *sensing) take(rows []conn.Conn) {
	for i := range rows {
		if s.n > 0 && i%s.n == s.n-1 {
			path := filepath.Join(s.t.TempDir(), "state")
			saver, err := s.l.Save(path, s.hosts, nil)
			require.NoError(s.t, err)
			require.NoError(s.t, saver.Finish())
			s.l, s.hosts, err = Restore(path, s.o, nil)
			require.NoError(s.t, err)
		}
		m, err := s.l.Take(rowOf(&rows[i], s.hosts.Observe(&rows[i])))
		if m != nil {
			s.promoted++
		}
		var r *Refused
		if errors.As(err, &r) {
			s.refused = append(s.refused, r.Reason)
		} else {
			require.NoError(s.t, err)
		}
	}
}

// theft is the theft among the alerts.
func (s *sensing) theft() feature.Sample {
	c := stolen(200, 0)
	at := s.l.alerts.table.Find(rowOf(&c, feature.Window{}).Cell)
	require.GreaterOrEqual(s.t, at, 0)
	return s.l.alerts.rows.at(at)
}

// rank is how rare a row is for the model in use.
func (s *sensing) rank(row *feature.Sample) float64 { return s.l.model.Rank(path(s.l.model, row)) }

// again makes the model with train's means.
func (s *sensing) again(rows []conn.Conn) string {
	changes, err := ParseLabelChanges(FormatLabelChanges(s.changes))
	require.NoError(s.t, err)
	require.Equal(s.t, s.changes, changes)
	o := s.o
	o.AsSensor, o.Labels = true, changes
	m, _, err := Fit(func(c *conn.Conn) error {
		if len(rows) == 0 {
			return io.EOF
		}
		*c, rows = rows[0], rows[1:]
		return nil
	}, o)
	require.NoError(s.t, err)
	return m.Fingerprint()
}

// A model for which what is labelled bad is ordinary is refused, also after a week,
// until the label is taken out; and so it is where the model is made again of the
// log.
func TestLabelledStaysStrange(t *testing.T) {
	rows, first, rest := stealing()
	without := newSensing(t, 0)
	without.take(rows[:first])
	before, row := without.promoted, without.theft()
	require.LessOrEqual(t, without.rank(&row), stillRank)
	without.take(rows[first:rest])
	require.Greater(t, without.promoted, before)
	require.Greater(t, without.rank(&row), stillRank, "without a label it becomes ordinary, else this test shows nothing")
	require.Equal(t, without.l.model.Fingerprint(), without.again(rows))

	after := func(days conn.Micros) (later []conn.Conn) {
		for _, c := range rows[first:rest] {
			c.TS += days * day
			later = append(later, c)
		}
		return later
	}
	nextWeek, weekAfter := after(8), after(16)
	var model string
	for _, n := range []int{0, 997} {
		s := newSensing(t, n)
		s.take(rows[:first])
		require.True(t, s.label(LabelHeader+"\n"+theft), "after it was seen")
		require.Len(t, s.l.labelled.of, 1, "found among the alerts")
		s.take(rows[first:rest])
		require.NotEmpty(t, s.refused)
		for _, why := range s.refused {
			require.Contains(t, why, "1 of 1 kinds of connection that are labelled bad less strange than 1 in 50")
		}
		require.LessOrEqual(t, s.rank(&row), stillRank, "no model that makes it ordinary came into use")
		require.Equal(t, s.l.model.Fingerprint(), s.again(rows))
		if model != "" {
			require.Equal(t, model, s.l.model.Fingerprint(), "restarts change nothing")
		}
		model = s.l.model.Fingerprint()

		refused := len(s.refused)
		s.take(nextWeek)
		require.LessOrEqual(t, s.rank(&row), stillRank, "a week changes nothing")
		require.Greater(t, len(s.refused), refused)

		require.True(t, s.label(LabelHeader+"\n"))
		require.False(t, s.label(LabelHeader+"\n"))
		require.Empty(t, s.l.labelled.of)
		s.take(weekAfter)
		require.Greater(t, s.rank(&row), stillRank, "without the label it is what is normal here")
		require.Equal(t, s.l.model.Fingerprint(), s.again(slices.Concat(rows, nextWeek, weekAfter)))
	}
}

// A label costs no model that finds what it names strange.
func TestLabelledAndStrange(t *testing.T) {
	rows, first, _ := stealing()
	rows = rows[:first]
	for i := range 9000 {
		rows = append(rows, ordinary(i, 5*day))
	}
	without, s := newSensing(t, 0), newSensing(t, 0)
	without.take(rows)
	s.take(rows[:first])
	s.label(LabelHeader + "\n" + theft)
	s.take(rows[first:])
	require.Len(t, s.l.labelled.of, 1)
	require.Empty(t, s.refused)
	require.Greater(t, s.promoted, 3)
	require.Equal(t, without.promoted, s.promoted)
	require.Equal(t, without.l.model.Fingerprint(), s.l.model.Fingerprint())
}

// Another host's connection is not what the label names, and the first that it
// names stays.
func TestLabelNamesItsHost(t *testing.T) {
	l := NewLearner(Options{Warmup: 500, Trees: 20})
	_, err := l.SetLabels(LabelHeader + "\n" + theft)
	require.NoError(t, err)
	for i, host := range []byte{201, 200, 200, 202} {
		c := stolen(host, conn.Micros(i))
		c.OrigPkts = uint64(i)
		r := rowOf(&c, feature.Window{})
		l.labelled.add(r.Cell, r.Host, &r.Sample)
	}
	require.Len(t, l.labelled.of, 1)
	want := stolen(200, 1)
	want.OrigPkts = 1
	require.Equal(t, rowOf(&want, feature.Window{}).Sample, l.labelled.rows.at(0))

	anybody := strings.Replace(theft, "10.0.0.200", "-", 1)
	_, err = l.SetLabels(LabelHeader + "\n" + anybody)
	require.NoError(t, err)
	require.Empty(t, l.labelled.of, "of a label that is gone")
	c := stolen(77, 0)
	r := rowOf(&c, feature.Window{})
	l.labelled.add(r.Cell, r.Host, &r.Sample)
	require.Len(t, l.labelled.of, 1)
}

func TestLabelsThatCannotBeUsed(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":      {"\n", "line 1 of labels: want"},
		"no header":    {theft, "line 1 of labels: want"},
		"fields":       {LabelHeader + "\n-\t-\n", "line 2 of labels: 2 fields, want 7"},
		"address":      {LabelHeader + "\n" + strings.Replace(theft, "10.0.0.200", "10.0.0", 1), `originator: "10.0.0" cannot be used`},
		"state":        {LabelHeader + "\n" + theft + strings.Replace(theft, "SF", "SX", 1), `line 3 of labels: conn_state: "SX"`},
		"proto":        {LabelHeader + "\n" + strings.Replace(theft, "tcp", "gre", 1), `proto: "gre"`},
		"side":         {LabelHeader + "\n" + strings.Replace(theft, "-\ttcp", "yes\ttcp", 1), `local_orig: "yes"`},
		"bytes":        {LabelHeader + "\n" + strings.Replace(theft, "16384-131071", "131071-16384", 1), `resp_ip_bytes: "131071-16384"`},
		"wide":         {LabelHeader + "\n" + strings.Repeat("-\t-\ttcp\t-\tSF\t0-9223372036854775807\t0-9223372036854775807\n", 2), "more than 16384 kinds"},
		"no kind":      {LabelHeader + "\n10.0.0.1\t-\t-\t-\t-\t-\t-\n-\t-\ttcp\t-\tSF\t-\t1-2\n", ""},
		"no bytes yet": {LabelHeader + "\n-\tT\ttcp\t-\tS0\t-\t-\n", ""},
	} {
		l := NewLearner(Options{Trees: 20})
		_, err := l.SetLabels(tc.text)
		if tc.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, name == "no bytes yet", len(l.labelled.kinds) == 2, "%s: %d", name, len(l.labelled.kinds))
			continue
		}
		require.ErrorContains(t, err, tc.want, name)
		require.Equal(t, LabelHeader+"\n", l.Labels(), name)
	}
	_, err := NewLearner(Options{Set: model.SetOf("dns")}).SetLabels(LabelHeader + "\n")
	require.ErrorContains(t, err, "labels are about connections")
}

func TestLabelChangesThatCannotBeUsed(t *testing.T) {
	for text, want := range map[string]string{
		"rows\n":                       "line 1 of labels: want",
		changeHeader + "\nx\t" + theft: `line 2 of labels: rows: "x" is not a number`,
		changeHeader + "\n5\t" + theft + "4\t" + theft: "line 3 of labels: rows: 4 follows 5",
		changeHeader + "\n5\t-\n":                      "line 2 of labels: 1 fields",
	} {
		_, err := ParseLabelChanges(text)
		require.ErrorContains(t, err, want)
	}
}

// The kinds of a label are those of the connections that it names.
func TestLabelledKinds(t *testing.T) {
	_, kinds, err := parseLabels(LabelHeader + "\n" + theft)
	require.NoError(t, err)
	require.Len(t, kinds, 27, "three magnitudes each way; local_orig set or not")
	has := func(c conn.Conn) bool {
		r := rowOf(&c, feature.Window{})
		for _, k := range kinds {
			if k == (labelledKind{r.Cell, r.Host}) {
				return true
			}
		}
		return false
	}
	c := stolen(200, 0)
	require.True(t, has(c))
	c.OrigIPBytes, c.RespIPBytes = 300<<20, 128<<10-1
	require.True(t, has(c))
	c.LocalOrig, c.Set = true, c.Set|conn.LocalOrig
	require.True(t, has(c))
	c.RespIPBytes = 128 << 10
	require.False(t, has(c))
	require.False(t, has(stolen(201, 0)))
	c = stolen(200, 0)
	c.Set &^= conn.Service
	require.False(t, has(c))
}

// A state of the version before goes on, without labels.
func TestRestoreBeforeLabels(t *testing.T) {
	rows, first, rest := stealing()
	s := newSensing(t, 0)
	s.take(rows[:first+100])
	path := filepath.Join(t.TempDir(), "state")
	saver, err := s.l.Save(path, s.hosts, nil)
	require.NoError(t, err)
	require.NoError(t, saver.Finish())
	data, err := os.ReadFile(path)
	require.NoError(t, err)

	old := s.l.head(stateWithoutLabels)
	for data = data[headSize:]; len(data) > 0; {
		size := pieceHead + int(binary.LittleEndian.Uint32(data[5:])) + 4
		if part := data[0]; int(part) < len(parts)-2 || part == endPart {
			old = append(old, data[:size]...)
		}
		data = data[size:]
	}
	require.NoError(t, os.WriteFile(path, old, 0o600))
	s.l, s.hosts, err = Restore(path, s.o, nil)
	require.NoError(t, err)
	s.take(rows[first+100 : rest])
	through := newSensing(t, 0)
	through.take(rows[:rest])
	require.Equal(t, through.l.model.Fingerprint(), s.l.model.Fingerprint())
}

func FuzzLabels(f *testing.F) {
	f.Add(LabelHeader + "\n" + theft)
	f.Add(FormatLabelChanges([]LabelChange{{7, LabelHeader + "\n" + theft}, {9, LabelHeader + "\n"}}))
	f.Fuzz(func(t *testing.T, text string) {
		if lines, kinds, err := parseLabels(text); err == nil {
			again, same, err := parseLabels(LabelHeader + "\n" + strings.Join(append(lines, ""), "\n"))
			require.NoError(t, err)
			require.Equal(t, lines, again)
			require.Equal(t, kinds, same)
		}
		if changes, err := ParseLabelChanges(text); err == nil {
			again, err := ParseLabelChanges(FormatLabelChanges(changes))
			require.NoError(t, err)
			require.Equal(t, changes, again)
		}
	})
}
