package model_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// Rows that an attacker chooses: learning and scoring take no more memory for
// them than is reserved, and no more time than for ordinary ones, but for a
// small factor.
func TestAdversarialRows(t *testing.T) {
	if testing.Short() {
		t.Skip("learns from a million rows")
	}
	const rows = 100_000
	base := traffic(1, 1)[0]
	base.Set, base.State, base.Proto = conn.Duration|conn.OrigBytes|conn.RespBytes, conn.SF, conn.TCP
	kinds := []struct {
		name string
		row  func(i int, c *conn.Conn)
	}{
		{"ordinary", nil},
		{"all equal", func(i int, c *conn.Conn) {}},
		{"sorted", func(i int, c *conn.Conn) { c.OrigBytes, c.RespBytes, c.OrigPkts = uint64(i), uint64(i)*7, uint64(i) }},
		{"sorted backwards, each far from the next", func(i int, c *conn.Conn) { c.OrigBytes = ^uint64(0) >> (i % 60) }},
		{"each from another host, of a thousand million", func(i int, c *conn.Conn) {
			n := uint32(i) * 2654435761 % 1_000_000_007
			c.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), 1)
		}},
		{"one host asks everybody on every port", func(i int, c *conn.Conn) {
			n := uint32(i) * 2654435761
			c.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), uint16(i))
		}},
		{"each with a service of its own", func(i int, c *conn.Conn) { c.Set |= conn.Service; c.Service = fmt.Sprint("x", i) }},
		{"every kind of connection there is", func(i int, c *conn.Conn) {
			c.Proto, c.State = conn.Proto(i%int(conn.NumProto)), conn.State(i/4%int(conn.NumState))
			c.Resp = netip.AddrPortFrom(c.Resp.Addr(), uint16(i))
			c.OrigBytes, c.RespBytes = uint64(1)<<(i%64), uint64(1)<<(i/64%64)
		}},
		{"times that jump back and forth by years", func(i int, c *conn.Conn) { c.TS += conn.Micros(i%7-3) * 365 * 86400e6 }},
	}
	ordinary := traffic(2, rows)
	var usual time.Duration
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			took := time.Duration(1 << 62)
			for range 2 {
				l, hosts := learn.NewLearner(learn.Options{Seed: 1}), feature.NewHosts(1<<12)
				var r feature.Row
				random := rand.New(rand.NewPCG(1, 1))
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				begin := cpuTime(t)
				for i := range rows {
					c := base
					if kind.row == nil {
						c = ordinary[i]
					} else {
						c.TS += conn.Micros(i) * 1000
						c.Orig = netip.AddrPortFrom(c.Orig.Addr(), uint16(random.Uint32()))
						kind.row(i, &c)
					}
					w := hosts.Observe(&c)
					var s model.Score
					if m := l.Model(); m != nil {
						s = inWindow(m, &c, w).Score
					}
					r.SetConn(&c, w, nil)
					l.Observe(&r, s)
					_, _ = l.Step() // what is refused leaves the model before it in use
				}
				took = min(took, cpuTime(t)-begin)
				runtime.GC()
				runtime.ReadMemStats(&after)
				require.Less(t, after.HeapAlloc, before.HeapAlloc+(64<<20))
				runtime.KeepAlive(l)
				runtime.KeepAlive(hosts)
				require.NotNil(t, l.Model())
			}
			t.Logf("%v a row", took/rows)
			if kind.row == nil {
				usual = took
				return
			}
			require.Less(t, took, 6*usual, "an attacker can slow the sensor down")
		})
	}
}

func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Rows of one value only: the paper's score of what cannot be told apart.
func TestRowsThatAreAllEqual(t *testing.T) {
	c := traffic(3, 1)[0]
	left := 5000
	m, _, err := learn.Fit(func(to *conn.Conn) error {
		if left--; left < 0 {
			return io.EOF
		}
		*to = c
		to.TS += conn.Micros(5000-left) * 86400e6 // an hour of its own each: the windows are equal too
		return nil
	}, learn.Options{})
	require.NoError(t, err)
	got := scored(t, m, []conn.Conn{c})
	require.True(t, got[0].Value > 0 && got[0].Value < 1, "%v", got[0])
}
