// Package alert turns scored connections into alerts and brings them to people:
// a budget decides which (watcher.go), repeats and storms are folded (fold.go),
// an allow-list leaves out what is known (allow.go), a queue on disk keeps what
// a receiver has not taken yet (store.go, dispatch.go), and each kind of
// receiver has its file (webhook.go, syslog.go, mail.go, ecs.go).
package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Kind says what an alert is about.
type Kind string

// The kinds.
const (
	Connection Kind = "connection" // one
	Host       Kind = "host"       // an incident: what a host did beyond its alert, or what was done to it
	Beacon     Kind = "beacon"     // a host of the site that calls one outside at a steady pace
	Limit      Kind = "limit"      // what the hour, or the day, had no room for
)

// Alert is what a receiver gets. Its JSON is the format of the webhook and of
// standard output.
type Alert struct {
	ID          string    `json:"id"` // the same however often it is sent
	Kind        Kind      `json:"kind"`
	Time        time.Time `json:"ts"` // of the connection, the strangest where there are several
	Score       float64   `json:"anomaly_score"`
	OneIn       uint64    `json:"anomaly_rank,omitempty"`
	Reason      string    `json:"anomaly_reason,omitempty"`
	Log         string    `json:"log,omitempty"` // the #path, where its rows are of another log than conn.log
	Connection  Summary   `json:"connection"`
	Count       uint64    `json:"count"`             // connections folded into this alert
	Host        string    `json:"host,omitempty"`    // of an incident, one of the site's; its context is the connection's
	Period      float64   `json:"period,omitempty"`  // of a beacon, seconds
	Beacons     uint32    `json:"beacons,omitempty"` // of a beacon: how many its host has within a day
	Inbound     bool      `json:"inbound,omitempty"` // others originated its connections
	Originators int       `json:"originators"`       // distinct, among the first 1000
	Responders  int       `json:"responders"`        // the same
	Ports       []uint16  `json:"ports"`             // distinct responder ports, the first 20
	MorePorts   int       `json:"more_ports,omitempty"`
	UIDs        []string  `json:"uids"` // samples, the first 10
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`

	since map[int32]int64 // a topic's offsets before its first row
}

// Summary is the connection of an alert.
type Summary struct {
	UID        string  `json:"uid"`
	Originator string  `json:"id.orig_h"`
	OrigPort   uint16  `json:"id.orig_p"`
	Responder  string  `json:"id.resp_h"`
	Context    string  `json:"id.ctx,omitempty"` // "vlan=10", of both endpoints
	RespPort   uint16  `json:"id.resp_p"`
	Proto      string  `json:"proto"`
	Service    string  `json:"service,omitempty"`
	State      string  `json:"conn_state"`
	Duration   float64 `json:"duration,omitempty"` // seconds
	OrigBytes  uint64  `json:"orig_bytes"`
	RespBytes  uint64  `json:"resp_bytes"`
}

func summary(c *conn.Conn) Summary {
	return Summary{
		UID: strings.Clone(c.UID), Originator: c.Orig.Addr().String(), OrigPort: c.Orig.Port(),
		Responder: c.Resp.Addr().String(), Context: c.Context, RespPort: c.Resp.Port(), Proto: c.Proto.String(), Service: c.Service,
		State: c.State.String(), Duration: c.Duration.Seconds(), OrigBytes: c.OrigBytes, RespBytes: c.RespBytes,
	}
}

// newID returns the same for the same alert of the same rows.
func newID(k Kind, c *conn.Conn) string {
	of := fmt.Appendf(nil, "%s\x00%s\x00%d\x00%v\x00%v", k, c.UID, c.TS, c.Orig, c.Resp)
	if c.Context != "" {
		of = fmt.Appendf(of, "\x00%s", c.Context)
	}
	sum := sha256.Sum256(of)
	return hex.EncodeToString(sum[:12])
}

// Title returns the alert in one line.
func (a *Alert) Title() string {
	c := &a.Connection
	host := conn.InContext(a.Host, c.Context)
	switch a.Kind {
	case Host:
		rows := "connections"
		if a.Log != "" {
			rows = fmt.Sprintf("rows of %s.log", a.Log)
		}
		if a.Inbound {
			return fmt.Sprintf("%d more anomalous %s to %s from %s, %s", a.Count, rows, host, plural(a.Originators, "originator"), plural(len(a.Ports)+a.MorePorts, "port"))
		}
		return fmt.Sprintf("%d more anomalous %s from %s to %s, %s", a.Count, rows, host, plural(a.Responders, "responder"), plural(len(a.Ports)+a.MorePorts, "port"))
	case Beacon:
		return fmt.Sprintf("%s calls %s%s every %v, %d times so far", host, c.Responder, c.port(), time.Duration(a.Period*float64(time.Second)).Round(time.Second), a.Count)
	case Limit:
		return fmt.Sprintf("%d more anomalous connections beyond the limit of alerts, the strangest from %s to %s%s", a.Count, c.from(), c.Responder, c.port())
	}
	service := c.Service
	if service == "" {
		service = c.Proto
	}
	if a.Log != "" {
		return fmt.Sprintf("anomalous row of %s.log, %s → %s%s, score %.4f", a.Log, c.from(), c.Responder, c.port(), a.Score)
	}
	return fmt.Sprintf("anomalous connection %s → %s%s (%s), score %.4f", c.from(), c.Responder, c.port(), service, a.Score)
}

// from returns the originator, with the context of both.
func (c *Summary) from() string { return conn.InContext(c.Originator, c.Context) }

// port is " port 443", and nothing for ICMP, which has a code there.
func (c *Summary) port() string {
	if c.Proto == "icmp" {
		return ""
	}
	return fmt.Sprintf(" port %d", c.RespPort)
}

// Detail returns the rest, a few lines.
func (a *Alert) Detail() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s %s\n", name+":", clean(fmt.Sprintf(format, args...)))
	}
	if a.Reason != "" {
		line("why", "%s", a.Reason)
	}
	if a.OneIn > 0 {
		line("rank", "1 in %d connections of this network is as unusual", a.OneIn)
	}
	line("when", "%s UTC", a.Time.UTC().Format("2006-01-02 15:04:05"))
	if a.Count > 1 && a.Kind != Beacon {
		line("from", "%s to %s UTC", a.First.UTC().Format("2006-01-02 15:04:05"), a.Last.UTC().Format("2006-01-02 15:04:05"))
		ports := strings.Trim(fmt.Sprint(a.Ports), "[]")
		if a.MorePorts > 0 {
			ports += fmt.Sprintf(" and %d more", a.MorePorts)
		}
		line("ports", "%s", ports)
	}
	c := &a.Connection
	line("conn", "%s %s:%d → %s:%d %s %s, %.1f s, %d bytes sent, %d received", c.Proto, c.Originator, c.OrigPort, c.Responder, c.RespPort, c.Service, c.State, c.Duration, c.OrigBytes, c.RespBytes)
	line("uid", "%s", strings.Join(a.UIDs, " "))
	line("alert", "%s", a.ID)
	return b.String()
}

// clean takes control characters out of text that a network's peer may have
// had a hand in.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
