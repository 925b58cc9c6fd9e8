package service

// analyzer follows one protocol through one connection: it finds out whether
// the bytes are that protocol (confirm), stop being it (violate), and which
// analyzers look at the bytes that it carries (attach). It parses no more than
// these decisions take.
//
// An analyzer embeds node, which holds its place in the connection's tree and
// answers every method but data. Byte slices are only valid during the call.
// No method may panic on any input, and what an analyzer keeps is bounded.
type analyzer interface {
	// data takes the next bytes of one side: for TCP a block of the stream, in
	// order, as reassembly delivers it, for UDP a datagram (never empty for
	// TCP).
	data(fromOrig bool, b []byte)
	// gap says that the next n bytes of one side's stream will never come.
	gap(fromOrig bool, n uint64)
	// eof says that one side has closed its stream and all of it was delivered.
	// Only analyzers directly on TCP are told.
	eof(fromOrig bool)
	// flip says that originator and responder have changed places.
	flip()
	// done says that nothing more comes: detached, or the connection is over.
	done()
	// idle reports that further bytes of a side can change nothing: no
	// confirmation, no child, no violation that counts.
	idle(fromOrig bool) bool

	core() *node
}

// node is an analyzer's place in the tree. The zero node is unattached.
type node struct {
	self     analyzer
	proto    protocolID
	det      *Detector
	parent   *node
	children []*node
	fresh    []*node // attached during a delivery; they join children after it
	filter   filter  // stands before the analyzer, when its parent has put one there

	skip      bool // takes no more input, but stays attached
	removing  bool // disabled: gone at the next delivery
	finished  bool
	loose     bool // outside the tree
	confirmed bool
	violated  bool
}

func (n *node) core() *node             { return n }
func (n *node) gap(bool, uint64)        {}
func (n *node) eof(bool)                {}
func (n *node) flip()                   {}
func (n *node) done()                   {}
func (n *node) idle(fromOrig bool) bool { return n.skip || n.settled() }

// settled reports that the analyzer's name is in the field to stay: confirmed,
// not able to attach anything, and past the bytes within which a violation
// would remove it.
func (n *node) settled() bool {
	return n.confirmed && protocols[n.proto].leaf && n.det.pastViolations()
}

// confirm says that the bytes are the protocol. Only the first call counts.
func (n *node) confirm() {
	if !n.confirmed {
		n.confirmed = true
		n.det.events = append(n.det.events, event{what: confirmation, node: n})
	}
}

// violate says that the bytes are not (or no longer) the protocol. Analyzers
// of TCP streams are not believed where bytes are missing
// (src/analyzer/protocol/tcp/TCP.cc, AnalyzerViolation). A violation does not
// stop the analyzer by itself: within the packet it goes on getting data,
// unless it sets skip.
func (n *node) violate() {
	if protocols[n.proto].ignores {
		return
	}
	if n.det.stream && !protocols[n.proto].plain && (n.det.conn.Partial() || n.det.gapped()) {
		return
	}
	if !n.violated || n.loose { // later ones of the same analyzer find it disabled
		n.violated = true
		n.det.events = append(n.det.events, event{what: violation, node: n})
	}
}

// fail is what an exception is that leaves an analyzer of datagrams: a
// violation of it; but one of the signature matcher, and the end of its replay,
// when that was handing over what had gone by
// (src/analyzer/protocol/pia/PIA.cc, ReplayPacketBuffer).
func (n *node) fail() {
	if p := n.det.replaying; p != nil {
		p.failed = true
		return
	}
	n.violate()
}

// after runs f when the packet's events run: what Zeek's scripts do in an
// event handler.
func (n *node) after(f func()) {
	n.det.events = append(n.det.events, event{what: action, node: n, run: f})
}

// partial reports that the connection is TCP and began in mid-stream.
func (n *node) partial() bool { return n.det.stream && n.det.conn.Partial() }

// attach adds a child analyzer. It returns nil if there is one of its kind
// already, or it is too late for more.
func (n *node) attach(id protocolID) analyzer {
	if n.removing || n.finished || n.det.finished || n.child(id) != nil {
		return nil
	}
	a := n.det.tracker.analyzer(id)
	n.adopt(a, id)
	return a
}

func (n *node) adopt(a analyzer, id protocolID) {
	c := a.core()
	c.self, c.proto, c.det, c.parent = a, id, n.det, n
	n.fresh = append(n.fresh, c)
}

// instantiate makes an analyzer outside the tree, which this one feeds by hand:
// events name it, but no violation disables it (analyzer_mgr->InstantiateAnalyzer
// in src/analyzer/protocol/{smb,gssapi,dce-rpc}).
func (n *node) instantiate(id protocolID) analyzer {
	a := protocols[id].make()
	c := a.core()
	c.self, c.proto, c.det, c.parent, c.loose = a, id, n.det, n, true
	return a
}

// child returns the attached child of a kind, or nil.
func (n *node) child(id protocolID) analyzer {
	for _, c := range n.children {
		if c.proto == id && !c.removing && !c.finished {
			return c.self
		}
	}
	for _, c := range n.fresh {
		if c.proto == id && !c.removing && !c.finished {
			return c.self
		}
	}
	return nil
}

// remove disables the analyzer: it gets no more data.
func (n *node) remove() bool {
	if n.finished || n.removing {
		return false
	}
	n.removing = true
	return true
}

// filter turns what a parent hands down into what its child understands, and
// calls the child's data with it.
type filter interface {
	data(fromOrig bool, b []byte)
}

// take hands data to this analyzer, unless it skips.
func (n *node) take(fromOrig bool, b []byte) {
	switch {
	case n.skip:
	case n.filter != nil:
		n.filter.data(fromOrig, b)
	default:
		n.self.data(fromOrig, b)
	}
}

func (n *node) takeGap(fromOrig bool, size uint64) {
	if !n.skip {
		n.self.gap(fromOrig, size)
	}
}

// forward hands data to the children (src/analyzer/Analyzer.cc, ForwardStream
// and ForwardPacket); disabled ones leave on that occasion.
func (n *node) forward(fromOrig bool, b []byte) {
	n.each(func(c *node) { c.take(fromOrig, b) })
}

func (n *node) forwardGap(fromOrig bool, size uint64) {
	n.each(func(c *node) { c.takeGap(fromOrig, size) })
}

func (n *node) each(f func(child *node)) {
	n.join()
	for i := 0; i < len(n.children); {
		c := n.children[i]
		if c.removing || c.finished {
			n.drop(i)
			continue
		}
		f(c)
		i++
	}
	n.join()
}

func (n *node) join() {
	if len(n.fresh) > 0 {
		n.children = append(n.children, n.fresh...)
		n.fresh = n.fresh[:0]
	}
}

func (n *node) drop(i int) {
	c := n.children[i]
	if c.removing {
		c.finish()
		c.removing = false
	}
	if n == &n.det.root {
		n.det.gone = append(n.det.gone, c)
	}
	n.children = append(n.children[:i], n.children[i+1:]...)
}

// finish ends the analyzer and its children.
func (n *node) finish() {
	n.self.done()
	n.join()
	for _, c := range n.children {
		if !c.finished {
			c.finish()
		}
	}
	n.finished = true
}

// turn tells the subtree of changed roles.
func (n *node) turn() {
	for _, c := range n.children {
		c.turn()
	}
	for _, c := range n.fresh {
		c.turn()
	}
	n.self.flip()
}

// find returns an attached analyzer of a kind in the subtree, children of
// disabled ones included as in Zeek's FindChild.
func (n *node) find(id protocolID) *node {
	if n.proto == id && !n.removing && !n.finished {
		return n
	}
	for _, c := range n.children {
		if f := c.find(id); f != nil {
			return f
		}
	}
	for _, c := range n.fresh {
		if f := c.find(id); f != nil {
			return f
		}
	}
	return nil
}

// attached reports whether the analyzer is still in the tree.
func (n *node) attached() bool { return !n.removing && !n.finished }

// wants reports whether anything in the subtree can still learn from a side.
func (n *node) wants(fromOrig bool) bool {
	for _, c := range n.children {
		if c.removing || !c.finished && !c.self.idle(fromOrig) {
			return true // a removed one is still to be told so, at the next delivery
		}
	}
	return len(n.fresh) > 0
}
