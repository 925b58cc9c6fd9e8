package main

import (
	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// seenColumns are the first columns of the schema of each log but conn.log.
var seenColumns = []string{"ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"}

// Their places, and that of the first column of a log's own.
const (
	seenTS = iota
	seenUID
	seenOrigH
	seenOrigP
	seenRespH
	seenRespP
	seenEnd
)

// seenRequired are those without which a file is not http.log, nor ssl.log.
var seenRequired = []string{"ts", "id.orig_h", "id.resp_h", "id.resp_p"}

// seen reads their values.
func (v *fieldValues) seen() conn.Seen {
	return conn.Seen{
		TS:      read(v, seenTS, true, (*zeeklog.Field).Time),
		UID:     v.text(seenUID),
		Orig:    v.endpoint(seenOrigH, seenOrigP),
		Resp:    v.endpoint(seenRespH, seenRespP),
		Context: zeeklog.Context(v.fields),
	}
}

// seenIn returns when and between whom a row was that was kept, or laid over the log.
func seenIn(row *evaluate.Row) conn.Seen {
	c := &row.Conn
	return conn.Seen{TS: c.TS, UID: c.UID, Orig: c.Orig, Resp: c.Resp, Context: c.Context}
}
