package learn

import (
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

// A sensor with more connections than another one can learn from sends it the
// first ones of each kind, because balanced sampling lives on kinds that are
// rare, and one in so many of the rest.
const firstOfKind = 64

// Thinning chooses the connections of a sensor for the Learner of another. All
// memory is reserved at once.
type Thinning struct {
	oneIn    uint64
	services *feature.Counter // for the codes alone
	kinds    *recent.Table[uint64]
	met      []uint8 // by place in kinds: connections, up to firstOfKind
}

// NewThinning returns one that takes one in so many of what is not new; 0 and 1
// are all.
func NewThinning(oneIn uint64) *Thinning {
	if oneIn <= 1 {
		return &Thinning{}
	}
	return &Thinning{
		oneIn: oneIn, services: feature.NewCounter(),
		kinds: recent.New[uint64](model.DefaultCells), met: make([]uint8, model.DefaultCells),
	}
}

// Takes reports whether the next connection, for which feature.Check finds no
// fault, is taken. It does not allocate.
func (t *Thinning) Takes(c *conn.Conn) bool {
	if t.oneIn == 0 {
		return true
	}
	place, added := t.kinds.Use(cellKey(c, t.services.ServiceCode(c)))
	if added {
		t.met[place] = 0
	}
	if t.met[place] < firstOfKind {
		t.met[place]++
		return true
	}
	return drawn(c)%t.oneIn == 0
}

// drawn is a number that depends on when a connection began and on its
// endpoints alone: what comes at every other connection is not left out for it.
func drawn(c *conn.Conn) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range c.Orig.Addr().As16() {
		h = (h ^ uint64(b)) * 1099511628211
	}
	for _, x := range [...]uint64{uint64(c.TS), uint64(c.Orig.Port())<<16 | uint64(c.Resp.Port())} {
		h = (h ^ x) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h ^ h>>32
}
