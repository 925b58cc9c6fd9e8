package model

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// connTables reads the tables of a model file of version 1, which had those of
// conn.log: rows, proto, conn_state, services by name, ports by proto and
// number.
func (d *decoder) connTables() (t feature.Tables) {
	d.arrayLen(7)
	t.Rows = d.uint()
	var protos [conn.NumProto]uint64
	var states [conn.NumState]uint64
	d.fill(protos[:])
	d.fill(states[:])
	states[conn.NoState] = 0 // unset is not a value
	names := make([]string, d.arrayLenUpTo(feature.MaxServices))
	for i := range names {
		names[i] = d.string(feature.MaxServiceName)
		if i > 0 && names[i] <= names[i-1] {
			d.fail(fmt.Errorf("service %q out of order", names[i]))
		}
	}
	counts := make([]uint64, len(names))
	d.fill(counts)
	services := make([]feature.CodeCount, len(names))
	for i, name := range names {
		services[i] = feature.CodeCount{Code: feature.CodeOf(name), Rows: counts[i]}
	}
	slices.SortFunc(services, func(a, b feature.CodeCount) int { return cmp.Compare(a.Code, b.Code) })
	numbers, rows := d.uint32s(), d.uint64s()
	if len(numbers) != len(rows) {
		d.fail(fmt.Errorf("%d ports with %d counts", len(numbers), len(rows)))
		return t
	}
	ports := make([]feature.CodeCount, len(numbers))
	for i, p := range numbers {
		ports[i] = feature.CodeCount{Code: uint64(p), Rows: rows[i]}
	}
	t.Codes = [][]feature.CodeCount{numbered(protos[:]), services, numbered(states[:]), ports}
	return t
}

// numbered returns the counts of codes that are numbers, without those never met.
func numbered(counts []uint64) (list []feature.CodeCount) {
	for code, n := range counts {
		if n > 0 {
			list = append(list, feature.CodeCount{Code: uint64(code), Rows: n})
		}
	}
	return list
}
