package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// scoreColumn is one of the columns that --columns can add, named and typed as
// the sensor's scripts do.
type scoreColumn struct {
	zeeklog.Column
	value func(*model.Model, *conn.Conn, feature.Window, model.Score) zeeklog.Value
	of    func(*model.Model, *feature.Row, logRow, model.Score) zeeklog.Value // the same of a row of another log
}

var scoreColumns = map[string]scoreColumn{
	"score": {zeeklog.Column{Name: "anomaly_score", Type: "double"},
		func(_ *model.Model, _ *conn.Conn, _ feature.Window, s model.Score) zeeklog.Value {
			return zeeklog.Double(s.Value)
		},
		func(_ *model.Model, _ *feature.Row, _ logRow, s model.Score) zeeklog.Value {
			return zeeklog.Double(s.Value)
		}},
	"rank": {zeeklog.Column{Name: "anomaly_rank", Type: "count"},
		func(m *model.Model, _ *conn.Conn, _ feature.Window, s model.Score) zeeklog.Value {
			return zeeklog.Count(oneIn(m, s))
		},
		func(m *model.Model, _ *feature.Row, _ logRow, s model.Score) zeeklog.Value {
			return zeeklog.Count(oneIn(m, s))
		}},
	"reason": {zeeklog.Column{Name: "anomaly_reason", Type: "string"},
		func(m *model.Model, c *conn.Conn, w feature.Window, _ model.Score) zeeklog.Value {
			return zeeklog.Text(string(m.AppendReason(nil, c, w)))
		},
		func(m *model.Model, r *feature.Row, of logRow, _ model.Score) zeeklog.Value {
			return zeeklog.Text(string(m.AppendReasonRow(nil, r, words(m, of))))
		}},
	"model": {zeeklog.Column{Name: "anomaly_model", Type: "string"},
		func(m *model.Model, _ *conn.Conn, _ feature.Window, _ model.Score) zeeklog.Value {
			return zeeklog.Text(seed.Name(m))
		},
		func(m *model.Model, _ *feature.Row, _ logRow, _ model.Score) zeeklog.Value {
			return zeeklog.Text(seed.Name(m))
		}},
}

// oneIn is N of "1 in N of this sensor's own connections".
func oneIn(m *model.Model, s model.Score) uint64 { return uint64(math.Round(1 / m.Rank(s.Path))) }

// chosenColumns are the columns of --columns, in the user's order.
type chosenColumns []scoreColumn

// columnsFlag defines --columns.
func columnsFlag(flags *pflag.FlagSet) func() (chosenColumns, error) {
	names := flags.String("columns", "score", "columns to add, a `LIST` of score, rank, reason, model")
	usage.List(flags, "columns", "score", "rank", "reason", "model")
	return func() (chosenColumns, error) {
		var chosen chosenColumns
		for _, name := range commaList(*names) {
			name = strings.TrimSpace(name)
			c, ok := scoreColumns[name]
			if !ok {
				return nil, fmt.Errorf("--columns: there is no column %q, want score, rank, reason or model", name)
			}
			for _, other := range chosen {
				if other.Name == c.Name {
					return nil, fmt.Errorf("--columns names %q twice", name)
				}
			}
			chosen = append(chosen, c)
		}
		if len(chosen) == 0 {
			return nil, fmt.Errorf("--columns %q names none, want score, rank, reason or model", *names)
		}
		return chosen, nil
	}
}

func (cs chosenColumns) columns() []zeeklog.Column {
	columns := make([]zeeklog.Column, len(cs))
	for i, c := range cs {
		columns[i] = c.Column
	}
	return columns
}

// fill sets the values of the columns for a connection.
func (cs chosenColumns) fill(values []zeeklog.Value, m *model.Model, c *conn.Conn, w feature.Window, s model.Score) {
	for i := range cs {
		values[i] = cs[i].value(m, c, w, s)
	}
}

// fillRow is fill for a row of another log.
func (cs chosenColumns) fillRow(values []zeeklog.Value, m *model.Model, r *feature.Row, of logRow, s model.Score) {
	for i := range cs {
		values[i] = cs[i].of(m, r, of, s)
	}
}
