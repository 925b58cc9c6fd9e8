package browse

import ()

const (
	ordinary   = 0.1    // rank: 1 in 10 or less
	mostAlike  = 3      // rows shown
	mostOffers = 60_000 // rows looked at for them
)

type detail struct {
	rowLine
	Duration float64    `json:"duration"`
	History  string     `json:"history"`
	Missed   uint64     `json:"missed"`
	SentPkts uint64     `json:"sent_pkts"`
	GotPkts  uint64     `json:"got_pkts"`
	Own      float64    `json:"own"` // the model's score, where the log has another
	Reasons  []bar      `json:"reasons"`
	Similar  []similar  `json:"similar"`
	Among    int        `json:"among"`
	Change   []changed  `json:"change"`
	Changed  changeMade `json:"changed"`
}

// bar is a feature's part of the score.
type bar struct {
	Name    string  `json:"name"`
	Value   string  `json:"value"`
	Usual   string  `json:"usual"`
	Credit  float64 `json:"credit"`
	Unusual bool    `json:"unusual"`
}

type similar struct {
	TS      float64 `json:"ts"`
	Orig    string  `json:"orig"`
	Resp    string  `json:"resp"`
	Service string  `json:"service"`
	State   string  `json:"state"`
	Score   float64 `json:"score"`
	Alike   float64 `json:"alike"` // from 0 to 1
	Differs []bar   `json:"differs"`
}

type changed struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

type changeMade struct {
	Score float64 `json:"score"`
	OneIn uint64  `json:"one_in"`
}

func (s *Server) detail(i int) *detail {
	r := &s.log.Rows[i]
	c := &r.Conn
	d := &detail{
		rowLine: s.line(i), Duration: c.Duration.Seconds(), History: c.History, Missed: c.MissedBytes, SentPkts: c.OrigPkts, GotPkts: c.RespPkts,
		Reasons: []bar{}, Similar: []similar{}, Change: []changed{},
	}
	m := s.log.Model
	if m == nil {
		return d
	}
	own := s.log.scored(i)
	d.Own = own.Value
	for _, why := range own.Explain(0) {
		if !why.Absent {
			d.Reasons = append(d.Reasons, bar{why.Name, why.Value, why.Usual, why.Credit, why.Unusual})
		}
	}
	if m.Rank(own.Path) >= ordinary {
		return d
	}
	find := m.NewSimilar(c, r.Window, mostAlike, ordinary)
	step := len(s.log.Rows)/mostOffers + 1
	for j := 0; j < len(s.log.Rows); j += step {
		other := &s.log.Rows[j]
		find.Offer(&other.Conn, other.Window)
		d.Among++
	}
	others := find.Others()
	for n := range others {
		o := &others[n]
		like := similar{
			TS: secondsOf(o.Conn.TS), Orig: o.Conn.Orig.String(), Resp: o.Conn.Resp.String(), Service: o.Conn.Service,
			State: o.Conn.State.String(), Score: o.Score.Value, Alike: 1 - o.Difference, Differs: []bar{},
		}
		for _, f := range o.Largest(3) {
			if o.Parts[f] > 0 {
				like.Differs = append(like.Differs, bar{Name: m.Set().Features[f].Name, Value: string(m.Encoder().AppendConn(nil, f, &o.Conn, o.Window)), Credit: o.Parts[f]})
			}
		}
		d.Similar = append(d.Similar, like)
	}
	if change, ok := m.SmallestChange(c, r.Window, others, ordinary); ok {
		for _, f := range change.Fields {
			d.Change = append(d.Change, changed{f.Name, f.From, f.To})
		}
		d.Changed = changeMade{change.Score.Value, m.OneIn(change.Score.Path)}
	}
	return d
}
