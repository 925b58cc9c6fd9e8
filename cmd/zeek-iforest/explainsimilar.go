package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// explaining compares a connection with ordinary ones.
type explaining struct {
	similar  int
	among    []string // logs; those of the connection where there are none
	ordinary float64  // 1 in so many or less strange
}

func (e *explaining) run(s *session, row *stream.Scored, c *stream.Conn, files []string) error {
	m := row.Model
	if m.Rank(row.Path) >= 1/e.ordinary {
		fmt.Fprintf(s.stdout, "\nit is ordinary: 1 in %d\n", row.OneIn())
		return nil
	}
	if len(e.among) == 0 {
		if e.among = orStdin(files); slices.Contains(e.among, "-") {
			s.say("standard input cannot be read twice: --among names a log to look for similar connections in")
			return nil
		}
	}
	others, err := e.find(s, m, c)
	if err != nil {
		return err
	}
	from := strings.Join(e.among, ", ")
	if len(e.among) > 3 {
		from = fmt.Sprintf("%s and %d more logs", e.among[0], len(e.among)-1)
	}
	if len(others) == 0 {
		fmt.Fprintf(s.stdout, "\nno connection of %s is ordinary, 1 in %g or less\n", from, e.ordinary)
		return nil
	}
	fmt.Fprintf(s.stdout, "\nthe most similar ordinary connections of %s:\n", from)
	t := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "alike\tscore\t1 in\ttime (UTC)\tconnection\tservice\tstate\tdiffers most in")
	for i := range others {
		o := &others[i]
		fmt.Fprintf(t, "%.0f %%\t%v\t%d\t%s\t%s\t%s\t%v\t%s\n", 100*(1-o.Difference), o.Score.Value, m.OneIn(o.Score.Path),
			o.Conn.TS.Time().Format("2006-01-02 15:04:05"), at(&o.Conn), orUnset(o.Conn.Service), o.Conn.State, differences(m, o))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	change, _ := m.SmallestChange(c.Conn, c.Window, others, 1/e.ordinary)
	return printChange(s.stdout, m, &change)
}

// find reads the logs for similar connections.
func (e *explaining) find(s *session, m *model.Model, c *stream.Conn) ([]model.Other, error) {
	similar := m.NewSimilar(c.Conn, c.Window, e.similar, 1/e.ordinary)
	rows := s.rows(e.among, false)
	defer rows.close()
	record := stream.NewConns(feature.NewHosts(model.DefaultHosts))
	for other := new(conn.Conn); ; {
		if err := rows.next(other); err == io.EOF {
			return similar.Others(), nil
		} else if err != nil {
			return nil, err
		}
		if err := stream.Observe(record.Of(other)); err != nil {
			s.unused(fmt.Errorf("%s: %w", at(other), err))
			continue
		}
		similar.Offer(other, record.Window)
	}
}

// differences returns the features in which another connection differs most.
func differences(m *model.Model, o *model.Other) string {
	var list []string
	for _, i := range o.Largest(3) {
		if o.Parts[i] > 0 {
			list = append(list, m.Set().Features[i].Name+" "+string(m.Encoder().AppendConn(nil, i, &o.Conn, o.Window)))
		}
	}
	return strings.Join(list, "; ")
}

func printChange(w io.Writer, m *model.Model, change *model.Change) error {
	fmt.Fprintf(w, "\nit would be ordinary, score %v, 1 in %d, with\n", change.Score.Value, m.OneIn(change.Score.Path))
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range change.Fields {
		fmt.Fprintf(t, "  %s\t%s\tinstead of %s\n", f.Name, f.To, f.From)
	}
	return t.Flush()
}
