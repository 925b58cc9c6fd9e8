package browse

import (
	"cmp"
	"math"
	"net/netip"
	"runtime"
	"slices"
	"sync"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// withReason is how many rows, the strangest, can be found by their reason:
// finding a reason takes longer than all else.
const withReason = 20000

// noReason stands for a row without one, or beyond withReason.
const noReason = -1

// fact is what rows are filtered by, small, because each filter looks at all.
type fact struct {
	ts      conn.Micros
	score   float32
	orig    int32 // in index.hosts
	resp    int32
	service int16 // in index.services
	reason  int8  // feature
}

// index finds rows.
type index struct {
	facts    []fact
	hosts    []netip.Addr
	services []string
	counts   []int    // rows of each service
	byScore  []int32  // the strangest first
	byTime   []int32  // the latest first
	reasons  []reason // there are, most rows first
}

// reason is one that rows can be filtered by.
type reason struct {
	Feature int    `json:"feature"`
	Name    string `json:"name"`
	Rows    int    `json:"rows"`
}

func newIndex(l *Log) *index {
	x := &index{facts: make([]fact, len(l.Rows)), byScore: make([]int32, len(l.Rows))}
	hosts, services := map[netip.Addr]int32{}, map[string]int16{}
	host := func(a netip.Addr) int32 {
		id, ok := hosts[a]
		if !ok {
			id = int32(len(x.hosts))
			hosts[a], x.hosts = id, append(x.hosts, a)
		}
		return id
	}
	for i := range l.Rows {
		r := &l.Rows[i]
		c := &r.Conn
		id, ok := services[c.Service]
		if !ok && len(x.services) < math.MaxInt16 {
			id = int16(len(x.services))
			services[c.Service], x.services, x.counts = id, append(x.services, c.Service), append(x.counts, 0)
		}
		x.counts[id]++
		x.facts[i] = fact{c.TS, float32(r.Score), host(c.Orig.Addr()), host(c.Resp.Addr()), id, noReason}
		x.byScore[i] = int32(i)
	}
	x.byTime = slices.Clone(x.byScore)
	slices.SortFunc(x.byScore, func(a, b int32) int {
		return cmp.Or(cmp.Compare(x.facts[b].score, x.facts[a].score), cmp.Compare(a, b))
	})
	slices.SortFunc(x.byTime, func(a, b int32) int {
		return cmp.Or(cmp.Compare(x.facts[b].ts, x.facts[a].ts), cmp.Compare(b, a))
	})
	x.findReasons(l)
	return x
}

// findReasons says of the strangest rows which feature counts most.
func (x *index) findReasons(l *Log) {
	if l.Model == nil {
		return
	}
	strangest := x.byScore[:min(withReason, len(x.byScore))]
	var wait sync.WaitGroup
	for part := range slices.Chunk(strangest, max(1, len(strangest)/runtime.GOMAXPROCS(0)+1)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for _, i := range part {
				for _, why := range l.scored(int(i)).Explain(3) {
					if why.Credit > 0 && !why.Absent {
						x.facts[i].reason = int8(why.Feature)
						break
					}
				}
			}
		}()
	}
	wait.Wait()
	rows := make([]int, feature.Conn.N())
	for _, i := range strangest {
		if f := x.facts[i].reason; f != noReason {
			rows[f]++
		}
	}
	for f, n := range rows {
		if n > 0 {
			x.reasons = append(x.reasons, reason{f, feature.Conn.Features[f].Name, n})
		}
	}
	slices.SortStableFunc(x.reasons, func(a, b reason) int { return cmp.Compare(b.Rows, a.Rows) })
}
