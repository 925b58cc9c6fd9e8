package model

import (
	"math"
	"math/bits"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Reason is one feature's part in a score.
type Reason struct {
	Feature int     // index in the Set's Features
	Name    string  // the field or the window, "orig_bytes"
	Value   string  // of this connection, "4.2 GB"
	Usual   string  // in the training data, "under 31 MB"
	Credit  float64 // its part of c(ψ) − E[h(x)]: positive makes the row stranger
	Unusual bool    // whether the value is unusual by itself, not only together with others
	Absent  bool    // the log has no column for it: it counts as usual and is no reason
}

// reasons is how many features the anomaly_reason column names at most.
const reasons = 3

// Words appends the value of the feature i of a row in the reader's words, as
// Encoder.AppendConn does for a connection.
type Words func(dst []byte, i int) []byte

// Way is how a row went through a model's forest: its vector, and what
// forest.Attribute credits each feature with.
type Way struct {
	Vector  []float32
	Credits []float64
	Absent  uint32 // features that say nothing of the row, as feature.Sample has them
}

// Explain gives the k features with the largest credit, largest first; all of
// them for k <= 0. The credits of all features add up to c(ψ) − E[h(x)],
// exactly. It is safe for concurrent use.
func (m *Model) Explain(w *Way, words Words, k int) []Reason {
	n := m.set.N()
	if k <= 0 || k > n {
		k = n
	}
	var order [feature.Places]int
	why := make([]Reason, k)
	for j, i := range largest(order[:k], w.Credits[:n]) {
		absent := w.Absent>>i&1 != 0
		why[j] = Reason{
			Feature: i,
			Name:    m.set.Features[i].Name,
			Value:   string(words(nil, i)),
			Usual:   m.usually(i, w.Vector[i]),
			Credit:  w.Credits[i],
			Unusual: m.unusual(i, w.Vector[i]) && !absent,
			Absent:  absent,
		}
	}
	return why
}

// AppendReason appends the text of the anomaly_reason column: the largest of the
// reasons that made a row of the set stranger and are unusual, at most three:
// "orig_bytes 4.2 GB, usually under 31 MB; 212 responders in five minutes,
// usually 3". Where each value is usual and only their combination is not, it
// says so: "rare together: …". It is empty if nothing stands out. It allocates
// only what dst needs and is safe for concurrent use.
func (m *Model) AppendReason(dst []byte, w *Way, words Words) []byte {
	var order [feature.Places]int
	n := m.set.N()
	var known [feature.Places]float64
	copy(known[:], w.Credits)
	for absent := w.Absent; absent != 0; absent &= absent - 1 {
		known[bits.TrailingZeros32(absent)] = 0 // no reason
	}
	largest(order[:n], known[:n])
	return appendReasons(dst, n, func(n int) (credit float64, unusual bool) {
		i := order[n]
		return known[i], m.unusual(i, w.Vector[i])
	}, func(dst []byte, n int, together bool) []byte {
		i := order[n]
		before, _, _ := m.set.Phrases(i)
		dst = append(dst, before...)
		start := len(dst)
		dst = words(dst, i)
		return appendUsually(dst, m.set, i, dst[start:], m.usually(i, w.Vector[i]), together)
	})
}

// appendReasons appends those of n features, in the order of their credits,
// that are reasons; text appends one.
func appendReasons(dst []byte, n int, is func(int) (float64, bool), text func([]byte, int, bool) []byte) []byte {
	for _, together := range [...]bool{false, true} {
		named := 0
		for i := 0; i < n && named < reasons; i++ {
			credit, unusual := is(i)
			if credit <= 0 {
				break
			}
			if !unusual && !together {
				continue
			}
			switch {
			case named > 0:
				dst = append(dst, "; "...)
			case together:
				dst = append(dst, "rare together: "...)
			}
			dst = text(dst, i, together)
			named++
		}
		if named > 0 {
			break
		}
	}
	return dst
}

// rareFrom is the rarity from which a name or code is unusual: one connection
// in ten has it, or fewer.
var rareFrom = float32(feature.Log(10))

// unusual reports whether a value of the feature i is outside what is usual
// for it, the middle nine tenths of ordinary rows.
func (m *Model) unusual(i int, x float32) bool {
	if m.set.Features[i].Kind == feature.Rarity {
		return x >= rareFrom
	}
	low, high := m.usual[i].Bounds()
	return x < low || x > high
}

// appendUsually appends what follows on the value of a feature: what is usual.
// Rarities say it themselves; of values that are rare only together there is
// nothing to say.
func appendUsually(dst []byte, set *feature.Set, i int, value []byte, usual string, together bool) []byte {
	if set.Features[i].Kind == feature.Rarity {
		return dst
	}
	_, one, many := set.Phrases(i)
	if string(value) == "1" {
		dst = append(dst, one...)
	} else {
		dst = append(dst, many...)
	}
	if together || string(value) == usual {
		return dst
	}
	return append(append(dst, ", usually "...), usual...)
}

// largest fills order with the features of the largest credits, largest first,
// equal ones in the set's order.
func largest(order []int, credits []float64) []int {
	for i, credit := range credits {
		j := min(i, len(order)-1)
		if i >= len(order) && credit <= credits[order[j]] {
			continue
		}
		for ; j > 0 && credits[order[j-1]] < credit; j-- {
			order[j] = order[j-1]
		}
		order[j] = i
	}
	return order
}

// usualTexts is what is usual for a feature in words, as seen from below its
// usual range, from within and from above.
type usualTexts [3]string

func usualWords(set *feature.Set, i int, r *feature.Range) (texts usualTexts) {
	infinity := float32(math.Inf(1))
	for side, x := range [...]float32{-infinity, r[len(r)/2], infinity} {
		texts[side] = string(set.AppendUsual(nil, i, r, x))
	}
	return texts
}

// usually returns what is usual for the feature i, as seen from the value x.
func (m *Model) usually(i int, x float32) string {
	side := 1
	if low, high := m.usual[i].Bounds(); x < low {
		side = 0
	} else if x > high {
		side = 2
	}
	return m.words[i][side]
}
