package feature

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRestoredCounterGoesOn(t *testing.T) {
	k, r := NewCounter(Conn), rand.New(rand.NewPCG(1, 1))
	count := func(k *Counter, seed int) {
		c := full()
		c.Service = fmt.Sprint(seed % 300)
		c.Resp = row(0, "10.0.0.1", "10.0.0.2", uint16(seed), 0).Resp
		var s Sample
		s.SetConn(&c, Window{}, nil)
		k.Count(&s)
	}
	for range 5000 {
		count(k, r.IntN(60000))
	}
	again := NewCounter(Conn)
	for part := range k.StateParts() {
		require.NoError(t, again.RestoreState(part, k.AppendState(nil, part)))
	}
	require.NoError(t, again.RestoreEnd())
	for i := range 1000 {
		count(k, i*31)
		count(again, i*31)
	}
	require.Equal(t, k.Tables(), again.Tables())

	const services, ports = 2, 4 // parts
	good := k.AppendState(nil, services)
	require.Error(t, NewCounter(Conn).RestoreState(0, good))
	require.Error(t, NewCounter(Conn).RestoreState(services, good[:len(good)-1]))
	require.Error(t, NewCounter(Conn).RestoreState(services, append(good, 1)))
	require.Error(t, NewCounter(Conn).RestoreState(ports, []byte{255, 255, 255, 1, 1}), "a port out of range")
	require.Error(t, NewCounter(Conn).RestoreState(k.StateParts(), nil), "no such part")
	twice := NewCounter(Conn)
	require.NoError(t, twice.RestoreState(services, good))
	require.NoError(t, twice.RestoreState(services, good))
	require.Error(t, twice.RestoreEnd(), "a service twice")
	for range 2000 { // no damage does harm
		data := append([]byte(nil), good...)
		for range 1 + r.IntN(4) {
			data[r.IntN(len(data))] = byte(r.Uint32())
		}
		again := NewCounter(Conn)
		_ = again.RestoreState(services, data)
		_ = again.RestoreEnd()
	}
}
