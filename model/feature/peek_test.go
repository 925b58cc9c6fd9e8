package feature

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// hostsState is all that is kept.
func hostsState(h *Hosts) []byte { return h.AppendState(nil, 0, h.Places()) }

// Peek tells what Observe will, and leaves no trace.
func TestPeekIsObserveThatCountsNothing(t *testing.T) {
	for name, make := range map[string]func() *Hosts{
		"a whole log":               func() *Hosts { return NewHosts(100) },
		"more hosts than have room": func() *Hosts { return NewHosts(3) },
		"a partition":               func() *Hosts { return NewPartition(3) },
	} {
		t.Run(name, func(t *testing.T) {
			h, twin := make(), make()
			rows := traffic(11, 20_000)
			for i := range rows {
				if i%1000 == 0 {
					before := hostsState(h)
					for j := range 20 {
						h.Peek(&rows[(i+j*37)%len(rows)])
					}
					require.Equal(t, before, hostsState(h))
				}
				peeked := h.Peek(&rows[i])
				require.Equal(t, peeked, h.Peek(&rows[i]), "row %d, again", i)
				require.True(t, peeked.Open)
				peeked.Open = false
				require.Equal(t, peeked, h.Observe(&rows[i]), "row %d", i)
				require.Equal(t, peeked, twin.Observe(&rows[i]), "row %d, without a peek", i)
			}
			require.Equal(t, hostsState(twin), hostsState(h))
		})
	}
}

func TestPeekDoesNotAllocate(t *testing.T) {
	h, rows := NewHosts(100), traffic(12, 1000)
	for i := range rows {
		h.Observe(&rows[i])
	}
	i := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		h.Peek(&rows[i%len(rows)])
		i++
	}))
}

// That a connection which goes on is not closed is no news; all else of its row
// is what it would be at its end.
func TestOpenConnectionIsEstablished(t *testing.T) {
	c := traffic(13, 1)[0]
	texts := NewTexts()
	for state := range conn.NumState {
		c.State = state
		var open, closed Sample
		h := NewHosts(1)
		open.SetConn(&c, h.Peek(&c), texts)
		closed.SetConn(&c, h.Observe(&c), texts)
		if state == conn.S1 {
			require.NotZero(t, open.Silent>>stateCode&1)
			open.Silent &^= 1 << stateCode
		}
		require.Equal(t, closed, open, state)
	}
}
