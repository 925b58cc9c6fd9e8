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
	return carve(&p.newConnections)
}

func (p *pool) tcp() *tcp {
	if n := len(p.freeTCP); n > 0 {
		t := p.freeTCP[n-1]
		p.freeTCP = p.freeTCP[:n-1]
		return t
	}
	return carve(&p.newTCP)
}

// carve takes one from those that were allocated together.
func carve[T any](from *[]T) *T {
	if len(*from) == 0 {
		*from = make([]T, slab)
	}
	first := &(*from)[0]
	*from = (*from)[1:]
	return first
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
