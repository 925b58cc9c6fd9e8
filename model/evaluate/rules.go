package evaluate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Rule is a detector made of one column of a log: "orig_bytes high",
// "local_orig = F". A score that does not beat the best of them has found out
// nothing that a filter would not.
type Rule struct {
	Name  string
	score func(*Row) float64
}

// Score returns the rule's score of a row, higher is stranger.
func (r Rule) Score(row *Row) float64 { return r.score(row) }

// Column is a column that rules look at. A column that is a number and a name,
// such as a port, stands there twice.
type Column struct {
	Name   string
	Number func(*Row) float64 // unset lies below everything
	Word   func(*Row) string  // nil where it is a number
}

func connNumber(name string, value func(*conn.Conn) float64) Column {
	return Column{Name: name, Number: func(r *Row) float64 { return value(&r.Conn) }}
}

func connWord(name string, value func(*conn.Conn) string) Column {
	return Column{Name: name, Word: func(r *Row) string { return value(&r.Conn) }}
}

func optional(f conn.Fields, value func(*conn.Conn) float64) func(*conn.Conn) float64 {
	return func(c *conn.Conn) float64 {
		if !c.Has(f) {
			return -1
		}
		return value(c)
	}
}

// The columns that each log has.
var (
	OrigPort = connNumber("id.orig_p", func(c *conn.Conn) float64 { return float64(c.Orig.Port()) })
	RespPort = connNumber("id.resp_p", func(c *conn.Conn) float64 { return float64(c.Resp.Port()) })
	Service  = connWord("id.resp_p", func(c *conn.Conn) string { return fmt.Sprint(c.Resp.Port()) })
)

// ConnColumns are the columns of conn.log that rules look at. Addresses are left
// out: a rule that names the attacker is not a detector.
var ConnColumns = []Column{
	connNumber("duration", optional(conn.Duration, func(c *conn.Conn) float64 { return float64(c.Duration) })),
	connNumber("orig_bytes", optional(conn.OrigBytes, func(c *conn.Conn) float64 { return float64(c.OrigBytes) })),
	connNumber("resp_bytes", optional(conn.RespBytes, func(c *conn.Conn) float64 { return float64(c.RespBytes) })),
	connNumber("missed_bytes", func(c *conn.Conn) float64 { return float64(c.MissedBytes) }),
	connNumber("orig_pkts", func(c *conn.Conn) float64 { return float64(c.OrigPkts) }),
	connNumber("orig_ip_bytes", func(c *conn.Conn) float64 { return float64(c.OrigIPBytes) }),
	connNumber("resp_pkts", func(c *conn.Conn) float64 { return float64(c.RespPkts) }),
	connNumber("resp_ip_bytes", func(c *conn.Conn) float64 { return float64(c.RespIPBytes) }),
	OrigPort,
	RespPort,
	connWord("proto", func(c *conn.Conn) string { return c.Proto.String() }),
	connWord("service", func(c *conn.Conn) string { return unsetOr(c.Has(conn.Service), c.Service) }),
	connWord("conn_state", func(c *conn.Conn) string { return c.State.String() }),
	connWord("history", func(c *conn.Conn) string { return unsetOr(c.Has(conn.History), c.History) }),
	connWord("local_orig", func(c *conn.Conn) string { return truth(c.Has(conn.LocalOrig), c.LocalOrig) }),
	connWord("local_resp", func(c *conn.Conn) string { return truth(c.Has(conn.LocalResp), c.LocalResp) }),
	Service,
}

func unsetOr(set bool, value string) string {
	if !set {
		return "-"
	}
	return value
}

func truth(set, value bool) string {
	switch {
	case !set:
		return "-"
	case value:
		return "T"
	}
	return "F"
}

// commonRules is how many values of a column are tried, the most frequent among
// the anomalies.
const commonRules = 16

// Rules returns the single-column rules for these rows: each number high or low,
// each word equal to a value that anomalies have. avoid names columns to leave
// out.
func Rules(columns []Column, rows []Row, avoid ...string) []Rule {
	var rules []Rule
	for _, c := range columns {
		switch {
		case slices.Contains(avoid, c.Name):
		case c.Word == nil:
			rules = append(rules,
				Rule{c.Name + " high", c.Number},
				Rule{c.Name + " low", func(r *Row) float64 { return -c.Number(r) }})
		default:
			for _, value := range frequent(rows, c) {
				rules = append(rules, Rule{c.Name + " = " + value, func(r *Row) float64 {
					if c.Word(r) == value {
						return 1
					}
					return 0
				}})
			}
		}
	}
	return rules
}

// frequent returns the most frequent words of a column among the anomalies.
func frequent(rows []Row, c Column) []string {
	counts := map[string]int{}
	for i := range rows {
		if rows[i].Anomaly {
			counts[c.Word(&rows[i])]++
		}
	}
	values := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return values[:min(len(values), commonRules)]
}

// ColumnNames returns the names of columns, each once.
func ColumnNames(columns []Column) (names []string) {
	for _, c := range columns {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// BestRule returns the rule with the highest value of a metric on these rows, in
// hindsight: the figure that a score has to beat.
func BestRule(rows []Row, rules []Rule, metric func(*Ranking) float64) (best Rule, value float64, err error) {
	scores, labels := make([]float64, len(rows)), make([]bool, len(rows))
	for i := range rows {
		labels[i] = rows[i].Anomaly
	}
	value = -1
	for _, rule := range rules {
		for i := range rows {
			scores[i] = rule.score(&rows[i])
		}
		ranking, err := Rank(scores, labels)
		if err != nil {
			return best, 0, err
		}
		if v := metric(ranking); v > value {
			best, value = rule, v
		}
	}
	return best, value, nil
}
