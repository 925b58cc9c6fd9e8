package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// labelFlags says how labels are read.
type labelFlags struct {
	column, family string
	labels         evaluate.Labels
}

func (l *labelFlags) define(flags *pflag.FlagSet) {
	flags.StringVar(&l.column, "label", "label", "the `COLUMN` with the labels (of a table: default the last)")
	flags.StringVar(&l.family, "family", "", "the `COLUMN` that names the attack family")
	flags.StringSliceVar(&l.labels.Anomalous, "anomalous", evaluate.CommonLabels.Anomalous, "label `VALUES` that mean an anomaly")
	flags.StringSliceVar(&l.labels.Normal, "normal", evaluate.CommonLabels.Normal, "label `VALUES` that mean normal; rows with other values are left out")
}

// labelledRows are the rows of some logs that have a label.
type labelledRows struct {
	rows    []evaluate.Row
	leftOut int
}

// readLabelled reads logs with labels, in order.
func (s *session) readLabelled(files []string, l *labelFlags) (*labelledRows, error) {
	out := &labelledRows{}
	for _, file := range files {
		rows := s.rows([]string{file}, false)
		named := 0
		for {
			var row evaluate.Row
			err := rows.next(&row.Conn)
			if err == io.EOF {
				break
			} else if err != nil {
				rows.close()
				return nil, err
			}
			keep(&row.Conn)
			value, ok := rows.value(l.column)
			if ok {
				named++
			}
			meaning := l.labels.Of(value)
			if meaning == evaluate.LeftOut {
				out.leftOut++
				continue
			}
			if row.Anomaly = meaning == evaluate.Anomalous; row.Anomaly && l.family != "" {
				row.Family, _ = rows.value(l.family)
			}
			out.rows = append(out.rows, row)
		}
		rows.close()
		if named == 0 {
			return nil, hinted(fmt.Errorf("%s has no column %q", displayName(file), l.column), "--label names the column with the labels")
		}
	}
	return out, nil
}

// readAttacks reads logs whose rows are all anomalies, of the family that the
// file's name says.
func (s *session) readAttacks(files []string) (rows []evaluate.Row, err error) {
	for _, file := range files {
		family, _, _ := strings.Cut(filepath.Base(file), ".")
		in := s.rows([]string{file}, false)
		for {
			row := evaluate.Row{Anomaly: true, Family: family}
			err := in.next(&row.Conn)
			if err == io.EOF {
				break
			} else if err != nil {
				in.close()
				return nil, err
			}
			keep(&row.Conn)
			rows = append(rows, row)
		}
		in.close()
	}
	return rows, nil
}

// keep makes a connection independent of the block of the log that it is from.
func keep(c *conn.Conn) {
	c.UID = strings.Clone(c.UID)
	c.TunnelParents = nil
}
