package model

import (
	"math"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Reason is one feature's part in a score.
type Reason struct {
	Feature int     // index in feature.Schema
	Name    string  // the field or the window, "orig_bytes"
	Value   string  // of this connection, "4.2 GB"
	Usual   string  // in the training data, "under 31 MB"
	Credit  float64 // its part of c(ψ) − E[h(x)]: positive makes the row stranger
}

// reasons is how many features the anomaly_reason column names at most.
const reasons = 3

// Explain gives the k features with the largest credit, largest first; all of
// them for k <= 0. The credits of all features add up to c(ψ) − E[h(x)],
// exactly. It is safe for concurrent use.
func (m *Model) Explain(c *conn.Conn, w feature.Window, k int) []Reason {
	if k <= 0 || k > feature.N {
		k = feature.N
	}
	var v feature.Vector
	var credits [feature.N]float64
	m.encoder.Encode(&v, c, w)
	m.forest.Attribute(credits[:], v[:])
	var order [feature.N]int
	why := make([]Reason, k)
	for j, i := range largest(order[:k], &credits) {
		why[j] = Reason{
			Feature: i,
			Name:    feature.Schema[i].Name,
			Value:   string(m.encoder.AppendValue(nil, i, c, w)),
			Usual:   m.usually(i, v[i]),
			Credit:  credits[i],
		}
	}
	return why
}

// AppendReason appends the text of the anomaly_reason column: ReasonText of the
// three top reasons. It allocates only what dst needs and is safe for
// concurrent use.
func (m *Model) AppendReason(dst []byte, c *conn.Conn, w feature.Window) []byte {
	var v feature.Vector
	var credits [feature.N]float64
	m.encoder.Encode(&v, c, w)
	m.forest.Attribute(credits[:], v[:])
	return m.appendReason(dst, &credits, &v, c, w)
}

func (m *Model) appendReason(dst []byte, credits *[feature.N]float64, v *feature.Vector, c *conn.Conn, w feature.Window) []byte {
	var order [reasons]int
	for j, i := range largest(order[:], credits) {
		if credits[i] <= 0 {
			break
		}
		if j > 0 {
			dst = append(dst, "; "...)
		}
		dst = append(dst, wordsBefore[i]...)
		start := len(dst)
		dst = m.encoder.AppendValue(dst, i, c, w)
		dst = appendUsually(dst, i, dst[start:], m.usually(i, v[i]))
	}
	return dst
}

// ReasonText joins those reasons that made a connection stranger, at most
// three, for the anomaly_reason column: "orig_bytes 4.2 GB, usually under
// 31 MB; 212 responders in five minutes, usually 3". It is empty where nothing
// stands out.
func ReasonText(why []Reason) string {
	var text []byte
	for j, r := range why[:min(reasons, len(why))] {
		if r.Credit <= 0 {
			break
		}
		if j > 0 {
			text = append(text, "; "...)
		}
		text = append(append(text, wordsBefore[r.Feature]...), r.Value...)
		text = appendUsually(text, r.Feature, []byte(r.Value), r.Usual)
	}
	return string(text)
}

// appendUsually appends what follows on the value of a feature: what is usual.
// Rarities say it themselves.
func appendUsually(dst []byte, i int, value []byte, usual string) []byte {
	if feature.Schema[i].Kind == feature.Rarity {
		return dst
	}
	after := afterMany[i]
	if string(value) == "1" {
		after = afterOne[i]
	}
	dst = append(dst, after...)
	if string(value) == usual { // what is rare is to see it together with the others
		return append(dst, ", usual by itself"...)
	}
	return append(append(dst, ", usually "...), usual...)
}

var wordsBefore, afterOne, afterMany = func() (before, one, many [feature.N]string) {
	for i, f := range feature.Schema {
		switch f.Kind {
		case feature.Count:
			many[i] = " " + f.Name + " in five minutes"
			one[i] = " " + strings.TrimSuffix(f.Name, "s") + " in five minutes"
			continue
		case feature.Share:
			many[i] = " of connections failed in five minutes"
		default:
			before[i] = f.Name + " "
		}
		one[i] = many[i]
	}
	return before, one, many
}()

// largest fills order with the features of the largest credits, largest first,
// equal ones in the schema's order.
func largest(order []int, credits *[feature.N]float64) []int {
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

func usualWords(i int, r *feature.Range) (texts usualTexts) {
	infinity := float32(math.Inf(1))
	for side, x := range [...]float32{-infinity, r[len(r)/2], infinity} {
		texts[side] = string(feature.AppendUsual(nil, i, r, x))
	}
	return texts
}

// usually is what is usual for the feature i, as seen from the value x.
func (m *Model) usually(i int, x float32) string {
	side := 1
	if low, high := m.usual[i].Bounds(); x < low {
		side = 0
	} else if x > high {
		side = 2
	}
	return m.words[i][side]
}
