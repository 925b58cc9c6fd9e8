package service

import (
	"container/heap"
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// maxExpected bounds the announced connections that are remembered; Zeek's own
// limit is per table of a script (FTP::max_expected_data_channels).
const maxExpected = 1 << 16

// Tracker is what detection keeps beyond one connection: the connections that
// others announced (FTP data, IRC DCC), and the signature matcher's tables. One
// Tracker serves one reader and is not safe for concurrent use.
type Tracker struct {
	expected            map[expectation][]*scheduled
	due                 dueQueue
	channels, transfers announced // FTP data, IRC files
	tcp, udp            matchTables
	pasts               []*past // of matchers that are over
	free                pool
}

// expectation is a connection that was announced; an unspecified Orig stands
// for any.
type expectation struct {
	orig netip.Addr
	resp netip.AddrPort
	tcp  bool
}

// scheduled is an analyzer waiting for its connection. A later announcement of
// the same one moves timeout but not its place in the queue
// (src/analyzer/Manager.cc, ScheduleAnalyzer).
type scheduled struct {
	key            expectation
	proto          protocolID
	timeout, queue conn.Micros
}

// NewTracker returns a Tracker for one stream of packets.
func NewTracker() *Tracker {
	return &Tracker{expected: map[expectation][]*scheduled{}, channels: announced{}, transfers: announced{}}
}

// Attach starts detection for a new connection: c tells of its state, id holds
// its ends after a flip at creation. A scheduled analyzer that fits stands
// alone; otherwise come the analyzers of the responder's port; and in either
// case the signatures (src/packet_analysis/protocol/ip/IPBasedAnalyzer.cc,
// BuildSessionAnalyzerTree).
func (t *Tracker) Attach(c Conn, id ID, now conn.Micros) *Detector {
	d := t.newDetector(c, id, now)
	d.attach(t.applyScheduled(d))
	return d
}

// AttachLate does so some time after the connection began. No connection was
// announced then, nor when the roles changed, if they did; id holds the ends as
// they are now.
func (t *Tracker) AttachLate(c Conn, id ID, flipped bool, now conn.Micros) *Detector {
	d := t.newDetector(c, id, now)
	if flipped {
		d.id.Orig, d.id.Resp = d.id.Resp, d.id.Orig
	}
	d.attach(false)
	if flipped {
		d.turn()
	}
	return d
}

func (t *Tracker) newDetector(c Conn, id ID, now conn.Micros) *Detector {
	d := t.free.detector()
	d.tracker, d.conn, d.id, d.now, d.stream = t, c, id, now, id.Proto == conn.TCP
	d.root.det = d
	d.root.children, d.root.fresh, d.events = d.children[:0], d.fresh[:0], d.first[:0]
	return d
}

// attach attaches the analyzers of the responder's port, unless there is a
// scheduled one, and the signatures.
func (d *Detector) attach(scheduled bool) {
	var ports *byPort
	switch d.id.Proto {
	case conn.TCP:
		ports = &tcpPorts
	case conn.UDP:
		ports = &udpPorts
	default:
		d.quiet = true
		return
	}
	if !scheduled {
		for _, p := range ports.of(d.id.Resp.Port()) {
			d.root.attach(p)
		}
	}
	d.root.adopt(&d.matcher, signatureMatcher)
	d.matcher.start(d.stream)
	d.root.join()
}

// Expecting reports whether any announced connection has not come yet.
func (t *Tracker) Expecting() bool { return len(t.expected) > 0 }

func (t *Tracker) applyScheduled(d *Detector) bool {
	if len(t.expected) == 0 {
		return false
	}
	key := expectation{orig: d.id.Orig.Addr(), resp: d.id.Resp, tcp: d.stream}
	var found []protocolID
	for _, s := range t.expected[key] {
		found = insertProtocol(found, s.proto)
	}
	key.orig = netip.Addr{}
	for _, s := range t.expected[key] {
		if s.timeout > d.now {
			found = insertProtocol(found, s.proto)
		}
	}
	for _, p := range found {
		d.root.attach(p)
		d.events = append(d.events, event{what: action, run: func() { t.applied(d) }})
	}
	return len(found) > 0
}

// insertProtocol keeps the list in the order of the table, without repetition.
func insertProtocol(list []protocolID, p protocolID) []protocolID {
	i := 0
	for i < len(list) && list[i] < p {
		i++
	}
	if i < len(list) && list[i] == p {
		return list
	}
	list = append(list, 0)
	copy(list[i+1:], list[i:])
	list[i] = p
	return list
}

// schedule announces a connection for the next timeout microseconds. An
// invalid orig stands for any originator.
func (t *Tracker) schedule(orig netip.Addr, resp netip.AddrPort, tcp bool, p protocolID, now, timeout conn.Micros) {
	t.expire(now)
	if orig.IsValid() && orig.IsUnspecified() && orig.Is4() {
		orig = netip.Addr{}
	}
	key := expectation{orig: orig, resp: resp, tcp: tcp}
	for _, s := range t.expected[key] {
		if s.proto == p {
			s.timeout = max(s.timeout, now+timeout)
			return
		}
	}
	if len(t.due) >= maxExpected {
		return
	}
	s := &scheduled{key: key, proto: p, timeout: now + timeout, queue: now + timeout}
	t.expected[key] = append(t.expected[key], s)
	heap.Push(&t.due, s)
}

func (t *Tracker) expire(now conn.Micros) {
	for len(t.due) > 0 && t.due[0].queue <= now {
		s := t.due[0]
		if s.timeout > now {
			s.queue = s.timeout
			heap.Fix(&t.due, 0)
			continue
		}
		heap.Pop(&t.due)
		list := t.expected[s.key]
		for i := range list {
			if list[i] == s {
				list = append(list[:i], list[i+1:]...)
				break
			}
		}
		if len(list) == 0 {
			delete(t.expected, s.key)
		} else {
			t.expected[s.key] = list
		}
	}
}

// dueQueue orders announcements by their place in time.
type dueQueue []*scheduled

func (q dueQueue) Len() int           { return len(q) }
func (q dueQueue) Less(i, j int) bool { return q[i].queue < q[j].queue }
func (q dueQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *dueQueue) Push(x any)        { *q = append(*q, x.(*scheduled)) }
func (q *dueQueue) Pop() any {
	old := *q
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return s
}
