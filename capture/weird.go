package capture

// weirds are what Zeek finds odd about a packet outside of its connection. It
// counts them for ten minutes, by the pair of addresses where there is an IP
// header and by name where there is none, and for each such count it has a
// timer (src/Reporter.cc, PermitFlowWeird and PermitNetWeird). That timer does
// nothing for conn.log, but it takes its place in the heap, and so decides in
// which order timers of one instant run. Weirds of connections have no timer.
type weirds struct {
	timers *timerQueue
	noted  map[weirdKey]*weird
	order  []*weird // as they came: about as their timers run
}

// weirdKey is a pair of addresses, in their direction, or a name.
type weirdKey struct {
	src, dst address
	name     string
	inTunnel bool
}

type weird struct {
	key   weirdKey
	timer int32 // its place among the timers; -1: it ran
}

// maxWeirds bounds what packets with made-up addresses can fill. Zeek has no
// such limit.
const maxWeirds = 1 << 16

func newWeirds(t *timerQueue) *weirds {
	return &weirds{timers: t, noted: map[weirdKey]*weird{}}
}

func (w *weirds) note(k weirdKey, clock float64) {
	for len(w.order) > 0 && w.order[0].timer < 0 {
		if first := w.order[0]; w.noted[first.key] == first {
			delete(w.noted, first.key)
		}
		w.order = w.order[1:]
	}
	if old := w.noted[k]; old != nil && old.timer >= 0 || len(w.order) >= maxWeirds {
		return
	}
	odd := &weird{key: k}
	w.noted[k] = odd
	w.order = append(w.order, odd)
	w.timers.armOwn(ownWeird, &odd.timer, clock+weirdSamplingDuration.Seconds())
}

// net returns a weird of a packet without an IP header (Reporter::Weird of a name).
func (w *weirds) net(name string, clock float64) { w.note(weirdKey{name: name}, clock) }

// flow returns a weird between two addresses, of whatever name.
func (w *weirds) flow(src, dst address, clock float64) { w.note(weirdKey{src: src, dst: dst}, clock) }

// weird notes what Zeek calls the packet (src/session/Manager.cc, Weird).
func (d *decoder) weird(l *layer, name string) {
	if d.early != nil {
		d.leave()
		return
	}
	if l.hasIP {
		d.weirds.flow(l.src, l.dst, d.table.clock)
		return
	}
	d.weirds.note(weirdKey{name: name, inTunnel: l.encap.depth() > 0}, d.table.clock)
}

// refuse notes a weird for which the current packet goes nowhere.
func (d *decoder) refuse(l *layer, name string, why Skip) bool {
	d.weird(l, name)
	return d.skip(why)
}

// weirdWithout notes a weird of a packet that is not told of it.
func (d *decoder) weirdWithout(name string) {
	if d.early != nil {
		d.leave()
		return
	}
	d.weirds.net(name, d.table.clock)
}

// headers notes what is weird about a chain of IPv6 headers.
func (w *weirds) headers(h *ipHeader, clock float64) {
	for _, pair := range h.odd {
		w.flow(pair[0], pair[1], clock)
	}
}

func (d *decoder) headers(h *ipHeader) {
	switch {
	case len(h.odd) == 0:
	case d.early != nil:
		d.leave()
	default:
		d.weirds.headers(h, d.table.clock)
	}
}
