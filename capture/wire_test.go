package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// wire is a capture under construction: an Ethernet pcap with microseconds.
type wire struct {
	buf bytes.Buffer
}

func newWire() *wire {
	w := new(wire)
	header := make([]byte, 24)
	binary.LittleEndian.PutUint32(header, 0xa1b2c3d4)
	binary.LittleEndian.PutUint16(header[4:], 2)
	binary.LittleEndian.PutUint16(header[6:], 4)
	binary.LittleEndian.PutUint32(header[16:], 1<<18)
	binary.LittleEndian.PutUint32(header[20:], 1)
	w.buf.Write(header)
	return w
}

// epoch is when the tests' captures begin.
const epoch = 1_700_000_000

// frame writes a record; at counts from the epoch, in seconds.
func (w *wire) frame(at float64, b []byte) {
	t := int64(epoch*1_000_000) + int64(math.Round(at*1e6))
	header := make([]byte, 16)
	binary.LittleEndian.PutUint32(header, uint32(t/1e6))
	binary.LittleEndian.PutUint32(header[4:], uint32(t%1e6))
	binary.LittleEndian.PutUint32(header[8:], uint32(len(b)))
	binary.LittleEndian.PutUint32(header[12:], uint32(len(b)))
	w.buf.Write(header)
	w.buf.Write(b)
}

// ip writes a datagram, IPv4 or IPv6 as its ends are.
func (w *wire) ip(at float64, src, dst netip.Addr, proto uint8, payload []byte) {
	ethernet := make([]byte, 14)
	ethernet[5], ethernet[11] = 1, 2
	if src.Is4() {
		header := make([]byte, 20)
		header[0], header[8], header[9] = 0x45, 64, proto
		binary.BigEndian.PutUint16(header[2:], uint16(20+len(payload)))
		copy(header[12:], src.AsSlice())
		copy(header[16:], dst.AsSlice())
		binary.BigEndian.PutUint16(header[10:], ^onesSum(0, header))
		binary.BigEndian.PutUint16(ethernet[12:], 0x0800)
		w.frame(at, concat(ethernet, header, payload))
		return
	}
	header := make([]byte, 40)
	header[0], header[6], header[7] = 0x60, proto, 64
	binary.BigEndian.PutUint16(header[4:], uint16(len(payload)))
	copy(header[8:], src.AsSlice())
	copy(header[24:], dst.AsSlice())
	binary.BigEndian.PutUint16(ethernet[12:], 0x86dd)
	w.frame(at, concat(ethernet, header, payload))
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func onesSum(sum uint32, b []byte) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// transportSum is the checksum with its pseudo header.
func transportSum(src, dst netip.Addr, proto uint8, b []byte) uint16 {
	pseudo := uint32(onesSum(0, concat(src.AsSlice(), dst.AsSlice())))
	sum := ^onesSum(pseudo+uint32(proto)+uint32(len(b)), b)
	if sum == 0 && proto == protoUDP {
		sum = 0xffff
	}
	return sum
}

// seg is one TCP packet. From and to are "address:port"; without them it is
// from the usual client to the usual server, or back where the flags begin
// with "<". Flags are letters S F R P A U and ".": none.
type seg struct {
	at       float64
	flags    string
	seq, ack uint32
	data     string
	from, to string
	window0  bool // announces a window of zero
	bad      bool // wrong checksum
}

const (
	client = "10.0.0.1:40000"
	server = "192.0.2.9:5000"
)

func (w *wire) tcp(s seg) {
	from, to := s.from, s.to
	if from == "" {
		from, to = client, server
	}
	flags, back := strings.CutPrefix(s.flags, "<")
	if back {
		from, to = to, from
	}
	src, dst := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	b := make([]byte, 20, 20+len(s.data))
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint32(b[4:], s.seq)
	binary.BigEndian.PutUint32(b[8:], s.ack)
	b[12] = 5 << 4
	for _, f := range flags {
		if i := strings.IndexRune("FSRPAU", f); i >= 0 {
			b[13] |= 1 << i
		}
	}
	if !s.window0 {
		binary.BigEndian.PutUint16(b[14:], 8192)
	}
	b = append(b, s.data...)
	binary.BigEndian.PutUint16(b[16:], transportSum(src.Addr(), dst.Addr(), protoTCP, b))
	if s.bad {
		b[16] ^= 0x55
	}
	w.ip(s.at, src.Addr(), dst.Addr(), protoTCP, b)
}

// dgram is one UDP datagram.
type dgram struct {
	at       float64
	from, to string
	data     string
	bad      bool
	length   int // of the length field, where it is a lie
}

func (w *wire) udp(d dgram) {
	src, dst := netip.MustParseAddrPort(d.from), netip.MustParseAddrPort(d.to)
	b := make([]byte, 8, 8+len(d.data))
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	length := 8 + len(d.data)
	if d.length != 0 {
		length = d.length
	}
	binary.BigEndian.PutUint16(b[4:], uint16(length))
	b = append(b, d.data...)
	binary.BigEndian.PutUint16(b[6:], transportSum(src.Addr(), dst.Addr(), protoUDP, b))
	if d.bad {
		b[6] ^= 0x55
	}
	w.ip(d.at, src.Addr(), dst.Addr(), protoUDP, b)
}

// message is one ICMP message.
type message struct {
	at        float64
	from, to  string
	typ, code uint8
	data      string
	bad       bool
}

func (w *wire) icmp(m message) {
	src, dst := netip.MustParseAddr(m.from), netip.MustParseAddr(m.to)
	b := append([]byte{m.typ, m.code, 0, 0, 0, 1, 0, 1}, m.data...)
	if src.Is4() {
		binary.BigEndian.PutUint16(b[2:], ^onesSum(0, b))
	} else {
		binary.BigEndian.PutUint16(b[2:], transportSum(src, dst, protoICMPv6, b))
	}
	if m.bad {
		b[2] ^= 0x55
	}
	proto := uint8(protoICMP)
	if src.Is6() {
		proto = protoICMPv6
	}
	w.ip(m.at, src, dst, proto, b)
}

// rows reads the capture.
func (w *wire) rows(t testing.TB, o Options) []conn.Conn {
	t.Helper()
	r, err := NewReader(bytes.NewReader(w.buf.Bytes()), o)
	require.NoError(t, err)
	var rows []conn.Conn
	for {
		var c conn.Conn
		if err := r.Read(&c); err != nil {
			require.True(t, errors.Is(err, io.EOF), "%v", err)
			return rows
		}
		rows = append(rows, c)
	}
}

// brief is what most rules show in: state, history, bytes and duration of a
// row, as "S1 ShADad 10/20 0.3" or "OTH C -".
func brief(c *conn.Conn) string {
	history := c.History
	if !c.Has(conn.History) {
		history = "-"
	}
	if !c.Has(conn.Duration) {
		return fmt.Sprintf("%v %s -", c.State, history)
	}
	return fmt.Sprintf("%v %s %d/%d %v", c.State, history, c.OrigBytes, c.RespBytes, c.Duration.Seconds())
}

func briefs(rows []conn.Conn) []string {
	var out []string
	for i := range rows {
		out = append(out, brief(&rows[i]))
	}
	return out
}
