package main

import (
	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model"
)

// alertRows are alert.Rows of a kind of log.
type alertRows struct{ logRow }

func newAlertRows(k *logKind) alertRows { return alertRows{k.open(model.DefaultHosts)()} }

// Take takes over the values of the next row.
func (r alertRows) Take(fields []zeeklog.Field) error { return r.take(fields) }
