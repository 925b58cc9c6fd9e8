package service

import (
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// ignoreViolationsAfter is DPD::ignore_violations_after: a violation counts
// only within that many payload bytes of both sides together.
const ignoreViolationsAfter = 10 * 1024

// Detector finds the services of one connection. It is not safe for
// concurrent use, and must be driven from one goroutine with its Tracker.
type Detector struct {
	tracker *Tracker
	conn    Conn
	id      ID
	now     conn.Micros
	stream  bool // TCP

	gone     []*node // that left the root
	root     node    // stands for the transport: its children see what capture delivers
	matcher  pia
	events   []event
	services []string
	ftp      *ftpSession // what scripts know of an FTP control connection
	tls      *node       // the TLS or DTLS analyzer that confirmed last
	// replaying is the matcher that hands over datagrams that had gone by.
	replaying *pia

	delivered uint64 // bytes of both sides
	packets   uint32 // ended so far
	gapSeen   bool
	inGap     bool // the gap being reported does not count yet
	finished  bool
	announced bool // by another connection: FTP data, an IRC file
	reused    bool // another connection takes this one's place
	quiet     bool // nothing more to learn

	// Room for the lists that all have.
	children [3]*node
	fresh    [2]*node
	first    [1]event
}

// event is what Zeek queues during a packet and runs behind it.
type event struct {
	what eventKind
	node *node
	name string
	run  func()
}

type eventKind uint8

const (
	confirmation eventKind = iota
	violation
	addName // of no analyzer here: a tunnel, ftp-data
	action
)

// Data hands over payload: a block of a TCP stream in order, or a datagram.
// b is not kept. now is the packet's time.
func (d *Detector) Data(fromOrig bool, b []byte, now conn.Micros) {
	d.now = now
	d.delivered += uint64(len(b))
	if !d.quiet {
		d.root.forward(fromOrig, b)
	}
}

// Gap says that the next n bytes of one side's TCP stream are missing.
func (d *Detector) Gap(fromOrig bool, n uint64) {
	if !d.quiet {
		d.inGap = true
		d.root.forwardGap(fromOrig, n)
		d.inGap = false
	}
	d.gapSeen = true
}

// EOF says that one side closed its TCP stream and all of it was delivered.
func (d *Detector) EOF(fromOrig bool) {
	for _, c := range d.root.children {
		c.self.eof(fromOrig)
	}
}

// Closed says that a FIN or RST was processed, once its packet's data is
// through, and again when data it waited for has come
// (src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc, ConnectionClosed).
func (d *Detector) Closed() {
	for _, c := range d.root.children {
		if a, ok := c.self.(*dnsAnalyzer); ok && !c.finished {
			a.closed()
		}
	}
}

// Interrupted says that a RST came, before its packet is looked at any further,
// or that a close was completed by a FIN: HTTP messages end there
// (src/analyzer/protocol/http/HTTP.cc, PacketWithRST and ConnectionFinished).
func (d *Detector) Interrupted() {
	for _, c := range d.root.children {
		if a, ok := c.self.(*httpAnalyzer); ok && !c.finished {
			a.interrupted()
		}
	}
}

// gapped reports whether stream data was missed. Zeek sets that mark behind
// the report of the gap, so the first gap itself may still raise a violation.
func (d *Detector) gapped() bool {
	return d.gapSeen || !d.inGap && d.conn.HadGap()
}

// FlipRoles says that originator and responder have changed places.
func (d *Detector) FlipRoles() {
	d.turn()
	d.tracker.applyScheduled(d)
}

func (d *Detector) turn() {
	d.id.Orig, d.id.Resp = d.id.Resp, d.id.Orig
	for _, c := range d.root.children {
		c.turn()
	}
	for _, c := range d.root.fresh {
		c.turn()
	}
}

// Confirm adds a name that capture itself found (a tunnel's), in the order of
// the packet's other events.
func (d *Detector) Confirm(name string) {
	d.events = append(d.events, event{what: addName, name: name})
}

// Pending reports whether EndPacket has anything to do.
func (d *Detector) Pending() bool { return len(d.events) > 0 || !d.quiet }

// EndPacket runs the packet's events. Names of violated analyzers go last, by
// name, whichever instance holds it (scripts/base/frameworks/analyzer/dpd.zeek:
// the violation's handler queues a second event).
func (d *Detector) EndPacket() {
	if len(d.events) > 0 {
		d.runEvents()
	}
	// Nothing depends on when this is found out.
	if d.packets++; d.packets%4 == 0 && !d.quiet && !d.root.wants(true) && !d.root.wants(false) {
		d.quiet = true
	}
}

// drain runs the events so far in the middle of a packet. Zeek does so when a
// connection changes to WebSocket, and when an analyzer hands over part of a
// file (src/file_analysis/Manager.cc).
func (d *Detector) drain() {
	if len(d.events) > 0 {
		d.runEvents()
	}
}

func (d *Detector) runEvents() {
	var failed [8]protocolID
	names := failed[:0]
	for i := 0; i < len(d.events); i++ { // an action may confirm
		switch e := &d.events[i]; e.what {
		case confirmation:
			p := &protocols[e.node.proto]
			d.add(p.name)
			if e.node.proto == ssl || e.node.proto == dtls {
				d.tls = e.node
			}
			if p.timeout != 0 && !d.finished {
				d.conn.SetInactivityTimeout(p.timeout)
			}
		case addName:
			d.add(e.name)
		case action:
			e.run()
		case violation:
			n := e.node
			if n.proto == ssl || n.proto == dtls {
				d.tls = nil
			}
			if d.pastViolations() || d.finished {
				continue
			}
			if d.find(n.proto) == nil || !n.loose && n.remove() {
				names = append(names, n.proto)
			}
		}
	}
	clear(d.events)
	d.events = d.events[:0]
	for _, id := range names {
		d.delete(protocols[id].name)
	}
}

func (d *Detector) find(id protocolID) *node {
	for _, c := range d.root.children {
		if n := c.find(id); n != nil {
			return n
		}
	}
	for _, c := range d.root.fresh {
		if n := c.find(id); n != nil {
			return n
		}
	}
	return nil
}

// pastViolations reports that violations no longer count.
func (d *Detector) pastViolations() bool {
	orig, resp := d.conn.Sizes()
	return orig+resp > ignoreViolationsAfter
}

func (d *Detector) add(name string) {
	for _, s := range d.services {
		if s == name {
			return
		}
	}
	d.services = append(d.services, name)
}

func (d *Detector) delete(name string) {
	for i, s := range d.services {
		if s == name {
			d.services = append(d.services[:i], d.services[i+1:]...)
			return
		}
	}
}

// Reused says that a new connection between the same ends takes the place of
// this one, which is about to be removed.
func (d *Detector) Reused() { d.reused = true }

// Done ends the analysis when the connection is removed. What is confirmed by
// the last lines handed over counts; violations come too late for the row.
func (d *Detector) Done() {
	d.finished = true
	d.root.join()
	for _, c := range d.root.children {
		if !c.finished {
			c.finish()
		}
	}
	d.runEvents()
	d.tracker.finish(d)
	d.quiet = true
}

// Name returns the service field: names joined by ",", in the order of their
// confirmation; "" for none.
func (d *Detector) Name() string {
	switch len(d.services) {
	case 0:
		return ""
	case 1:
		return d.services[0]
	}
	return strings.Join(d.services, ",")
}

// Wants reports whether a side's further data can still change the name. Once
// false for both sides it stays so, and Data and Gap need not be called.
func (d *Detector) Wants(fromOrig bool) bool {
	return !d.quiet && d.root.wants(fromOrig)
}
