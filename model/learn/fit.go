package learn

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Sampling says which rows the trees may see.
type Sampling uint8

const (
	// Balanced draws kinds of connection uniformly, then a row of that kind, so
	// that the volume of one behaviour does not make it normal.
	Balanced Sampling = iota
	// Uniform draws rows uniformly, as the paper does.
	Uniform
)

var samplingNames = [...]string{Balanced: "balanced", Uniform: "uniform"}

// String returns the name of the sampling, as --sampling takes it.
func (s Sampling) String() string { return samplingNames[s] }

// ParseSampling is the inverse of String.
func ParseSampling(name string) (Sampling, error) {
	for s, n := range samplingNames {
		if n == name {
			return Sampling(s), nil
		}
	}
	return 0, fmt.Errorf("sampling %q, want balanced or uniform", name)
}

// Options says how a model is made. Zero values mean model's defaults; the
// seed is taken as it is.
type Options struct {
	Set         *feature.Set // the kind of rows; nil is conn.log's
	Trees       int
	Subsample   int
	MaxDepth    int    // depth at which trees end; 0 means forest.Options.MaxDepth's default
	Without     uint32 // features that trees do not split by, bit i for Set.Features[i]
	Seed        uint64
	Sampling    Sampling
	Within      bool   // no cut lies beyond the data, as in the paper; always so with Uniform
	Hosts       int    // originators whose windows are kept
	ZeekVersion string // kept in the model's summary

	// Observe counts a row and returns its window, for Fit of rows that are a part
	// of a log; nil is what a whole log takes. An error ends the learning.
	Observe func(*conn.Conn) (feature.Window, error)

	AsSensor     bool // Fit: learn as a Learner does that scores the rows meanwhile
	Warmup       int  // Learner: connections before the first model
	RebuildEvery int  // Learner: connections from a rebuild to the next; at first as many as there were

	Labels []LabelChange // AsSensor: what was labelled bad meanwhile, the earliest first
}

func (o Options) withDefaults() Options {
	trees, subsample := model.BalancedTrees, model.BalancedSubsample
	if o.Sampling == Uniform {
		trees, subsample = model.PaperTrees, model.PaperSubsample
	}
	o.Set = cmp.Or(o.Set, feature.Conn)
	o.Trees = cmp.Or(o.Trees, trees)
	o.Subsample = cmp.Or(o.Subsample, subsample)
	o.Hosts = cmp.Or(o.Hosts, model.DefaultHosts)
	o.Warmup = cmp.Or(o.Warmup, model.DefaultWarmup)
	o.RebuildEvery = cmp.Or(o.RebuildEvery, model.DefaultRebuildEvery)
	return o
}

// FewRows is the paper's subsample: what a tree should have to choose from. A
// model of fewer rows says little.
const FewRows = model.PaperSubsample

// Report says what Fit did.
type Report struct {
	Rows     uint64   // learnt from
	Unusable uint64   // left out, because no conn.log can hold them
	Remarks  []string // what the user should know: "only 12 connections: …"
}

// FitRows makes a model of the rows that next sets, of Options.Set and in log
// order, until io.EOF; another error of next ends it. It passes over them once,
// in memory that does not depend on their number. Fewer than two are an error,
// which wraps forest.ErrTooFewRows. The same rows and options give the same
// model, byte for byte.
//
// With AsSensor it is the model that a sensor would use after these rows:
// ErrNoModelYet where that would be none.
func FitRows(next func(*feature.Row) error, o Options) (*model.Model, Report, error) {
	o = o.withDefaults()
	var report Report
	if err := checkFeatures(o.Set, o.Without); err != nil {
		return nil, report, fmt.Errorf("learn: %w", err)
	}
	m, err := o.fit(func(observe func(*feature.Row)) error {
		for r := new(feature.Row); ; {
			if err := next(r); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			report.Rows++
			observe(r)
		}
	})
	switch {
	case errors.Is(err, forest.ErrTooFewRows):
		return nil, report, fmt.Errorf("%d %s to learn from: %w", report.Rows, o.Set.Rows, err)
	case err != nil:
		return nil, report, err
	case report.Rows < FewRows:
		report.Remarks = append(report.Remarks, fmt.Sprintf("only %d %s: the scores mean little", report.Rows, o.Set.Rows))
	}
	return m, report, nil
}

// fit learns from each row.
func (o Options) fit(each func(func(*feature.Row)) error) (*model.Model, error) {
	if o.AsSensor {
		return o.fitAsSensor(each)
	}
	p := newPast(o, false)
	if err := each(p.observe); err != nil {
		return nil, err
	}
	b := newRebuild(p, o)
	err := b.begin(0)
	for err == nil {
		var m *model.Model
		if m, err = b.step(); m != nil {
			return m, nil
		}
	}
	return nil, err
}

// ErrNoModelYet says that a sensor would not have a model yet.
var ErrNoModelYet = errors.New("learn: a sensor would have no model yet after so few connections")

// fitAsSensor does what a sensor does with each row.
func (o Options) fitAsSensor(each func(func(*feature.Row)) error) (*model.Model, error) {
	l := NewLearner(o)
	var unusable error
	err := each(func(r *feature.Row) {
		unusable = errors.Join(unusable, o.relabel(l))
		_, _ = l.Take(r) // a refusal leaves the model in use, here as there
	})
	switch err = cmp.Or(err, unusable); {
	case err != nil:
		return nil, err
	case l.Model() == nil:
		return nil, ErrNoModelYet
	}
	return l.Model(), nil
}

// relabel tells a learner what was labelled before its next row, and takes that off
// Labels.
func (o *Options) relabel(l *Learner) (err error) {
	for ; len(o.Labels) > 0 && o.Labels[0].Rows <= l.Rows(); o.Labels = o.Labels[1:] {
		_, unusable := l.SetLabels(o.Labels[0].Labels)
		err = errors.Join(err, unusable)
	}
	return err
}
