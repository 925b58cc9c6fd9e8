package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/cases"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// casesByUID are what the other logs of a day say of its connections; nil says
// nothing. It is not changed while rows are scored.
type casesByUID map[string]*cases.Case

// of returns the case of a connection, an empty one where there is none.
func (by casesByUID) of(c *conn.Conn) *cases.Case {
	if found := by[c.UID]; found != nil {
		return found
	}
	return &cases.Case{}
}

// caseColumns are those that the sensor adds with log-uid.
var caseColumns = chosenColumns{
	{zeeklog.Column{Name: "anomaly_case", Type: "double"}, func(s *stream.Scored) zeeklog.Value { return zeeklog.Double(s.CaseScore()) }},
	uidColumn("log", "string", func(r *cases.Row) zeeklog.Value { return zeeklog.Text(r.Log) }),
	uidColumn("score", "double", func(r *cases.Row) zeeklog.Value { return zeeklog.Double(r.Score) }),
	uidColumn("rank", "count", func(r *cases.Row) zeeklog.Value { return zeeklog.Count(uint64(r.OneIn)) }),
	uidColumn("reason", "string", func(r *cases.Row) zeeklog.Value {
		if r.Reason == "" {
			return zeeklog.Value{}
		}
		return zeeklog.Text(r.Reason)
	}),
}

// uidColumn returns a column about the strangest row of other logs.
func uidColumn(name, kind string, value func(*cases.Row) zeeklog.Value) scoreColumn {
	return scoreColumn{zeeklog.Column{Name: "anomaly_uid_" + name, Type: kind}, func(s *stream.Scored) zeeklog.Value {
		if also := s.Also(); also != nil && len(also.Strangest()) > 0 {
			return value(&also.Strangest()[0])
		}
		return zeeklog.Value{}
	}}
}

// readCases reads the logs among the files that are not conn.log, and returns
// the others.
func (s *session) readCases(files []string) (by casesByUID, connLogs []string, err error) {
	by = casesByUID{}
	for _, file := range files {
		if readOnce(file) || isParquet(file) || strings.Contains(file, "://") {
			return nil, nil, fmt.Errorf("--uid-column reads files, not %s", displayName(file))
		}
		k, err := s.log([]string{file})
		if err != nil {
			return nil, nil, err
		}
		if k == nil {
			connLogs = append(connLogs, file)
		} else if err := s.readCasesOf(by, k, file); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case len(connLogs) == 0:
		return nil, nil, errors.New("--uid-column: there is no conn.log among the logs")
	case len(connLogs) == len(files):
		return nil, nil, hinted(errors.New("--uid-column: there is no other log beside conn.log"), "name the day's dns.log, http.log and ssl.log too, with anomaly_score and anomaly_rank")
	}
	return by, connLogs, nil
}

// readCasesOf reads a log that is not conn.log.
func (s *session) readCasesOf(by casesByUID, k *logKind, file string) error {
	in := s.rows([]string{file}, false)
	in.kind = k
	defer in.close()
	uid := -1
	for i, name := range k.schema.Columns {
		if name == "uid" {
			uid = i
		}
	}
	for rows := 0; ; rows++ {
		if err := in.nextRow(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if in.row.Err != nil {
			s.unused(in.row.Err)
			continue
		}
		score, scored := in.Value("anomaly_score")
		rank, ranked := in.Value("anomaly_rank")
		if (!scored || !ranked) && rows == 0 {
			return hinted(fmt.Errorf("%s: its rows have no anomaly_score, or no anomaly_rank", file), "score -m MODEL --columns score,rank,reason adds them")
		}
		r := cases.Row{Log: k.set.Log}
		var bad [2]error
		r.Score, bad[0] = strconv.ParseFloat(score, 64)
		r.OneIn, bad[1] = strconv.ParseFloat(rank, 64)
		if errors.Join(bad[:]...) != nil || !(r.Score > 0 && r.Score < 1) || !(r.OneIn >= 1 && r.OneIn <= math.MaxUint32) {
			continue // it was not scored
		}
		key := in.reader.Fields()[uid].Text()
		if key == "" {
			continue
		}
		found := by[key]
		if found == nil {
			found = &cases.Case{}
			by[strings.Clone(key)] = found
		}
		found.Add(r, func() string {
			if reason, ok := in.Value("anomaly_reason"); ok && r.OneIn >= cases.WorthAReason {
				return strings.Clone(reason)
			}
			return ""
		})
	}
}
