package service

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestMemoryIsBounded feeds every analyzer far more than any message has, and
// weighs what it keeps.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("feeds 4 MB to each analyzer")
	}
	const (
		block = 16 << 10
		total = 4 << 20
		most  = 2 << 20
	)
	noise := make([]byte, block)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	blocks := [][]byte{
		make([]byte, block), bytes.Repeat([]byte{0xff}, block), bytes.Repeat([]byte{'A'}, block),
		bytes.Repeat([]byte("\x30\x84\x7f\xff\xff\xff"), block/6), bytes.Repeat([]byte("x\r\n"), block/3), noise,
	}
	begin := map[protocolID][]detection{}
	for _, d := range allDetections() {
		for id := range protocols {
			p := &protocols[id]
			if list := map[bool][]uint16{true: p.udp, false: p.tcp}[d.udp]; len(list) > 0 && list[0] == d.port && len(begin[protocolID(id)]) < 3 {
				begin[protocolID(id)] = append(begin[protocolID(id)], d)
			}
		}
	}
	for id := range protocols {
		if protocols[id].make == nil {
			continue
		}
		t.Run(protocols[id].name, func(t *testing.T) {
			for _, d := range append(begin[protocolID(id)], detection{}) {
				for _, b := range blocks {
					before := heapInUse()
					c := newConnection(NewTracker(), d.udp, 59999)
					c.detector.root.attach(protocolID(id))
					for _, s := range d.turns {
						c.play(s)
					}
					c.orig = 2 * ignoreViolationsAfter // so none of them ends it
					for i := range total / block {
						c.detector.Data(i&1 == 0, b, 0)
						c.detector.Data(true, b, 0)
						c.detector.EndPacket()
					}
					assert.Less(t, heapInUse()-before, int64(most), "behind %q, %q...", d.name, b[:6])
					runtime.KeepAlive(c)
				}
			}
		})
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
