package service

import "bytes"

// sshAnalyzer confirms SSH 2 by NEWKEYS and SSH 1 by the session key, of
// either side; to read these messages it must have both sides' versions
// (src/analyzer/protocol/ssh/ssh-protocol.pac, ssh-analyzer.pac).
type sshAnalyzer struct {
	node
	sides   [2]sshSide
	version sshVersion // what both sides agree on
	kex     []byte     // the first key exchange offer
	offered bool
	offerer bool // who made it
	blind   bool // after a gap
}

type sshSide struct {
	state   sshState
	version sshVersion
	line    flowLine
	frame   frameBuffer
}

type sshVersion uint8

const (
	sshUnknown sshVersion = iota
	ssh1
	ssh2
	ssh199 // both
)

type sshState uint8

const (
	sshBannerState sshState = iota
	sshKexInit
	sshGroupExchange
	sshDiffieHellman
	sshElliptic
	sshGSS
	sshRSA
	sshEncrypted
)

// Zeek's limits (init-bare.zeek, module SSH); beyond them stands an X in the
// history.
const (
	sshMaxPacket = 8 * 1024 * 1024
	sshMaxString = 2 * 1024 * 1024
	sshMaxNames  = 100
)

const (
	sshNewKeys    = 21
	ssh1PublicKey = 2
	ssh1Session   = 3
)

func newSSH() analyzer { return &sshAnalyzer{} }

func (a *sshAnalyzer) data(fromOrig bool, b []byte) {
	if a.partial() || a.blind {
		return
	}
	s := &a.sides[side(fromOrig)]
	for len(b) > 0 && s.state != sshEncrypted {
		ok := true
		if s.state == sshBannerState {
			line, complete := s.line.next(&b)
			if !complete {
				return
			}
			ok = a.banner(s, line, fromOrig)
		} else {
			if s.frame.got == 0 {
				s.line.counted(&b)
			}
			m, state := s.frame.next(&b, 4, a.messageSize)
			if state == frameWaits {
				return
			}
			ok = state == frameDone && a.message(s, m, fromOrig)
		}
		if !ok {
			a.violate()
			s.frame.discard()
			s.line.discard()
			return
		}
	}
}

// banner reads a version line; a server may send others before it.
func (a *sshAnalyzer) banner(s *sshSide, line []byte, fromOrig bool) bool {
	if !bytes.HasPrefix(line, []byte("SSH-")) {
		return !fromOrig
	}
	s.state = sshKexInit
	if len(line) >= 5 {
		switch {
		case line[4] == '2':
			s.version = ssh2
		case line[4] == '1' && len(line) >= 8 && line[6] == '9' && line[7] == '9':
			s.version = ssh199
		case line[4] == '1':
			s.version = ssh1
		}
	}
	switch c, r := a.sides[0].version, a.sides[1].version; {
	case c == r && c == ssh199:
		a.version = ssh2
	case c == r:
		a.version = c
	case c == ssh199 && r != sshUnknown:
		a.version = r
	case r == ssh199 && c != sshUnknown:
		a.version = c
	case c != sshUnknown && r != sshUnknown:
		a.version = sshUnknown
	}
	return true
}

func (a *sshAnalyzer) messageSize(h []byte) (int, bool) {
	n := a.capped(&octets{b: h}, sshMaxPacket)
	switch a.version {
	case ssh1:
		return n + 12 - n%8, true
	case ssh2:
		return n + 4, true
	}
	return 0, false
}

// capped reads a length and holds it to a limit.
func (a *sshAnalyzer) capped(o *octets, limit int) int {
	n := int(o.be32())
	if n > limit {
		a.det.conn.GiveUp()
		n = limit
	}
	return n
}

func (a *sshAnalyzer) message(s *sshSide, o octets, fromOrig bool) bool {
	n := min(int(o.be32()), sshMaxPacket)
	if a.version == ssh1 {
		return a.message1(s, &o, n)
	}
	m := o.take(n)
	padding := int(m.u8())
	kind := m.u8()
	if m.bad {
		return false
	}
	if kind == sshNewKeys {
		s.state = sshEncrypted
	}
	a.payload(s.state, &m, kind, n-padding-2, fromOrig)
	if m.bad {
		return false
	}
	if kind == sshNewKeys {
		a.confirm()
	}
	m.skip(padding)
	return !m.bad
}

// payload reads the body of a message, size bytes, as the state demands.
func (a *sshAnalyzer) payload(state sshState, m *octets, kind byte, size int, fromOrig bool) {
	body := m
	strings := 0
	switch state {
	case sshKexInit:
		b := m.take(size)
		a.kexInit(&b, fromOrig)
		m.join(b)
		return
	case sshElliptic: // no length of their own
		switch kind {
		case 30:
			strings = 1
		case 31:
			strings = 3
		default:
			m.fail()
		}
		a.skipStrings(body, strings)
		return
	case sshDiffieHellman:
		strings = map[byte]int{30: 1, 31: 3}[kind]
	case sshGroupExchange:
		switch kind {
		case 30:
			m.skip(4)
			return
		case 34:
			m.skip(12)
			return
		}
		strings = map[byte]int{31: 2, 32: 1, 33: 3}[kind]
	case sshRSA:
		if kind < 30 || kind > 32 {
			m.fail()
		}
		strings = map[byte]int{30: 2, 31: 1, 32: 1}[kind]
	case sshGSS:
		if kind == 40 {
			m.skip(12)
			return
		}
		b := m.take(size)
		a.gssMessage(&b, kind)
		m.join(b)
		return
	}
	b := m.take(size)
	a.skipStrings(&b, strings)
	m.join(b)
}

func (a *sshAnalyzer) gssMessage(b *octets, kind byte) {
	switch kind {
	case 30, 41:
		a.skipStrings(b, 2)
	case 31, 33:
		a.skipStrings(b, 1)
	case 32:
		a.skipStrings(b, 2)
		if b.u8() != 0 {
			a.skipStrings(b, 1)
		}
	case 34:
		b.skip(8)
		a.skipStrings(b, 2)
	default:
		b.fail()
	}
}

func (a *sshAnalyzer) skipStrings(o *octets, n int) {
	for range n {
		a.text(o)
	}
}

// text reads a string behind its length.
func (a *sshAnalyzer) text(o *octets) []byte {
	n := a.capped(o, sshMaxString)
	return o.take(n).b
}

func (a *sshAnalyzer) kexInit(o *octets, fromOrig bool) {
	o.skip(16) // cookie
	var lists [10][]byte
	for i := range lists {
		lists[i] = a.text(o)
	}
	o.skip(5)
	if o.bad {
		return
	}
	a.chooseKex(lists[0], fromOrig)
	for i, l := range lists {
		if (len(l) > 0 || i < 8) && bytes.Count(l, []byte(",")) >= sshMaxNames {
			a.det.conn.GiveUp()
		}
	}
}

// chooseKex finds the key exchange once both sides have made their offers: the
// client's first that the server knows. It decides how what follows is read.
func (a *sshAnalyzer) chooseKex(algorithms []byte, fromOrig bool) {
	if !a.offered {
		a.offered, a.offerer = true, fromOrig
		a.kex = append([]byte(nil), algorithms...)
		return
	}
	if a.offerer == fromOrig {
		return
	}
	client, server := algorithms, a.kex
	if !fromOrig {
		client, server = server, client
	}
	known := map[string]bool{}
	for _, name := range firstNames(server) {
		known[string(name)] = true
	}
	for _, name := range firstNames(client) {
		if !known[string(name)] {
			continue
		}
		if state := kexState(string(name)); state != sshKexInit {
			a.sides[0].state, a.sides[1].state = state, state
		}
		return
	}
}

func firstNames(list []byte) [][]byte {
	names := bytes.SplitN(list, []byte(","), sshMaxNames+1)
	return names[:min(len(names), sshMaxNames)]
}

// kexState returns how the messages of a key exchange look; sshKexInit when Zeek
// does not know it.
func kexState(name string) sshState {
	switch name {
	case "rsa1024-sha1", "rsa2048-sha256":
		return sshRSA
	case "diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group14-sha256",
		"diffie-hellman-group16-sha512":
		return sshDiffieHellman
	case "diffie-hellman-group-exchange-sha1", "diffie-hellman-group-exchange-sha256":
		return sshGroupExchange
	case "ecmqv-sha2":
		return sshElliptic
	}
	for _, p := range [...]struct {
		prefix string
		state  sshState
	}{{"gss-", sshGSS}, {"ecdh-sha2-", sshElliptic}, {"curve25519-sha256", sshElliptic},
		{"sntrup761x25519-sha512", sshElliptic}, {"mlkem", sshElliptic}} {
		if len(name) >= len(p.prefix) && name[:len(p.prefix)] == p.prefix {
			return p.state
		}
	}
	return sshKexInit
}

// message1 reads a message of SSH 1.
func (a *sshAnalyzer) message1(s *sshSide, o *octets, n int) bool {
	o.skip(8 - n%8)
	kind := o.u8()
	m := o.take(n - 5)
	switch kind {
	case ssh1PublicKey:
		m.skip(8 + 4)
		skipSSH1Int(&m)
		skipSSH1Int(&m)
		m.skip(4)
		skipSSH1Int(&m)
		skipSSH1Int(&m)
		m.skip(12)
	case ssh1Session:
		m.skip(9)
		skipSSH1Int(&m)
		m.skip(4)
	default:
		return false
	}
	if o.join(m); o.bad {
		return false
	}
	s.state = sshEncrypted
	if kind == ssh1Session {
		a.confirm()
	}
	o.skip(4) // CRC
	return !o.bad
}

func skipSSH1Int(o *octets) { o.skip((int(o.be16()) + 7) / 8) }

func (a *sshAnalyzer) gap(bool, uint64) { a.blind = true }

func (a *sshAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.blind || a.sides[side(fromOrig)].state == sshEncrypted
}
