package service

// smb1Head are the fields of an SMB1 header that matter.
type smb1Head struct {
	unicode  bool
	tree     uint16
	mid      uint16
	pipeTree bool
}

const (
	smb1HeadSize = 32 // with the protocol mark; offsets in messages count from there
	smb1MaxAndX  = 10 // SMB::max_andx_depth
	smb1NoAndX   = 0xff
)

// smb1 parses one SMB1 message (src/analyzer/protocol/smb/smb1-protocol.pac).
func (a *smbAnalyzer) smb1(o *octets, fromOrig bool, size int) {
	command := o.u8()
	o.skip(4 + 1) // status, flags
	flags := o.le16()
	o.skip(2 + 8 + 2)
	h := smb1Head{unicode: flags&0x8000 != 0, tree: o.le16()}
	o.skip(2 + 2)
	h.mid = o.le16()
	h.pipeTree = a.isPipeTree(uint32(h.tree))
	if size == 35 { // the header and an empty message
		o.skip(3)
		return
	}
	a.smb1Command(o, h, smb1HeadSize, command, fromOrig, 0)
}

// smb1Command parses a command's message. at is its offset in the SMB message,
// in 16 bits; depth counts the AndX chain.
func (a *smbAnalyzer) smb1Command(o *octets, h smb1Head, at uint16, command byte, request bool, depth uint8) {
	r := newRecord(o)
	c := smb1AndX{a: a, h: h, at: at, depth: depth, request: request}
	if request {
		a.smb1Request(r, c, command)
	} else {
		a.smb1Response(r, c, command)
	}
}

func (a *smbAnalyzer) smb1Request(r record, c smb1AndX, command byte) {
	switch command {
	case 0x04: // close
		r.skip(9)
	case 0x08, 0x10: // query information, check directory
		r.skip(4)
		r.smb1String(c.h.unicode, 4)
	case 0x24: // locking: Zeek does not know the width of its offsets
		r.fail()
	case 0x25:
		a.smb1Transaction(r, c.h)
	case 0x26: // secondary
		r.skip(5)
		parameters, parametersAt := int(r.le16()), int(r.le16())
		r.skip(4)
		dataAt := int(r.le16())
		r.skip(4)
		r.padTo(parametersAt - smb1HeadSize)
		r.skip(parameters)
		r.padTo(dataAt - smb1HeadSize)
		r.rest()
	case 0x2b: // echo
		r.skip(3)
		r.skip(int(r.le16()))
	case 0x2e: // read
		c.head(r, 1)
		r.skip(16)
		if c.words == 0x0c {
			r.skip(4)
		}
		r.skip(2)
		c.next(r)
	case 0x2f:
		a.smb1Write(r, c)
	case 0x32:
		r.smb1Transaction2(c.h)
	case 0x33: // secondary
		r.skip(5)
		parameters, parametersAt := int(r.le16()), int(r.le16())
		r.skip(2)
		size, dataAt := int(r.le16()), int(r.le16())
		r.skip(6)
		r.padTo(parametersAt - smb1HeadSize)
		r.skip(parameters)
		r.padTo(dataAt - smb1HeadSize)
		r.skip(size)
	case 0x71, 0xa4: // tree disconnect, cancel
		r.skip(3)
	case 0x72: // negotiate
		r.skip(1)
		dialects := r.take(int(r.le16()))
		for dialects.len() > 0 {
			dialects.skip(1)
			dialects.smb1ASCII()
		}
		r.join(dialects)
	case 0x73:
		a.smb1SessionRequest(r, c)
	case 0x74: // logoff
		c.head(r, 1)
		r.skip(2)
		c.next(r)
	case 0x75: // tree connect
		c.head(r, 1)
		r.skip(2)
		password := int(r.le16())
		r.skip(2 + password)
		r.smb1String(c.h.unicode, r.offset())
		r.smb1ASCII()
		c.next(r)
	case 0xa0:
		r.skip(1)
	case 0xa2: // create
		c.head(r, 1)
		r.skip(46)
		name := r.smb1String(c.h.unicode, 51)
		c.next(r)
		if !r.bad && !c.h.pipeTree && smbPipeName(name.smb1Text(c.h.unicode)) {
			a.setPipeTree(uint32(c.h.tree))
		}
	default:
		r.rest()
	}
}

func (a *smbAnalyzer) smb1Response(r record, c smb1AndX, command byte) {
	switch command {
	case 0x04, 0x10, 0x71:
		r.skip(3)
	case 0x08:
		r.skip(25)
	case 0x24:
	case 0x25:
		a.smb1TransactionResponse(r, c.h)
	case 0x2b:
		r.skip(3)
		r.skip(int(r.le16()))
	case 0x2e:
		a.smb1Read(r, c)
	case 0x2f:
		c.head(r, 1)
		r.skip(10)
		c.next(r)
	case 0x32:
		r.skip(21)
		r.skip(int(r.le16()))
	case 0x72:
		a.smb1NegotiateResponse(r, c.h)
	case 0x73:
		a.smb1SessionResponse(r, c)
	case 0x74:
		c.head(r, 1)
		r.skip(2)
		c.request = true // whoever logs off, what follows is read as a request
		c.next(r)
	case 0x75:
		a.smb1TreeResponse(r, c)
	case 0xa0:
		r.skip(1)
	case 0xa2:
		c.head(r, 1)
		r.skip(66)
		c.next(r)
	default:
		r.rest()
	}
}

// smb1AndX is a command that names the next one in the message.
type smb1AndX struct {
	a       *smbAnalyzer
	h       smb1Head
	at      uint16 // the offset that binpac reckons for the command
	depth   uint8
	request bool // of the next command

	words   byte
	command byte
	offset  uint16
}

// head reads the word count, if the record begins with it, and the AndX fields.
func (c *smb1AndX) head(r record, words int) {
	if words > 0 {
		c.words = r.u8()
	}
	c.command = r.u8()
	r.skip(1)
	c.offset = r.le16()
}

// next skips to the next command and parses it. Chains that are too deep, or
// do not advance, end; Zeek then marks the history.
func (c *smb1AndX) next(r record) {
	here := int(c.at) + r.offset()
	if c.offset != 0 && int(c.offset) < here+2 {
		r.skip(int(c.offset) - here)
	}
	stuck := c.offset <= c.at
	if command := c.command; command != smb1NoAndX && c.depth <= smb1MaxAndX && !stuck && !r.bad {
		c.a.smb1Command(r.octets, c.h, uint16(int(c.at)+r.offset()), command, c.request, c.depth+1)
	}
	if c.command != smb1NoAndX && (stuck || c.depth >= smb1MaxAndX) && !r.bad {
		c.a.det.conn.GiveUp()
	}
}

// smb1String reads a string; an odd offset of a Unicode one means a byte of
// padding before it.
func (o *octets) smb1String(unicode bool, offset int) octets {
	if !unicode {
		return o.smb1ASCII()
	}
	o.skip(offset & 1)
	n := 0
	for n < len(o.b) {
		n++
		if n%2 == 0 && o.b[n-1] == 0 && o.b[n-2] == 0 {
			return o.take(n)
		}
	}
	return o.rest()
}

// smb1ASCII reads up to a NUL, or to the end.
func (o *octets) smb1ASCII() octets {
	for i, c := range o.b {
		if c == 0 {
			return o.take(i + 1)
		}
	}
	return o.rest()
}

// smb1Text returns a string without its NUL.
func (o octets) smb1Text(unicode bool) string {
	if unicode {
		return smbUnicode(o.b)
	}
	b := o.b
	if n := len(b); n > 0 && b[n-1] == 0 {
		b = b[:n-1]
	}
	return string(b)
}
