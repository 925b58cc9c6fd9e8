package model

import (
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// sets are the kinds of rows that there are models of.
var sets = []*feature.Set{feature.Conn, dnslog.Set, httplog.Set, ssllog.Set}

// SetOf returns the set of a log by its #path, or nil if there are no models of it.
func SetOf(log string) *feature.Set {
	i := slices.IndexFunc(sets, func(s *feature.Set) bool { return s.Log == log })
	if i < 0 {
		return nil
	}
	return sets[i]
}
