// Package cases puts the rows of one connection together: that of conn.log, and
// those of dns.log, ssl.log and others that have its uid. A password guess that
// succeeds, or a call of an infected host, may look ordinary in each log, and
// still be a little unusual in all of them.
package cases

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model"
)

// MaxLogs bounds the logs of a case beside conn.log.
const MaxLogs = 4

// WorthAReason is the rank from which on the reason of a row is kept: of one row
// in so many.
const WorthAReason = 10

// Row is a row of a log that has the case's uid.
type Row struct {
	Log    string  // its #path
	Score  float64 // anomaly_score
	OneIn  float64 // anomaly_rank: N of "1 in N"
	Reason string  // anomaly_reason, or "" if it is not known
}

// Case is what the logs beside conn.log say of a connection: of each the
// strangest row. The zero Case has none.
type Case struct {
	rows [MaxLogs]Row
	n    int
}

// place returns where the rows of a log stand, −1 where there is no room.
func (c *Case) place(log string) int {
	for i := range c.rows[:c.n] {
		if c.rows[i].Log == log {
			return i
		}
	}
	if c.n == MaxLogs {
		return -1
	}
	c.n++
	c.rows[c.n-1] = Row{Log: log}
	return c.n - 1
}

// Add adds a row. Its reason is asked for only where it is the strangest of its
// log; nil gives none.
func (c *Case) Add(r Row, reason func() string) {
	at := c.place(r.Log)
	if at < 0 || r.Score <= c.rows[at].Score {
		return
	}
	if reason != nil {
		r.Reason = reason()
	}
	c.rows[at] = r
	slices.SortFunc(c.rows[:c.n], func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.OneIn, a.OneIn), strings.Compare(a.Log, b.Log))
	})
}

// Strangest returns the strangest row of each log, the rarest in its log first; of
// two that are equally rare that of the log whose name comes first. They are
// the case's own.
func (c *Case) Strangest() []Row { return c.rows[:c.n] }

// Decades is by how many powers of ten the connection is rarer, among ordinary
// ones, than its row of conn.log alone, which is one in own: less than 0 where
// the other logs have nothing to say of it. Logs are added up as Fisher added
// up tests (Statistical Methods for Research Workers, 1925, §21.1): of k logs,
// whose rows are one in N₁, N₂ …, one in N₁N₂… is as rare as a share
// P(1 + x + x²/2 + … + xᵏ⁻¹/(k−1)!), where P = 1/(N₁N₂…) and x = −ln P.
func (c *Case) Decades(own float64) float64 {
	if c.n == 0 {
		return 0
	}
	alone := math.Log(max(own, 1))
	x := alone
	for _, r := range c.rows[:c.n] { // in an order that no order of rows changes
		x += math.Log(max(r.OneIn, 1))
	}
	sum, term := 1.0, 1.0
	for i := 1; i <= c.n; i++ {
		term *= x / float64(i)
		sum += term
	}
	return (x - math.Log(sum) - alone) / math.Ln10
}

// Score returns the anomaly_score that a connection would have which is as rare, by
// its row of conn.log alone, as this one is by all: anomaly_case. It is own, its
// score by the model, where no other log has a row of it.
func (c *Case) Score(m *model.Model, own model.Score) float64 {
	if c.n == 0 {
		return own.Value
	}
	return m.Rarer(own, c.Decades(float64(m.OneIn(own.Path))))
}

// AppendReasons appends what the other logs say, to be read after the reason of
// the row of conn.log: "; ssl.log 0.6213, 1 in 240: …".
func (c *Case) AppendReasons(dst []byte) []byte {
	for i := range c.rows[:c.n] {
		dst = c.rows[i].AppendReason(append(dst, "; "...))
	}
	return dst
}

// AppendReason appends what the row says: "ssl.log 0.6213, 1 in 240: …".
func (r *Row) AppendReason(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%s.log %.4f, 1 in %.0f", r.Log, r.Score, r.OneIn)
	if r.Reason != "" {
		dst = append(append(dst, ": "...), r.Reason...)
	}
	return dst
}
