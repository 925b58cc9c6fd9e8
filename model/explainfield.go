package model

import (
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// field is a part of a connection, or of its originator's window, that could
// be another one's.
type field struct {
	feature int  // the one that shows it
	number  bool // whether values between two are values too
	get     func(c *conn.Conn, w *feature.Window) fieldValue
	put     func(c *conn.Conn, w *feature.Window, v fieldValue)
}

// fieldValue is a number, a code or a name.
type fieldValue struct {
	set    bool
	absent bool // the log has no column for it
	n      uint64
	name   string
}

var originatorPort = named("resp_port for this originator")

// fields are all that a vector is made of. The share of failures has no field
// of its own: it follows from the numbers.
var fields = []field{
	{named("duration"), true,
		func(c *conn.Conn, _ *feature.Window) fieldValue {
			return fieldValue{set: c.Has(conn.Duration), absent: c.Absent&conn.Duration != 0, n: uint64(c.Duration)}
		},
		func(c *conn.Conn, _ *feature.Window, v fieldValue) {
			c.Duration = conn.Micros(v.n)
			setBit(c, conn.Duration, v)
		}},
	numberField("orig_bytes", conn.OrigBytes, func(c *conn.Conn) *uint64 { return &c.OrigBytes }),
	numberField("resp_bytes", conn.RespBytes, func(c *conn.Conn) *uint64 { return &c.RespBytes }),
	numberField("orig_pkts", conn.OrigPkts, func(c *conn.Conn) *uint64 { return &c.OrigPkts }),
	numberField("resp_pkts", conn.RespPkts, func(c *conn.Conn) *uint64 { return &c.RespPkts }),
	numberField("orig_ip_bytes", conn.OrigIPBytes, func(c *conn.Conn) *uint64 { return &c.OrigIPBytes }),
	numberField("resp_ip_bytes", conn.RespIPBytes, func(c *conn.Conn) *uint64 { return &c.RespIPBytes }),
	numberField("missed_bytes", conn.MissedBytes, func(c *conn.Conn) *uint64 { return &c.MissedBytes }),
	{named("proto"), false,
		func(c *conn.Conn, _ *feature.Window) fieldValue { return fieldValue{set: true, n: uint64(c.Proto)} },
		func(c *conn.Conn, _ *feature.Window, v fieldValue) { c.Proto = conn.Proto(v.n) }},
	{named("service"), false,
		func(c *conn.Conn, _ *feature.Window) fieldValue {
			return fieldValue{set: c.Has(conn.Service), absent: c.Absent&conn.Service != 0, name: c.Service}
		},
		func(c *conn.Conn, _ *feature.Window, v fieldValue) {
			c.Service = v.name
			setBit(c, conn.Service, v)
		}},
	{named("conn_state"), false,
		func(c *conn.Conn, _ *feature.Window) fieldValue { return fieldValue{set: true, n: uint64(c.State)} },
		func(c *conn.Conn, _ *feature.Window, v fieldValue) { c.State = conn.State(v.n) }},
	{named("resp_port"), false,
		func(c *conn.Conn, _ *feature.Window) fieldValue {
			return fieldValue{set: true, n: uint64(c.Resp.Port())}
		},
		func(c *conn.Conn, _ *feature.Window, v fieldValue) {
			c.Resp = netip.AddrPortFrom(c.Resp.Addr(), uint16(v.n))
		}},
	windowField("connections", func(w *feature.Window) *uint32 { return &w.Connections }),
	windowField("responders", func(w *feature.Window) *uint32 { return &w.Responders }),
	windowField("responder ports", func(w *feature.Window) *uint32 { return &w.Ports }),
	windowField("failures", func(w *feature.Window) *uint32 { return &w.Failures }),
	windowField("failures at the responder", func(w *feature.Window) *uint32 { return &w.RespFailures }),
	memoryField("bytes to this service", func(w *feature.Window) *uint64 { return &w.PairBytes }),
	memoryField("time with this service", func(w *feature.Window) *uint64 { return &w.PairSeconds }),
	{originatorPort, false,
		func(_ *conn.Conn, w *feature.Window) fieldValue {
			return fieldValue{set: true, n: uint64(w.PortUses)<<32 | uint64(w.Uses)}
		},
		func(_ *conn.Conn, w *feature.Window, v fieldValue) {
			w.PortUses, w.Uses = uint32(v.n>>32), uint32(v.n)
		}},
}

// names are the fields of names and codes of a connection, by their features.
var names = func() (by [feature.Places]*field) {
	for i := range fields {
		if f := &fields[i]; !f.number && f.feature != originatorPort {
			by[f.feature] = f
		}
	}
	return by
}()

// always are the numbers that are set unless they are absent.
const always = conn.MissedBytes | conn.OrigPkts | conn.OrigIPBytes | conn.RespPkts | conn.RespIPBytes

// numberField returns a number of a connection.
func numberField(name string, bit conn.Fields, at func(*conn.Conn) *uint64) field {
	return field{named(name), true,
		func(c *conn.Conn, _ *feature.Window) fieldValue {
			absent := c.Absent&bit != 0
			return fieldValue{set: c.Has(bit) || bit&always != 0 && !absent, absent: absent, n: *at(c)}
		},
		func(c *conn.Conn, _ *feature.Window, v fieldValue) {
			*at(c) = v.n
			setBit(c, bit, v)
		}}
}

// windowField returns a number of the originator's window.
func windowField(name string, at func(*feature.Window) *uint32) field {
	return field{named(name), true,
		func(_ *conn.Conn, w *feature.Window) fieldValue { return fieldValue{set: true, n: uint64(*at(w))} },
		func(_ *conn.Conn, w *feature.Window, v fieldValue) { *at(w) = uint32(v.n) }}
}

// memoryField returns a number of what is remembered of the pair.
func memoryField(name string, at func(*feature.Window) *uint64) field {
	return field{named(name), true,
		func(_ *conn.Conn, w *feature.Window) fieldValue { return fieldValue{set: true, n: *at(w)} },
		func(_ *conn.Conn, w *feature.Window, v fieldValue) { *at(w) = v.n }}
}

func setBit(c *conn.Conn, bit conn.Fields, v fieldValue) {
	c.Set, c.Absent = c.Set&^bit, c.Absent&^bit
	switch {
	case v.absent:
		c.Absent |= bit
	case v.set:
		c.Set |= bit &^ always
	}
}

// named returns the index of the feature of that name.
func named(name string) int {
	if i := feature.Conn.Find(name); i >= 0 {
		return i
	}
	panic("model: no feature is named " + name)
}
