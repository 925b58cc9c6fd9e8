package feature

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Bounds of the tables, so that neither a scan of all ports nor a log with
// made-up services grows a model.
const (
	MaxServices    = 1024
	MaxServiceName = 63 // bytes; a longer one counts as never seen
	MaxPorts       = 16384

	numPorts = int(conn.NumProto) << 16
)

// Tables says how often each value was met in the training rows: all that an
// Encoder learns. Values that are not listed were never met, or were crowded
// out of a full table.
type Tables struct {
	Rows     uint64
	Protos   [conn.NumProto]uint64
	States   [conn.NumState]uint64
	Services []ServiceCount // by name; "" is unset
	Ports    []PortCount    // by proto, then port
}

// ServiceCount says how many rows had that service.
type ServiceCount struct {
	Name string
	Rows uint64
}

// PortCount says how many rows had that proto and responder port.
type PortCount struct {
	Proto conn.Proto
	Port  uint16
	Rows  uint64
}

func (p PortCount) index() int { return int(p.Proto)<<16 | int(p.Port) }

// Encoder turns connections into vectors. It is immutable and safe for
// concurrent use.
type Encoder struct {
	tables     Tables
	unseen     float32
	usualProto float32 // of the most usual transport
	protos     [conn.NumProto]float32
	states     [conn.NumState]float32
	services   map[string]float32
	ports      []float32 // by proto and port; 0 is never met, so that most pages stay untouched
	usual      Vector    // what a feature counts as that says nothing
}

// NewEncoder checks the tables and makes an encoder of them. It keeps t's
// slices.
func NewEncoder(t Tables) (*Encoder, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	e := &Encoder{
		tables:   t,
		unseen:   rarity(0, t.Rows),
		services: make(map[string]float32, len(t.Services)),
		ports:    make([]float32, numPorts),
	}
	for i, n := range t.Protos {
		e.protos[i] = rarity(n, t.Rows)
	}
	e.usualProto = slices.Min(e.protos[:])
	for i, n := range t.States {
		e.states[i] = rarity(n, t.Rows)
	}
	// Unset says nothing, so it is as usual as the most usual state.
	e.states[conn.NoState] = slices.Min(e.states[1:])
	for _, s := range t.Services {
		e.services[s.Name] = rarity(s.Rows, t.Rows)
	}
	for _, p := range t.Ports {
		e.ports[p.index()] = rarity(p.Rows, t.Rows)
	}
	return e, nil
}

// Tables is what the encoder was made of; the caller must not change it.
func (e *Encoder) Tables() Tables { return e.tables }

// Knows reports whether a connection had the service before. It does not
// allocate.
func (e *Encoder) Knows(c *conn.Conn) bool {
	_, ok := e.services[serviceName(c)]
	return ok
}

// rarity is −ln of the smoothed share of rows with a value; it is positive.
func rarity(n, rows uint64) float32 {
	return float32(-Log((float64(n) + 0.5) / (float64(rows) + 1)))
}

// proto is the rarity of a transport. Where the state says nothing, since no
// answer belongs to the connection, the transport says nothing either: that
// neighbours are discovered by ICMP is no news.
func (e *Encoder) proto(p conn.Proto, s conn.State) float32 {
	if s == conn.NoState {
		return e.usualProto
	}
	return e.protos[p]
}

// service is the rarity of a service; "" is unset.
func (e *Encoder) service(name string) float32 {
	if r, ok := e.services[name]; ok {
		return r
	}
	return e.unseen
}

// port is the rarity of a proto and responder port.
func (e *Encoder) port(p conn.Proto, port uint16) float32 {
	if r := e.ports[int(p)<<16|int(port)]; r != 0 {
		return r
	}
	return e.unseen
}

// maxRows keeps a hostile model's counts where a float64 holds them exactly.
const maxRows = 1 << 53

func (t *Tables) validate() error {
	if t.Rows > maxRows {
		return fmt.Errorf("%d training rows", t.Rows)
	}
	within := func(what string, n uint64) error {
		if n > t.Rows {
			return fmt.Errorf("%s met %d times in %d rows", what, n, t.Rows)
		}
		return nil
	}
	var errs []error
	for i, n := range t.Protos {
		errs = append(errs, within(conn.Proto(i).String(), n))
	}
	for i, n := range t.States {
		errs = append(errs, within(conn.State(i).String(), n))
	}
	if len(t.Services) > MaxServices || len(t.Ports) > MaxPorts {
		return fmt.Errorf("%d services and %d ports, more than %d and %d", len(t.Services), len(t.Ports), MaxServices, MaxPorts)
	}
	for i, s := range t.Services {
		if len(s.Name) > MaxServiceName || i > 0 && s.Name <= t.Services[i-1].Name {
			return fmt.Errorf("service %.64q out of order or too long", s.Name)
		}
		errs = append(errs, within("a service", s.Rows))
	}
	last := math.MinInt
	for _, p := range t.Ports {
		if p.Proto >= conn.NumProto || p.index() <= last {
			return fmt.Errorf("port %d/%d out of order or range", p.Port, p.Proto)
		}
		last = p.index()
		errs = append(errs, within("a port", p.Rows))
	}
	return errors.Join(errs...)
}
