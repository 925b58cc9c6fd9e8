package capture

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// FuzzReader reads whole captures: any bytes, no panic, no row that cannot be,
// and no more connections and payload than allowed.
func FuzzReader(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, flow := range []func(*rand.Rand, int) []timedPacket{randomTCP, randomUDP, randomICMP} {
		w := newWire()
		for i := range 5 {
			for _, p := range flow(r, i) {
				p.write(w)
			}
		}
		f.Add(w.buf.Bytes(), true)
	}
	for _, rule := range rules() {
		f.Add(rule.capture().buf.Bytes(), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, ignoreChecksums bool) {
		o := Options{IgnoreChecksums: ignoreChecksums, MaxConnections: 20, MaxBuffered: 16 << 10}
		in, err := NewReader(bytes.NewReader(b), o)
		if err != nil {
			return
		}
		var row conn.Conn
		for {
			err := in.Read(&row)
			if err != nil {
				if err != io.EOF {
					require.ErrorContains(t, err, "packet ")
				}
				break
			}
			require.NotZero(t, row.State)
			require.Len(t, row.UID, len(row.UID))
			require.True(t, row.Orig.IsValid() && row.Resp.IsValid())
			require.False(t, row.Has(conn.Duration) && row.Duration <= 0)
			require.LessOrEqual(t, in.table.buffers.held, o.MaxBuffered)
			require.LessOrEqual(t, in.table.live, o.MaxConnections+8)
		}
		s := in.Stats()
		require.Zero(t, s.Panics, s.FirstPanic)
		require.Equal(t, s.Connections, s.Rows)
		require.Zero(t, in.table.buffers.held)
	})
}
