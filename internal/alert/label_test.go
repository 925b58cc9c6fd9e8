package alert

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// upload is a connection with a label; change makes another of it.
func upload(change func(*conn.Conn)) *conn.Conn {
	c := &conn.Conn{
		UID: "C1", Orig: netip.MustParseAddrPort("10.1.2.3:50000"), Resp: netip.MustParseAddrPort("192.0.2.7:443"),
		Proto: conn.TCP, Service: "ssl", State: conn.SF, OrigIPBytes: 5000, RespIPBytes: 1, Set: conn.Service,
	}
	if change != nil {
		change(c)
	}
	return c
}

func TestLikeNamesTheKindAndThoseBeside(t *testing.T) {
	now := time.Unix(2e9, 0)
	for name, test := range map[string]struct {
		change           func(*conn.Conn)
		pair, host, site bool
	}{
		"itself":              {nil, true, true, true},
		"a magnitude less":    {func(c *conn.Conn) { c.OrigIPBytes = 2048 }, true, true, true},
		"two magnitudes less": {func(c *conn.Conn) { c.OrigIPBytes = 2047 }, false, false, false},
		"a magnitude more":    {func(c *conn.Conn) { c.OrigIPBytes = 16383 }, true, true, true},
		"two magnitudes more": {func(c *conn.Conn) { c.OrigIPBytes = 16384 }, false, false, false},
		"nothing received":    {func(c *conn.Conn) { c.RespIPBytes = 0 }, true, true, true},
		"much received":       {func(c *conn.Conn) { c.RespIPBytes = 4 }, false, false, false},
		"to another host":     {func(c *conn.Conn) { c.Resp = netip.MustParseAddrPort("192.0.2.8:443") }, false, true, true},
		"of another host":     {func(c *conn.Conn) { c.Orig = netip.MustParseAddrPort("10.1.2.4:50000") }, false, false, true},
		"from outside": {func(c *conn.Conn) {
			c.Orig, c.Resp = netip.MustParseAddrPort("192.0.2.7:1"), netip.MustParseAddrPort("10.1.2.3:443")
		}, false, false, false},
		"another port":         {func(c *conn.Conn) { c.Resp = netip.MustParseAddrPort("192.0.2.7:4443") }, false, false, false},
		"another service":      {func(c *conn.Conn) { c.Service = "http" }, false, false, false},
		"another conn_state":   {func(c *conn.Conn) { c.State = conn.S1 }, false, false, false},
		"by udp":               {func(c *conn.Conn) { c.Proto = conn.UDP }, false, false, false},
		"with further service": {func(c *conn.Conn) { c.Service = "ssl,http" }, true, true, true},
	} {
		c := upload(test.change)
		for scope, want := range map[Scope]bool{ScopePair: test.pair, ScopeHost: test.host, ScopeSite: test.site} {
			assert.Equal(t, want, Like(upload(nil), scope).Names(c, now), "%s, %s", name, scope)
		}
	}
	tried := upload(func(c *conn.Conn) { c.State = conn.S0 })
	again := upload(func(c *conn.Conn) { c.State, c.OrigIPBytes = conn.S0, 60 })
	assert.True(t, Like(tried, ScopeHost).Names(again, now), "how often a SYN was sent does not count")
	attacked := upload(func(c *conn.Conn) { c.Orig, c.Resp = c.Resp, c.Orig })
	e := Like(attacked, ScopeHost)
	assert.True(t, e.HasPort)
	assert.Equal(t, attacked.Resp.Addr(), e.Responder, "of one from outside the site's host is the responder")
	assert.False(t, e.Originator.IsValid())

	rejected := upload(func(c *conn.Conn) { c.Orig, c.Resp, c.State, c.Service = c.Resp, c.Orig, conn.REJ, "" })
	otherPort := *rejected
	otherPort.Resp = netip.AddrPortFrom(rejected.Resp.Addr(), 7)
	assert.True(t, Like(rejected, ScopeHost).Names(&otherPort, now), "of attempts from outside the port does not count")
	assert.False(t, Like(rejected, ScopeSite).Names(&otherPort, now), "but for a whole site")
	otherPort.Proto = conn.UDP
	assert.False(t, Like(rejected, ScopeHost).Names(&otherPort, now))
	require.NoError(t, Like(rejected, ScopeHost).Check())
	require.NoError(t, Like(rejected, ScopeSite).Check())
	own := upload(func(c *conn.Conn) { c.State, c.Service = conn.REJ, "" })
	assert.True(t, Like(own, ScopeHost).HasPort, "a host of the site that scans stays loud")
	own.State, own.OrigIPBytes = conn.SHR, 0
	scanned := *own
	scanned.Resp = netip.AddrPortFrom(own.Resp.Addr(), 7)
	assert.True(t, Like(own, ScopePair).Names(&scanned, now), "one that is answered without having asked does not scan")
	scanned.OrigIPBytes = 40
	assert.False(t, Like(own, ScopePair).Names(&scanned, now))
}

func TestLabelsKeepTheirLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.tsv")
	now := time.Unix(2e9, 0)
	plain := Entry{Service: "dns", Comment: "before"}
	require.NoError(t, AppendAllow(file, &plain))
	benign := Like(upload(nil), ScopeHost)
	benign.Comment, benign.Expires = "our backup", now.Add(time.Hour)
	require.NoError(t, AppendAllow(file, benign))
	bad := Like(upload(func(c *conn.Conn) { c.UID, c.Resp = "C2", netip.MustParseAddrPort("192.0.2.9:443") }), ScopePair)
	bad.MakeBad()
	require.NoError(t, AppendAllow(file, bad))
	site := Like(upload(nil), ScopeSite)
	require.NoError(t, AppendAllow(file, site))
	require.NoError(t, AppendAllow(file, &Entry{Service: "ntp"}))

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, strings.Join([]string{
		labelHeader,
		"-	-	-	-	dns	-	before	-	-	-	-	-	-	-",
		"10.1.2.3	-	-	443/tcp	ssl	2000003600	our backup	-	-	T	SF	2048-16383	0-3	C1",
		"10.1.2.3	192.0.2.9	-	443/tcp	ssl	0	-	bad	-	T	SF	2048-16383	0-3	C2",
		"-	-	-	443/tcp	ssl	-	-	-	-	T	SF	2048-16383	0-3	C1",
		"-	-	-	-	ntp	-	-	-	-	-	-	-	-	-", "",
	}, "\n"), string(text))
	lines, err := ParseAllow(text, file)
	require.NoError(t, err)
	require.Len(t, lines, 5)
	benign.Expires = time.UnixMilli(benign.Expires.UnixMilli())
	bad.Expires = time.UnixMilli(0)
	for i, e := range []*Entry{&plain, benign, bad, site} {
		assert.Equal(t, *e, lines[i].Entry)
	}

	assert.Equal(t, 3, Find(lines, upload(nil), now).Number, "the first that names it")
	assert.Equal(t, 5, Find(lines, upload(nil), now.Add(time.Hour)).Number, "the first is over")
	badOne := upload(func(c *conn.Conn) { c.Resp = bad.responder() })
	assert.True(t, lines[1].Names(badOne, now))
	assert.Nil(t, Find(lines, badOne, now), "a bad label holds against the others, and has no end")
	_, err = RemoveAllow(file, 4)
	require.NoError(t, err)
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	lines, err = ParseAllow(text, file)
	require.NoError(t, err)
	assert.NotNil(t, Find(lines, badOne, now), "until it is taken out")
}

func (e *Entry) responder() netip.AddrPort { return netip.AddrPortFrom(e.Responder, e.Port) }

// What a log holds cannot become lines of its own.
func TestALabelIsOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.tsv")
	for _, service := range []string{"a\nb", "a\tb", "a b", "-\n-\t10.0.0.1\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-"} {
		e := Like(upload(func(c *conn.Conn) { c.Service = service }), ScopeHost)
		require.ErrorContains(t, AppendAllow(file, e), "allow-list", "%q", service)
		require.NoFileExists(t, file)
	}
	e := Like(upload(func(c *conn.Conn) { c.UID = "C1\n-\t10.0.0.1\r" }), ScopeHost)
	e.Comment = "two\nlines"
	require.NoError(t, AppendAllow(file, e))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(text), "\ttwo lines\t-\t-\tT\tSF\t2048-16383\t0-3\tC1-10.0.0.1\n"), "%q", text)
}

func TestLabelsSayWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		"good	-	-	-	-	-	-":     `allow.tsv:2: verdict: "good" is neither benign nor bad`,
		"-	-	yes	-	-	-	-":      `local_orig: "yes" is neither T nor F`,
		"-	sctp	-	-	-	-	-":     `there is no protocol "sctp"`,
		"-	-	-	XX	-	-	-":       `there is no conn_state "XX"`,
		"-	-	-	-	9-1	-	-":      `orig_ip_bytes: "9-1" is not a range such as 1024-8191`,
		"-	-	-	-	-	7	-":        `resp_ip_bytes: "7" is not a range`,
		"-	-	-	-	-1-1	-	-":     `"-1-1" is not a range`,
		"-	-	-	-	0-1e9	-	-":    `"0-1e9" is not a range`,
		"benign	-	-	-	-	-	-	-": "15 fields, want 14",
	} {
		_, err := ParseAllow([]byte(labelHeader+"\n-\t-\t-\t-\tdns\t-\t-\t"+line+"\n"), "allow.tsv")
		assert.ErrorContains(t, err, want)
	}
	_, err := ParseAllow([]byte(strings.Replace(labelHeader, "\tuid", "", 1)), "allow.tsv")
	assert.ErrorContains(t, err, "allow.tsv:1: some columns of labels are missing: uid")
}

// rehearsed are rows with given scores, a minute apart.
type rehearsed []scoredConn

type scoredConn struct {
	conn.Conn
	score float64
}

func (r rehearsed) Len() int              { return len(r) }
func (r rehearsed) Conn(i int) *conn.Conn { return &r[i].Conn }
func (r rehearsed) Row(i int) alerts.Row  { return alerts.RowOf(&r[i].Conn, r[i].score, false, "") }

func TestCompareSaysWhatALabelChanges(t *testing.T) {
	var rows rehearsed
	ordinary := func(n int) {
		for range n {
			c := upload(func(c *conn.Conn) {
				c.Orig, c.Resp = netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:443") // no beacon
			})
			rows = append(rows, scoredConn{*c, 0.4})
		}
	}
	ordinary(24 * 60)
	first := len(rows)
	for range 12 {
		rows = append(rows, scoredConn{*upload(nil), 0.7})
	}
	other := len(rows)
	rows = append(rows, scoredConn{*upload(func(c *conn.Conn) { c.Orig, c.Service = netip.MustParseAddrPort("10.0.0.9:1"), "http" }), 0.71})
	for i := range rows {
		rows[i].TS = 1e15 + conn.Micros(i)*60e6
	}

	d := Compare(rows, 1, nil, []AllowLine{{Entry: *Like(upload(nil), ScopeHost)}})
	assert.Equal(t, []int{first}, d.Gone)
	assert.Equal(t, []int{other}, d.New, "there is room for it now")
	assert.Len(t, d.After.Allowed, 12)
	assert.Equal(t, 12, d.Quieted)
	require.Len(t, d.Before.Incidents, 2)
	in := d.Before.Incidents[0]
	assert.Len(t, in.Rows, 12)
	assert.Equal(t, []int{first}, in.Alerts)
	assert.Equal(t, 2, in.Lines, "the alert, and at ten more")
	assert.Equal(t, 1, d.Before.Beyond)

	bad := Like(upload(nil), ScopePair)
	bad.MakeBad()
	benign := []AllowLine{{Entry: *Like(upload(nil), ScopeSite)}}
	d = Compare(rows, 1, benign, append(benign, AllowLine{Entry: *bad}))
	assert.Equal(t, []int{first}, d.New, "a bad label makes what was allowed loud")
}

// A beacon is an incident, too, and a label quiets it.
func TestRehearseHasBeacons(t *testing.T) {
	var rows rehearsed
	for i := range 100 {
		c := upload(func(c *conn.Conn) { c.TS = 1e15 + conn.Micros(i)*300e6 })
		rows = append(rows, scoredConn{*c, 0.4})
	}
	d := Compare(rows, 20, nil, []AllowLine{{Entry: *Like(upload(nil), ScopePair)}})
	require.Len(t, d.Before.Incidents, 1)
	in := d.Before.Incidents[0]
	assert.Equal(t, netip.MustParseAddr("10.1.2.3"), in.Host.Addr)
	assert.InDelta(t, 300, in.Period.Seconds(), 1)
	assert.Equal(t, 1, d.Before.Lines)
	assert.Equal(t, in.Alerts, d.Gone)
	assert.Empty(t, d.After.Incidents)
	assert.Zero(t, d.After.Lines)
}
