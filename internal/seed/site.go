package main

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// One capture holds a connection or three, and no host in it is busy. So the
// seed learns from a site: people who do at random times what the captures
// hold, so that their connections meet in five minutes, and what is used again
// is known again.
const (
	people     = 10
	days       = 2
	hours      = 10 // of work, a day
	plays      = 20 // of each capture
	wholeDay   = 200
	monday     = conn.Micros(1_700_000_000_000_000)
	microsHour = 3600e6
)

// play composes the site. A capture of so many rows as a working day is played
// once, as it is. The rows come in the order of a log.
func play(captures [][]conn.Conn, draw uint64) []conn.Conn {
	random := rand.New(rand.NewPCG(draw, draw))
	var site []conn.Conn
	for _, rows := range captures {
		if len(rows) >= wholeDay {
			site = appendPlay(site, rows, monday, nil)
			continue
		}
		rows = shortened(rows)
		for range plays {
			day, hour := random.IntN(days), random.Float64()*hours
			start := monday + conn.Micros(day)*24*microsHour + conn.Micros(hour*microsHour)
			site = appendPlay(site, rows, start, actors(rows, random))
		}
	}
	slices.SortStableFunc(site, func(a, b conn.Conn) int { return cmp.Compare(a.End(), b.End()) })
	return site
}

// shortened moves connections that begin more than an hour after the ones
// before: some traces were put together of what was captured years apart.
func shortened(rows []conn.Conn) []conn.Conn {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b conn.Conn) int { return cmp.Compare(a.TS, b.TS) })
	shift, last := conn.Micros(0), rows[0].TS
	for i := range rows {
		shift += max(rows[i].TS-last-microsHour, 0)
		last = rows[i].TS
		rows[i].TS -= shift
	}
	return rows
}

// actors gives each originator of a capture the address of one of the people,
// some of whom do more than others: the k-th in proportion to 1/k.
func actors(rows []conn.Conn, random *rand.Rand) map[netip.Addr]netip.Addr {
	var sum float64
	for k := range people {
		sum += 1 / float64(k+1)
	}
	of := make(map[netip.Addr]netip.Addr)
	for i := range rows {
		addr := rows[i].Orig.Addr()
		if _, there := of[addr]; there {
			continue
		}
		k := 0
		for x := random.Float64() * sum; k < people-1 && x > 1/float64(k+1); k++ {
			x -= 1 / float64(k+1)
		}
		of[addr] = netip.AddrFrom4([4]byte{10, 1, 0, byte(k + 1)})
		if !addr.Is4() {
			of[addr] = netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(k + 1)})
		}
	}
	return of
}

// appendPlay appends the rows of a capture, moved to a start, their hosts
// replaced.
func appendPlay(site, rows []conn.Conn, start conn.Micros, actor map[netip.Addr]netip.Addr) []conn.Conn {
	replaced := func(e netip.AddrPort) netip.AddrPort {
		if a, there := actor[e.Addr()]; there {
			return netip.AddrPortFrom(a, e.Port())
		}
		return e
	}
	first := rows[0].TS
	for _, c := range rows {
		c.TS += start - first
		c.Orig, c.Resp = replaced(c.Orig), replaced(c.Resp)
		site = append(site, c)
	}
	return site
}
