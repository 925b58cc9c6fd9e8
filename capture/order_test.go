package capture

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// TestOrderBehindBadChecksums: connections that begin at one instant end in the
// order that Zeek's heap gives. A packet whose IP checksum is wrong puts the
// timer of a weird into it (src/Reporter.cc); one whose TCP or UDP checksum is
// wrong is counted only behind an event that was due before it
// (find-checksum-offloading.zeek). The orders are those that Zeek 8.0.10 wrote.
func TestOrderBehindBadChecksums(t *testing.T) {
	for name, want := range map[string][]string{ // the ports that tell the rows apart
		"order-bruteforce": {"46490", "46492", "46494", "46500", "46498", "46496"},
		"order-halfscan":   {"143", "113", "554", "993", "111"},
		"order-synfin":     {"22", "54296", "3389", "54296", "1720", "587", "137", "9101"},
	} {
		t.Run(name, func(t *testing.T) {
			column := 4 // id.resp_p
			if name == "order-bruteforce" {
				column = 2
			}
			var got []string
			for _, row := range readCapture(t, testenv.Shared(t, "cases", name+".pcap"), Options{}) {
				got = append(got, row[column])
			}
			require.Equal(t, want, got)
		})
	}
}

// A weird takes a place in the heap once in ten minutes: for a pair of
// addresses in one direction, or for a name where there is no IP header.
func TestWeirdsHaveTimers(t *testing.T) {
	q := newTestTimers()
	w := newWeirds(q)
	a, b := address{0, 1}, address{0, 2}
	for _, step := range []struct {
		note   func(clock float64)
		clock  float64
		timers int
	}{
		{func(c float64) { w.flow(a, b, c) }, 1000, 1},
		{func(c float64) { w.flow(a, b, c) }, 1001, 1},
		{func(c float64) { w.flow(b, a, c) }, 1002, 2},
		{func(c float64) { w.net("truncated_IP", c) }, 1003, 3},
		{func(c float64) { w.net("truncated_IP", c) }, 1004, 3},
		{func(c float64) { w.note(weirdKey{name: "truncated_IP", inTunnel: true}, c) }, 1005, 4},
		{func(c float64) { w.flow(a, b, c) }, 1600, 4}, // its timer ran: anew
	} {
		own := 0
		for { // those of Zeek's own that come back are not of interest
			timer, ok := q.heap.due(step.clock)
			if !ok {
				break
			}
			require.Nil(t, timer.c)
		}
		step.note(step.clock)
		for _, timer := range q.heap.timers {
			if timer.kind == ownWeird {
				own++
			}
		}
		require.Equal(t, step.timers, own, "at %v", step.clock)
	}
}

// Made-up addresses do not fill the memory.
func TestWeirdsAreLimited(t *testing.T) {
	q := newTestTimers()
	w := newWeirds(q)
	for i := range uint64(maxWeirds + 1000) {
		w.flow(address{0, i}, address{1, i}, 1000)
	}
	require.Len(t, w.noted, maxWeirds)
	for {
		if _, ok := q.heap.due(1e6); !ok {
			break
		}
	}
	w.flow(address{2, 2}, address{2, 3}, 1e6)
	require.Len(t, w.noted, 1)
	require.Len(t, w.order, 1)
}

// The event that looks for bad checksums stands in line before the weirds of
// the packet at which it is due.
func TestChecksumsAreCountedBehindTheEvent(t *testing.T) {
	q := newTestTimers()
	q.heap.check.packets = 1
	q.heap.check.nowTCP = 1
	for {
		if _, ok := q.heap.due(100); !ok {
			break
		}
	}
	scheduled := func() (n int) {
		q.heap.endPacket(100)
		for _, timer := range q.heap.timers {
			if timer.kind == ownChecksums {
				n++
			}
		}
		return n
	}
	require.Equal(t, 1, scheduled(), "it is scheduled again")
	for {
		if _, ok := q.heap.due(110); !ok {
			break
		}
	}
	require.Zero(t, scheduled(), "now it has seen the checksum")
}
