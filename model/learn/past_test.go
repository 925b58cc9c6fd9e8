package learn

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

func from(host byte, ts conn.Micros) conn.Conn {
	return conn.Conn{
		TS: ts, Proto: conn.TCP, State: conn.SF, OrigIPBytes: 1000, RespIPBytes: 5000,
		Orig: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, host}), 1),
		Resp: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, 1}), 443),
	}
}

// rowOf is the row of a connection.
func rowOf(c *conn.Conn, w feature.Window) *feature.Row {
	r := new(feature.Row)
	r.SetConn(c, w, nil)
	return r
}

func TestQuarantine(t *testing.T) {
	const hour = day / 24
	type seen struct {
		host byte
		ts   conn.Micros
		want bool
	}
	for name, rows := range map[string][]seen{
		"on the first day":                   {{1, 23 * hour, true}},
		"by a row that began before":         {{1, -5 * hour, true}},
		"one source, at any volume":          {{1, 30 * hour, false}, {1, 31 * hour, false}, {1, 6 * day, false}, {1, 8*day + 6*hour, true}},
		"two sources":                        {{1, 30 * hour, false}, {2, 31 * hour, false}, {1, 60 * hour, false}, {2, 9 * day, true}},
		"three sources within the day":       {{1, 30 * hour, false}, {2, 31 * hour, false}, {3, 53 * hour, false}, {1, 54 * hour, true}},
		"many sources, not within the day":   {{1, 30 * hour, false}, {2, 30 * hour, false}, {3, 30 * hour, false}, {4, 53 * hour, false}},
		"the clock was set back by a year":   {{1, -365 * day, false}, {2, -365 * day, false}, {3, -364 * day, true}},
		"a row of another century":           {{1, 30 * hour, false}, {1, 36500 * day, true}},
		"the third source comes on the tick": {{1, 30 * hour, false}, {2, 30 * hour, false}, {3, 54 * hour, true}},
	} {
		var q quarantine
		for i, s := range rows {
			c := from(s.host, s.ts)
			require.Equal(t, s.want, q.see(rowOf(&c, feature.Window{}), 0), "%s, row %d", name, i)
		}
	}
}

// Each kind has the same chance, whatever its volume, and within a kind each row.
func TestCellsAreBalanced(t *testing.T) {
	s := newCells(feature.Conn, 100, newRandom(1, 1), 0)
	offered := 0
	for kind := range uint64(10) {
		for i := range 1 << kind * 3 { // 3 to 1536 rows
			if at := s.offer(s.find(kind)); at >= 0 {
				s.rows.put(at, &feature.Sample{Codes: [feature.MaxCodes]uint64{kind, uint64(min(2*i/(1<<kind*3), 1))}})
			}
			offered++
		}
	}
	require.Greater(t, offered, 3000)
	var drawn [10]int
	var late int
	dst := newSamples(feature.Conn, 100)
	for tree := range 1000 {
		s.draw(dst, 0, dst.room(), 0, newRandom(7, uint64(tree)))
		for i := range dst.room() {
			row := dst.at(i)
			drawn[row.Codes[0]]++
			late += int(row.Codes[1])
		}
	}
	for kind, n := range drawn {
		require.InEpsilon(t, 10_000, n, 0.05, "kind %d", kind)
	}
	require.InDelta(t, 50_000, late, 12_000, "the second half of a kind's rows")
}

func TestCellsForgetTheStalest(t *testing.T) {
	s := newCells(feature.Conn, 3, newRandom(1, 1), 0)
	for _, key := range []uint64{1, 2, 3, 1, 4} {
		s.offer(s.find(key))
	}
	require.Equal(t, -1, s.table.Find(2))
	require.GreaterOrEqual(t, s.table.Find(1), 0)
	require.Equal(t, uint64(1), s.cells[s.table.Find(4)].met, "nothing of the old cell is left")
}

func TestKindsOfLastMonthShapeModels(t *testing.T) {
	s := newCells(feature.Conn, 10, newRandom(1, 1), cellMemory)
	for key, last := range map[uint64]conn.Micros{1: 0, 2: 20 * day, 3: 40 * day} {
		place := s.find(key)
		s.offer(place)
		s.cells[place].last = last
	}
	require.Equal(t, 2, s.available(41*day))
	require.Equal(t, 3, s.available(400*day), "rather old ones than none")
}

// On a sensor new kinds shape nothing, displace nothing and are counted in no
// table until they are admitted.
func TestPastKeepsNewKindsApart(t *testing.T) {
	p := newPast(Options{}.withDefaults(), true)
	for i := range earlyRows + 100 {
		c := from(byte(i), conn.Micros(i))
		p.observe(rowOf(&c, feature.Window{Connections: 1}))
	}
	counted, kinds := p.counter.Rows(), p.cells.table.Len()
	require.Equal(t, uint64(earlyRows+100), counted)
	for i := range 20_000 { // more kinds than there are cells
		c := from(1, 2*day)
		c.State = conn.S1
		c.OrigIPBytes, c.RespIPBytes, c.Service = 1<<(i%40), 1<<(i/40%40), string(rune('a'+i/1600))
		c.Set = conn.Service
		p.observe(rowOf(&c, feature.Window{Connections: 1}))
	}
	require.Equal(t, counted, p.counter.Rows())
	require.Equal(t, kinds, p.cells.table.Len())
	require.LessOrEqual(t, p.waiting.table.Len(), maxWaiting)

	c := from(1, 2*day)
	c.State = conn.S2
	for _, host := range []byte{1, 2, 3} {
		c = from(host, 2*day+conn.Micros(host))
		c.State = conn.S2
		p.observe(rowOf(&c, feature.Window{Connections: 1}))
	}
	c.TS += day
	p.observe(rowOf(&c, feature.Window{Connections: 1}))
	require.Equal(t, counted+1, p.counter.Rows(), "admitted")
	place := p.cells.table.Find(rowOf(&c, feature.Window{}).Cell)
	require.GreaterOrEqual(t, place, 0)
	require.GreaterOrEqual(t, int(p.cells.cells[place].kept), 2, "with the rows of its quarantine")
}

func TestRowsServeTreesOrCurve(t *testing.T) {
	p := newPast(Options{}.withDefaults(), false)
	for i := range 20_000 {
		c := from(1, conn.Micros(i))
		c.OrigIPBytes = 1 << (i % 30) // a row or eight of each kind
		c.MissedBytes = uint64(i)
		p.observe(rowOf(&c, feature.Window{Connections: 1}))
	}
	forTrees := map[float32]bool{}
	for i := range p.cells.table.Len() {
		for j := range int(p.cells.cells[i].kept) {
			forTrees[p.cells.rows.at(i*cellRows + j).Vector[7]] = true
		}
	}
	n, early := p.curveRows()
	require.False(t, early)
	require.InDelta(t, 20_000/calibrationShare, n, 200)
	for i := range n {
		if s := p.forCurve(i, early); forTrees[s.Vector[7]] {
			t.Fatalf("row %v serves both", s.Vector[7])
		}
	}
}

func TestObserveDoesNotAllocate(t *testing.T) {
	l := NewLearner(Options{})
	i := 0
	c := from(1, 0)
	var r feature.Row
	require.Zero(t, testing.AllocsPerRun(5000, func() {
		i++
		c.TS, c.OrigIPBytes = conn.Micros(i)*1e6, 1<<(i%30)
		r.SetConn(&c, feature.Window{Connections: 1}, nil)
		l.past.observe(&r)
	}))
}
