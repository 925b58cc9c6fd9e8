package service

// dnsAnalyzer confirms a message, of either side, whose header, questions and
// answers parse; authority and additional records are not looked at (Zeek
// 8.0, src/analyzer/protocol/dns/DNS.cc, with dns_skip_all_auth and
// dns_skip_all_addl). What fails to parse is no violation.
type dnsAnalyzer struct {
	node
	later bool // the first message with a proper opcode has passed
	sides [2]dnsStream
}

// dnsStream puts messages of a TCP stream together: two bytes of length, then
// the message.
type dnsStream struct {
	state dnsState
	want  int
	buf   []byte
}

type dnsState uint8

const (
	dnsLengthHigh dnsState = iota
	dnsLengthLow
	dnsMessage
)

const (
	dnsHeader     = 12
	dnsMaxQueries = 25 // dns_max_queries
	dnsMaxChain   = 20 // dns_max_compression_chain_depth
	netbiosPort   = 137
)

func newDNS() analyzer { return &dnsAnalyzer{} }

func (a *dnsAnalyzer) renew() { *a = dnsAnalyzer{} }

func (a *dnsAnalyzer) data(fromOrig bool, b []byte) {
	if !a.det.stream {
		a.message(b, fromOrig)
		return
	}
	s := &a.sides[side(fromOrig)]
	for len(b) > 0 {
		switch s.state {
		case dnsLengthHigh:
			s.want = int(b[0]) << 8
			s.state = dnsLengthLow
			b = b[1:]
		case dnsLengthLow:
			s.want |= int(b[0])
			s.state = dnsMessage
			s.buf = s.buf[:0]
			b = b[1:]
		default:
			n := min(max(s.want-len(s.buf), 0), len(b))
			s.buf = append(s.buf, b[:n]...)
			b = b[n:]
			if len(s.buf) >= s.want {
				a.message(s.buf[:s.want], fromOrig)
				s.buf, s.state = s.buf[:0], dnsLengthHigh
			}
		}
	}
}

// closed parses the messages in hand as far as they go.
func (a *dnsAnalyzer) closed() {
	for i := range a.sides {
		if s := &a.sides[i]; len(s.buf) > 0 {
			a.message(s.buf, false)
			s.want = 0
		}
	}
}

// done of an analyzer that was violated takes its timer along.
func (a *dnsAnalyzer) done() {
	if !a.det.stream && !a.det.finished {
		a.det.conn.EndDNSSession()
	}
}

func (a *dnsAnalyzer) message(b []byte, query bool) {
	if len(b) < dnsHeader {
		return
	}
	flags := int(b[2])<<8 | int(b[3])
	if flags&0x7800 != 0 && a.det.id.Orig.Port() != netbiosPort && a.det.id.Resp.Port() != netbiosPort {
		a.det.conn.GiveUp()
		return
	}
	if !a.later && query && flags&0x8000 != 0 && !a.det.id.Resp.Addr().IsMulticast() {
		a.det.conn.FlipRoles() // the reply came first
	}
	a.later = true
	m := dnsReader{b: b, pos: dnsHeader, left: len(b) - dnsHeader, netbios: a.det.id.Resp.Port() == netbiosPort}
	questions, answers := m.at16(4), m.at16(6)
	if questions > dnsMaxQueries {
		a.violate()
		return
	}
	for range questions {
		m.name(0)
		if m.left < 4 {
			return
		}
		m.skip(4)
	}
	for range answers {
		if !a.record(&m) {
			return
		}
	}
	a.confirm()
}

// Record types that Zeek looks into.
const (
	dnsA          = 1
	dnsNS         = 2
	dnsCNAME      = 5
	dnsSOA        = 6
	dnsWKS        = 11
	dnsPTR        = 12
	dnsMX         = 15
	dnsTXT        = 16
	dnsAAAA       = 28
	dnsLOC        = 29
	dnsSRV        = 33
	dnsNAPTR      = 35
	dnsA6         = 38
	dnsEDNS       = 41
	dnsDS         = 43
	dnsSSHFP      = 44
	dnsRRSIG      = 46
	dnsNSEC       = 47
	dnsDNSKEY     = 48
	dnsNSEC3      = 50
	dnsNSEC3PARAM = 51
	dnsSVCB       = 64
	dnsHTTPS      = 65
	dnsSPF        = 99
	dnsTSIG       = 250
	dnsBINDS      = 65534
)

// record reads one resource record. Zeek goes on where the content ended, not
// where its length says, which matters for the records behind a bad one.
func (a *dnsAnalyzer) record(m *dnsReader) bool {
	m.name(0)
	if m.left < 4 {
		return false
	}
	kind := m.u16()
	m.u16()
	m.u32()
	size := m.u16()
	if size > m.left || size == 0 && m.left > 0 {
		return false
	}
	start := m.pos
	switch kind {
	case dnsA:
		if size != 4 {
			return false
		}
		m.u32()
	case dnsAAAA, dnsA6:
		for range 4 {
			m.u32()
		}
	case dnsNS, dnsCNAME, dnsPTR:
		m.name(0)
	case dnsSOA:
		m.name(0)
		m.name(0)
		if m.left < 20 {
			return false
		}
		m.skip(20)
	case dnsWKS: // not consumed
	case dnsMX:
		m.u16()
		m.name(0)
	case dnsTXT, dnsSPF:
		for m.charString(&size) {
		}
		return size == 0
	case dnsSRV:
		if m.netbios { // a node status record; not consumed
			return true
		}
		m.u16()
		m.u16()
		m.u16()
		m.name(0)
	case dnsNAPTR:
		return a.naptr(m, size)
	case dnsEDNS:
		return m.edns()
	case dnsTSIG:
		m.name(0)
		m.u32()
		m.u16()
		m.u16()
		m.octets()
		m.u16()
		m.u16()
		m.octets()
	case dnsRRSIG:
		if m.left < 18 {
			return false
		}
		m.skip(18)
		start := m.pos
		m.name(0)
		m.stream(size - (m.pos - start + 18))
	case dnsNSEC:
		m.name(0)
		m.bitmaps(size - (m.pos - start))
	case dnsNSEC3:
		if m.left < 6 {
			return false
		}
		m.skip(4)
		m.stream(m.u8())
		m.stream(m.u8())
		m.bitmaps(size - (m.pos - start))
	case dnsNSEC3PARAM:
		if m.left < 5 {
			return false
		}
		m.skip(4)
		m.stream(m.u8())
	case dnsDNSKEY, dnsDS:
		if m.left < 4 {
			return false
		}
		m.skip(4)
		m.stream(size - 4)
	case dnsBINDS:
		if m.left < 5 {
			return false
		}
		m.skip(4)
		m.stream(size - 4)
	case dnsSSHFP:
		if m.left < 2 {
			return false
		}
		m.skip(2)
		m.stream(size - 2)
	case dnsLOC:
		if m.left < 15 {
			return false
		}
		m.u16()
		m.u16()
		m.u32()
		m.u32()
		m.u32()
	case dnsSVCB, dnsHTTPS:
		if m.left < 3 {
			return false
		}
		m.u16()
		m.name(0)
		if done := m.pos - start; done < size {
			m.skip(size - done)
		}
	default:
		m.skip(size)
	}
	return true
}

func (a *dnsAnalyzer) naptr(m *dnsReader, size int) bool {
	m.u16()
	m.u16()
	size -= 4
	if m.left <= 0 || size <= 0 {
		a.violate()
		return false
	}
	flags := m.charString(&size)
	service := m.charString(&size)
	expression := m.charString(&size)
	m.name(0)
	if !flags || !service || !expression {
		a.violate()
		return false
	}
	return true
}

// dnsReader walks a message. left is what Zeek thinks remains, which may leave
// the message behind a bad length; bytes outside read as zero.
type dnsReader struct {
	b       []byte
	pos     int
	left    int
	netbios bool // the responder's port is NetBIOS's: labels may be longer
}

func (m *dnsReader) at(i int) int {
	if i < 0 || i >= len(m.b) {
		return 0
	}
	return int(m.b[i])
}

func (m *dnsReader) at16(i int) int { return m.at(i)<<8 | m.at(i+1) }

func (m *dnsReader) skip(n int) {
	m.pos += n
	m.left -= n
}

// u8, u16 and u32 consume nothing when there is not enough.
func (m *dnsReader) u8() int {
	if m.left <= 0 {
		return 0
	}
	v := m.at(m.pos)
	m.skip(1)
	return v
}

func (m *dnsReader) u16() int {
	if m.left < 2 {
		return 0
	}
	v := m.at16(m.pos)
	m.skip(2)
	return v
}

func (m *dnsReader) u32() {
	if m.left >= 4 {
		m.skip(4)
	}
}

// stream skips n bytes, or what there is.
func (m *dnsReader) stream(n int) { m.skip(min(m.left, max(n, 0))) }

func (m *dnsReader) octets() { m.skip(min(m.left, m.u16())) }

// charString skips a string behind its one byte of length, within the *size
// bytes left in the record.
func (m *dnsReader) charString(size *int) bool {
	if *size <= 0 {
		return false
	}
	n := m.at(m.pos)
	m.skip(1)
	*size--
	if n > *size {
		return false
	}
	m.skip(n)
	*size -= n
	return true
}

func (m *dnsReader) bitmaps(size int) {
	for size > 0 && m.left > 0 {
		n := m.u16() & 0xff
		if n == 0 {
			return
		}
		m.stream(n)
		size -= 2 + n
	}
}

// edns walks the options of an OPT record to the end of the message.
func (m *dnsReader) edns() bool {
	for m.left >= 4 {
		m.u16()
		n := m.u16()
		if n > m.left {
			break
		}
		m.skip(n)
	}
	return m.left <= 0
}

// dnsNameRoom is the room that Zeek has for a name.
const dnsNameRoom = 512

// name skips a name. What is wrong with it is never an error: reading just
// stops there.
func (m *dnsReader) name(depth int) {
	room := dnsNameRoom
	m.pos, m.left = m.labels(m.pos, m.left, &room, depth)
}

func (m *dnsReader) labels(pos, left int, room *int, depth int) (int, int) {
	for left > 0 {
		start := pos
		n := m.at(pos)
		pos++
		left--
		if left <= 0 || n == 0 {
			return pos, left
		}
		if n&0xc0 == 0xc0 {
			offset := n&^0xc0<<8 | m.at(pos)
			pos++
			left--
			if offset < start && depth < dnsMaxChain {
				m.labels(offset, start-offset, room, depth+1)
			}
			return pos, left
		}
		if n > left {
			return pos + left, 0
		}
		if n > 63 && !m.netbios || n >= *room {
			return pos, left
		}
		*room -= n + 1
		pos += n
		left -= n
	}
	return pos, left
}
