package alerts

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// stateVersion is the first byte of a state.
const stateVersion = 4

// AppendState appends the day and its incidents to dst, for RestoreState.
func (p *Policy) AppendState(dst []byte) []byte {
	if p.hour == noHour {
		return dst
	}
	c := codec{writing: true, buf: append(dst, stateVersion)}
	p.code(&c)
	return c.buf
}

// RestoreState takes up the day that AppendState wrote; an empty state begins a
// new one, and so does one of an earlier version. On an error nothing has
// changed.
func (p *Policy) RestoreState(state []byte) error {
	if len(state) == 0 || state[0] != stateVersion {
		return nil
	}
	fresh := New(p.perDay)
	c := codec{buf: state[1:]}
	fresh.code(&c)
	if c.bad || len(c.buf) > 0 {
		return errors.New("the state of the alerts is damaged")
	}
	fresh.Raised, fresh.Folded, fresh.Suppressed, fresh.Lost = p.Raised, p.Folded, p.Suppressed, p.Lost
	fresh.out, fresh.known = p.out, fresh.rows == openingRows
	*p = *fresh
	return nil
}

// code writes the policy, or reads it into a new one.
func (p *Policy) code(c *codec) {
	p.codeLogs(c)
	rows := uint64(p.rows)
	c.number(&rows, openingRows)
	p.rows = int(rows)
	c.micros(&p.now)
	c.micros(&p.begun)
	c.micros(&p.aired)
	c.micros(&p.latest)
	p.hour = int64(p.now / hour)
	p.beyond.code(c)

	places := uint64(p.places.Len())
	c.number(&places, maxHosts)
	at := p.places.Oldest()
	for range places {
		if c.bad {
			return
		}
		var key hostKey
		if c.writing {
			key = p.places.Key(at)
		}
		c.bytes(key.addr[:])
		c.flag(&key.inbound)
		if !c.writing {
			added := false
			if at, added = p.places.Use(key); !added {
				c.bad = true
				return
			}
		}
		p.codeHost(c, at)
		if c.writing {
			at = p.places.Newer(at)
		}
	}
	p.beacons.code(c)
	p.stale = true
}

// codeLogs writes what there is of each log; its hosts follow with the hosts.
func (p *Policy) codeLogs(c *codec) {
	logs := uint64(len(p.logs))
	c.number(&logs, maxLogs)
	for i := range int(logs) {
		var name string
		if c.writing {
			name = p.logs[i].name
		}
		c.text(&name)
		if !c.writing {
			if p.logOf(name); len(p.logs) != i+1 { // the same name twice
				c.bad = true
			}
			if c.bad {
				return
			}
		}
		l := &p.logs[i]
		c.text(&l.model)
		fresh := uint64(l.fresh)
		c.number(&fresh, freshRows)
		l.fresh = int(fresh)
		for at := range 24 {
			for _, n := range []*uint32{&l.told[at], &l.alerts[at]} {
				v := uint64(*n)
				c.number(&v, math.MaxUint32)
				*n = uint32(v)
			}
		}
	}
}

// code keeps the pairs that have met some times. Who else uses their responders
// is known again from these pairs alone.
func (b *beacons) code(c *codec) {
	const leastGaps = 3
	pairs := uint64(0)
	for i := range b.places.Len() {
		if b.pairs[i].gaps >= leastGaps {
			pairs++
		}
	}
	c.number(&pairs, maxPairs)
	at := b.places.Oldest()
	for done := uint64(0); done < pairs && !c.bad; {
		var key pairKey
		if c.writing {
			if b.pairs[at].gaps < leastGaps {
				at = b.places.Newer(at)
				continue
			}
			key = b.places.Key(at)
		}
		done++
		c.bytes(key.orig[:])
		c.bytes(key.resp[:])
		port := uint64(key.port)
		c.number(&port, math.MaxUint16)
		key.port = uint16(port)
		if !c.writing {
			added := false
			if at, added = b.places.Use(key); !added {
				c.bad = true
				return
			}
			resp, _ := b.resps.Use(respKey{key.resp, key.port})
			b.users[resp].add(key.orig)
		}
		p := &b.pairs[at]
		c.micros(&p.last)
		c.micros(&p.told)
		gaps, mean, spread := uint64(p.gaps), uint64(math.Float32bits(p.mean)), uint64(math.Float32bits(p.spread))
		c.number(&gaps, math.MaxUint16)
		c.number(&mean, math.MaxUint32)
		c.number(&spread, math.MaxUint32)
		p.gaps, p.mean, p.spread = uint16(gaps), math.Float32frombits(uint32(mean)), math.Float32frombits(uint32(spread))
		if off := p.mean + p.spread; off-off != 0 || p.spread < 0 {
			c.bad = true
		}
		if c.writing {
			at = b.places.Newer(at)
		}
	}
}

func (p *Policy) codeHost(c *codec, place int) {
	h := &p.hosts[place]
	for i := range h.raised {
		raised := uint64(h.raised[i])
		c.number(&raised, math.MaxUint8)
		h.raised[i] = uint8(raised)
	}
	for n := range p.logs {
		l := &p.logs[n]
		for i := range l.hosts[place] {
			at := &l.hosts[place][i]
			best := uint64(*at)
			c.number(&best, bins-1)
			if *at = uint16(best); !c.writing && best > 0 {
				l.best[best]++
				if best >= leastBin {
					l.above++
				}
			}
		}
	}
	beacons := uint64(h.beacons)
	c.number(&beacons, math.MaxUint16)
	h.beacons = uint16(beacons)
	c.micros(&h.beaconing)
	open := h.open >= 0
	c.flag(&open)
	if !open {
		return
	}
	h.incident.code(c)
	if !c.writing {
		if len(p.open) == maxOpen {
			c.bad = true
			return
		}
		h.open = int32(len(p.open))
		p.open = append(p.open, int32(place))
	}
}

func (i *Incident) code(c *codec) {
	c.addr(&i.Host.Addr)
	c.text(&i.Host.Context)
	for _, flag := range []*bool{&i.Inbound, &i.OneOrig, &i.OneResp, &i.OneLog, &i.Over} {
		c.flag(flag)
	}
	for _, n := range []*uint64{&i.Count, &i.told, &i.overdue} {
		c.number(n, math.MaxUint64)
	}
	c.micros(&i.Begun)
	c.micros(&i.Latest)
	c.share(&i.Score)
	c.text(&i.Log)
	for n := range i.levels {
		level := uint64(i.levels[n])
		c.number(&level, bins-1)
		i.levels[n] = uint16(level)
	}
	named := uint64(i.named)
	c.number(&named, maxNames)
	i.named = uint8(named)
	for n := range i.names[:i.named] {
		c.number(&i.names[n], math.MaxUint64)
	}
	c.signed(&i.margin)
	c.addrPort(&i.Orig)
	c.addrPort(&i.Resp)
	c.addr(&i.firstRow.orig)
	c.addrPort(&i.firstRow.resp)
	c.text(&i.firstRow.log)
}

// codec writes values to buf, or reads them from it and checks them.
type codec struct {
	writing bool
	buf     []byte
	bad     bool
}

func (c *codec) number(v *uint64, most uint64) {
	if c.writing {
		c.buf = binary.AppendUvarint(c.buf, *v)
		return
	}
	n := 0
	if *v, n = binary.Uvarint(c.buf); n <= 0 || *v > most {
		c.bad, *v, n = true, 0, 0
	}
	c.buf = c.buf[n:]
}

func (c *codec) micros(v *conn.Micros) {
	u := uint64(*v)
	c.number(&u, math.MaxInt64)
	*v = conn.Micros(u)
}

func (c *codec) flag(v *bool) {
	u := uint64(0)
	if *v {
		u = 1
	}
	c.number(&u, 1)
	*v = u == 1
}

// share is a number from 0 to 1.
func (c *codec) share(v *float64) {
	u := math.Float64bits(*v)
	c.number(&u, math.MaxUint64)
	if *v = math.Float64frombits(u); !(*v >= 0 && *v <= 1) {
		c.bad, *v = true, 0
	}
}

// signed is a number from −1 to 1.
func (c *codec) signed(v *float64) {
	u := math.Float64bits(*v)
	c.number(&u, math.MaxUint64)
	if *v = math.Float64frombits(u); !(*v >= -1 && *v <= 1) {
		c.bad, *v = true, 0
	}
}

func (c *codec) bytes(v []byte) {
	if c.writing {
		c.buf = append(c.buf, v...)
	} else if c.bad = c.bad || len(c.buf) < len(v); !c.bad {
		copy(v, c.buf)
		c.buf = c.buf[len(v):]
	}
}

func (c *codec) text(v *string) {
	n := uint64(len(*v))
	c.number(&n, 1<<10)
	if c.writing {
		c.buf = append(c.buf, *v...)
	} else if c.bad = c.bad || n > uint64(len(c.buf)); !c.bad {
		*v = string(c.buf[:n])
		c.buf = c.buf[n:]
	}
}

func (c *codec) addr(v *netip.Addr) {
	valid := v.IsValid()
	if c.flag(&valid); !valid {
		return
	}
	b := v.As16()
	if c.bytes(b[:]); !c.writing {
		*v = netip.AddrFrom16(b).Unmap()
	}
}

func (c *codec) addrPort(v *netip.AddrPort) {
	a, port := v.Addr(), uint64(v.Port())
	c.addr(&a)
	c.number(&port, math.MaxUint16)
	*v = netip.AddrPortFrom(a, uint16(port))
}
