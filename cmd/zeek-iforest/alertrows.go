package main

import (
	"cmp"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model"
)

// alertRows are alert.Rows of a kind of log.
type alertRows struct {
	logRow
	session *session
	kind    *logKind
}

func (s *session) alertRows(k *logKind) alertRows {
	return alertRows{s.recordsOf(k, model.DefaultHosts)(), s, k}
}

// Take takes over the values of the next row.
func (r alertRows) Take(fields []zeeklog.Field) error { return r.take(fields) }

// Lack looks at what the row lacks.
func (r alertRows) Lack(path string) {
	r.session.lacks(cmp.Or(path, r.kind.set.Log+".log"), r.kind, r.logRow)
}
