// Package seed holds the seed model: what scores connections before there is a
// model of the network's own. It was learnt from public captures (SOURCES.md
// names them) by go run ./internal/seed, which makes the same bytes again.
package seed

import (
	"bytes"
	_ "embed"
	"sync"

	"github.com/zeek-iforest/zeek-iforest/model"
)

//go:embed seed.model
var file []byte

// Prefix marks the seed where a model is named, so that nobody takes its scores
// for those of the network's own model.
const Prefix = "seed-"

var read = sync.OnceValues(func() (*model.Model, error) { return model.Read(bytes.NewReader(file)) })

// Model returns the seed model. The error is that of a library that was built
// with a seed of other features: go run ./internal/seed makes one that fits.
func Model() (*model.Model, error) { return read() }

// Fingerprint is that of the seed model, so that nobody need read it to know
// another one from it.
const Fingerprint = "c862eeba6840"

// Is reports whether m is the seed model.
func Is(m *model.Model) bool { return m != nil && m.Fingerprint() == Fingerprint }

// Name returns the value of the anomaly_model column for rows that m scored: its
// fingerprint, with "seed-" before that of the seed.
func Name(m *model.Model) string {
	if Is(m) {
		return Prefix + m.Fingerprint()
	}
	return m.Fingerprint()
}
