package main

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// openLogs are the logs, by #path, whose rows are connections that go on:
// conn_long of zeek-long-connections, open_conn of Active Countermeasures' and
// our own.
var openLogs = []string{longPath, "conn_long", "open_conn"}

// afterColumn names the connection that the sensor had logged before it looked.
const afterColumn = "after"

// isOpenLog reports whether a log has connections that go on: by what it says,
// else by the file's name, as of JSON.
func isOpenLog(name, start string) bool {
	if log := zeeklog.LogOf(start); log != "" {
		return slices.Contains(openLogs, log)
	}
	base := filepath.Base(name)
	return slices.ContainsFunc(openLogs, func(log string) bool {
		rest, ok := strings.CutPrefix(base, log)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '_' || rest[0] == '-')
	})
}

// looks are the rows of logs of connections that go on, which have their place
// among those of conn.log: what had been counted when the sensor looked is what
// they see. That is behind the row that they name, else before the first that
// ended later.
type looks struct {
	hosts *feature.Hosts
	of    map[string][]*look // by file, in its order
	after map[string][]*look // by the uid that they come behind
	byEnd []*look            // the others, the earliest first
}

// look is a row, and the window that it saw.
type look struct {
	conn   conn.Conn
	seen   bool
	window feature.Window
}

// looksOf reads the logs of connections that go on among the files; nil if
// there is nothing to place. What cannot be read here is said when it is scored.
func (s *session) looksOf(files []string, hosts *feature.Hosts) *looks {
	l := &looks{hosts: hosts, of: map[string][]*look{}, after: map[string][]*look{}}
	if len(files) < 2 {
		return nil
	}
	for _, file := range files {
		if readOnce(file) || isParquet(file) || strings.Contains(file, "://") {
			continue
		}
		if input, err := openInput(file, s.stdin); err == nil {
			if isOpenLog(file, string(input.start)) {
				l.read(file, zeeklog.NewReader(input, file).Named(s.names))
			}
			input.Close()
		}
	}
	slices.SortStableFunc(l.byEnd, func(a, b *look) int { return cmp.Compare(a.conn.End(), b.conn.End()) })
	if len(l.of) == 0 {
		return nil
	}
	return l
}

func (l *looks) read(file string, r *zeeklog.Reader) {
	for {
		var row zeeklog.Row
		switch err := r.Read(&row); {
		case errors.As(err, new(*zeeklog.Error)):
			l.of[file] = append(l.of[file], new(look)) // keeps its place
			continue
		case err != nil:
			return
		}
		n := &look{conn: row.Conn}
		n.conn.UID, n.conn.TunnelParents = strings.Clone(row.Conn.UID), nil
		goesOn(&n.conn)
		l.of[file] = append(l.of[file], n)
		if feature.Check(&n.conn) != nil {
			continue
		}
		if after, ok := r.Value(&row, afterColumn); ok && after != "-" {
			after = strings.Clone(after)
			l.after[after] = append(l.after[after], n)
		} else {
			l.byEnd = append(l.byEnd, n)
		}
	}
}

// goesOn marks a row of such a log.
func goesOn(c *conn.Conn) { c.Look = max(c.Duration, 1) }

func (l *looks) see(n *look) { n.window, n.seen = l.hosts.Peek(&n.conn), true }

// before lets those see whose place is before a row of conn.log.
func (l *looks) before(c *conn.Conn) {
	for l != nil && len(l.byEnd) > 0 && l.byEnd[0].conn.End() < c.End() {
		l.see(l.byEnd[0])
		l.byEnd = l.byEnd[1:]
	}
}

// behind lets those see whose place is behind it.
func (l *looks) behind(c *conn.Conn) {
	if l == nil || len(l.after) == 0 {
		return
	}
	for _, n := range l.after[c.UID] {
		l.see(n)
	}
	delete(l.after, c.UID)
}

// next returns the window of the next row of a log of connections that go on; ok is
// false where it had no place.
func (l *looks) next(file string) (w feature.Window, ok bool) {
	if l == nil || len(l.of[file]) == 0 {
		return w, false
	}
	n := l.of[file][0]
	l.of[file] = l.of[file][1:]
	return n.window, n.seen
}
