package report

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/golden"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

var midnight = time.Date(2024, 4, 21, 0, 0, 0, 0, time.UTC)

func dayRow(second int, orig, resp string, score float64, oneIn uint64, reason string) *Scored {
	c := &conn.Conn{
		TS: conn.Micros(midnight.UnixMicro() + int64(second)*1e6), UID: fmt.Sprintf("C%d", second),
		Orig: netip.MustParseAddrPort(orig), Resp: netip.MustParseAddrPort(resp), Proto: conn.TCP, Service: "ssl", State: conn.SF,
		OrigBytes: 84_000_000, RespBytes: 12, Set: conn.OrigBytes | conn.RespBytes | conn.Service,
	}
	return &Scored{Conn: c, Score: score, OneIn: oneIn, Model: "abc", Reason: func() string { return reason }}
}

// aDay is a quiet day with a scan, an upload, and a name that a peer chose.
func aDay() *DayPage {
	d := NewDay(midnight.Add(5 * time.Hour))
	d.Observe(dayRow(-1, "10.0.0.1:1", "10.0.0.2:443", 0.9, 9, "of the day before"))
	d.Observe(dayRow(86400, "10.0.0.1:1", "10.0.0.2:443", 0.9, 9, "of the day after"))
	for i := range 1440 {
		d.Observe(dayRow(i*60, fmt.Sprintf("10.0.0.%d:5000", i%50), "10.0.2.1:443", 0.4+float64(i%10)/100, 2+uint64(i%10), "duration 1 s, usually 2 s"))
	}
	for i := range 40 {
		d.Observe(dayRow(36000+i, "10.9.9.9:6000", fmt.Sprintf("192.0.2.%d:%d", i, 1000+i), 0.7, 5000, fmt.Sprintf("%d responders in five minutes, usually 1; resp_port %d/tcp, never seen", i, 1000+i)))
	}
	d.Observe(dayRow(40000, "10.9.9.9:6001", "192.0.2.7:443", 0.8, 9000, "orig_bytes 84 MB, usually under 1 kB; service <script>alert(1)</script>, never seen"))
	p := &DayPage{Day: d, Top: 3, Files: "conn.log", Allow: "allow.tsv", Other: 2, Bad: 1, Cold: 3, Model: "abc", Learnt: 1000, From: midnight.Add(-48 * time.Hour), To: midnight, HasReason: true}
	p.Allows = []*Allowed{{Entry: "from 10.0.0.7", Expires: "2024-04-20 00:00", Comment: "the <backup>", Over: true}, {Entry: "port 22/tcp", Expires: "for good", Rows: 12}}
	p.Told = []Told{{At: midnight.Add(11 * time.Hour), Score: 0.8, Text: "C40000 10.9.9.9:6001 → 192.0.2.7:443 tcp", Reason: "orig_bytes <84 MB>"}, {At: midnight.Add(12 * time.Hour), Score: 0.7, Text: "incident: 40 more unusual connections of 10.9.9.9"}}
	return p
}

var pictures = regexp.MustCompile(`(?s)<svg.*?</svg>`)

// The page, without its pictures and its style.
func TestDayPage(t *testing.T) {
	var page bytes.Buffer
	require.NoError(t, aDay().WriteHTML(&page))
	html := page.String()
	require.Equal(t, 4, strings.Count(html, "<svg"), "scores and volume, for a wide and for a narrow screen")
	for _, word := range []string{"src=", "href=", "@import", "<script", "url("} {
		require.NotContains(t, html, word, "nothing from the network, nothing from the log")
	}
	_, body, _ := strings.Cut(pictures.ReplaceAllString(html, "(picture)"), "<body>")
	golden.Assert(t, "testdata/day.golden.html", body)
}

func TestDayFolds(t *testing.T) {
	hosts := aDay().Strange(3)
	require.Len(t, hosts, 2)
	require.Equal(t, "10.9.9.9", hosts[0].Host.String())
	upload, scan := hosts[0].Events[0], hosts[0].Events[1]
	require.Equal(t, "orig_bytes 84 MB, usually under 1 kB", upload.Why)
	require.EqualValues(t, 1, upload.Count)
	require.EqualValues(t, 40, scan.Count, "a scan is one thing")
	require.Equal(t, 35, scan.MoreHosts)
	require.Equal(t, 35, scan.MorePorts)
	require.Equal(t, midnight.Add(10*time.Hour), scan.First.UTC())
	require.Equal(t, 3, hosts[1].Events[0].Number)
}

// What is as common as one in two is not strange, however much is asked for.
func TestDayOrdinary(t *testing.T) {
	for _, h := range aDay().Strange(1000) {
		for _, event := range h.Events {
			require.GreaterOrEqual(t, event.OneIn, uint64(strangeFrom))
		}
	}
	d := NewDay(midnight)
	d.Observe(dayRow(0, "10.0.0.1:1", "10.0.0.2:443", 0.4, 2, "x"))
	require.Contains(t, (&dayView{DayPage: &DayPage{Day: d}, Hosts: d.Strange(20)}).lead(), "Nothing stands out.")
}

// ICMP has a type and a code where others have ports.
func TestDayLeadOfICMP(t *testing.T) {
	d := NewDay(midnight)
	row := dayRow(0, "10.0.0.1:8", "10.0.0.2:0", 0.7, 2000, "x")
	row.Conn.Proto = conn.ICMP
	d.Observe(row)
	require.Contains(t, (&dayView{DayPage: &DayPage{Day: d}, Hosts: d.Strange(20)}).lead(), "to 10.0.0.2 by icmp, score 0.7000")
}

func TestCount(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 2000: "2000", 20_000: "20k", 500_000: "500k", 1_500_000: "1.5M"} {
		require.Equal(t, want, count(n))
	}
}

func TestDayWithoutRows(t *testing.T) {
	var page bytes.Buffer
	require.NoError(t, (&DayPage{Day: NewDay(midnight), Top: 20}).WriteHTML(&page))
	require.Contains(t, page.String(), "No connection of this day has a score.")
	require.NotContains(t, page.String(), "<svg")
}

// More kinds than are kept: the strange ones stay.
func TestDayIsBounded(t *testing.T) {
	d := NewDay(midnight)
	d.Observe(dayRow(0, "10.9.9.9:1", "192.0.2.1:1", 0.9, 0, "x"))
	for i := range MaxKinds + 1000 {
		d.Observe(dayRow(1, fmt.Sprintf("10.%d.%d.1:1", i>>8&255, i&255), fmt.Sprintf("10.0.0.1:%d", 1+i>>16), 0.4, 0, "x"))
	}
	require.LessOrEqual(t, len(d.kinds.kinds), MaxKinds)
	require.Equal(t, 0.9, d.Strange(1)[0].Events[0].Score)
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		found uint64
		want  string
		sick  bool
	}{{100, "fits this day", false}, {500, "5 times as many", true}, {20, "Far fewer", true}} {
		text, sick := verdict([]rankLine{{100, c.found, 100}, {1000, 900, 9}})
		require.Contains(t, text, c.want)
		require.Equal(t, c.sick, sick)
	}
	text, _ := verdict(nil)
	require.Contains(t, text, "too few")
}

func TestReasonKind(t *testing.T) {
	for reason, want := range map[string]string{
		"": "", "orig_bytes 4.2 GB, usually under 31 MB; x": "orig_bytes", "212 responders in five minutes": "responders", "45 % of connections failed": "of",
	} {
		require.Equal(t, want, reasonKind(reason), reason)
	}
}
