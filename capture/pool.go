package capture

// pool keeps connections and their TCP parts for reuse, so that a capture of
// any length allocates only for the most that were ever live at once.
type pool struct {
	freeConnections *connection
	newConnections  []connection
	freeTCP         []*tcp
	newTCP          []tcp
}

const slab = 64

func (p *pool) connection() *connection {
	if c := p.freeConnections; c != nil {
		p.freeConnections = c.next
		*c = connection{history: history{text: c.history.text[:0]}, parents: c.parents[:0]}
		return c
	}
	if len(p.newConnections) == 0 {
		p.newConnections = make([]connection, slab)
	}
	c := &p.newConnections[0]
	p.newConnections = p.newConnections[1:]
	return c
}

func (p *pool) tcp() *tcp {
	if n := len(p.freeTCP); n > 0 {
		t := p.freeTCP[n-1]
		p.freeTCP = p.freeTCP[:n-1]
		return t
	}
	if len(p.newTCP) == 0 {
		p.newTCP = make([]tcp, slab)
	}
	t := &p.newTCP[0]
	p.newTCP = p.newTCP[1:]
	return t
}

// putBack takes a connection whose row was read.
func (p *pool) putBack(c *connection) {
	if c.tcp != nil {
		c.tcp.c = nil
		p.freeTCP = append(p.freeTCP, c.tcp)
		c.tcp = nil
	}
	if c.detector != nil {
		c.detector.Release()
	}
	c.detector, c.encap = nil, nil
	if cap(c.history.text) > 1<<10 {
		c.history.text = nil
	}
	c.next, p.freeConnections = p.freeConnections, c
}
