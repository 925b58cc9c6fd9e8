package feature

// Tour is how far an Owner has told a sensor all that it knows: one that was
// killed knows then again what it had counted, but for what it had not sent.
type Tour struct{ hosts, responders, ports, pairs int }

// AppendAll appends the totals that come next on a tour, as AppendTotals does;
// nothing at its end. What is counted meanwhile need not be among them.
func (o *Owner) AppendAll(dst []byte, size int, t *Tour) []byte {
	if o.now == longAgo {
		return dst
	}
	w := newEvidence(dst, totals, o.now, o.sensors, size)
	head := len(w.data)
	h, m := o.hosts, &o.hosts.memory
	for ; t.hosts < h.Len() && w.fits(maxEntry); t.hosts++ {
		e := &h.hosts[t.hosts]
		w.host(h.places.Key(t.hosts), e, e, &h.marks[t.hosts])
	}
	for ; t.responders < m.responders.keys.Len() && w.fits(maxSmallEntry); t.responders++ {
		w.responder(m.responders.keys.Key(t.responders), &m.responders.entries[t.responders].value)
	}
	for ; t.ports < m.ports.keys.Len() && w.fits(maxSmallEntry); t.ports++ {
		w.port(m.ports.keys.Key(t.ports), m.ports.entries[t.ports].value)
	}
	for ; t.pairs < m.pairs.keys.Len() && w.fits(maxSmallEntry); t.pairs++ {
		w.pair(m.pairs.keys.Key(t.pairs), &m.pairs.entries[t.pairs].value)
	}
	if len(w.data) == head {
		return dst
	}
	return w.data
}
