package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// connections are n of a few hosts.
func connections(n int) []conn.Conn {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]conn.Conn, n)
	for i := range list {
		list[i] = conn.Conn{
			TS: conn.FromSeconds(1.7e9 + float64(i)/7), Duration: conn.FromSeconds(r.ExpFloat64()),
			OrigBytes: r.Uint64N(1e4), RespBytes: r.Uint64N(1e6), OrigPkts: r.Uint64N(50), RespPkts: r.Uint64N(50),
			Service: []string{"ssl", "http", "dns", "ssl,http"}[r.IntN(4)], State: []conn.State{conn.SF, conn.S0, conn.RSTO}[r.IntN(3)], Proto: conn.TCP, IPProto: 6,
			Orig: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(50))}), uint16(r.IntN(65536))),
			Resp: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 88, 99, byte(r.IntN(250))}), []uint16{53, 80, 443, 8443}[r.IntN(4)]),
			Set:  conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.IPProto,
		}
	}
	return list
}

// BenchmarkSensorsInTurns scores rows of all logs as Zeek gives them, a thousand of
// each in turns, and tells the processor time of a row of conn.log, the least of all
// turns, and how many times that one of another log takes. On a busy machine these
// ratios hold where a clock says nothing.
func BenchmarkSensorsInTurns(b *testing.B) {
	conns := connections(4096)
	m, _, err := learn.Fit(rowtest.Each(conns), learn.Options{Seed: 1})
	require.NoError(b, err)
	path := filepath.Join(b.TempDir(), "conn.model")
	require.NoError(b, m.WriteFile(path))
	s := sensor.New(model.DefaultHosts)
	require.NoError(b, s.LoadFile(path))
	records := make([]*sensor.Record, len(conns))
	for i := range records {
		records[i] = recordOf(&conns[i])
	}
	at := 0
	turns := []func(){func() {
		for range 1000 {
			_, _ = s.Score(records[at%len(records)])
			at++
		}
	}}
	for _, trained := range []func(testing.TB, int) (*sensor.Sensor, [][]sensor.Value){trainedDNSSensor, trainedHTTPSensor, trainedSSLSensor} {
		s, list := trained(b, 4096)
		at := 0
		turns = append(turns, func() {
			for range 1000 {
				_, _ = s.ScoreValues(list[at%len(list)])
				at++
			}
		})
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	least := make([]time.Duration, len(turns))
	for b.Loop() {
		for i, turn := range turns {
			begin := threadTime(b)
			turn()
			if took := threadTime(b) - begin; least[i] == 0 || took < least[i] {
				least[i] = took
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(least[0].Nanoseconds())/1000, "ns/conn")
	for i, log := range scoredLogs()[1:] {
		b.ReportMetric(float64(least[i+1])/float64(least[0]), fmt.Sprint(log, "/conn"))
	}
}

// threadTime is the processor time of this thread.
func threadTime(b *testing.B) time.Duration {
	var at unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at))
	return time.Duration(at.Nano())
}
