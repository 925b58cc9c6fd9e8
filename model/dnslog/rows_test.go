package dnslog

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// asked are n ordinary queries, one a second.
func asked(n int) []Query {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]Query, n)
	for i := range list {
		q := &list[i]
		q.TS = conn.Micros(1_700_000_000_000_000 + i*1_000_000)
		q.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(30))}), 40000)
		q.Resp = netip.MustParseAddrPort("10.0.0.53:53")
		q.RTT, q.QType, q.RCode = conn.Micros(1000+r.IntN(30000)), uint64([]int{1, 1, 1, 28, 65}[r.IntN(5)]), 0
		q.Query = []string{"www", "mail", "cdn", "api"}[r.IntN(4)] + "." + []string{"example.com", "bbc.co.uk", "debian.org", "zeek.org"}[r.IntN(4)]
		q.Set = RTT | QueryName | QType | RCode
		for range r.IntN(3) {
			q.AddAnswer("192.0.2.1")
			q.AddTTL(conn.Micros(r.IntN(3600)) * 1e6)
		}
	}
	return list
}

func TestRows(t *testing.T) {
	r := NewRows(100)
	var row feature.Row
	for i := range 100 {
		q := asked(1)[0]
		q.TS += conn.Micros(i) * 1e6
		q.Query = fmt.Sprintf("%040d.T.Evil.duckdns.org", i)
		q.RCode = 3
		w := r.Observe(&row, &q)
		require.EqualValues(t, 43*(i+1), w.Domain.PairBytes, "the names are new")
		require.NoError(t, Set.CheckSample(&row.Sample))
	}
	near := func(n float64, i int) {
		require.InDelta(t, n, feature.Exp(float64(row.Vector[i]))-1, n/8, Set.Features[i].Name)
	}
	near(59, length)
	near(40, longestLabel)
	near(5, labels)
	near(100, queries)
	near(100, nxdomains)
	near(1, domains)
	near(100, names)
	near(100, domainQueries)
	near(4300, newNames)
	require.EqualValues(t, 1, row.Vector[nxShare])
	require.EqualValues(t, feature.Unset, row.Vector[answers])
	require.Equal(t, feature.CodeOf("evil.duckdns.org"), row.Codes[domainCode])

	q := Query{Seen: conn.Seen{Orig: netip.MustParseAddrPort("[fe80::1]:5353"), Resp: netip.MustParseAddrPort("[ff02::fb]:5353")}, Absent: QueryName | RCode | QType}
	r.Observe(&row, &q)
	require.NoError(t, Set.CheckSample(&row.Sample))
	require.Equal(t, uint64(feature.NoCode), row.Codes[domainCode])
	require.Equal(t, Without(q.Absent), row.Absent)
	r.Observe(&row, &Query{Seen: q.Seen})
	require.EqualValues(t, ofName, row.Absent, "a row without a name")
	require.Zero(t, row.Codes[domainCode])
}

// What a log writes otherwise is the same row.
func TestNotationsAreTheSameRow(t *testing.T) {
	a, b := NewRows(10), NewRows(10)
	var x, y feature.Row
	q, p := asked(1)[0], asked(1)[0]
	q.Query, p.Query = "J\xe4ger\x00.Pirate.sea", `j\xe4ger\x00.pirate.sea`
	q.Answers, p.Answers, q.AnswerBytes, p.AnswerBytes = 0, 0, 0, 0
	q.AddAnswer("TXT 3 \xff\xfe\\")
	p.AddAnswer(`TXT 3 \xff\xfe\`)
	a.Observe(&x, &q)
	b.Observe(&y, &p)
	require.Equal(t, x, y)
}

func TestRowsDoNotAllocate(t *testing.T) {
	r := NewRows(100)
	list := asked(200)
	list[0].Query = strings.Repeat("x.", 1<<15)
	var row feature.Row
	i := 0
	require.Zero(t, testing.AllocsPerRun(500, func() {
		r.Observe(&row, &list[i%len(list)])
		r.Peek(&row, &list[i%len(list)])
		i++
	}))
}

func TestPeekAndState(t *testing.T) {
	r := NewRows(50)
	var row, peeked, want feature.Row
	for i, q := range asked(2000) {
		r.Peek(&peeked, &q)
		r.Observe(&row, &q)
		require.Equal(t, row, peeked)
		if i%500 == 99 {
			var states [][]byte
			for from := 0; from < r.Places(); from += 7 {
				states = append(states, r.AppendState(nil, from, 7))
			}
			again, err := RestoreRows(50, states...)
			require.NoError(t, err)
			r.Peek(&want, &q)
			again.Peek(&row, &q)
			require.Equal(t, want, row)
			r = again
			_, err = RestoreRows(50, states[0][:len(states[0])-1])
			require.Error(t, err)
			_, err = RestoreRows(50, states[0][:3])
			require.Error(t, err)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	r := NewRows(65536)
	list := asked(4096)
	var row feature.Row
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Observe(&row, &list[i%len(list)])
	}
}
