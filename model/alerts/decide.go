package alerts

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// Decide takes what the sensor of that number forwards, all of a message or,
// where it is damaged, nothing. It calls raised for each row that is worth an
// alert, and incident for each incident that is to be told. It knows no clock but
// theirs.
func (p *Policy) Decide(sensor int, message []byte, raised func(*Candidate), incident func(*Incident)) error {
	read, begun, err := readCandidates(message)
	if err != nil {
		return err
	}
	var c Candidate
	for check := read; ; {
		if _, ok := check.next(&c); !ok {
			if check.bad {
				return errCandidates
			}
			break
		}
	}
	if p.perDay <= 0 {
		return nil
	}
	for {
		row, ok := read.next(&c)
		if !ok {
			return nil
		}
		p.follow(sensor, read.now)
		switch {
		case row:
			if !p.known {
				p.begun, p.rows, p.known = min(begun, p.now), openingRows, true
			}
			p.decide(&c, raised)
		case c.Log != "" || c.Model != "": // its rows have come
			p.logOf(c.Log)
		}
		p.Incidents(false, incident)
	}
}

// decide weighs a row, which may raise alerts for all that its sensor knows.
func (p *Policy) decide(c *Candidate, raised func(*Candidate)) {
	l := p.logOf(c.Log)
	if l == nil {
		return
	}
	if c.Model != "" {
		l.model = c.Model
	}
	unusual := false
	if c.Open {
		unusual = p.weighLook(&c.Row)
	} else {
		unusual = p.weigh(&c.Row)
	}
	if unusual && c.Asked && p.Raise(&c.Row) == Raise {
		raised(c)
	}
	if i := p.Incident(); c.More > 0 && unusual && c.Asked && i != nil {
		i.Count += c.More
		p.Folded += c.More
	}
}

// follow brings the clock to a sensor's. The clock goes back only with the sensor
// whose clock it is; those of others may be behind.
func (p *Policy) follow(sensor int, now conn.Micros) {
	if p.hour == noHour || now-p.now > day || p.leader == sensor && p.now-now > day {
		p.restart(now)
		p.leader = sensor
	}
	if now > p.now {
		p.leader = sensor
	}
	p.reach(now)
}
