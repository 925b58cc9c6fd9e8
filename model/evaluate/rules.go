package evaluate

import (
	"fmt"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Rule is a detector made of one column of conn.log: "orig_bytes high",
// "local_orig = F". A score that does not beat the best of them has found out
// nothing that a filter would not.
type Rule struct {
	Name  string
	score func(*conn.Conn) float64
}

// Score is the rule's score of a connection, higher is stranger.
func (r Rule) Score(c *conn.Conn) float64 { return r.score(c) }

// number is a column as a number; unset lies below everything.
type number struct {
	name  string
	value func(*conn.Conn) float64
}

func optional(f conn.Fields, value func(*conn.Conn) float64) func(*conn.Conn) float64 {
	return func(c *conn.Conn) float64 {
		if !c.Has(f) {
			return -1
		}
		return value(c)
	}
}

var numbers = []number{
	{"duration", optional(conn.Duration, func(c *conn.Conn) float64 { return float64(c.Duration) })},
	{"orig_bytes", optional(conn.OrigBytes, func(c *conn.Conn) float64 { return float64(c.OrigBytes) })},
	{"resp_bytes", optional(conn.RespBytes, func(c *conn.Conn) float64 { return float64(c.RespBytes) })},
	{"missed_bytes", func(c *conn.Conn) float64 { return float64(c.MissedBytes) }},
	{"orig_pkts", func(c *conn.Conn) float64 { return float64(c.OrigPkts) }},
	{"orig_ip_bytes", func(c *conn.Conn) float64 { return float64(c.OrigIPBytes) }},
	{"resp_pkts", func(c *conn.Conn) float64 { return float64(c.RespPkts) }},
	{"resp_ip_bytes", func(c *conn.Conn) float64 { return float64(c.RespIPBytes) }},
	{"id.orig_p", func(c *conn.Conn) float64 { return float64(c.Orig.Port()) }},
	{"id.resp_p", func(c *conn.Conn) float64 { return float64(c.Resp.Port()) }},
}

// name is a column as a word.
type name struct {
	name  string
	value func(*conn.Conn) string
}

var names = []name{
	{"proto", func(c *conn.Conn) string { return c.Proto.String() }},
	{"service", func(c *conn.Conn) string { return unsetOr(c.Has(conn.Service), c.Service) }},
	{"conn_state", func(c *conn.Conn) string { return c.State.String() }},
	{"history", func(c *conn.Conn) string { return unsetOr(c.Has(conn.History), c.History) }},
	{"local_orig", func(c *conn.Conn) string { return truth(c.Has(conn.LocalOrig), c.LocalOrig) }},
	{"local_resp", func(c *conn.Conn) string { return truth(c.Has(conn.LocalResp), c.LocalResp) }},
	{"id.resp_p", func(c *conn.Conn) string { return fmt.Sprint(c.Resp.Port()) }},
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

// Rules are the single-column rules for these rows: each number high or low,
// each name equal to a value that anomalies have. Addresses are left out: a
// rule that names the attacker is not a detector. avoid names columns to leave out.
func Rules(rows []Row, avoid ...string) []Rule {
	var rules []Rule
	for _, n := range numbers {
		if slices.Contains(avoid, n.name) {
			continue
		}
		rules = append(rules,
			Rule{n.name + " high", n.value},
			Rule{n.name + " low", func(c *conn.Conn) float64 { return -n.value(c) }})
	}
	for _, n := range names {
		if slices.Contains(avoid, n.name) {
			continue
		}
		for _, value := range frequent(rows, n) {
			rules = append(rules, Rule{n.name + " = " + value, func(c *conn.Conn) float64 {
				if n.value(c) == value {
					return 1
				}
				return 0
			}})
		}
	}
	return rules
}

// frequent are the most frequent values of a column among the anomalies.
func frequent(rows []Row, n name) []string {
	counts := map[string]int{}
	for i := range rows {
		if rows[i].Anomaly {
			counts[n.value(&rows[i].Conn)]++
		}
	}
	values := make([]string, 0, len(counts))
	for value := range counts {
		values = append(values, value)
	}
	slices.SortFunc(values, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	return values[:min(len(values), commonRules)]
}

// RuleColumns are the columns that Rules looks at.
func RuleColumns() (columns []string) {
	for _, n := range numbers {
		columns = append(columns, n.name)
	}
	for _, n := range names {
		if !slices.Contains(columns, n.name) {
			columns = append(columns, n.name)
		}
	}
	return columns
}

// BestRule is the rule with the highest value of a metric on these rows, in
// hindsight: the figure that a score has to beat.
func BestRule(rows []Row, rules []Rule, metric func(*Ranking) float64) (best Rule, value float64, err error) {
	scores, labels := make([]float64, len(rows)), make([]bool, len(rows))
	for i := range rows {
		labels[i] = rows[i].Anomaly
	}
	value = -1
	for _, rule := range rules {
		for i := range rows {
			scores[i] = rule.score(&rows[i].Conn)
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
