package evaluate

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sort"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Site is a log to lay attacks over: its rows in log order, its own hosts and
// when they are at work.
type Site struct {
	rows  []Row
	ends  []conn.Micros // the latest end of a connection up to each row
	hosts []conn.Host   // the site's own originators
	work  map[conn.Host][]int
	peers []conn.Host // the site's own hosts, as targets

	absent uint64 // fields that all rows lack
}

// own reports whether an address is the site's own: by the log where it says
// so, else by being private.
func own(set, local bool, a netip.Addr) bool { return set && local || !set && a.IsPrivate() }

// steady is how many connections a host should have made to be chosen.
const steady = 10

// NewSite keeps the rows, which must not change. It fails where the log shows
// no host of its own.
func NewSite(rows []Row) (*Site, error) {
	s := &Site{rows: rows, work: map[conn.Host][]int{}}
	latest := conn.Micros(-1 << 63)
	peers := map[conn.Host]bool{}
	s.absent = ^uint64(0)
	for i := range rows {
		c := &rows[i].Conn
		s.absent &= rows[i].absent()
		latest = max(latest, c.End())
		s.ends = append(s.ends, latest)
		if own(c.Has(conn.LocalOrig), c.LocalOrig, c.Orig.Addr()) {
			s.work[c.OrigHost()] = append(s.work[c.OrigHost()], i)
			peers[c.OrigHost()] = true
		}
		if own(c.Has(conn.LocalResp), c.LocalResp, c.Resp.Addr()) && !c.Resp.Addr().IsMulticast() {
			peers[c.RespHost()] = true
		}
	}
	for host, at := range s.work {
		if len(at) >= steady {
			s.hosts = append(s.hosts, host)
		}
	}
	if len(s.hosts) == 0 {
		return nil, fmt.Errorf("no host of the site's own made %d connections: neither local_orig nor a private address names one", steady)
	}
	for h := range peers {
		s.peers = append(s.peers, h)
	}
	slices.SortFunc(s.hosts, compareHosts)
	slices.SortFunc(s.peers, compareHosts)
	return s, nil
}

func compareHosts(a, b conn.Host) int {
	return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Context, b.Context))
}

// Laid is an attack in its place in the log.
type Laid struct {
	Rows  []Row // that fit before the log's end, in the order of their ends
	Start conn.Micros
	at    []int // of each: the row of the log that it comes before
	site  *Site
}

// outside is where attacks from within go to: an address for documentation
// (RFC 5737), which no log holds already.
var outside = netip.AddrFrom4([4]byte{203, 0, 113, 77})

// Lay lays an attack over the log: one of its own hosts begins it at a moment
// when it also made a connection of its own, with a target of the same context
// (conn.Host). The same random numbers give the same place. Rows that would come
// after the log's end are left out.
func (s *Site) Lay(a Attack, random *rand.Rand) (*Laid, error) {
	host := s.hosts[random.IntN(len(s.hosts))]
	end := s.ends[len(s.ends)-1]
	rows := a.shape(random)
	at := slices.DeleteFunc(slices.Clone(s.work[host]), func(i int) bool { return s.rows[i].Conn.TS+rows[0].Conn.End() > end })
	if len(at) == 0 {
		return nil, fmt.Errorf("%s: the log is too short", a.Name)
	}
	beside := &s.rows[at[random.IntN(len(at))]].Conn
	start, target := beside.TS, outside
	switch {
	case a.Outside:
	case a.Resolver:
		target = beside.Resp.Addr()
	default:
		others := slices.DeleteFunc(slices.Clone(s.peers), func(p conn.Host) bool {
			return p == host || p.Context != host.Context || p.Addr.Is4() != host.Addr.Is4()
		})
		if len(others) > 0 {
			target = others[random.IntN(len(others))].Addr
		}
	}
	l := &Laid{Start: start, site: s}
	for i, row := range rows {
		c := &row.Conn
		c.TS += start
		if c.End() > end {
			continue
		}
		c.UID = fmt.Sprintf("Drill%d", i+1)
		c.Context = host.Context
		c.Orig = netip.AddrPortFrom(host.Addr, c.Orig.Port())
		if c.Proto != conn.ICMP {
			c.Orig = netip.AddrPortFrom(host.Addr, uint16(49152+random.IntN(16384)))
		}
		c.Resp = netip.AddrPortFrom(target, c.Resp.Port())
		c.LocalOrig, c.LocalResp = true, target != outside
		c.Set |= s.rows[0].Conn.Set & (conn.LocalOrig | conn.LocalResp)
		row.lack(s.absent) // as the log would have written it
		l.Rows = append(l.Rows, row)
	}
	slices.SortStableFunc(l.Rows, func(a, b Row) int { return int(min(max(a.Conn.End()-b.Conn.End(), -1), 1)) })
	for i := range l.Rows {
		l.at = append(l.at, sort.Search(len(s.ends), func(j int) bool { return s.ends[j] > l.Rows[i].Conn.End() }))
	}
	return l, nil
}

// Each passes all rows in order, those of the log and, with attack set, those
// laid over it. The rows must not be changed or kept.
func (l *Laid) Each(f func(row *Row, attack bool)) {
	next := 0
	for i := range l.site.rows {
		for ; next < len(l.Rows) && l.at[next] <= i; next++ {
			f(&l.Rows[next], true)
		}
		f(&l.site.rows[i], false)
	}
	for ; next < len(l.Rows); next++ {
		f(&l.Rows[next], true)
	}
}
