package main

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/report"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// kind is what connections have in common that a table shows as one line: a
// scan is one thing to look at, not two hundred.
type kind struct {
	orig, resp netip.Addr
	context    string
	service    string
	state      conn.State
}

// strangest keeps the strangest connection of each kind and counts those above
// a limit. It is safe for concurrent use.
type strangest struct {
	n     int      // wanted in the end, 0 for none
	limit float64  // 0 for none
	plot  string   // file for the histogram, "" for none
	of    *logKind // nil for conn.log

	mu      sync.Mutex
	kinds   *report.Strangest[kind]
	offered uint64 // connections
	above   uint64
	bins    [report.Bins]uint64
}

// marked is how many of the strangest the histogram points out.
const marked = 3

// limitFlags defines --top, --fail-above and --plot.
func limitFlags(flags *pflag.FlagSet) func() (*strangest, int) {
	top := numberFlag(flags, "top", 0, positive, "print the `N` strangest connections as a table with the reasons, one for each originator, responder, service and conn_state, instead of a log")
	limit := numberFlag(flags, "fail-above", 0, aShare, "exit with status 3 when a connection scores higher than `SCORE`, naming it")
	plot := flags.String("plot", "", "draw how many connections have which score, as SVG in `FILE`")
	return func() (*strangest, int) {
		n := *top
		if *limit > 0 {
			n = max(n, maxWarnings)
		}
		if *plot != "" {
			n = max(n, marked)
		}
		return &strangest{n: n, limit: *limit, plot: *plot, kinds: report.NewStrangest[kind]().Only(n)}, *top
	}
}

// offer shows it a scored row.
func (s *strangest) offer(place uint64, row *stream.Scored) {
	if s.n == 0 {
		return
	}
	r, other := row.Record.(logRow)
	of := connKind(row.Record.Subject())
	if other {
		of = r.alike()
	}
	score := row.CaseScore()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offered++
	s.bins[min(int(score*report.Bins), report.Bins-1)]++
	if s.limit > 0 && score > s.limit {
		s.above++
	}
	s.kinds.Observe(of, place, score, row.Record.Subject().TS, func(k *report.Strange) {
		k.OneIn, k.Conn, k.Reason = row.OneIn(), *row.Record.Subject(), string(row.AppendReasons(nil))
		if other {
			k.Cells = r.cells()
		}
	})
}

// connKind returns the kind of a connection.
func connKind(c *conn.Conn) kind {
	return kind{c.Orig.Addr(), c.Resp.Addr(), c.Context, c.Service, c.State}
}

// first returns the n strangest of different kinds.
func (s *strangest) first(n int) []*report.Strange {
	sorted := s.kinds.Sorted()
	return sorted[:min(n, len(sorted))]
}

// lookedAtNothing returns the error of a limit that no connection was held against.
func (s *strangest) lookedAtNothing(why string) error {
	return fmt.Errorf("--fail-above %v cannot hold: %s", s.limit, why)
}

// passed returns the error that says that the limit was passed, naming the
// connections; nil when it was not.
func (s *strangest) passed() error {
	if s.above == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of the connections score above %v", s.above, s.limit)
	for _, k := range s.first(maxWarnings) {
		if k.Score > s.limit {
			fmt.Fprintf(&b, "\n  %.4f %s: %s", k.Score, at(&k.Conn), k.Reason)
		}
	}
	return limitError{fmt.Errorf("%s", b.String())}
}

// draw writes the histogram where --plot asks for it.
func (s *strangest) draw(of *session, title string) error {
	if s.plot == "" {
		return nil
	}
	o, err := of.output(s.plot)
	if err != nil {
		return err
	}
	defer o.discard()
	var marks []report.Mark
	for _, k := range s.first(marked) {
		first, _, _ := strings.Cut(k.Reason, ";")
		marks = append(marks, report.Mark{Score: k.Score, Label: fmt.Sprintf("%v: %s", k.Conn.Resp, first)})
	}
	if err := report.Scores(o, title, &s.bins, marks); err != nil {
		return err
	}
	return o.commit()
}

// table prints the n strangest, one of each kind: those with the same
// originator, responder, service and conn_state are alike.
func (s *strangest) table(w io.Writer, n int) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if s.of != nil {
		fmt.Fprintf(t, "score\t1 in\talike\ttime (UTC)\tconnection\t%s\tuid\treason\n", strings.Join(s.of.header, "\t"))
		for _, k := range s.first(n) {
			c := &k.Conn
			fmt.Fprintf(t, "%.4f\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", k.Score, k.OneIn, k.Alike, c.TS.Time().Format("2006-01-02 15:04:05"),
				conn.InContext(fmt.Sprintf("%v → %v", c.Orig, c.Resp), c.Context), strings.Join(k.Cells, "\t"), c.UID, k.Reason)
		}
		return t.Flush()
	}
	fmt.Fprintln(t, "score\t1 in\talike\ttime (UTC)\tconnection\tservice\tstate\tuid\treason")
	for _, k := range s.first(n) {
		c := &k.Conn
		fmt.Fprintf(t, "%.4f\t%d\t%d\t%s\t%s\t%s\t%v\t%s\t%s\n", k.Score, k.OneIn, k.Alike, c.TS.Time().Format("2006-01-02 15:04:05"),
			whoWithWhom(c), orUnset(c.Service), c.State, c.UID, k.Reason)
	}
	return t.Flush()
}

// whoWithWhom says who is connected: "10.0.0.1:1024 → 192.0.2.9:443 tcp (vlan=10)".
func whoWithWhom(c *conn.Conn) string {
	return conn.InContext(fmt.Sprintf("%v → %v %v", c.Orig, c.Resp, c.Proto), c.Context)
}

// orUnset prints an unset string as the log does.
func orUnset(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// pluralOf is plural for what rows of a set are, in the plural.
func pluralOf(n uint64, rows string) string {
	switch {
	case n != 1:
		return strconv.FormatUint(n, 10) + " " + rows
	case rows == "queries":
		return "1 query"
	}
	return "1 " + strings.TrimSuffix(rows, "s")
}

// plural is "1 row", "2 rows".
func plural(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatUint(n, 10) + " " + what + "s"
}
