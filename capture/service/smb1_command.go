package service

// The larger SMB1 commands; src/analyzer/protocol/smb/smb1-com-*.pac.

func (a *smbAnalyzer) smb1NegotiateResponse(r record, h smb1Head) {
	words := r.u8()
	r.skip(2)
	n := newRecord(r.octets)
	switch words {
	case 0x01:
		n.skip(2)
	case 0x0d: // LANMAN
		n.skip(28)
		key := int(n.le16())
		n.skip(4 + key)
		n.smb1String(h.unicode, n.offset())
	case 0x11: // NT LM
		n.skip(17)
		extended := n.le32()&0x80000000 != 0
		n.skip(8 + 2)
		key, size := int(n.u8()), int(n.le16())
		if !extended {
			n.skip(key)
			n.smb1String(h.unicode, n.offset())
			return
		}
		n.skip(16)
		blob := n.take(size - 16)
		a.secure(blob, false)
	default:
		n.fail()
	}
}

func (a *smbAnalyzer) smb1SessionRequest(r record, c smb1AndX) {
	words := r.u8()
	c.at++
	s := newRecord(r.octets)
	c.head(s, 0)
	var blob octets
	strings := 4
	s.skip(10)
	switch words {
	case 0x0a: // LANMAN
		password := int(s.le16())
		s.skip(6 + password)
	case 0x0c: // NT LM with extended security
		size := int(s.le16())
		s.skip(10)
		blob = s.take(size)
		strings = 2
	case 0x0d: // without
		insensitive, sensitive := int(s.le16()), int(s.le16())
		s.skip(10 + insensitive + sensitive)
	default:
		s.fail()
	}
	for range strings {
		s.smb1String(c.h.unicode, s.offset()+1)
	}
	c.next(s)
	if words == 0x0c && !s.bad {
		a.secure(blob, true)
	}
}

func (a *smbAnalyzer) smb1SessionResponse(r record, c smb1AndX) {
	words := r.u8()
	c.at++
	s := newRecord(r.octets)
	switch words {
	case 3: // LANMAN
		c.head(s, 0)
		s.skip(2)
		if s.le16() != 0 {
			for range 3 {
				if s.fits(1, 1) {
					s.smb1String(c.h.unicode, s.offset()+1)
				}
			}
		}
		c.next(s)
	case 4: // NT LM
		c.head(s, 0)
		s.skip(2)
		size := int(s.le16())
		s.skip(2)
		blob := s.take(size)
		s.smb1String(c.h.unicode, s.offset()+1)
		s.smb1String(c.h.unicode, s.offset()+1)
		c.next(s)
		if !s.bad {
			a.secure(blob, false)
		}
	default:
		s.skip(2)
	}
}

func (a *smbAnalyzer) smb1TreeResponse(r record, c smb1AndX) {
	c.head(r, 1)
	if c.words >= 3 {
		r.skip(2 * (int(c.words) - 2))
	}
	size := int(r.le16())
	service := r.smb1ASCII()
	if size > service.len() && r.fits(1, 1) {
		r.smb1String(c.h.unicode, r.offset())
	}
	c.next(r)
	if !r.bad && len(service.b) >= 3 && string(service.b[:3]) == "IPC" {
		a.setPipeTree(uint32(c.h.tree))
	}
}

func (a *smbAnalyzer) smb1Read(r record, c smb1AndX) {
	c.head(r, 1)
	r.skip(6)
	low, at, high := r.le16(), r.le16(), r.le16()
	r.skip(8 + 2)
	r.padTo(int(at) - smb1HeadSize)
	data := r.take(int(high)<<16 + int(low))
	c.next(r)
	if !r.bad && c.h.pipeTree {
		a.pipe(data, 0, false)
	}
}

func (a *smbAnalyzer) smb1Write(r record, c smb1AndX) {
	c.head(r, 1)
	r.skip(14)
	high, low, at := r.le16(), r.le16(), r.le16()
	if c.words == 0x0e {
		r.skip(4)
	}
	r.skip(2)
	r.padTo(int(at) - smb1HeadSize)
	data := r.take(int(high)<<16 + int(low))
	c.next(r)
	if !r.bad && c.h.pipeTree {
		a.pipe(data, 0, true)
	}
}

// smb1Transaction parses a transaction. One on \PIPE\ carries DCE/RPC; its
// answer is recognised by the multiplex id.
func (a *smbAnalyzer) smb1Transaction(r record, h smb1Head) {
	r.skip(19)
	parameters, parametersAt := int(r.le16()), int(r.le16())
	r.skip(2)
	dataAt := int(r.le16())
	setup := int(r.u8())
	r.skip(1 + 2*setup + 2)
	name := r.smb1String(h.unicode, r.offset())
	r.padTo(parametersAt - smb1HeadSize)
	r.skip(parameters)
	r.padTo(dataAt - smb1HeadSize)
	data := r.rest()
	if r.bad {
		return
	}
	kind := name.smb1TransactionKind(h.unicode)
	if kind == smb1Pipe {
		a.pipe(data, 0, true)
	}
	if kind == smb1Pipe || kind == smb1Unknown && a.isPipeTree(uint32(h.tree)) {
		if a.pipeCalls == nil {
			a.pipeCalls = map[uint16]struct{}{}
		}
		a.pipeCalls[h.mid] = struct{}{}
	} else {
		delete(a.pipeCalls, h.mid)
	}
}

func (a *smbAnalyzer) smb1TransactionResponse(r record, h smb1Head) {
	r.skip(7)
	parameters, parametersAt := int(r.le16()), int(r.le16())
	r.skip(2)
	size, dataAt := int(r.le16()), int(r.le16())
	r.skip(2)
	setup := int(r.u8())
	r.skip(1 + 2*setup + 2)
	r.padTo(parametersAt - smb1HeadSize)
	r.skip(parameters)
	r.padTo(dataAt - smb1HeadSize)
	if size == 0 || !r.fits(1, 1) {
		return
	}
	data := r.rest()
	if _, ok := a.pipeCalls[h.mid]; ok && !r.bad {
		delete(a.pipeCalls, h.mid)
		a.pipe(data, 0, false)
	}
}

type smb1TransactionKind uint8

const (
	smb1Unknown smb1TransactionKind = iota
	smb1Pipe
	smb1RAP // remote administration, \PIPE\LANMAN
)

// smb1TransactionKind looks at the name of a transaction, which must go on
// behind what is compared.
func (o octets) smb1TransactionKind(unicode bool) smb1TransactionKind {
	step := 1
	if unicode {
		step = 2
	}
	has := func(text string, at int) bool {
		if len(o.b) <= step*(at+len(text)-1) {
			return false
		}
		for i := range len(text) {
			if o.b[step*(at+i)] != text[i] {
				return false
			}
		}
		return true
	}
	switch {
	case !has(`\PIPE\`, 0):
		return smb1Unknown
	case has("LANMAN", 6):
		return smb1RAP
	}
	return smb1Pipe
}

func (r record) smb1Transaction2(h smb1Head) {
	r.skip(21)
	at := int(r.le16())
	r.skip(6)
	kind := r.le16()
	r.skip(2)
	r.padTo(at - smb1HeadSize)
	switch kind {
	case 0x01: // find first
		r.skip(12)
		r.smb1String(h.unicode, 12)
	case 0x05: // query path
		r.skip(6)
		r.smb1String(h.unicode, 6)
	case 0x07: // query file
		r.skip(4)
	case 0x10: // DFS referral
		r.skip(2)
		r.smb1String(h.unicode, 2)
	case 0x03, 0x08:
	default:
		r.rest()
	}
}
