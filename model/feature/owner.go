package feature

// Owner adds up what the sensors of a cluster counted, and tells them the totals
// of what several of them saw.
type Owner struct {
	hosts   *Hosts
	now     int64
	sensors uint32 // the highest number of one that was heard, and 1
	entry   evidence

	originators pending[[16]byte, untoldHost]
	responders  pending[uint64, untold]
	pairs       pending[uint64, untold]
	ports       pending[uint64, untold]
}

// untold is what was counted since a total was told.
type untold struct {
	n      float32 // connections, failures, uses or bytes
	m      float32 // seconds
	sensor int32   // the one that counted it, several for several
	waits  bool    // the total is to be told, for another sensor lacks it
}

const several = -1

// untoldHost is what was counted of an originator since its total was told.
type untoldHost struct {
	untold
	host
	marks hostMarks
}

// NewOwner returns an owner of so many originators.
func NewOwner(hosts int) *Owner {
	return &Owner{
		hosts: NewHosts(hosts), now: longAgo,
		originators: newPending[[16]byte, untoldHost](hosts),
		responders:  newPending[uint64, untold](hosts),
		pairs:       newPending[uint64, untold](hosts * pairsPerHost),
		ports:       newPending[uint64, untold](hosts * portsPerHost),
	}
}

// count notes that a sensor counted something; others says whether another one had
// before it was noted.
func (t *untold) count(added, others bool, sensor int, n, m float32) {
	switch {
	case added && !others:
		t.sensor = int32(sensor)
	case added || t.sensor != int32(sensor) && t.sensor != several:
		t.sensor, t.waits = several, true
	}
	t.n += n
	t.m += m
}

// due reports whether a total is to be told: it is new to a sensor, or has grown
// by one in so many.
func (t *untold) due(n, m, oneIn float32) bool {
	return t.sensor == several && (t.waits && oneIn > 2 || t.n > 0 && t.n*oneIn >= n || t.m > 0 && t.m*oneIn >= m)
}

func (t *untold) told() { t.n, t.m, t.waits = 0, 0, false }

// AddCounts adds what the sensor of that number, from 0 on, counted. Damaged counts
// are added up to where they are damaged.
func (o *Owner) AddCounts(sensor int, data []byte) error {
	r, err := readEvidence(data, counts)
	if err != nil {
		return err
	}
	if o.now == longAgo {
		o.hosts.opening, o.hosts.rows = r.base, openingRows
	}
	o.now = max(o.now, r.base)
	o.sensors = max(o.sensors, uint32(min(sensor, maxSensors-1))+1)
	for r.next(&o.entry) {
		o.add(sensor, &o.entry)
	}
	return r.fault()
}

func (o *Owner) add(sensor int, e *evidence) {
	h := o.hosts
	h.rows++
	switch e.of {
	case ofHost4, ofHost:
		place := h.find(e.addr, e.host.minute)
		known := &h.hosts[place]
		t, added := o.originators.use(e.addr)
		t.untold.count(added, known.uses > 0, sensor, float32(e.host.total()), 0)
		t.host.merge(&t.marks, &e.host, &e.marks, adds)
		known.seen = h.rows
		known.merge(&h.marks[place], &e.host, &e.marks, adds)
	case ofResponder:
		known, was := h.memory.responders.use(e.key, h.rows)
		t, added := o.responders.use(e.key)
		t.count(added, !was, sensor, float32(e.responder.total()), 0)
		known.merge(&e.responder, adds)
	case ofPair:
		known, was := h.memory.pairs.use(e.key, h.rows)
		t, added := o.pairs.use(e.key)
		t.count(added, !was, sensor, e.pair.bytes, e.pair.seconds)
		known.merge(&e.pair, adds)
	case ofPort:
		known, was := h.memory.ports.use(e.key, h.rows)
		t, added := o.ports.use(e.key)
		t.count(added, !was, sensor, float32(e.port), 0)
		known.merge(e.port, adds)
	}
}

// AppendTotals appends the totals that sensors lack, in at most size bytes, which
// is MaxEvidence at most. What has no room waits. It appends nothing where there
// is nothing.
func (o *Owner) AppendTotals(dst []byte, size int) []byte {
	if o.now == longAgo {
		return dst
	}
	w := newEvidence(dst, totals, o.now, o.sensors, size)
	head := len(w.data)
	w.passes([...]uint32{2, notable}, func(w *evidenceWriter, oneIn uint32) { o.append(w, float32(oneIn)) })
	if len(w.data) == head {
		return dst
	}
	return w.data
}

// append writes totals that have grown by one in so many.
func (o *Owner) append(w *evidenceWriter, oneIn float32) {
	h := o.hosts
	o.responders.each(w, respondersPart, maxSmallEntry, func(key uint64, t *untold) {
		if r, _ := h.memory.responders.find(key); t.due(float32(r.total()), 0, oneIn) {
			w.responder(key, &r)
			t.told()
		}
	})
	o.ports.each(w, portsPart, maxSmallEntry, func(key uint64, t *untold) {
		if u, _ := h.memory.ports.find(key); t.due(float32(u), 0, oneIn) {
			w.port(key, u)
			t.told()
		}
	})
	o.pairs.each(w, pairsPart, maxSmallEntry, func(key uint64, t *untold) {
		if p, _ := h.memory.pairs.find(key); t.due(p.bytes, p.seconds, oneIn) {
			w.pair(key, &p)
			t.told()
		}
	})
	o.originators.each(w, hostsPart, maxEntry, func(addr [16]byte, t *untoldHost) {
		place := h.places.Find(addr)
		if place < 0 {
			return
		}
		e := &h.hosts[place]
		if !t.due(float32(e.total()), 0, oneIn) {
			return
		}
		if t.waits {
			w.host(addr, e, e, &h.marks[place])
		} else {
			t.reach(e.minute, &t.marks)
			w.host(addr, e, &t.host, &t.marks)
		}
		t.told()
		t.host = host{minute: e.minute}
	})
}
