package learn

import (
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

// A sensor with more connections than another one can learn from sends it the
// first ones of each kind, because balanced sampling lives on kinds that are
// rare, and one in so many of the rest.
const firstOfKind = 64

// Thinning chooses the rows of a sensor for the Learner of another. All
// memory is reserved at once.
type Thinning struct {
	oneIn uint64
	kinds *recent.Table[uint64]
	met   []uint8 // by place in kinds: rows, up to firstOfKind
}

// NewThinning returns one that takes one in so many of what is not new; 0 and 1
// are all.
func NewThinning(oneIn uint64) *Thinning {
	if oneIn <= 1 {
		return &Thinning{}
	}
	return &Thinning{
		oneIn: oneIn,
		kinds: recent.New[uint64](model.DefaultCells), met: make([]uint8, model.DefaultCells),
	}
}

// Takes reports whether the next row is taken. It does not allocate.
func (t *Thinning) Takes(r *feature.Row) bool {
	if t.oneIn == 0 {
		return true
	}
	place, added := t.kinds.Use(r.Cell)
	if added {
		t.met[place] = 0
	}
	if t.met[place] < firstOfKind {
		t.met[place]++
		return true
	}
	return r.Chance%t.oneIn == 0
}
