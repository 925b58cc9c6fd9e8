package model

import (
	"math"

	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Score is the result for one connection.
type Score struct {
	Value float64 // s(x, ψ) in (0, 1), rounded to four decimals: anomaly_score
	Path  float64 // E[h(x)], the mean path length
	Cold  bool    // the originator's window may lack connections, see feature.Window
}

// ScoreRow scores a row of the model's Set, which has been observed already. It
// is a pure function, safe for concurrent use, and does not allocate; model/stream
// has faster ways for many rows.
func (m *Model) ScoreRow(r *feature.Row) Score {
	var v feature.Vector
	m.encoder.Finish(&v, &r.Sample)
	return m.ScoreOf(m.forest.MeanPath(v[:]), r.Cold)
}

// ScoreOf returns the score of a row by its path in the model's forest. It is rounded
// here, at the source, so that every program and format prints the same digits.
func (m *Model) ScoreOf(path float64, cold bool) Score {
	return Score{Value: math.Round(m.forest.Score(path)*1e4) / 1e4, Path: path, Cold: cold}
}

// vector returns the vector of a connection whose window is w.
func (m *Model) vector(c *conn.Conn, w feature.Window) (v feature.Vector) {
	var s feature.Sample
	s.SetConn(c, w, nil)
	m.encoder.Finish(&v, &s)
	return v
}

// Rank returns the share of the calibration rows whose path is at most as long, in
// (0, 1].
func (m *Model) Rank(path float64) float64 { return m.curve.Rank(path) }

// OneIn is the inverse of Rank, N of "1 in N", as the anomaly_rank column has it.
func (m *Model) OneIn(path float64) uint64 { return calibrate.OneIn(m.Rank(path)) }

// Rarer returns the score of a connection that is by so many powers of ten rarer than
// one with that score; more common where decades is less than 0. Between two
// connections it goes by how the scores fall from one in ten to the rarest of
// those that the model was calibrated with, and goes on so beyond them, where
// there are no ranks.
func (m *Model) Rarer(s Score, decades float64) float64 {
	value := s.Value + m.decade*decades
	return math.Round(min(max(value, 1e-4), 1-1e-4)*1e4) / 1e4
}

// scoreOfADecade is by how much the score of a row that is ten times as rare is
// higher.
func (m *Model) scoreOfADecade() float64 {
	const common, behind = 0.1, 10 // rows behind the rarer end, so that it is no chance
	rare := max(1e-3, behind/float64(m.curve.Rows()+1))
	decades := math.Log10(common / rare)
	rise := m.forest.Score(m.curve.Threshold(rare)) - m.forest.Score(m.curve.Threshold(common))
	if decades < 0.5 || !(rise > 0) {
		return usualDecade
	}
	return rise / decades
}

// usualDecade is for models of too few rows.
const usualDecade = 0.05
