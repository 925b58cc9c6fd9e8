package sensor

import (
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// seenFields are the first fields of each record but Conn::Info.
var seenFields = []Field{
	{"ts", Time, true},
	{"id.orig_h", Addr, true},
	{"id.orig_p", Port, true},
	{"id.resp_h", Addr, true},
	{"id.resp_p", Port, true},
}

// fieldsOf are these and those of a log.
func fieldsOf(log ...Field) []Field { return slices.Concat(seenFields, log) }

// seen reads their values.
func seen(v []Value, context string) conn.Seen {
	return conn.Seen{
		TS:      conn.FromSeconds(v[0].Real),
		Orig:    endpoint(v[1].Address, uint16(v[2].Number)),
		Resp:    endpoint(v[3].Address, uint16(v[4].Number)),
		Context: context,
	}
}
