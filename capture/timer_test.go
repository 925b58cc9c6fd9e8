package capture

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// plainTimers is a sorted list: the slow twin of timerQueue.
type plainTimers struct {
	armed []plainTimer
	order uint64
}

type plainTimer struct {
	timer
	c    *connection
	kind timerKind
}

func (q *plainTimers) cancel(c *connection, kind timerKind) {
	q.armed = slices.DeleteFunc(q.armed, func(t plainTimer) bool { return t.c == c && t.kind == kind })
}

func (q *plainTimers) remove(c *connection) {
	q.armed = slices.DeleteFunc(q.armed, func(t plainTimer) bool { return t.c == c })
}

func (q *plainTimers) arm(c *connection, kind timerKind, due float64) {
	q.cancel(c, kind)
	q.order++
	q.armed = append(q.armed, plainTimer{timer{due, q.order}, c, kind})
	slices.SortFunc(q.armed, func(a, b plainTimer) int { return less(a.before(b.timer)) })
}

func (q *plainTimers) due(now float64) (*connection, timerKind, bool) {
	if len(q.armed) == 0 || q.armed[0].due > now {
		return nil, 0, false
	}
	t := q.armed[0]
	q.armed = q.armed[1:]
	return t.c, t.kind, true
}

func TestTimersComeInTheOrderOfAPlainList(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		fast := timerQueue{useWheel: true, heap: timerHeap{timers: []heapTimer{{due: math.Inf(1)}}}}
		var slow plainTimers
		connections := make([]connection, 40)
		now := float64(r.IntN(2) * epoch)
		fast.anyDue(now)
		for range 3000 {
			c := &connections[r.IntN(len(connections))]
			kind := timerKind(r.IntN(int(numTimers)))
			switch n := r.IntN(20); {
			case n < 12:
				due := now + pick(r, 0, 0.5, 5, 5, 6, 10, 60, 300, 3600, -10, -100) + float64(r.IntN(4))/4
				fast.arm(c, kind, due)
				slow.arm(c, kind, due)
			case n < 14:
				fast.cancel(c, kind)
				slow.cancel(c, kind)
			case n < 15:
				fast.remove(c)
				slow.remove(c)
			default:
				now += pick(r, 0, 0.1, 1, 4, 30, 400, 9000)
				fast.anyDue(now)
				for range r.IntN(20) {
					c, kind, ok := fast.due(now)
					cc, kk, okk := slow.due(now)
					require.Equal(t, okk, ok)
					if !ok {
						break
					}
					require.Same(t, cc, c)
					require.Equal(t, kk, kind)
					if r.IntN(2) == 0 { // a timer that arms itself again
						fast.arm(c, kind, now+6)
						slow.arm(c, kind, now+6)
					}
					fast.done(c)
				}
			}
		}
	}
}

func TestTimersAllocateNothing(t *testing.T) {
	q := timerQueue{useWheel: true, heap: timerHeap{timers: []heapTimer{{due: math.Inf(1)}}}}
	connections := make([]connection, 100)
	now := float64(epoch)
	q.anyDue(now)
	round := func() {
		for i := range connections {
			q.arm(&connections[i], inactivityTimer, now+60)
			q.arm(&connections[i], endTimer, now+5)
		}
		now += 6
		q.anyDue(now)
		for {
			c, _, ok := q.due(now)
			if !ok {
				break
			}
			q.done(c)
		}
	}
	round()
	require.Zero(t, testing.AllocsPerRun(50, round))
}
