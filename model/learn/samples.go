package learn

import "github.com/zeek-iforest/zeek-iforest/model/feature"

// samples is a list of samples with room for a fixed number, packed: each takes
// what its set has of numbers, codes and text, for conn.log 121 bytes where a
// feature.Sample has 216. All memory is reserved at once and holds no pointers.
type samples struct {
	n             int
	width, height int            // numbers and codes of a sample
	numbers       []float32      // width of each
	codes         []uint64       // height of each
	silent        []uint8        // as in feature.Sample
	absent        []uint32       // the same
	texts         []feature.Text // empty where the set has none
}

func newSamples(set *feature.Set, room int) *samples {
	s := &samples{
		width:  set.N(),
		height: len(set.Codes),
		silent: make([]uint8, room),
		absent: make([]uint32, room),
	}
	s.numbers, s.codes = make([]float32, room*s.width), make([]uint64, room*s.height)
	if set.Text {
		s.texts = make([]feature.Text, room)
	}
	return s
}

// room returns how many samples fit.
func (s *samples) room() int { return len(s.silent) }

// at returns a copy of the sample i.
func (s *samples) at(i int) (row feature.Sample) {
	copy(row.Vector[:], s.numbers[i*s.width:(i+1)*s.width])
	copy(row.Codes[:], s.codes[i*s.height:(i+1)*s.height])
	row.Silent, row.Absent = s.silent[i], s.absent[i]
	if len(s.texts) > 0 {
		row.Text = s.texts[i]
	}
	return row
}

// put makes row the sample i.
func (s *samples) put(i int, row *feature.Sample) {
	copy(s.numbers[i*s.width:(i+1)*s.width], row.Vector[:])
	copy(s.codes[i*s.height:(i+1)*s.height], row.Codes[:])
	s.silent[i], s.absent[i] = row.Silent, row.Absent
	if len(s.texts) > 0 {
		s.texts[i] = row.Text
	}
	s.n = max(s.n, i+1)
}

// copy makes the n samples of another list of the set, from its sample j on,
// those from i on.
func (s *samples) copy(i int, from *samples, j, n int) {
	copy(s.numbers[i*s.width:(i+n)*s.width], from.numbers[j*s.width:])
	copy(s.codes[i*s.height:(i+n)*s.height], from.codes[j*s.height:])
	copy(s.silent[i:i+n], from.silent[j:])
	copy(s.absent[i:i+n], from.absent[j:])
	if len(s.texts) > 0 {
		copy(s.texts[i:i+n], from.texts[j:])
	}
	s.n = max(s.n, i+n)
}

// first returns the list of the first n samples, in the same memory.
func (s *samples) first(n int) samples {
	first := *s
	first.n = n
	return first
}
