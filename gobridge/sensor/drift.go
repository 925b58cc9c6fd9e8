package sensor

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

const (
	// One connection of an originator is looked at, or a scan would be a drift.
	driftHosts = 512
	driftRows  = 1 << 14 // or as many originators as come in so many connections
	fewHosts   = 8
	// A hundredth of the connections should be the strangest hundredth, and no
	// service unknown; a fifth says that the traffic, or the way in which Zeek
	// writes it down, has changed.
	driftRank  = 0.01
	driftShare = 0.2
	// Said again only when it has been over for so many looks.
	driftCalm = 2
)

// drift watches whether the model still knows the traffic.
type drift struct {
	model   *model.Model // that is watched
	met     [1 << 12 / 64]uint64
	rows    int
	hosts   int
	unknown int // of them, with something that the model has never met
	strange int
	what    string // that the model has never met: "a service"
	name    string // one of these
	said    bool
	calm    int
}

// observe takes a row, which the kind holds, and its score and returns what is to be told, ""
// for nothing. It allocates only then.
func (d *drift) observe(k Kind, r *feature.Row, score model.Score, m *model.Model) string {
	if m != d.model {
		*d = drift{model: m, said: d.said, calm: d.calm}
	}
	if score.Cold {
		return ""
	}
	d.rows++
	h := r.Host >> 1 % (1 << 12) // the lowest bit is always set
	if bit := uint64(1) << (h % 64); d.met[h/64]&bit == 0 {
		d.met[h/64] |= bit
		d.hosts++
		if what, name := k.Novel(m.Encoder(), r); what != "" {
			d.unknown++
			d.what, d.name = what, name
		}
		if m.Rank(score.Path) <= driftRank {
			d.strange++
		}
	}
	if d.hosts < driftHosts && d.rows < driftRows {
		return ""
	}
	return d.look()
}

// look ends a look at the traffic.
func (d *drift) look() (text string) {
	unknown, strange := float64(d.unknown)/float64(d.hosts), float64(d.strange)/float64(d.hosts)
	switch drifts := max(unknown, strange) >= driftShare && d.hosts >= fewHosts; {
	case drifts && !d.said:
		d.said = true
		text = fmt.Sprintf("%.0f %% of %d originators do what the model finds among the strangest hundredth", 100*strange, d.hosts)
		if unknown >= driftShare {
			text = fmt.Sprintf("%.0f %% of %d originators use %s that the model has never met, such as %q", 100*unknown, d.hosts, d.what, d.name)
		}
	case drifts:
		d.calm = 0
	case d.said:
		if d.calm++; d.calm >= driftCalm {
			d.said, d.calm = false, 0
		}
	}
	*d = drift{model: d.model, said: d.said, calm: d.calm}
	return text
}
