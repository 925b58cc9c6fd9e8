package model

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Other is a connection to compare with.
type Other struct {
	Conn       conn.Conn
	Window     feature.Window
	Score      Score
	Difference float64                 // from 0 to 1
	Parts      [feature.Places]float64 // what each feature adds to Difference, times their number
}

// Similar looks for the ordinary connections that are most similar to one.
type Similar struct {
	model    *Model
	conn     conn.Conn
	vector   feature.Vector
	most     int
	ordinary float64
	others   []Other // most similar first
}

// NewSimilar looks for the k (at least one) ordinary connections that are most
// similar to c, whose window is w. Ordinary is what has at least that rank, in
// (0, 1]: 0.1 is "1 in 10 or less".
func (m *Model) NewSimilar(c *conn.Conn, w feature.Window, k int, ordinary float64) *Similar {
	s := &Similar{model: m, conn: *c, most: max(k, 1), ordinary: ordinary}
	s.vector = m.vector(c, w)
	return s
}

// Offer considers a connection of a log. It keeps the strings of those that it
// takes. Of connections alike in originator, responder, port, service and
// conn_state it takes the most similar one only.
func (s *Similar) Offer(c *conn.Conn, w feature.Window) {
	o := Other{Window: w}
	v := s.model.vector(c, w)
	o.Difference = s.difference(&o.Parts, c, &v)
	if len(s.others) == s.most && o.Difference >= s.others[len(s.others)-1].Difference {
		return
	}
	if path := s.model.forest.MeanPath(v[:]); s.model.Rank(path) >= s.ordinary {
		o.Score = s.model.ScoreOf(path, w.Cold)
		o.Conn = *c
		s.take(o)
	}
}

func (s *Similar) take(o Other) {
	if i := slices.IndexFunc(s.others, func(p Other) bool { return alike(&p.Conn) == alike(&o.Conn) }); i >= 0 {
		if s.others[i].Difference <= o.Difference {
			return
		}
		s.others = slices.Delete(s.others, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(s.others, o.Difference, func(p Other, d float64) int {
		return cmp.Or(cmp.Compare(p.Difference, d), -1) // after its equals
	})
	s.others = slices.Insert(s.others, at, o)
	s.others = s.others[:min(len(s.others), s.most)]
}

type kind struct {
	orig    conn.Host
	resp    netip.AddrPort
	service string
	state   conn.State
}

func alike(c *conn.Conn) kind { return kind{c.OrigHost(), c.Resp, c.Service, c.State} }

// Others returns those found, the most similar first.
func (s *Similar) Others() []Other { return s.others }

// difference is Gower's (Biometrics 27, 1971): the mean over the features of
// how far two connections are apart, from 0 to 1 each: numbers as a share of
// what is usual here, names the same or not.
func (s *Similar) difference(parts *[feature.Places]float64, c *conn.Conn, v *feature.Vector) float64 {
	sum, n := 0.0, s.model.set.N()
	for i := range n {
		parts[i] = s.part(i, c, v)
		sum += parts[i]
	}
	return sum / float64(n)
}

func (s *Similar) part(i int, c *conn.Conn, v *feature.Vector) float64 {
	if f := names[i]; f != nil {
		if f.get(&s.conn, nil) == f.get(c, nil) {
			return 0
		}
		return 1
	}
	usual := &s.model.usual[i]
	apart, whole := float64(s.vector[i])-float64(v[i]), float64(usual[len(usual)-1])-float64(usual[0])
	switch apart = max(apart, -apart); {
	case apart == 0:
		return 0
	case apart >= whole:
		return 1
	}
	return apart / whole
}

// Largest returns the k features in which the two differ most, largest first.
func (o *Other) Largest(k int) []int {
	n := feature.Conn.N()
	return largest(make([]int, min(k, n)), o.Parts[:n])
}
