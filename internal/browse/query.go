package browse

import (
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// query is what rows are looked for.
type query struct {
	host     string // address, its beginning, or a network
	service  string
	any      bool // of any service
	low      float32
	high     float32
	reason   int // feature, noReason for any
	from, to conn.Micros
	incident int  // number, -1 for any
	byTime   bool // the latest first, else the strangest
}

func parseQuery(v url.Values) (q query, err error) {
	q = query{host: strings.TrimSpace(v.Get("host")), service: v.Get("service"), any: !v.Has("service"), high: 1, reason: noReason, to: math.MaxInt64, incident: -1}
	number := func(name string, at func(float64)) {
		text := v.Get(name)
		if text == "" || err != nil {
			return
		}
		n, bad := strconv.ParseFloat(text, 64)
		if bad != nil || math.IsNaN(n) || math.Abs(n) > 1e12 {
			err = fmt.Errorf("%s: %q is not a number", name, text)
			return
		}
		at(n)
	}
	number("low", func(n float64) { q.low = float32(n) })
	number("high", func(n float64) { q.high = float32(n) })
	number("from", func(n float64) { q.from = conn.Micros(n * 1e6) })
	number("to", func(n float64) { q.to = conn.Micros(n * 1e6) })
	number("incident", func(n float64) { q.incident = int(n) })
	number("reason", func(n float64) { q.reason = int(n) })
	if q.reason < noReason || q.reason >= feature.Conn.N() {
		err = fmt.Errorf("reason: there is no feature %d", q.reason)
	}
	switch v.Get("sort") {
	case "", "score":
	case "time":
		q.byTime = true
	default:
		err = fmt.Errorf("sort: %q is neither score nor time", v.Get("sort"))
	}
	return q, err
}

// find lists the rows that match, in the order asked for. Of an incident they
// are those of within.
func (x *index) find(q query, within []int) []int32 {
	var hosts []bool // by number; nil for any
	if q.host != "" {
		hosts = make([]bool, len(x.hosts))
		network, err := netip.ParsePrefix(q.host)
		for i, a := range x.hosts {
			hosts[i] = err == nil && network.Contains(a) || err != nil && strings.HasPrefix(a.String(), q.host)
		}
	}
	service := int16(-1)
	if !q.any {
		if service = int16(slices.Index(x.services, q.service)); service < 0 {
			return nil
		}
	}
	order := x.byScore
	if q.byTime {
		order = x.byTime
	}
	if q.incident >= 0 {
		in := map[int32]bool{}
		for _, i := range within {
			in[int32(i)] = true
		}
		var some []int32
		for _, i := range order {
			if in[i] {
				some = append(some, i)
			}
		}
		order = some
	}
	found := make([]int32, 0, 1024)
	for _, i := range order {
		f := &x.facts[i]
		if f.score < q.low || f.score > q.high || f.ts < q.from || f.ts >= q.to ||
			service >= 0 && f.service != service || hosts != nil && !hosts[f.orig] && !hosts[f.resp] ||
			q.reason != noReason && int(f.reason) != q.reason {
			continue
		}
		found = append(found, i)
	}
	return found
}
