package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// modelFlag defines -m.
func modelFlag(flags *pflag.FlagSet) *string {
	return flags.StringP("model", "m", "", "the model `FILE`, made by train; seed is the one that comes with this program")
}

// outputFlag defines -o.
func outputFlag(flags *pflag.FlagSet) *string {
	return flags.StringP("output", "o", "", "write to `FILE` instead of standard output")
}

// readModel reads the model of conn.log that -m names.
func readModel(path string) (*model.Model, error) {
	m, err := readAnyModel(path)
	if err == nil && m.Set() != feature.Conn {
		return nil, hinted(fmt.Errorf("%s is a model of %s.log, want one of conn.log", path, m.Set().Log), "train, score, explain, info, eval, tune, watch and report are for "+m.Set().Log+".log, too")
	}
	return m, err
}

// readModelOf reads the model that -m names for logs of a kind.
func readModelOf(k *logKind, path string) (*model.Model, error) {
	m, err := readAnyModel(path)
	if err == nil && m.Set() != setOf(k) {
		return nil, hinted(fmt.Errorf("%s is a model of %s.log, but the logs are %s.log", path, m.Set().Log, setOf(k).Log), "zeek-iforest train makes one of them")
	}
	return m, err
}

// readAnyModel reads the model that -m names, of whatever log.
func readAnyModel(path string) (*model.Model, error) {
	if path == "" {
		return nil, hinted(errors.New("no model given"), "-m FILE names one, zeek-iforest train makes one; -m seed is the one that comes with this program")
	}
	if path == seedName {
		return seed.Model()
	}
	m, err := model.ReadFile(path)
	if f := (*model.FormatError)(nil); errors.As(err, &f) {
		return nil, hinted(err, f.Hint)
	}
	return m, err
}

// treeDepths are the depths that trees can end at; 0 is the paper's.
var treeDepths = between(0, forest.MaxSubsample)

// learningFlags defines how a model is made.
func learningFlags(flags *pflag.FlagSet) func(*feature.Set) (learn.Options, error) {
	var o learn.Options
	var sampling, without string
	numberVar(flags, &o.Trees, "trees", 0, between(1, forest.MaxTrees), fmt.Sprintf("grow `N` trees (default %d; %d with uniform sampling, the paper's)", model.BalancedTrees, model.PaperTrees))
	numberVar(flags, &o.Subsample, "subsample", 0, between(2, forest.MaxSubsample), fmt.Sprintf("connections per tree, the paper's ψ (default %d; %d with uniform sampling, the paper's)", model.BalancedSubsample, model.PaperSubsample))
	numberVar(flags, &o.MaxDepth, "max-depth", 0, treeDepths, "end trees at depth `N`; 0, the default, is ⌈log₂ subsample⌉, the paper's, and two more with cuts beyond the data")
	flags.StringVar(&without, "without", "", "`FEATURES` that trees shall not split by, comma-separated, as info names them")
	flags.BoolVar(&o.Within, "cuts-within", false, "draw no cut beyond the data, as in the paper (always so with uniform sampling)")
	flags.StringVar(&sampling, "sampling", learn.Balanced.String(), "how trees draw connections: balanced (over kinds of connection) or uniform (the paper's)")
	usage.Choices(flags, "sampling", learn.Balanced.String(), learn.Uniform.String())
	numberVar(flags, &o.Seed, "seed", model.DefaultSeed, anySeed, "the same seed and connections give the same model")
	return func(set *feature.Set) (learn.Options, error) {
		var err error
		if o.Sampling, err = learn.ParseSampling(sampling); err != nil {
			return o, fmt.Errorf("--sampling: %w", err)
		}
		if o.Without, err = learn.ParseFeatures(set, without); err != nil {
			return o, fmt.Errorf("--without: %w", err)
		}
		return o, nil
	}
}

// commaList splits a comma-separated option value.
func commaList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}
