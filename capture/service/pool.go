package service

// pool keeps detectors whose connections are over, and the analyzers that most
// connections have, for those that come.
type pool struct {
	detectors []*Detector
	analyzers [numProtocols][]analyzer
}

// renewable is an analyzer that can be used again.
type renewable interface {
	analyzer
	// renew makes it as good as new.
	renew()
}

func (p *pool) detector() *Detector {
	n := len(p.detectors)
	if n == 0 {
		return &Detector{}
	}
	d := p.detectors[n-1]
	p.detectors = p.detectors[:n-1]
	return d
}

// analyzer returns a fresh analyzer of a protocol.
func (t *Tracker) analyzer(id protocolID) analyzer {
	free := t.free.analyzers[id]
	n := len(free)
	if n == 0 {
		return protocols[id].make()
	}
	t.free.analyzers[id] = free[:n-1]
	return free[n-1]
}

// Release gives the memory back to the tracker behind Done. Neither the
// detector nor its connection may call each other any more; the name stays.
func (d *Detector) Release() {
	p := &d.tracker.free
	for _, nodes := range [...][]*node{d.root.children, d.root.fresh, d.gone} {
		for _, n := range nodes {
			if a, ok := n.self.(renewable); ok {
				id := n.proto
				a.renew()
				p.analyzers[id] = append(p.analyzers[id], a)
			}
		}
	}
	clear(d.gone)
	*d = Detector{services: d.services[:0], gone: d.gone[:0]}
	p.detectors = append(p.detectors, d)
}
