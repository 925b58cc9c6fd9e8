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

// fieldsOf returns these, those of a log, and the last of each record, its context.
func fieldsOf(log ...Field) []Field {
	return slices.Concat(seenFields, log, []Field{{"id.ctx", Context, false}})
}

// seen reads their values, and the context.
func seen(v []Value, contexts *names) conn.Seen {
	return conn.Seen{
		TS:      conn.FromSeconds(v[0].Real),
		Orig:    endpoint(v[1].Address, uint16(v[2].Number)),
		Resp:    endpoint(v[3].Address, uint16(v[4].Number)),
		Context: contexts.context(v[len(v)-1].Text),
	}
}
