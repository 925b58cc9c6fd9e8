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

// seenIn returns when and between whom a row was that was kept, in what its connection
// is now; its context stays.
func seenIn(row *evaluate.Row, kept *conn.Seen) conn.Seen {
	return conn.Seen{TS: row.Conn.TS, UID: row.Conn.UID, Orig: row.Conn.Orig, Resp: row.Conn.Resp, Context: kept.Context}
}
