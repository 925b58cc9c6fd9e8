package capture

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// plainHeap is Zeek's queue by its definition, swap by swap: the twin of
// timerHeap, which moves a hole instead.
type plainHeap []*plainElement

type plainElement struct {
	due float64
	id  int
}

func (h *plainHeap) push(e *plainElement) {
	*h = append(*h, e)
	h.rise(len(*h) - 1)
}

func (h plainHeap) rise(i int) {
	for ; i > 0 && h[i/2].due > h[i].due; i /= 2 {
		h[i], h[i/2] = h[i/2], h[i]
	}
}

func (h *plainHeap) pop() *plainElement {
	top := (*h)[0]
	(*h)[0] = (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	for i := 0; 2*i < len(*h); {
		left, right := 2*i, 2*i+1
		child := left
		if right < len(*h) && (*h)[left].due >= (*h)[right].due {
			child = right
		}
		if (*h)[child].due >= (*h)[i].due {
			break
		}
		(*h)[i], (*h)[child] = (*h)[child], (*h)[i]
		i = child
	}
	return top
}

func (h *plainHeap) cancel(e *plainElement) {
	i := slices.Index(*h, e)
	e.due = math.Inf(-1)
	h.rise(i)
	h.pop()
}

func TestHeapHasTheShapeOfThePlainOne(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 6))
		var fast timerHeap
		var slow plainHeap
		var armed []*plainElement
		places := make([]int32, 3000)
		for id := range places {
			e := &plainElement{due: float64(r.IntN(20)), id: id} // many equal ones
			fast.push(heapTimer{due: e.due, place: &places[id], kind: ownFragments})
			slow.push(e)
			armed = append(armed, e)
			for r.IntN(5) < 2 && len(armed) > 0 {
				if r.IntN(2) == 0 {
					got, ok := fast.due(30)
					require.True(t, ok)
					want := slow.pop()
					require.Same(t, &places[want.id], got.place)
					require.EqualValues(t, -1, places[want.id])
					armed = slices.DeleteFunc(armed, func(e *plainElement) bool { return e == want })
				} else {
					i := r.IntN(len(armed))
					fast.cancel(places[armed[i].id])
					slow.cancel(armed[i])
					armed = slices.Delete(armed, i, i+1)
				}
			}
		}
		require.Len(t, fast.timers, len(slow))
		for i, e := range slow {
			require.Same(t, &places[e.id], fast.timers[i].place)
			require.EqualValues(t, i, places[e.id])
		}
	}
}

// The timers that Zeek has of its own: 32 of tables, of which six are not
// armed again, and six others. They share the limit of 300 at a packet.
func TestZeeksOwnTimers(t *testing.T) {
	var h timerHeap
	h.init()
	run := func(now float64) (n int) {
		for {
			if _, ok := h.due(now); !ok {
				h.endPacket(now)
				return n
			}
			n++
		}
	}
	h.check.packets = 1
	require.Equal(t, 38, run(epoch))
	require.Len(t, h.timers, 32)
	h.check.packets = 30
	require.Equal(t, 3, run(epoch+1.5), "flush, heartbeat, broker")
	require.Equal(t, 30, run(epoch+11), "tables, the same three, checksums")
	require.Len(t, h.timers, 31, "enough packets were seen to judge their checksums")
}

// Beyond a limit the wheel takes over, without losing any.
func TestManyConnectionsTurnToTheWheel(t *testing.T) {
	w := newWire()
	const n = 10_000 // with two timers each: inactivity, DNS
	for i := range n {
		w.udp(dgram{at: float64(i) / 1e4, from: fmt.Sprintf("10.0.%d.1:%d", i>>12, 1024+i), to: "192.0.2.9:53"})
	}
	for i := range 40 { // 300 timers at most are run at each
		w.udp(dgram{at: 30 + float64(i), from: "10.0.0.9:9", to: "192.0.2.9:9"})
	}
	r, err := NewReader(&w.buf, Options{})
	require.NoError(t, err)
	r.table.timers.most = 15_000
	var row conn.Conn
	for i := range n {
		require.NoError(t, r.Read(&row))
		require.EqualValues(t, epoch*second+100*conn.Micros(i), row.TS, "in the order in which they fell due")
	}
	require.True(t, r.table.timers.useWheel)
	require.NoError(t, r.Read(&row))
	require.ErrorIs(t, r.Read(&row), io.EOF)
}
