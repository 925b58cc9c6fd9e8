package feature

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// states appends the whole table, n hosts at a time.
func states(h *Hosts, n int) (all [][]byte) {
	for from := 0; from < h.Places(); from += n {
		all = append(all, h.AppendState(nil, from, n))
	}
	return all
}

func TestRestoredHostsGoOn(t *testing.T) {
	rows := traffic(8, 8000)
	for _, capacity := range []int{3, 100} { // with and without forgetting
		for stop := 40; stop < len(rows); stop += 1777 {
			h := NewHosts(capacity)
			for i := range rows[:stop] {
				h.Observe(&rows[i])
			}
			restored, err := RestoreHosts(capacity, states(h, 2)...)
			require.NoError(t, err)
			require.Equal(t, h.Len(), restored.Len())
			for i := stop; i < len(rows); i++ {
				require.Equal(t, h.Observe(&rows[i]), restored.Observe(&rows[i]), "row %d after %d", i, stop)
			}
		}
	}
}

func TestRestoreToASmallerTable(t *testing.T) {
	h := NewHosts(100)
	rows := traffic(9, 5000)
	for i := range rows {
		h.Observe(&rows[i])
	}
	small, err := RestoreHosts(3, states(h, 100)...)
	require.NoError(t, err)
	require.Equal(t, 3, small.Len())
	last := rows[len(rows)-1]
	require.Equal(t, forgetful(h.Observe(&last)), forgetful(small.Observe(&last)), "the host observed last is kept")
}

func TestRestoreRefusesDamage(t *testing.T) {
	h := NewHosts(100)
	rows := traffic(10, 2000)
	for i := range rows {
		h.Observe(&rows[i])
	}
	good := h.AppendState(nil, 0, 100)
	r := rand.New(rand.NewPCG(1, 1))
	for range 5000 { // whatever stands in it, no panic and no endless memory
		data := append([]byte(nil), good...)
		for range 1 + r.IntN(5) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		if restored, err := RestoreHosts(100, data); err == nil {
			restored.Observe(&rows[0])
		}
	}
	_, err := RestoreHosts(100, good[:len(good)-3])
	require.Error(t, err)
}
