package model

import (
	"encoding/hex"
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Model is the feature tables, the forest and the calibration curve as one
// immutable value, safe for concurrent use.
type Model struct {
	set         *feature.Set
	summary     Summary
	encoder     *feature.Encoder
	forest      *forest.Forest
	curve       *calibrate.Curve
	usual       [feature.Places]feature.Range
	words       [feature.Places]usualTexts
	decade      float64 // Rarer
	fingerprint string
	file        []byte // what Write writes
}

// Summary says what a model was trained on.
type Summary struct {
	Rows        uint64      // connections seen
	First, Last conn.Micros // earliest and latest ts among them
	Seed        uint64
	Build       int // how many models the sensor had made of the stream before this one
	Trees       int
	Subsample   int    // rows per tree, as used: smaller than asked for when there were fewer rows
	HeightLimit int    // depth at which trees end, ⌈log2 Subsample⌉ unless asked otherwise
	Sampling    string // "balanced" or "uniform"
	Cells       int    // kinds of connection that the trees drew from, 0 for uniform sampling
	Calibration int    // rows behind the calibration curve
	Disjoint    bool   // whether those rows are disjoint from the trees' rows
	ZeekVersion string // of the sensor that wrote the rows, "" when unknown
}

// Parts is what a model is made of.
type Parts struct {
	Summary Summary // Trees, Subsample and HeightLimit are taken from the forest
	Encoder *feature.Encoder
	Forest  *forest.Forest
	Curve   *calibrate.Curve
	Usual   [feature.Places]feature.Range // of each feature, over ordinary rows
}

// New puts a model together. It keeps the parts, which must not change.
func New(p Parts) (*Model, error) {
	m, err := assemble(p)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	body := m.encode()
	sum := checksum(body)
	m.fingerprint = hex.EncodeToString(sum[:fingerprintBytes])
	m.file = seal(body, sum)
	return m, nil
}

func assemble(p Parts) (*Model, error) {
	set := p.Encoder.Set()
	if p.Forest.Dim() != set.N() {
		return nil, fmt.Errorf("forest of %d features, want %d", p.Forest.Dim(), set.N())
	}
	m := &Model{set: set, summary: p.Summary, encoder: p.Encoder, forest: p.Forest, curve: p.Curve, usual: p.Usual}
	var middle feature.Vector // what a feature counts as where a log has no column for it
	m.summary.Trees = p.Forest.Trees()
	m.summary.Subsample = p.Forest.Subsample()
	m.summary.HeightLimit = p.Forest.HeightLimit()
	for i, f := range set.Features {
		r := &m.usual[i]
		for j, x := range r {
			if x-x != 0 || j > 0 && x < r[j-1] {
				return nil, fmt.Errorf("usual range of %s is not in order", f.Name)
			}
		}
		m.words[i] = usualWords(set, i, r)
		middle[i] = r.Middle()
	}
	m.encoder = p.Encoder.WithUsual(middle)
	m.decade = m.scoreOfADecade()
	return m, nil
}

// Set returns the kind of rows that the model scores.
func (m *Model) Set() *feature.Set { return m.set }

// Summary returns what the model was trained on.
func (m *Model) Summary() Summary { return m.summary }

// Fingerprint identifies the model: the first twelve hexadecimal digits of its
// SHA-256. It is the value of the anomaly_model column.
func (m *Model) Fingerprint() string { return m.fingerprint }

// Encoder returns the model's feature tables.
func (m *Model) Encoder() *feature.Encoder { return m.encoder }

// Forest returns the model's forest, over vectors that Encoder makes.
func (m *Model) Forest() *forest.Forest { return m.forest }

// Curve returns the model's calibration: path length to rank.
func (m *Model) Curve() *calibrate.Curve { return m.curve }

// Usual returns the usual range of the feature i.
func (m *Model) Usual(i int) feature.Range { return m.usual[i] }
