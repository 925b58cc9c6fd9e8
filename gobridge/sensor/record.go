package sensor

import (
	"fmt"
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Record is a connection as Zeek holds it in Conn::Info, which is iforest_conn
// of gobridge/iforest_abi.h: doubles where Zeek has doubles, names as text.
// Service, State, UID and Context may point into memory that is Zeek's; nothing of them is
// kept.
type Record struct {
	TS, Duration         float64
	OrigBytes, RespBytes uint64
	MissedBytes          uint64
	OrigPkts, RespPkts   uint64
	OrigIPBytes          uint64
	RespIPBytes          uint64
	Service, State       string // State is empty if unset
	UID                  string
	Context              string // of id.ctx, see conn.Host; empty if it has no field set
	OrigHost, RespHost   [16]byte
	OrigPort, RespPort   uint16
	IPProto              uint16
	Proto                uint8 // Zeek's transport_proto
	LocalOrig, LocalResp bool
	Set                  conn.Fields
}

// connFields are the fields of Conn::Info that a Record is made of.
var connFields = []Field{
	{"ts", Time, true},
	{"id.orig_h", Addr, true},
	{"id.orig_p", Port, true},
	{"id.resp_h", Addr, true},
	{"id.resp_p", Port, true},
	{"proto", Enum, true},
	{"service", String, false},
	{"duration", Interval, false},
	{"orig_bytes", Count, false},
	{"resp_bytes", Count, false},
	{"conn_state", String, false},
	{"local_orig", Bool, false},
	{"local_resp", Bool, false},
	{"missed_bytes", Count, false},
	{"orig_pkts", Count, false},
	{"orig_ip_bytes", Count, false},
	{"resp_pkts", Count, false},
	{"resp_ip_bytes", Count, false},
	{"ip_proto", Count, false},
	{"id.ctx", Context, false},
}

// set makes a record of values of connFields.
func (r *Record) set(v []Value) {
	*r = Record{
		TS:       v[0].Real,
		OrigHost: v[1].Address, OrigPort: uint16(v[2].Number), RespHost: v[3].Address, RespPort: uint16(v[4].Number),
		Proto:       uint8(min(v[5].Number, uint64(conn.NumProto))), // which feature.Check refuses
		Service:     v[6].Text,
		Duration:    v[7].Real,
		OrigBytes:   v[8].Number,
		RespBytes:   v[9].Number,
		State:       v[10].Text,
		LocalOrig:   v[11].Number != 0,
		LocalResp:   v[12].Number != 0,
		MissedBytes: v[13].Number,
		OrigPkts:    v[14].Number, OrigIPBytes: v[15].Number, RespPkts: v[16].Number, RespIPBytes: v[17].Number,
		IPProto: uint16(v[18].Number),
		Context: v[19].Text,
	}
	for i, f := range [...]conn.Fields{
		6: conn.Service, 7: conn.Duration, 8: conn.OrigBytes, 9: conn.RespBytes,
		11: conn.LocalOrig, 12: conn.LocalResp, 18: conn.IPProto,
	} {
		if v[i].Set {
			r.Set |= f
		}
	}
}

// fill writes to c what a reader of conn.log would make of the row that Zeek
// writes for r: times rounded to microseconds, IPv4 addresses unmapped. UID,
// History and TunnelParents stay empty. It refuses what cannot be converted and
// leaves the rest to feature.Check. It allocates when it meets a service or
// a context for the first time.
func (r *Record) fill(c *conn.Conn, texts *names) error {
	if !finite(r.TS) {
		return fmt.Errorf("ts is not a time: %v", r.TS)
	}
	if r.Set&conn.Duration != 0 && !finite(r.Duration) {
		return fmt.Errorf("duration is not an interval: %v", r.Duration)
	}
	state := conn.NoState
	if r.State != "" {
		var ok bool
		if state, ok = conn.ParseState(r.State); !ok {
			return fmt.Errorf("conn_state is none of conn.log's: %q", r.State)
		}
	}
	*c = conn.Conn{
		TS:            conn.FromSeconds(r.TS),
		Orig:          endpoint(r.OrigHost, r.OrigPort),
		Resp:          endpoint(r.RespHost, r.RespPort),
		Context:       texts.context(r.Context),
		Proto:         conn.Proto(r.Proto),
		State:         state,
		MissedBytes:   r.MissedBytes,
		OrigPkts:      r.OrigPkts,
		OrigIPBytes:   r.OrigIPBytes,
		RespPkts:      r.RespPkts,
		RespIPBytes:   r.RespIPBytes,
		TunnelParents: c.TunnelParents[:0],
		Set:           r.Set,
	}
	if r.Set&conn.Service != 0 {
		c.Service = texts.of(r.Service)
	}
	if r.Set&conn.Duration != 0 {
		c.Duration = conn.FromSeconds(r.Duration)
	}
	if r.Set&conn.OrigBytes != 0 {
		c.OrigBytes = r.OrigBytes
	}
	if r.Set&conn.RespBytes != 0 {
		c.RespBytes = r.RespBytes
	}
	if r.Set&conn.LocalOrig != 0 {
		c.LocalOrig = r.LocalOrig
	}
	if r.Set&conn.LocalResp != 0 {
		c.LocalResp = r.LocalResp
	}
	if r.Set&conn.IPProto != 0 {
		c.IPProto = r.IPProto
	}
	return nil
}

func finite(f float64) bool { return f-f == 0 }

func endpoint(host [16]byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(host).Unmap(), port)
}
