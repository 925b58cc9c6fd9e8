package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// bootstrap is train --state-dir: a sensor's state made of logs that lie on the
// disk, so that its first connection is scored by a model of its own.
type bootstrap struct {
	dir, node string
	perDay    float64
}

// bootstrapFlags defines --state-dir.
func bootstrapFlags(flags *pflag.FlagSet) func() (*bootstrap, error) {
	var b bootstrap
	flags.StringVar(&b.dir, "state-dir", "", "make what a sensor has learnt, in `DIR`, which is its IForest::state_dir: it starts with a model of its own")
	flags.StringVar(&b.node, "node", "zeek", "with --state-dir: for the Zeek of that `NAME`; in a cluster manager")
	budgetVar(flags, &b.perDay, 20, "with --state-dir: `N`, the sensor's IForest::alerts_per_day")
	return func() (*bootstrap, error) {
		switch {
		case b.dir == "":
			return nil, nil
		case b.node == "" || b.node != filepath.Base(b.node):
			return nil, invalid("node", b.node, errors.New("want the name of a Zeek, such as zeek or manager"))
		}
		return &b, nil
	}
}

// run learns from the logs.
func (b *bootstrap) run(s *session, files []string, o learn.Options, seed, strict bool) error {
	dir, err := filepath.Abs(b.dir)
	if err != nil {
		return err
	}
	if owner := ownerOfState(dir); owner != "" {
		return hinted(fmt.Errorf("%s belongs to %s, who could not read what root writes there", dir, owner), "run it as Zeek's user: sudo -u "+owner+" zeek-iforest train …")
	}
	how := sensor.Learning{
		Warmup: uint64(o.Warmup), RebuildEvery: uint64(o.RebuildEvery), ZeekVersion: o.ZeekVersion,
		Dir: filepath.Join(dir, b.node),
	}
	if seed { // else nobody shall foresee what the sensor remembers
		how.Seed = o.Seed
	}
	rows := s.rows(files, strict)
	defer rows.close()
	report, err := sensor.Bootstrap(rows.next, how, b.perDay)
	switch {
	case errors.Is(err, sensor.ErrStateThere):
		return hinted(err, "a sensor goes on from it by itself; to begin anew stop Zeek, move "+how.Dir+" away, and repeat this")
	case errors.Is(err, os.ErrPermission):
		return hinted(err, "run it as Zeek's user, with sudo -u")
	case err != nil:
		return err
	}
	s.unusable += report.Unusable
	s.learnt = true
	if report.Model == nil {
		s.say("%s: %s learnt from; the sensor has its first model about %d later, and the seed model scores until then", how.Dir,
			plural(report.Rows, "connection"), max(firstModel(o)-int(report.Rows), 1))
		return nil
	}
	s.say("%s: %s learnt from, %s made; the sensor begins with model %s", how.Dir,
		plural(report.Rows, "connection"), plural(uint64(report.Models), "model"), report.Model.Fingerprint())
	return nil
}

// firstModel is about how many connections there are when the first model is
// done: a slice of it is made with each.
func firstModel(o learn.Options) int {
	warmup := model.DefaultWarmup
	if o.Warmup > 0 {
		warmup = o.Warmup
	}
	return warmup + model.BalancedTrees + 50
}
