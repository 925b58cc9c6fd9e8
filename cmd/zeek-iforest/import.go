package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/sklearn"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var importVerb = verb{
	name:     "import",
	logs:     true,
	synopsis: "--sklearn FOREST.JSON -m MODEL -o MODEL [OPTION …] [CONN.LOG …]",
	short:    "make a model of a forest that was trained with scikit-learn",
	about: `The forest was trained on the vectors that zeek-iforest export --vectors wrote with
the model of -m; that model's rarities and usual ranges go into the new one. Ranks
(1 in N) are taken from the connections of the logs.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		from := flags.String("sklearn", "", "read the IsolationForest in `FILE`, as the Python of --script writes it")
		script := flags.Bool("script", false, "print the Python that writes a forest for --sklearn, and end")
		base := modelFlag(flags)
		out := flags.StringP("output", "o", "", "write the model to `FILE`")
		strict := strictFlag(flags)
		return func(s *session, files []string) error {
			switch {
			case *script:
				_, err := io.WriteString(s.stdout, sklearn.Script)
				return err
			case *from == "":
				return hinted(errors.New("no forest given"), "--sklearn FILE names it; --script prints the Python that writes it")
			case *out == "":
				return hinted(errors.New("no place for the model"), "-o FILE names it")
			}
			m, err := readModel(*base)
			if err != nil {
				return err
			}
			return s.adopt(*from, m, *out, files, *strict)
		}
	},
}

// adopt makes a model of a foreign forest.
func (s *session) adopt(from string, base *model.Model, out string, files []string, strict bool) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	foreign, err := sklearn.Read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	plain, err := foreign.Plain()
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	f, err := plain.Forest()
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	rows := s.rows(files, strict)
	defer rows.close()
	m, report, err := learn.Adopt(base, f, "scikit-learn's", rows.next)
	if err != nil {
		return err
	}
	s.unusable += report.Unusable
	if err := s.writeModel(out, m, report); err != nil {
		return err
	}
	s.say("scikit-learn calls scores above %.4f anomalies: --fail-above takes that number", -foreign.Offset)
	return nil
}

// vectors writes the vectors of logs under a model.
func (s *session) vectors(to string, m *model.Model, files []string, strict bool) error {
	o, err := s.output(to)
	if err != nil {
		return err
	}
	defer o.discard()
	npy := strings.HasSuffix(to, ".npy")
	var v *sklearn.Vectors
	switch {
	case !npy:
		v, err = sklearn.NewCSV(o)
	case o.file == nil || o.file.Name() == o.name:
		err = fmt.Errorf("%s cannot be written to twice, and NPY has its length at the beginning: name a file, or write CSV", o.name)
	default:
		v, err = sklearn.NewNPY(o)
	}
	if err != nil {
		return err
	}
	rows := s.rows(files, strict)
	defer rows.close()
	encoding, record := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
	for c := new(conn.Conn); ; {
		err := rows.next(c)
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		row, err := encoding.Next(record.Of(c))
		if err != nil {
			if strict {
				return err
			}
			s.unused(err)
			continue
		}
		if err := v.Write(row.Vector()); err != nil {
			return fmt.Errorf("writing %s: %w", o.name, err)
		}
	}
	if npy {
		if err := o.Flush(); err != nil {
			return err
		}
		if _, err := o.file.WriteAt(v.Header(), 0); err != nil {
			return fmt.Errorf("writing %s: %w", o.name, err)
		}
	}
	if err := o.commit(); err != nil {
		return err
	}
	s.say("%s: vectors of %s", o.name, plural(uint64(v.Rows()), "connection"))
	return nil
}
