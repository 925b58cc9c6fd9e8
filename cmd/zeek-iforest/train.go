package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var trainVerb = verb{
	name:     "train",
	logs:     true,
	synopsis: "{-o MODEL|--state-dir DIR} [OPTION …] [CONN.LOG …|--samples FILE]",
	short:    "make a model of the connections in conn.log files",
	about: `The logs are read in the order given, which should be that of time; - or none
is standard input. TSV, JSON and CSV, plain, gzip or zstd, are recognised by content.

Logs of dns.log make a model of queries, of http.log one of requests, of ssl.log one of
handshakes, which score and explain take for such logs; the first log's #path or keys say which it is.

With --state-dir it makes what a sensor would have learnt from these logs, while no
Zeek uses DIR: the sensor then begins with a model of its own.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		out := flags.StringP("output", "o", "", "write the model to `FILE`")
		options := learningFlags(flags)
		strict := strictFlag(flags)
		sensor := sensorFlags(flags)
		part := lakeFlags(flags)
		boot := bootstrapFlags(flags)
		x509 := x509Flag(flags)
		samples := flags.String("samples", "", "as a sensor: learn from `FILE`, in which the manager of a cluster kept its samples (IForest::record_samples), and how it learnt")
		return func(s *session, files []string) error {
			b, err := boot()
			if err != nil {
				return err
			}
			if b == nil && *out == "" {
				return hinted(errors.New("no place for the model"), "-o FILE names it; --state-dir DIR makes that of a sensor")
			}
			var other *logKind
			set := feature.Conn
			if *samples == "" && b == nil {
				if other, err = s.log(files); err != nil {
					return err
				}
			}
			if other != nil {
				set = other.set
				if err := connOnly(flags, other, "partition-by", "log-start", "columns-in", "order-by"); err != nil {
					return err
				}
			}
			if err := x509(s, other); err != nil {
				return err
			}
			o, err := options(set)
			if err != nil {
				return err
			}
			if err := sensor(&o); err != nil {
				return err
			}
			lake, err := part(model.DefaultHosts)
			if err != nil {
				return err
			}
			if lake.responders != nil {
				return invalid("partition-by", "responder", errors.New("want originator: score --partition-by responder goes before it"))
			}
			if b != nil {
				return b.run(s, files, o, flags.Changed("seed"), *strict)
			}
			if *samples != "" {
				return s.trainOnSamples(*out, *samples, files, o.Labels)
			}
			if other != nil {
				return s.trainRecords(*out, other, files, o, *strict)
			}
			return s.train(*out, files, o, lake, *strict)
		}
	},
}

// sensorFlags defines how a sensor's model is made again.
func sensorFlags(flags *pflag.FlagSet) func(*learn.Options) error {
	asSensor := flags.Bool("as-sensor", false, "learn as a sensor does while it scores: with its --seed (zeek-iforest info tells it), the model that it had after these connections, byte for byte")
	warmup := numberFlag(flags, "warmup", 0, between(1, 1_000_000_000), fmt.Sprintf("as a sensor: make the first model after `N` connections (default %d)", model.DefaultWarmup))
	every := numberFlag(flags, "rebuild-every", 0, between(1, 1_000_000_000), fmt.Sprintf("as a sensor: `N` connections from one model to the next (default %d)", model.DefaultRebuildEvery))
	zeek := flags.String("zeek-version", "", "as a sensor: name `VERSION` in the model, as the sensor's does")
	labels := flags.String("labels", "", "as a sensor: test new models by what was labelled bad meanwhile, in the `FILE` labels of its state directory")
	return func(o *learn.Options) (err error) {
		o.AsSensor, o.Warmup, o.RebuildEvery, o.ZeekVersion = *asSensor, *warmup, *every, *zeek
		o.Labels, err = readLabelChanges(*labels)
		return err
	}
}

// readLabelChanges reads what a sensor was told is bad; none without a file.
func readLabelChanges(file string) ([]learn.LabelChange, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	changes, err := learn.ParseLabelChanges(string(text))
	if err != nil {
		return nil, hinted(fmt.Errorf("%s: %w", file, err), "--labels wants the file labels beside the sensor's state; an allow-list is another one")
	}
	return changes, nil
}

func (s *session) train(out string, files []string, o learn.Options, lake *lake, strict bool) error {
	rows := s.rows(files, strict)
	defer rows.close()
	if lake.by != "" || lake.order != nil || lake.begins {
		var record stream.Conn
		o.Observe = func(c *conn.Conn) (feature.Window, error) {
			err := lake.observe(record.Of(c), rows)
			if err != nil {
				err = fmt.Errorf("%s: %w", at(c), err)
			}
			return record.Window, err
		}
	}
	m, report, err := learn.Fit(rows.next, o)
	if err != nil {
		return tooFew(err)
	}
	s.unusable += report.Unusable
	s.learnt = o.Sampling == learn.Balanced
	for _, remark := range report.Remarks {
		s.warn("%s", remark)
	}
	return s.writeModel(out, m, report)
}

// trainOnSamples makes the model of a cluster's manager again.
func (s *session) trainOnSamples(out, samples string, logs []string, labels []learn.LabelChange) error {
	if len(logs) > 0 {
		return errors.New("--samples takes the place of logs, but there are both")
	}
	file, err := os.Open(samples)
	if err != nil {
		return err
	}
	defer file.Close()
	m, report, err := learn.FitRecording(file, labels)
	if err != nil {
		return tooFew(fmt.Errorf("%s: %w", samples, err))
	}
	return s.writeModel(out, m, report)
}

func (s *session) writeModel(out string, m *model.Model, report learn.Report) error {
	if err := m.WriteFile(out); err != nil {
		return err
	}
	s.say("%s: model %s of %d %s", out, m.Fingerprint(), report.Rows, m.Set().Rows)
	return nil
}

// tooFew adds to the error of learning from too few connections what to do.
func tooFew(err error) error {
	if errors.Is(err, learn.ErrNoModelYet) {
		return hinted(err, "--warmup N says after how many it has one")
	}
	if errors.Is(err, forest.ErrTooFewRows) {
		return hinted(err, "a model needs some hundreds of connections to mean something")
	}
	return err
}
