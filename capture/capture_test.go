package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestReaderFillsEveryField(t *testing.T) {
	w := newWire()
	for _, s := range handshake(
		seg{at: 0.3, flags: "PA", seq: 1001, ack: 5001, data: "GET / HTTP/1.1\r\n\r\n"},
		seg{at: 0.4, flags: "<PA", seq: 5001, ack: 1019, data: "HTTP/1.1 204 No Content\r\n\r\n"},
		seg{at: 0.5, flags: "<A", seq: 5028, ack: 1119},
	) {
		w.tcp(s)
	}
	rows := w.rows(t, Options{LocalNets: []netip.Prefix{netip.MustParsePrefix("203.0.0.0/8")}})
	require.Len(t, rows, 1)
	require.Regexp(t, "^C", rows[0].UID)
	rows[0].UID, rows[0].TunnelParents = "", nil
	require.Equal(t, conn.Conn{
		TS:   epoch * second,
		Orig: netip.MustParseAddrPort(client), Resp: netip.MustParseAddrPort(server),
		Proto: conn.TCP, IPProto: 6, Service: "http",
		Duration: 500000, OrigBytes: 118, RespBytes: 27,
		State: conn.S1, History: "ShADdaG", MissedBytes: 100,
		LocalOrig: true, LocalResp: true,
		OrigPkts: 3, OrigIPBytes: 138, RespPkts: 3, RespIPBytes: 147,
		Set: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.LocalOrig | conn.LocalResp | conn.History | conn.IPProto,
	}, rows[0])
}

func TestReadingAgainGivesTheSameUIDs(t *testing.T) {
	w := newWire()
	for i := range 50 {
		w.udp(dgram{at: float64(i), from: "10.0.0.1:40000", to: fmt.Sprintf("192.0.2.9:%d", 1+i%7)})
	}
	first, again := w.rows(t, Options{}), w.rows(t, Options{})
	require.Equal(t, first, again)
}

// Rows of one packet come in the order in which timers fell due, those of the
// end by their keys.
func TestOrderOfRows(t *testing.T) {
	w := newWire()
	w.udp(dgram{at: 0, from: "10.0.0.3:1", to: "10.0.0.9:1"})
	w.udp(dgram{at: 1, from: "10.0.0.1:2", to: "10.0.0.9:2"})
	w.udp(dgram{at: 2, from: "10.0.0.3:1", to: "10.0.0.9:1"}) // puts the first off
	w.udp(dgram{at: 61.5, from: "10.0.0.7:3", to: "10.0.0.9:3"})
	w.udp(dgram{at: 70, from: "10.0.0.7:3", to: "10.0.0.9:3"})
	w.udp(dgram{at: 71, from: "10.0.0.9:4", to: "10.0.0.5:4"})
	w.tcp(seg{at: 72, flags: "S", from: "10.0.0.8:5", to: "10.0.0.9:5"})
	var ports []uint16
	for _, r := range w.rows(t, Options{}) {
		ports = append(ports, r.Orig.Port())
	}
	require.Equal(t, []uint16{2, 1, 5, 4, 3}, ports)
}

func TestDamagedFileGivesItsRowsFirst(t *testing.T) {
	w := newWire()
	w.udp(dgram{at: 0, from: "10.0.0.3:1", to: "10.0.0.9:1"})
	w.udp(dgram{at: 100, from: "10.0.0.3:2", to: "10.0.0.9:1", data: x(100)})
	whole := w.buf.Len()
	w.udp(dgram{at: 101, from: "10.0.0.3:3", to: "10.0.0.9:1", data: x(100)})
	r, err := NewReader(bytes.NewReader(w.buf.Bytes()[:w.buf.Len()-10]), Options{})
	require.NoError(t, err)
	var row conn.Conn
	require.NoError(t, r.Read(&row))
	require.EqualValues(t, 1, row.Orig.Port())
	require.NoError(t, r.Read(&row))
	require.EqualValues(t, 2, row.Orig.Port())
	err = r.Read(&row)
	var damage *DamageError
	require.ErrorAs(t, err, &damage)
	require.EqualValues(t, 3, damage.Packet)
	require.EqualValues(t, whole, damage.Offset)
	require.Equal(t, err, r.Read(&row), "and again")
	require.EqualValues(t, 2, r.Stats().Rows)
}

func TestConnectionsAreLimited(t *testing.T) {
	w := newWire()
	for i := range 1000 {
		w.udp(dgram{at: float64(i) / 100, from: fmt.Sprintf("10.0.0.1:%d", 1000+i), to: "192.0.2.9:5000"})
	}
	r, err := NewReader(bytes.NewReader(w.buf.Bytes()), Options{MaxConnections: 100})
	require.NoError(t, err)
	var row conn.Conn
	rows := 0
	for err = r.Read(&row); err == nil; err = r.Read(&row) {
		rows++
	}
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, 1000, rows, "no row is lost")
	s := r.Stats()
	require.EqualValues(t, 900, s.Evicted)
	require.Equal(t, 100, s.MostLive)
	require.NotEmpty(t, s.Limits())
}

func TestBufferedPayloadIsLimited(t *testing.T) {
	w := newWire()
	for i := range 50 {
		from := fmt.Sprintf("10.0.0.1:%d", 1000+i)
		w.tcp(seg{at: 0, flags: "S", seq: 0, from: from, to: server})
		w.tcp(seg{at: 1, flags: "<SA", seq: 0, ack: 1, from: from, to: server})
		w.tcp(seg{at: 2, flags: "PA", seq: 1001, ack: 1, data: x(1000), from: from, to: server})
	}
	r, err := NewReader(bytes.NewReader(w.buf.Bytes()), Options{MaxBuffered: 20 << 10})
	require.NoError(t, err)
	var row conn.Conn
	for err == nil {
		err = r.Read(&row)
		require.LessOrEqual(t, r.table.buffers.held, int64(20<<10))
	}
	require.True(t, errors.Is(err, io.EOF))
	require.EqualValues(t, 30, r.Stats().Unbuffered)
	require.Zero(t, r.table.buffers.held, "removed connections give their buffers back")
}

// Once the tables have grown, a packet of a known connection costs no memory.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	w := newWire()
	const conversations, rounds = 50, 400
	to := "192.0.2.9:4999"
	seq := uint32(1)
	for i := range conversations {
		from := fmt.Sprintf("10.0.0.1:%d", 1000+i)
		w.tcp(seg{at: 0, flags: "S", seq: 0, from: from, to: to})
		w.tcp(seg{at: 0.1, flags: "<SA", seq: 0, ack: 1, from: from, to: to})
	}
	for round := range rounds {
		for i := range conversations {
			from := fmt.Sprintf("10.0.0.1:%d", 1000+i)
			at := 1 + float64(round)
			w.tcp(seg{at: at, flags: "PA", seq: seq, ack: 1, data: x(100), from: from, to: to})
			w.tcp(seg{at: at, flags: "<A", seq: 1, ack: seq + 100, from: from, to: to})
			w.udp(dgram{at: at, from: from, to: to, data: x(100)})
		}
		seq += 100
	}
	r, err := NewReader(bytes.NewReader(w.buf.Bytes()), Options{})
	require.NoError(t, err)
	for range conversations * rounds {
		r.step() // warm
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range conversations * rounds {
		r.step()
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.Mallocs-before.Mallocs, uint64(20), "allocations at %d packets", conversations*rounds)
	require.NoError(t, r.err)
}
