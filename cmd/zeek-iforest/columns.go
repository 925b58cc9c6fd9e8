package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// scoreColumn is one of the columns that --columns can add, named and typed as
// the sensor's scripts do.
type scoreColumn struct {
	zeeklog.Column
	value func(*stream.Scored) zeeklog.Value
}

var scoreColumns = map[string]scoreColumn{
	"score": {zeeklog.Column{Name: "anomaly_score", Type: "double"},
		func(s *stream.Scored) zeeklog.Value { return zeeklog.Double(s.Value) }},
	"rank": {zeeklog.Column{Name: "anomaly_rank", Type: "count"},
		func(s *stream.Scored) zeeklog.Value { return zeeklog.Count(s.OneIn()) }},
	reasonColumn: {zeeklog.Column{Name: "anomaly_reason", Type: "string"},
		func(s *stream.Scored) zeeklog.Value { return zeeklog.Text(string(s.AppendReason(nil))) }},
	"model": {zeeklog.Column{Name: "anomaly_model", Type: "string"},
		func(s *stream.Scored) zeeklog.Value { return zeeklog.Text(s.By()) }},
}

const reasonColumn = "reason"

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

// fill sets the values of the columns for a row; where nothing is written there are
// no values.
func (cs chosenColumns) fill(values []zeeklog.Value, s *stream.Scored) {
	for i := range values {
		values[i] = cs[i].value(s)
	}
}

// reasons reports whether each row needs its reason.
func (cs chosenColumns) reasons() bool {
	return slices.ContainsFunc(cs, func(c scoreColumn) bool { return c.Column == scoreColumns[reasonColumn].Column })
}
