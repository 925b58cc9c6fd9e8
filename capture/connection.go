package capture

import (
	"net/netip"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/capture/service"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// connection is one live row of conn.log. Its memory comes from the table's
// pool and goes back there when the row is read.
type connection struct {
	table *table
	next  *connection // in the hash chain; of free ones, in the pool

	key    key
	hash   uint32
	serial uint64 // its number in the capture, from 1
	proto  conn.Proto

	origSecond bool    // the originator is the key's second end
	bornSecond bool    // it was when the connection began
	ending     endKind // what endTimer does
	removed    bool

	start, last conn.Micros // packets' own times
	inactivity  conn.Micros // the timeout
	looked      conn.Micros // the age at the latest look
	timers      timers

	history     history
	sides       [2]side // originator, responder; they change places in a flip
	lengths     [2]int64
	badChecksum [2]scaled // UDP's; TCP's belong to the endpoint
	missed      uint64

	encap   *encapsulation
	changes int // of the encapsulation
	parents []uid

	tcp      *tcp
	detector *service.Detector
	tunnelState
}

// side is what conn-size counts of one side's packets.
type side struct {
	pkts, ipBytes uint64
}

func index(orig bool) int {
	if orig {
		return 0
	}
	return 1
}

// fromOrig says whether a packet whose source is (or is not) the key's second
// end comes from the originator.
func (c *connection) fromOrig(second bool) bool {
	return second == c.origSecond || !c.key.twoEnds()
}

func (c *connection) origin() netip.AddrPort {
	if c.origSecond {
		return c.key.second()
	}
	return c.key.first()
}

func (c *connection) responder() netip.AddrPort {
	if c.origSecond {
		return c.key.first()
	}
	return c.key.second()
}

func (c *connection) origAddress() address {
	if c.origSecond {
		return address{c.key.hi2, c.key.lo2}
	}
	return address{c.key.hi1, c.key.lo1}
}

func (c *connection) respAddress() address {
	if c.origSecond {
		return address{c.key.hi1, c.key.lo1}
	}
	return address{c.key.hi2, c.key.lo2}
}

func (c *connection) origPort() uint16 {
	if c.origSecond {
		return c.key.port2
	}
	return c.key.port1
}

func (c *connection) respPort() uint16 {
	if c.origSecond {
		return c.key.port1
	}
	return c.key.port2
}

func (c *connection) uid() uid { return newUID(&c.key, c.start, c.serial) }

// count adds a packet that got through to delivery (src/analyzer/protocol/conn-size).
func (c *connection) count(orig bool, ipLen int) {
	s := &c.sides[index(orig)]
	s.pkts++
	s.ipBytes += uint64(ipLen)
}

// FlipRoles makes the originator the responder (src/Conn.cc). Lengths of UDP
// payload stay with the role.
func (c *connection) FlipRoles() {
	if c.proto == conn.TCP && c.table.tracker.Expecting() {
		c.detection() // as it stands, since the flip may make it an announced one
	}
	c.flip()
}

func (c *connection) flip() {
	c.origSecond = !c.origSecond
	c.sides[0], c.sides[1] = c.sides[1], c.sides[0]
	if c.tcp != nil {
		c.tcp.flip()
	}
	if c.detector != nil {
		c.detector.FlipRoles()
	}
	c.history.add('^')
}

// GiveUp writes X into the history, once.
func (c *connection) GiveUp() { c.history.check(histGivenUp, 'X') }

func (c *connection) giveUp() { c.GiveUp() }

// Partial reports a TCP connection that was not seen from its SYN on.
func (c *connection) Partial() bool { return c.tcp != nil && c.tcp.partial }

// Introduced reports whether the signatures were told of a side's first packet.
func (c *connection) Introduced(fromOrig bool) bool {
	return c.tcp == nil || c.tcp.introduced[index(fromOrig)]
}

// HadGap reports whether TCP data of either side was missed so far.
func (c *connection) HadGap() bool {
	return c.tcp != nil && (c.tcp.ends[0].stream.hadGap || c.tcp.ends[1].stream.hadGap)
}

// Sizes returns the payload sizes so far, as they would be logged.
func (c *connection) Sizes() (orig, resp uint64) {
	if c.tcp != nil {
		return c.tcp.orig.size(c.tcp.resp), c.tcp.resp.size(c.tcp.orig)
	}
	return uint64(max(c.lengths[0], 0)), uint64(max(c.lengths[1], 0))
}

// SetInactivityTimeout changes the timeout, which counts from the last packet
// (src/session/Session.cc).
func (c *connection) SetInactivityTimeout(d conn.Micros) {
	if d != c.inactivity && !c.removed {
		c.inactivity = d
		c.armInactivity()
	}
}

// PassToTLS arms and cancels the timer of a TCP session, on UDP.
func (c *connection) PassToTLS() {
	c.table.timers.touch(c.table.clock + tcpSYNTimeout.Seconds())
}

// EndDNSSession disarms the timeout of DNS over UDP.
func (c *connection) EndDNSSession() {
	if c.ending == dnsSession {
		c.table.timers.cancel(c, endTimer)
	}
}

func (c *connection) armInactivity() {
	c.table.timers.arm(c, inactivityTimer, c.last.Seconds()+c.inactivity.Seconds())
}

// confirmTunnel adds the name of a tunnel that the connection carries to its
// services, if it is not there yet.
func (c *connection) confirmTunnel(name string) { c.detection().Confirm(name) }

// detection returns the connection's detector. Zeek attaches its analyzers when the
// connection begins; here that waits for the first payload, since most
// connections of a scan have none, and what was missed is told then: no
// connection was announced at that time, else it would not have waited.
func (c *connection) detection() *service.Detector {
	if c.detector == nil {
		id := service.ID{Proto: c.proto, Orig: c.origin(), Resp: c.responder()}
		flipped := c.origSecond != c.bornSecond
		c.detector = c.table.tracker.AttachLate(c, id, flipped, c.start)
		if c.tcp != nil {
			for i := range c.tcp.ends {
				if e := &c.tcp.ends[i]; e.stream.ended {
					c.detector.EOF(e.orig)
				}
			}
		}
	}
	return c.detector
}

// enclose notes how the packet was tunnelled where that is another way than
// before (src/Conn.cc, CheckEncapsulation).
func (c *connection) enclose(e *encapsulation) {
	if c.encap == e || c.encap.equal(e) {
		return
	}
	c.encap = e.clone()
	if c.changes >= tunnelMaxChanges {
		c.GiveUp()
		return
	}
	c.changes++
	c.addParent(e)
}

func (c *connection) addParent(e *encapsulation) {
	if e.depth() == 0 {
		return
	}
	if parent := e.parent(); !slices.Contains(c.parents, parent) {
		c.parents = append(c.parents, parent)
	}
}
