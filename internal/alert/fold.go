package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

const (
	maxSamples    = 10
	maxPorts      = 20
	maxResponders = 1000
	maxGathered   = 1 << 10 // incidents with their details
)

// hit is a connection that is unusual enough.
type hit struct {
	conn   *conn.Conn
	score  float64
	oneIn  uint64
	reason func() string
	log    string // of the row, "" for conn.log
	since  map[int32]int64
}

// gathered are the details of a group of connections that is told as one.
type gathered struct {
	Alert      Alert               `json:"alert"`
	Seen       map[string]struct{} `json:"responders"`
	Origins    map[string]struct{} `json:"originators"`
	RespPorts  map[uint16]struct{} `json:"ports"`
	ToldAlerts uint64              `json:"told"` // how often it was told

	Since     map[int32]int64 `json:"since,omitempty"`      // a topic's offsets before the first row that was not told
	SinceTime conn.Micros     `json:"since_time,omitempty"` // that row's ts
}

func gather(k Kind, h *hit) *gathered {
	at := h.conn.TS.Time()
	g := &gathered{
		Alert: Alert{ID: newID(k, h.conn), Kind: k, Log: h.log, First: at, Last: at},
		Seen:  map[string]struct{}{}, Origins: map[string]struct{}{}, RespPorts: map[uint16]struct{}{},
	}
	g.add(h)
	return g
}

func (g *gathered) add(h *hit) {
	a, c := &g.Alert, h.conn
	if g.Since == nil {
		g.Since, g.SinceTime = h.since, c.TS
	}
	if a.Count++; a.Count == 1 || h.score > a.Score {
		a.Score, a.OneIn, a.Reason, a.Connection, a.Time = h.score, h.oneIn, h.reason(), summary(c), c.TS.Time()
	}
	if len(a.UIDs) < maxSamples {
		a.UIDs = append(a.UIDs, strings.Clone(c.UID))
	}
	if at := c.TS.Time(); at.Before(a.First) {
		a.First = at
	} else if at.After(a.Last) {
		a.Last = at
	}
	for _, hosts := range []struct {
		of map[string]struct{}
		is string
	}{{g.Seen, c.RespHost().String()}, {g.Origins, c.OrigHost().String()}} {
		if len(hosts.of) < maxResponders {
			hosts.of[hosts.is] = struct{}{}
		}
	}
	if _, known := g.RespPorts[c.Resp.Port()]; !known {
		g.RespPorts[c.Resp.Port()] = struct{}{}
		if len(a.Ports) < maxPorts {
			a.Ports = append(a.Ports, c.Resp.Port())
		}
	}
}

// done returns the alert as it stands; its connections may go on.
func (g *gathered) done() *Alert {
	a := g.Alert
	a.since, g.Since = g.Since, nil
	a.Responders, a.Originators, a.MorePorts = len(g.Seen), len(g.Origins), len(g.RespPorts)-len(a.Ports)
	a.Ports, a.UIDs = slices.Sorted(slices.Values(a.Ports)), slices.Clone(a.UIDs)
	if g.ToldAlerts++; g.ToldAlerts > 1 {
		a.ID = fmt.Sprintf("%s-%d", a.ID, g.ToldAlerts)
	}
	return &a
}

// folds are the details of the incidents that go on, by incident.
type folds map[string]*gathered

func keyOf(i *alerts.Incident) string {
	return fmt.Sprint(i.ID())
}

// fold takes a connection that belongs to the incident.
func (f folds) fold(i *alerts.Incident, h *hit) {
	key := keyOf(i)
	if g := f[key]; g != nil {
		g.add(h)
		return
	}
	if len(f) >= maxGathered { // of incidents that ended without being told
		f.forget()
	}
	kind := Host
	if !i.Host.IsValid() {
		kind = Limit
	}
	if i.Period > 0 {
		kind = Beacon
	}
	g := gather(kind, h)
	if g.Alert.Inbound = i.Inbound; i.Host.IsValid() {
		g.Alert.Host = i.Host.Addr.String()
	}
	f[key] = g
}

// forget drops the half that was quiet longest.
func (f folds) forget() {
	keys := make([]string, 0, len(f))
	for key := range f {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return f[a].Alert.Last.Compare(f[b].Alert.Last) })
	for _, key := range keys[:len(keys)/2] {
		delete(f, key)
	}
}

// told returns the alert of an incident, or nil if its details are gone.
func (f folds) told(i *alerts.Incident) *Alert {
	key := keyOf(i)
	g := f[key]
	if g == nil {
		return nil
	}
	if i.Over {
		delete(f, key)
	}
	a := g.done()
	if i.Period > 0 {
		a.Count, a.Period, a.Beacons = i.Count, i.Period.Seconds(), i.Pairs
	}
	return a
}
