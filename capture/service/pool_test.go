package service

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// What one connection left in a detector or an analyzer is not seen by the next.
func TestReleasedDetectorsAreAsGoodAsNew(t *testing.T) {
	tracker := NewTracker()
	all := append(allDetections(), detection{name: "TLS", port: 443, turns: []turn{client(tlsHello()[:20]), client(tlsHello()[20:])}, want: "ssl"})
	for range 3 {
		for i := range all {
			d := &all[i]
			c := newConnection(tracker, d.udp, d.port)
			for _, turn := range d.turns {
				c.play(turn)
			}
			c.detector.Done()
			require.Equal(t, d.want, c.detector.Name(), d.name)
			c.detector.Release()
		}
	}
}

// Once there were as many connections as there are at a time, the next one
// costs no memory, and neither do the records of TLS, however long.
func TestTheNextConnectionAllocatesNothing(t *testing.T) {
	query := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01")
	answer := append([]byte{}, query...)
	answer[2] |= 0x80
	hello := []byte(tlsHello())
	record := append([]byte("\x17\x03\x03\x40\x00"), make([]byte, 0x4000)...)
	for _, tt := range []struct {
		name  string
		proto conn.Proto
		port  uint16
		want  string
		play  func(*Detector)
	}{
		{"DNS", conn.UDP, 53, "dns", func(d *Detector) {
			d.Data(true, query, 0)
			d.EndPacket()
			d.Data(false, answer, 0)
			d.EndPacket()
		}},
		{"TLS", conn.TCP, 443, "ssl", func(d *Detector) {
			d.Data(true, hello[:30], 0)
			d.EndPacket()
			d.Data(true, hello[30:], 0)
			d.EndPacket()
			for i := 0; i < len(record); i += 1460 {
				d.Data(false, record[i:min(i+1460, len(record))], 0)
				d.EndPacket()
			}
		}},
		{"nothing known", conn.TCP, 9999, "", func(d *Detector) {
			d.Data(true, record[5:700], 0)
			d.EndPacket()
			d.Data(false, record[5:700], 0)
			d.EndPacket()
		}},
	} {
		tracker := NewTracker()
		c := &connection{}
		id := ID{Proto: tt.proto, Orig: netip.AddrPortFrom(origAddr, 40000), Resp: netip.AddrPortFrom(respAddr, tt.port)}
		got := testing.AllocsPerRun(50, func() {
			c.detector = tracker.AttachLate(c, id, false, 0)
			tt.play(c.detector)
			c.detector.Done()
			if c.detector.Name() != tt.want {
				t.Error("service", c.detector.Name())
			}
			c.detector.Release()
		})
		require.Zero(t, got, tt.name)
	}
}

// A record that nobody looks into is counted, wherever blocks end.
func TestDullRecordsAreCounted(t *testing.T) {
	message := append([]byte{9, 9, 0, 100}, make([]byte, 100)...)
	for at := 1; at < len(message); at++ {
		f := frameBuffer{}
		size := func(h []byte) (int, bool) {
			f.dull = true
			return 4 + int(h[3]), true
		}
		b := message[:at]
		_, state := f.next(&b, 4, size)
		require.Equal(t, frameWaits, state)
		require.Empty(t, b)
		b = append(message[at:len(message):len(message)], 7)
		o, state := f.next(&b, 4, size)
		require.Equal(t, frameDone, state)
		require.Equal(t, message[:4], o.b[:4])
		require.Equal(t, len(message), o.len())
		require.LessOrEqual(t, cap(f.kept), 64)
		require.Equal(t, []byte{7}, b)
		require.Equal(t, frameBuffer{kept: f.kept}, f)
	}
}

// Lines end at the same bytes as when each is looked at.
func TestWithinLine(t *testing.T) {
	b := make([]byte, 200)
	for at := range b {
		for _, end := range "\r\n" {
			b[at] = byte(end)
			require.Equal(t, at, withinLine(b, 1000))
			require.Equal(t, min(at, 70), withinLine(b, 70))
			b[at] = 0
		}
	}
	require.Equal(t, 200, withinLine(b, 1000))
	require.Zero(t, withinLine(b, -1))
	require.Zero(t, withinLine(nil, 5))
}
