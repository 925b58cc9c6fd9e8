package alerts

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Candidate is a row that a sensor of a cluster leaves to the policy of all of
// them. A message of them is
//
//	candidatesVersion, begun (8 bytes), entries
//
// and self-contained: times are written as what has passed since the entry
// before, and a log and its model once.
type Candidate struct {
	Row
	Asked  bool   // Raise may be called: the site wants to hear of it
	More   uint64 // rows of the host and log before it that were not sent, none of them stranger than one that was
	Detail Detail // empty where another row of the host had one a moment ago
}

// Detail is what an alert says beside its row. Of one that was sent the texts lie in
// the message.
type Detail struct {
	UID    string
	Proto  conn.Proto
	Score  float64 // anomaly_score, where Row has that of the case
	Rank   float64 // anomaly_rank
	Reason string
	Case   bool // Reason has those of other logs, too
}

const (
	candidatesVersion = 1
	candidatesHead    = 1 + 8

	// MaxCandidates is the most bytes of a message.
	MaxCandidates = 1 << 15
	// The longest entry has a reason of so many bytes, that of a case with four
	// other logs, and names of up to 1 KiB.
	maxReason    = 1 << 12
	maxUID       = 64
	maxCandidate = 2 * maxReason
)

// What an entry has.
const (
	hasRow    = 1 << iota // else the clock alone, and a log whose rows have come
	isAsked               // Candidate.Asked
	hasDetail             // Candidate.Detail
	hasMore               // Candidate.More
	hasLog                // another log or model than the entry before
	isOwn                 // Row.Own
	isCall                // Row.Calls
	isOpen                // Row.Open
)

var errCandidates = errors.New("candidates of another sensor are damaged")

// candidateCodec writes entries, or reads them.
type candidateCodec struct {
	codec
	now   conn.Micros // of the entry before
	log   string
	model string
}

// newCandidates returns the beginning of a message.
func newCandidates(buf []byte) candidateCodec {
	return candidateCodec{codec: codec{writing: true, buf: append(buf[:0], candidatesVersion, 0, 0, 0, 0, 0, 0, 0, 0)}}
}

// begin says in a message when the time that its sender knows began.
func begin(message []byte, begun conn.Micros) {
	binary.LittleEndian.PutUint64(message[1:candidatesHead], uint64(begun))
}

// readCandidates begins to read a message.
func readCandidates(message []byte) (c candidateCodec, begun conn.Micros, err error) {
	if len(message) < candidatesHead || len(message) > MaxCandidates {
		return c, 0, errCandidates
	}
	if message[0] != candidatesVersion {
		return c, 0, errors.New("candidates are of another version of zeek-iforest: install the same one on all nodes")
	}
	c.buf = message[candidatesHead:]
	return c, conn.Micros(binary.LittleEndian.Uint64(message[1:candidatesHead])), nil
}

// next reads an entry, of a row or of none; false is the end, or an
// error.
func (c *candidateCodec) next(to *Candidate) (row, ok bool) {
	if len(c.buf) == 0 || c.bad {
		return false, false
	}
	*to = Candidate{}
	row = c.entry(to, &c.now, 0)
	return row, !c.bad
}

// entry codes one; flags are of one that is written.
func (c *candidateCodec) entry(to *Candidate, now *conn.Micros, flags byte) (row bool) {
	f := []byte{flags}
	if c.bytes(f); c.bad {
		return false
	}
	was := c.now
	c.passed(now, was)
	c.now = *now
	if f[0]&hasLog != 0 {
		c.log, c.model = to.Log, to.Model
		c.text(&c.log)
		c.text(&c.model)
	}
	if !c.writing {
		to.Log, to.Model = c.log, c.model
		to.Asked, to.Own, to.Calls, to.Open = f[0]&isAsked != 0, f[0]&isOwn != 0, f[0]&isCall != 0, f[0]&isOpen != 0
	}
	if f[0]&hasRow == 0 {
		return false
	}
	c.passed(&to.TS, c.now)
	if to.End = max(to.End, to.TS); to.Open {
		c.passed(&to.End, to.TS)
	}
	c.shortAddrPort(&to.Orig)
	c.shortAddrPort(&to.Resp)
	c.text(&to.In)
	c.decimals(&to.Score)
	if to.Log != "" {
		c.number(&to.Name, math.MaxUint64)
	}
	if f[0]&hasMore != 0 {
		c.number(&to.More, math.MaxUint32)
	}
	if f[0]&hasDetail != 0 {
		c.detail(&to.Detail)
	}
	return true
}

func (c *candidateCodec) detail(d *Detail) {
	proto, rank := uint64(d.Proto), uint64(min(d.Rank, math.MaxInt64/2))
	c.view(&d.UID, maxUID)
	c.number(&proto, math.MaxUint8)
	c.decimals(&d.Score)
	c.number(&rank, math.MaxInt64)
	c.flag(&d.Case)
	c.view(&d.Reason, maxReason)
	d.Proto, d.Rank = conn.Proto(proto), float64(rank)
}

// view is text, cut to so many bytes; one that is read lies in the message.
func (c *candidateCodec) view(v *string, most uint64) {
	n := min(uint64(len(*v)), most)
	c.number(&n, most)
	switch {
	case c.writing:
		c.buf = append(c.buf, (*v)[:n]...)
	case n > uint64(len(c.buf)):
		c.bad = true
	case n > 0:
		*v = unsafe.String(&c.buf[0], n)
		c.buf = c.buf[n:]
	}
}

// passed is a time as what lies between another one and it.
func (c *candidateCodec) passed(v *conn.Micros, since conn.Micros) {
	off := int64(*v - since)
	u := uint64(off)<<1 ^ uint64(off>>63)
	c.number(&u, math.MaxUint64)
	if *v = since + conn.Micros(int64(u>>1)^-int64(u&1)); *v < 0 {
		c.bad, *v = true, 0
	}
}

// decimals is a share, in few bytes where it has four decimals, as scores have.
func (c *candidateCodec) decimals(v *float64) {
	const scale, more = 1e4, 1e4 + 1
	n := uint64(math.Round(*v * scale))
	if c.writing && float64(n)/scale != *v {
		n = more
	}
	if c.number(&n, more); n == more {
		c.share(v)
		return
	}
	*v = float64(n) / scale
}

// shortAddrPort is addrPort in fewer bytes.
func (c *candidateCodec) shortAddrPort(v *netip.AddrPort) {
	a, is4 := v.Addr(), v.Addr().Is4()
	if c.flag(&is4); is4 {
		b := [4]byte{}
		if c.writing {
			b = a.As4()
		}
		c.bytes(b[:])
		a = netip.AddrFrom4(b)
	} else {
		c.addr(&a)
	}
	port := uint64(v.Port())
	c.number(&port, math.MaxUint16)
	if *v = netip.AddrPortFrom(a, uint16(port)); !a.IsValid() {
		c.bad = true
	}
}
