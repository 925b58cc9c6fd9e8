package learn

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

const (
	// cellRows is how many rows a cell keeps.
	cellRows = 8
	// On a sensor they are a sample of its last rows, about so many.
	cellMemory = 1 << 12
)

// cells is the balanced reservoir: a sample of a few rows for each kind of
// row (feature.Row's Cell), whatever its volume, so that a scan that makes up most of the
// traffic is one behaviour among hundreds (design note iforest.md, §2.6). The
// cell seen longest ago is forgotten when there are too many. All memory is
// reserved at once and holds no pointers.
type cells struct {
	table  *recent.Table[uint64]
	cells  []cell
	rows   *samples // cellRows for each cell
	open   []uint32 // the cells that the trees may draw from
	random *random
	memory uint64 // rows that a sample looks back on; 0 is all
}

// cell is one kind of connection.
type cell struct {
	quarantine
	met  uint64 // rows offered
	kept uint8  // rows in the reservoir

	order uint32 // in the order of use, when a state is saved
}

func newCells(set *feature.Set, capacity int, r *random, memory uint64) *cells {
	return &cells{
		table:  recent.New[uint64](capacity),
		cells:  make([]cell, capacity),
		rows:   newSamples(set, capacity*cellRows),
		open:   make([]uint32, 0, capacity),
		random: r,
		memory: memory,
	}
}

// find returns the place of a kind of connection, now the latest seen, and
// makes one where there is none.
func (s *cells) find(key uint64) int {
	place, added := s.table.Use(key)
	if added {
		s.cells[place] = cell{}
	}
	return place
}

// take moves a cell that was admitted here, with its rows, and returns its
// place. What stays behind is never found again before it is forgotten.
func (s *cells) take(key uint64, from *cells, place int) int {
	at := s.find(key)
	s.cells[at] = from.cells[place]
	s.rows.copy(at*cellRows, from.rows, place*cellRows, cellRows)
	return at
}

// offer returns the place where the next row of the cell is to be kept, −1
// where it is not in the cell's sample.
func (s *cells) offer(place int) int {
	e := &s.cells[place]
	e.met++
	if s.memory > 0 {
		e.met = min(e.met, s.memory)
	}
	if e.kept < cellRows {
		e.kept++
		return place*cellRows + int(e.kept) - 1
	}
	if at := s.random.below(e.met); at < cellRows {
		return place*cellRows + int(at)
	}
	return -1
}

// number gives each cell its number in the order of use.
func (s *cells) number() {
	place := s.table.Oldest()
	for n := range s.table.Len() {
		s.cells[place].order = uint32(n)
		place = s.table.Newer(place)
	}
}

// opened lists the cells that the trees may draw from: not empty and, on a
// sensor, seen within the last month before now, unless that leaves none.
func (s *cells) opened(now conn.Micros) []uint32 {
	for _, least := range [...]conn.Micros{now - forgottenAfter, -1 << 63} {
		s.open = s.open[:0]
		for place := range s.table.Len() {
			if e := &s.cells[place]; e.kept > 0 && (s.memory == 0 || e.last >= least) {
				s.open = append(s.open, uint32(place))
			}
		}
		if len(s.open) > 0 {
			break
		}
	}
	return s.open
}

// available returns the number of rows in open cells.
func (s *cells) available(now conn.Micros) int {
	n := 0
	for _, place := range s.opened(now) {
		n += int(s.cells[place].kept)
	}
	return n
}

// draw copies rows of open cells to dst from the place at on: each time any
// cell, then any row of it.
func (s *cells) draw(dst *samples, at, rows int, now conn.Micros, r *random) {
	open := s.opened(now)
	for i := range rows {
		place := uint64(open[r.below(uint64(len(open)))])
		dst.copy(at+i, s.rows, int(place*cellRows+r.below(uint64(s.cells[place].kept))), 1)
	}
}
