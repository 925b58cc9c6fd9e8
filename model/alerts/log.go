package alerts

// maxLogs bounds the logs that share a budget.
const maxLogs = 6

// logDay is what the last day has shown of a log.
type logDay struct {
	name  string
	model string       // of its latest row
	fresh int          // rows until that model may raise alerts
	hosts [][24]uint16 // by place: the bin of the strangest row of each hour, 0 for none
	best  []uint32     // how many hours of hosts have their strangest row in each bin
	above uint32       // of them, those from leastBin on
	limit int          // rows in bins from it on are unusual
	lines float64      // of a day at most: the budget, less what is the other logs'

	told   [24]uint32 // lines, by hour
	alerts [24]uint32 // of them, alerts
}

// logOf makes the log of a row the latest; nil if there are too many.
func (p *Policy) logOf(name string) *logDay {
	for i := range p.logs {
		if p.logs[i].name == name {
			p.log = i
			return &p.logs[i]
		}
	}
	if len(p.logs) == maxLogs {
		return nil
	}
	p.log = len(p.logs)
	p.logs = append(p.logs, logDay{name: name, hosts: make([][24]uint16, maxHosts), best: make([]uint32, bins), limit: bins, lines: p.perDay})
	p.stale = true
	return &p.logs[p.log]
}

// take goes on with the scores of another model.
func (l *logDay) take(model string) {
	if l.model != "" && model != "" {
		l.fresh = freshRows
	}
	if model != "" {
		l.model = model
	}
}

// forget clears an hour of a host, and reports whether it had a row.
func (l *logDay) forget(place, slot int) bool {
	at := &l.hosts[place][slot]
	if *at == 0 {
		return false
	}
	l.drop(int(*at))
	*at = 0
	return true
}

// drop forgets that an hour of a host has its strangest row in a bin, 0 for none.
func (l *logDay) drop(bin int) {
	if bin == 0 {
		return
	}
	l.best[bin]--
	if bin >= leastBin {
		l.above--
	}
}

// settle finds the threshold that so many of the hours of hosts pass.
func (l *logDay) settle(hours, wanted uint32) {
	if hours < wanted {
		l.limit = leastBin
		return
	}
	l.limit = bins
	for n := uint32(0); n < wanted; {
		l.limit--
		n += l.best[l.limit]
	}
}

// line counts a line about rows of a log.
func (p *Policy) line(log string) *logDay {
	l := &p.logs[p.log]
	for i := range p.logs {
		if p.logs[i].name == log {
			l = &p.logs[i]
		}
	}
	l.told[p.slot()]++
	p.Raised++
	p.latest = p.now
	return l
}

// room reports whether the hour and the day have room for an alert of the
// latest row's log. One an hour each log may have.
func (p *Policy) room() bool {
	if !p.roomToday() {
		return false
	}
	l, alerts := &p.logs[p.log], uint32(0)
	for i := range p.logs {
		alerts += p.logs[i].alerts[p.slot()]
	}
	if p.perHour > 0 {
		return alerts < uint32(p.perHour)
	}
	own, hourly := l.alerts[p.slot()], p.perDay*hourShare
	return own == 0 || float64(alerts+1) <= hourly && float64(own+1) <= l.lines*hourShare
}

// roomToday reports whether the day has room for a line of the latest row's log.
// Incidents are told whether there is room or not; what they take beyond the
// lines of their log is not taken from others.
func (p *Policy) roomToday() bool {
	if p.perDay < 1 {
		return p.latest == 0 || float64(p.now-p.latest) >= float64(day)/p.perDay
	}
	lines := 0.0
	for i := range p.logs {
		told := uint32(0)
		for _, n := range p.logs[i].told {
			told += n
		}
		if i == p.log && float64(told) >= p.logs[i].lines {
			return false
		}
		lines += min(float64(told), p.logs[i].lines)
	}
	return lines < p.perDay
}

// margin returns how far the latest row lies beyond its log's threshold, which is
// how rows of different logs compare.
func (p *Policy) margin(r *Row) float64 { return r.Score - float64(p.logs[p.log].limit)/bins }

// stranger reports whether the latest row is so much stranger than all of an
// incident that it is an alert of its own.
func (p *Policy) stranger(i *Incident, r *Row) bool {
	if i.Log == r.Log {
		return r.Score >= i.Score+stranger
	}
	return p.margin(r) >= i.margin+stranger
}
