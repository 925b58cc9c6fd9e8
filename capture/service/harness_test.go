package service

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// detection is a conversation with the service that the real Zeek finds in it
// (TestDetectionsAgainstZeek holds the tables to that).
type detection struct {
	name  string
	udp   bool
	port  uint16
	turns []turn
	want  string
	whole bool // the segments' bounds matter
	// damage returns a variant that random changes of the turns would not reach.
	damage func(*rand.Rand) []turn
}

// turn is a segment or a datagram, bytes that are missing, or a FIN.
type turn struct {
	fromOrig bool
	data     string
	gap      int
	fin      bool
}

func (t turn) String() string {
	who := map[bool]string{true: "client", false: "server"}[t.fromOrig]
	switch {
	case t.fin:
		return who + " closes"
	case t.gap > 0:
		return fmt.Sprintf("%s's %d bytes are lost", who, t.gap)
	}
	return fmt.Sprintf("%s: %q", who, t.data)
}

func client(parts ...string) turn { return turn{fromOrig: true, data: strings.Join(parts, "")} }
func server(parts ...string) turn { return turn{data: strings.Join(parts, "")} }
func gap(fromOrig bool, n int) turn {
	return turn{fromOrig: fromOrig, gap: n}
}
func fin(fromOrig bool) turn { return turn{fromOrig: fromOrig, fin: true} }

func be16(n int) string  { return string(binary.BigEndian.AppendUint16(nil, uint16(n))) }
func be32(n int) string  { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }
func le16(n int) string  { return string(binary.LittleEndian.AppendUint16(nil, uint16(n))) }
func le32(n int) string  { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func zeros(n int) string { return strings.Repeat("\x00", n) }

// tlv is an element of ASN.1.
func tlv(tag byte, content ...string) string {
	c := strings.Join(content, "")
	switch {
	case len(c) < 0x80:
		return string([]byte{tag, byte(len(c))}) + c
	case len(c) < 0x100:
		return string([]byte{tag, 0x81, byte(len(c))}) + c
	}
	return string([]byte{tag, 0x82}) + be16(len(c)) + c
}

// tlsHello is a TLS record that confirms SSL.
func tlsHello() string {
	body := "\x03\x03" + zeros(32) + "\x00" + be16(2) + "\x00\x2f" + "\x01\x00"
	return "\x16\x03\x01" + be16(len(body)+4) + "\x01\x00" + be16(len(body)) + body
}

// connection is what capture knows of one.
type connection struct {
	orig, resp   uint64
	partial, gap bool
	gaveUp       bool
	detector     *Detector
}

func (c *connection) Sizes() (uint64, uint64)          { return c.orig, c.resp }
func (c *connection) Introduced(bool) bool             { return true }
func (c *connection) Partial() bool                    { return c.partial }
func (c *connection) HadGap() bool                     { return c.gap }
func (c *connection) FlipRoles()                       { c.detector.FlipRoles() }
func (c *connection) GiveUp()                          { c.gaveUp = true }
func (c *connection) SetInactivityTimeout(conn.Micros) {}
func (c *connection) EndDNSSession()                   {}
func (c *connection) PassToTLS()                       {}

var (
	origAddr = netip.MustParseAddr("10.0.0.1")
	respAddr = netip.MustParseAddr("192.0.2.9")
)

func newConnection(tracker *Tracker, udp bool, port uint16) *connection {
	c := &connection{}
	id := ID{Proto: conn.TCP, Orig: netip.AddrPortFrom(origAddr, 40000), Resp: netip.AddrPortFrom(respAddr, port)}
	if udp {
		id.Proto = conn.UDP
	}
	c.detector = tracker.Attach(c, id, 0)
	return c
}

// play takes a turn, which is a packet.
func (c *connection) play(t turn) {
	size := &c.resp
	if t.fromOrig {
		size = &c.orig
	}
	switch {
	case t.fin:
		c.detector.EOF(t.fromOrig)
		c.detector.Closed()
	case t.gap > 0:
		*size += uint64(t.gap)
		c.detector.Gap(t.fromOrig, uint64(t.gap))
		c.gap = true
	default:
		*size += uint64(len(t.data))
		c.detector.Data(t.fromOrig, []byte(t.data), 0)
	}
	c.detector.EndPacket()
}

func detect(d *detection, turns []turn) string {
	c := newConnection(NewTracker(), d.udp, d.port)
	for _, t := range turns {
		c.play(t)
	}
	c.detector.Done()
	return c.detector.Name()
}

// recut cuts segments in pieces of at most so many bytes.
func recut(turns []turn, size func() int) (cut []turn) {
	for _, t := range turns {
		for rest := t.data; len(rest) > 0; {
			n := min(size(), len(rest))
			cut = append(cut, turn{fromOrig: t.fromOrig, data: rest[:n]})
			rest = rest[n:]
		}
		if t.data == "" {
			cut = append(cut, t)
		}
	}
	return cut
}

// testDetections runs a table, over TCP with other segmentations too.
func testDetections(t *testing.T, table []detection) {
	t.Helper()
	for _, d := range table {
		t.Run(d.name, func(t *testing.T) {
			require.Equal(t, d.want, detect(&d, d.turns))
			if d.udp || d.whole {
				return
			}
			assert.Equal(t, d.want, detect(&d, recut(d.turns, func() int { return 1 })), "byte by byte")
			for seed := range uint64(8) {
				r := rand.New(rand.NewPCG(seed, 0))
				assert.Equal(t, d.want, detect(&d, recut(d.turns, func() int { return 1 + r.IntN(40) })), "seed %d", seed)
			}
		})
	}
}

// allDetections are the tables of all protocols.
func allDetections() (all []detection) {
	for _, table := range [][]detection{
		dhcpDetections(), dnp3Detections(), dceRPCDetections(), krbDetections(), ldapDetections(),
		modbusDetections(), mqttDetections(), postgresqlDetections(), quicDetections(), radiusDetections(),
		rdpDetections(), rdpeudpDetections(), smbDetections(), snmpDetections(),
		dnsDetections(), fingerDetections(), ntpDetections(), syslogDetections(),
	} {
		all = append(all, table...)
	}
	return all
}

// write adds the i-th conversation to a capture of raw IP.
func (d *detection) write(w *bytes.Buffer, i int) {
	src, dst := netip.MustParseAddr(caseAddr(i)), respAddr
	at := 0
	packet := func(fromOrig bool, proto byte, payload string) {
		from, to := src.As4(), dst.As4()
		if !fromOrig {
			from, to = to, from
		}
		header := "\x45\x00" + be16(20+len(payload)) + "\x00\x00\x00\x00\x40" + string(proto) + "\x00\x00" + string(from[:]) + string(to[:])
		at++
		w.WriteString(le32(1_700_000_000+i) + le32(at) + le32(20+len(payload)) + le32(20+len(payload)) + header + payload)
	}
	const finFlag, syn, push, ack = 0x01, 0x02, 0x08, 0x10
	ports := func(fromOrig bool) string {
		if fromOrig {
			return be16(40000) + be16(int(d.port))
		}
		return be16(int(d.port)) + be16(40000)
	}
	if d.udp {
		for _, t := range d.turns {
			packet(t.fromOrig, 17, ports(t.fromOrig)+be16(8+len(t.data))+"\x00\x00"+t.data)
		}
		return
	}
	next := map[bool]int{true: 1000, false: 5000}
	segment := func(fromOrig bool, flags byte, data string) {
		packet(fromOrig, 6, ports(fromOrig)+be32(next[fromOrig])+be32(next[!fromOrig])+"\x50"+string(flags)+be16(8192)+zeros(4)+data)
		next[fromOrig] += len(data)
		if flags&(finFlag|syn) != 0 {
			next[fromOrig]++
		}
	}
	segment(true, syn, "")
	segment(false, syn|ack, "")
	segment(true, ack, "")
	for _, t := range d.turns {
		switch {
		case t.fin:
			segment(t.fromOrig, finFlag|ack, "")
			segment(!t.fromOrig, ack, "")
		case t.gap > 0:
			next[t.fromOrig] += t.gap
			segment(!t.fromOrig, ack, "")
		default:
			segment(t.fromOrig, push|ack, t.data)
		}
	}
}

// fuzzDetections is a fuzz target that plays conversations on a port, beginning
// with those of a table.
func fuzzDetections(f *testing.F, table []detection) {
	udp, port := table[0].udp, table[0].port
	for _, d := range table {
		if d.udp != udp || d.port != port {
			continue
		}
		f.Add(seedOf(d.turns))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newConnection(NewTracker(), udp, port)
		c.playBytes(b, udp)
		c.namesAreKnown(t)
	})
}

// playBytes plays a conversation of any bytes: two before each turn hold who
// speaks and how much.
func (c *connection) playBytes(b []byte, udp bool) {
	for len(b) >= 2 {
		head := binary.BigEndian.Uint16(b)
		n := min(int(head&0x3fff), len(b)-2)
		s := turn{fromOrig: head&0x8000 != 0, data: string(b[2 : 2+n])}
		if b = b[2+n:]; head&0x4000 != 0 && !udp {
			s = gap(s.fromOrig, n+1)
		}
		if s.gap > 0 || n > 0 || udp {
			c.play(s)
		}
	}
	if !udp {
		c.play(fin(true))
		c.play(fin(false))
	}
	c.detector.Done()
}

func (c *connection) namesAreKnown(t *testing.T) {
	for name := range strings.SplitSeq(c.detector.Name(), ",") {
		if name != "" {
			assert.True(t, known(name), name)
		}
	}
}

// seedOf is the input of playBytes that makes these turns.
func seedOf(turns []turn) (seed []byte) {
	for _, t := range turns {
		head := uint16(len(t.data))
		if t.fromOrig {
			head |= 0x8000
		}
		if t.gap > 0 {
			head |= 0x4000
		}
		seed = append(binary.BigEndian.AppendUint16(seed, head), t.data...)
	}
	return seed
}

func known(name string) bool {
	return slices.ContainsFunc(protocols[:], func(p protocol) bool { return p.name == name })
}
