//go:build linux

package feature

import (
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// What a busy cluster says: sixteen workers of 5,000 connections a second each,
// balanced by addresses, on a campus of few
// hosts and of many. Each interval has room for some messages; the rest waits..
func TestBusyCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of CPU time")
	}
	const workers, perSecond, seconds, interval, rate = 16, 5000, 10, 5, 50_000
	for _, hostsN := range []uint64{2000, 100000} {
		r := rand.New(rand.NewPCG(1, 2))
		hostZipf := rand.NewZipf(r, 1.2, 50, hostsN-1)
		respZipf := rand.NewZipf(r, 1.2, 50, 200_000)
		owner := NewOwner(1 << 16)
		var ws [workers]*Hosts
		for i := range ws {
			ws[i] = NewHosts(1 << 16)
			ws[i].Share()
		}
		alone := NewHosts(1 << 16)
		var near, of [5]int // windows that know three quarters of what one sensor knows, of so many
		var sent, told, messages int
		var kinds [6]int
		var observing, sending, adding, telling, taking time.Duration
		total := 0
		for s := range seconds {
			rows := make([][]conn.Conn, workers)
			for range workers * perSecond {
				a, b := hostZipf.Uint64(), respZipf.Uint64()
				c := conn.Conn{TS: conn.Micros(1e15) + conn.Micros(s)*1e6, Proto: conn.TCP, State: conn.SF, Set: conn.Duration, Duration: conn.Micros(r.IntN(1e6))}
				port := uint16(443)
				switch x := r.IntN(100); {
				case x < 30:
					port, c.Proto = 53, conn.UDP
					b %= 4
				case x < 40:
					port = uint16(r.IntN(2000))
				}
				if r.IntN(20) == 0 {
					c.State = conn.S0
				}
				c.OrigIPBytes = uint64(r.ExpFloat64() * 2000)
				c.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(a >> 16), byte(a >> 8), byte(a)}), 40000)
				c.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, byte(b >> 16), byte(b >> 8), byte(b)}), port)
				w := mix(a^mix(b)) % workers
				rows[w] = append(rows[w], c)
			}
			for i := range rows[0] {
				for w := range rows {
					if i >= len(rows[w]) {
						continue
					}
					whole := known(alone.Observe(&rows[w][i]))
					if s < interval || i%8 > 0 {
						continue
					}
					for j, n := range known(ws[w].Peek(&rows[w][i])) {
						if whole[j] > 3 {
							of[j]++
							if n*4 >= whole[j]*3 {
								near[j]++
							}
						}
					}
				}
			}
			for w := range rows {
				begun := cpu()
				for i := range rows[w] {
					ws[w].Observe(&rows[w][i])
				}
				observing += cpu() - begun
				total += len(rows[w])
			}
			if (s+1)%interval != 0 {
				continue
			}
			for w := range ws {
				for room := rate * interval; ; {
					begun := cpu()
					data := ws[w].AppendCounts(nil, AllShards, min(room, MaxEvidence))
					sending += cpu() - begun
					if data == nil {
						break
					}
					room -= len(data)
					sent += len(data)
					messages++
					begun = cpu()
					if err := owner.AddCounts(w, data); err != nil {
						t.Fatal(err)
					}
					adding += cpu() - begun
				}
			}
			for room := rate * interval; ; {
				begun := cpu()
				data := owner.AppendTotals(nil, min(room, MaxEvidence))
				telling += cpu() - begun
				if data == nil {
					break
				}
				room -= len(data)
				told += len(data)
				rd, _ := readEvidence(data, totals)
				for before := len(rd.data); rd.next(&owner.entry); before = len(rd.data) {
					kinds[owner.entry.of] += before - len(rd.data)
				}
				begun = cpu()
				for w := range ws {
					if err := ws[w].TakeTotals(data); err != nil {
						t.Fatal(err)
					}
				}
				taking += cpu() - begun
			}
		}
		f := func(d time.Duration) float64 { return d.Seconds() / seconds * 100 }
		t.Logf("%d hosts: %d rows; a worker sends %.1f kB/s in %.2f messages/s, takes %.1f kB/s; worker: observing %.2f %%, sending %.2f %%, taking %.2f %% of a CPU; owner: adding %.2f %%, telling %.2f %%; told %v bytes",
			hostsN, total, float64(sent)/workers/seconds/1e3, float64(messages)/workers/seconds, float64(told)/seconds/1e3,
			f(observing)/workers, f(sending)/workers, f(taking)/workers, f(adding), f(telling), kinds[ofHost4:])
		for _, kind := range [...]byte{ofHost4, ofResponder, ofPort} { // a pair is one worker's
			if kinds[kind] == 0 {
				t.Errorf("no total of kind %d was told", kind)
			}
		}
		for j, what := range [...]string{"connections", "responders", "failures of the responder", "bytes of the pair", "uses of the port"} {
			t.Logf("    of %d windows %.3f know three quarters of the %s", of[j], float64(near[j])/float64(of[j]), what)
		}
	}
}

// cpu is the processor time that the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// known is what is compared of a window.
func known(w Window) [5]uint64 {
	return [...]uint64{uint64(w.Connections), uint64(w.Responders), uint64(w.RespFailures), w.PairBytes, uint64(w.PortUses)}
}
