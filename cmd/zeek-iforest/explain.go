package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var explainVerb = verb{
	name:     "explain",
	logs:     true,
	synopsis: "-m MODEL --uid UID [OPTION …] [CONN.LOG …]",
	short:    "say why a connection has its score",
	about: `Prints each feature with its value, what is usual, and its share of the score: the
credits add up to c(ψ) − E[h(x)], by how much the connection's path is shorter than
average. What its originator did in the five minutes before counts, so name the logs
that lead up to the connection, in the order of time.

Beside it stand the most similar ordinary connections, of the same logs or of those of
--among, and the smallest change that would make the connection ordinary: the fewest
fields that would have to be those of one of them, and how far. Ordinary is what is
1 in --ordinary of the model's connections or less strange.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		modelPath := modelFlag(flags)
		uid := flags.String("uid", "", "the connection's `UID`")
		e := explaining{}
		numberVar(flags, &e.similar, "similar", 3, between(0, 1000), "look for the `N` most similar ordinary connections; 0 for none")
		flags.StringArrayVar(&e.among, "among", nil, "look for them in `LOG`; may be given several times")
		numberVar(flags, &e.ordinary, "ordinary", 10, between(1.0, 1_000_000_000), "count connections as ordinary that are 1 in `N` or less strange")
		trace := flags.Bool("trace", false, "also walk the connection through one tree")
		tree := numberFlag(flags, "tree", 0, between(0, forest.MaxTrees-1), "the tree of --trace, from `N` = 0")
		x509 := x509Flag(flags)
		return func(s *session, files []string) error {
			m, err := readAnyModel(*modelPath)
			if err != nil {
				return err
			}
			if *uid == "" {
				return hinted(errors.New("no connection given"), "--uid UID names it")
			}
			if last := m.Summary().Trees - 1; *tree > last {
				return invalid("tree", strconv.Itoa(*tree), fmt.Errorf("the model has the trees 0 to %d", last))
			}
			other := kindOf(m.Set().Log)
			if err := x509(s, other); err != nil {
				return err
			}
			if other != nil {
				if err := connOnly(flags, other, "similar", "among", "ordinary", "columns-in"); err != nil {
					return err
				}
				if !*trace {
					*tree = -1
				}
				return s.explainRecord(m, other, *uid, *tree, files)
			}
			c, err := s.find(*uid, files)
			if err != nil {
				return err
			}
			row := stream.Of(m, c)
			if err := s.explain(row); err != nil {
				return err
			}
			if e.similar > 0 {
				if err := e.run(s, row, c, files); err != nil {
					return err
				}
			}
			if *trace {
				return s.trace(m, row.Vector(), *tree)
			}
			return nil
		}
	},
}

// find reads up to the connection and returns it with its originator's window.
func (s *session) find(uid string, files []string) (*stream.Conn, error) {
	rows := s.rows(files, false)
	defer rows.close()
	record := stream.NewConns(feature.NewHosts(model.DefaultHosts))
	c := new(conn.Conn)
	for {
		if err := rows.next(c); err == io.EOF {
			return nil, hinted(fmt.Errorf("there is no connection %q in the logs", uid), "uid is the second column of conn.log: name the log that has it, with zgrep -l UID logs/*/conn.*")
		} else if err != nil {
			return nil, err
		}
		if err := stream.Observe(record.Of(c)); err != nil {
			s.unused(fmt.Errorf("%s: %w", at(c), err))
			continue
		}
		if c.UID == uid {
			return record, nil
		}
	}
}

func (s *session) explain(row *stream.Scored) error {
	c := row.Record.Subject()
	fmt.Fprintf(s.stdout, "%s  %s  service %s  conn_state %v\n", c.TS.Time().Format("2006-01-02 15:04:05.000000 UTC"), at(c), orUnset(c.Service), c.State)
	return s.reasons(row.Model, row.Score, row.Explain(0))
}

// reasons prints a score and what each feature has to do with it.
func (s *session) reasons(m *model.Model, score model.Score, why []model.Reason) error {
	average := m.Forest().AverageLength()
	fmt.Fprintf(s.stdout, "anomaly_score %v: path length %.4f, average %.4f; 1 in %d of the model's %s\n", score.Value, score.Path, average, m.OneIn(score.Path), m.Set().Rows)
	if score.Cold {
		fmt.Fprintln(s.stdout, "what the originator did in the five minutes before is not all in the log")
	}
	fmt.Fprintln(s.stdout)

	sum := 0.0
	for _, r := range why {
		sum += r.Credit
	}
	t := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "credit\tshare\tfeature\tvalue\tusual")
	for _, r := range why {
		fmt.Fprintf(t, "%+.4f\t%s\t%s\t%s\t%s\n", r.Credit, share(r.Credit, sum), r.Name, r.Value, r.Usual)
	}
	fmt.Fprintf(t, "%+.4f\t\t= c(ψ) − E[h(x)] = %.4f − %.4f\n", sum, average, score.Path)
	return t.Flush()
}

// share returns a credit's part of the sum, where that means something.
func share(credit, sum float64) string {
	if sum <= 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100*credit/sum)
}

// trace prints the cuts that a row meets in one tree.
func (s *session) trace(m *model.Model, v []float32, tree int) error {
	rows := m.Set().Rows
	way := m.Forest().Trace(tree, v)
	fmt.Fprintf(s.stdout, "\ntree %d of %d, grown from %d %s:\n", tree, m.Summary().Trees, way[0].Size, rows)
	for i, step := range way {
		if step.External {
			fmt.Fprintf(s.stdout, "%*s%s", 2*i, "", pluralOf(uint64(step.Size), rows))
			if step.Size > 1 {
				fmt.Fprintf(s.stdout, " left, and c(%d) = %.4f cuts more expected", step.Size, step.Expected-float64(step.Depth))
			} else {
				fmt.Fprint(s.stdout, ": alone")
			}
			fmt.Fprintf(s.stdout, "; path length %.4f\n", step.Expected)
			break
		}
		side, sign := "left", "below"
		if step.Right {
			side, sign = "right", "not below"
		}
		f := step.Feature
		fmt.Fprintf(s.stdout, "%*s%d %s: %s %s is %s %s, go %s\n", 2*i, "", step.Size, rows, m.Set().Features[f].Name,
			m.Set().AppendEncoded(nil, f, step.Value), sign, m.Set().AppendEncoded(nil, f, step.Threshold), side)
	}
	return nil
}
