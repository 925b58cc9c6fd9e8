package main

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// lacking is what logs have no columns for.
type lacking struct {
	log         string      // the first that lacks any
	several     bool        // it is not the only one
	rows        uint64      // of all logs
	without     uint64      // of them, those that lack a field
	fields      conn.Fields // that any of these lacks
	common      conn.Fields // that each of these lacks
	everSet     conn.Fields
	learnt      bool // a model was made of the rows
	sides       bool // some rows lack local_orig
	established uint64

	features map[*feature.Set]*lackingFeatures // of logs that are not conn.log
}

// lackingFeatures are those of a set that say nothing in some rows of its logs.
type lackingFeatures struct {
	log     string // the first that lacks any
	several bool   // it is not the only one
	bits    uint32
}

// fewEstablished is how many answered connections may lack what each of them
// could have before that is strange.
const fewEstablished = 100

// mayBeUnset are fields that most answered connections have.
const mayBeUnset = conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes

// lack looks at what a row of a log lacks.
func (l *lacking) lack(log string, c *conn.Conn) {
	l.rows++
	l.everSet |= c.Set
	if c.State.Established() {
		l.established++
	}
	l.sides = l.sides || c.Absent&conn.LocalOrig != 0
	absent := c.Absent &^ conn.LocalOrig
	if absent == 0 {
		return
	}
	if l.without++; l.without == 1 {
		l.log, l.common = log, absent
	}
	l.fields |= absent
	l.common &= absent
	l.several = l.several || l.log != log
}

// sayLacking says which columns the logs lack and what that costs, once.
func (s *session) sayLacking() {
	l := &s.lacking
	s.sayFeatures()
	s.sayCertificates()
	if features := feature.Absent(l.fields); features != 0 {
		what := l.log
		if l.several {
			what += " and others"
		}
		how := " have no column "
		if !l.several {
			how = " has no column "
		}
		if l.without < l.rows || l.common != l.fields {
			what, how = fmt.Sprintf("%s: %d of %s", what, l.without, plural(l.rows, "row")), " lack "
			if l.common != l.fields {
				how = " lack one or more of "
			}
		}
		s.warn("%s%s%s: %d of the %d features count as usual there and are no reason, so what is unusual in them alone is not found",
			what, how, strings.Join(zeeklog.AbsentNames(l.fields), ", "), bits.OnesCount32(features), feature.Conn.N())
	}
	if l.learnt && l.sides {
		s.warn("local_orig is missing: what comes from inside and from outside is one kind of connection when trees draw")
	}
	if never := mayBeUnset &^ l.everSet &^ l.fields; never != 0 && l.established >= fewEstablished {
		s.warn("no row of %d has %s: it counts as unset; should a filter have taken it out, scores and reasons mislead", l.rows, strings.Join(zeeklog.AbsentNames(never), ", "))
	}
}
