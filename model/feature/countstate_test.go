package feature

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRestoredCounterGoesOn(t *testing.T) {
	k, r := NewCounter(), rand.New(rand.NewPCG(1, 1))
	count := func(k *Counter, seed int) {
		c := full()
		c.Service = fmt.Sprint(seed % 300)
		c.Resp = row(0, "10.0.0.1", "10.0.0.2", uint16(seed), 0).Resp
		k.Count(&c, k.ServiceCode(&c))
	}
	for range 5000 {
		count(k, r.IntN(60000))
	}
	again := NewCounter()
	for part := range StateParts {
		require.NoError(t, again.RestoreState(part, k.AppendState(nil, part)))
	}
	for i := range 1000 {
		count(k, i*31)
		count(again, i*31)
	}
	require.Equal(t, k.Tables(), again.Tables())

	good := k.AppendState(nil, 0)
	require.Error(t, NewCounter().RestoreState(0, good[:len(good)-1]))
	require.Error(t, NewCounter().RestoreState(0, append(good, 1, '7', 1)), "a service twice")
	require.Error(t, NewCounter().RestoreState(1, []byte{255, 255, 255, 1, 1}), "a port out of range")
	for range 2000 { // no damage does harm
		data := append([]byte(nil), good...)
		for range 1 + r.IntN(4) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		_ = NewCounter().RestoreState(0, data)
	}
}
