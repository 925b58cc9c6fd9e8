package service

import "bytes"

// mysqlAnalyzer confirms the client's answer to the server's greeting, and
// hands SSL what follows if the client asks for it there. Messages are parsed
// as far as the commands before them tell what they are
// (src/analyzer/protocol/mysql/mysql-protocol.pac).
type mysqlAnalyzer struct {
	node
	frames [2]frameBuffer
	gone   bool // bytes are missing
	tls    bool

	version  byte // of the greeting
	sequence byte // number of the server's last message
	commands bool // past login
	login    bool // the client's next message is part of a dialogue to log in
	expected mysqlReply

	columns, remaining uint32 // of a result

	capabilities                       uint32 // the client's
	serverAttributes, clientAttributes bool
}

// mysqlReply is what the server answers to a command.
type mysqlReply uint8

const (
	mysqlStatus mysqlReply = iota
	mysqlAnything
	mysqlColumn
	mysqlColumnOrEnd
	mysqlCount
	mysqlEndOfColumns // and rows next
	mysqlRow
)

const (
	mysqlWithDatabase = 0x00000008
	mysqlSSL          = 0x00000800
	mysqlPlugin       = 0x00080000
	mysqlConnectAttrs = 0x00100000
	mysqlNoEnd        = 0x01000000 // CLIENT_DEPRECATE_EOF
	mysqlZstd         = 0x04000000
	mysqlQueryAttrs   = 0x08000000
)

func newMySQL() analyzer { return &mysqlAnalyzer{} }

func (a *mysqlAnalyzer) data(fromOrig bool, b []byte) {
	switch {
	case a.tls:
		a.forward(fromOrig, b)
		return
	case a.gone || a.partial():
		return
	}
	f := &a.frames[side(fromOrig)]
	for len(b) > 0 {
		o, state := f.next(&b, 4, func(h []byte) (int, bool) {
			return 4 + int(h[0]) + int(h[1])<<8 + int(h[2])<<16, true
		})
		if state != frameDone {
			return
		}
		if fromOrig {
			o.skip(4)
			a.client(&o)
		} else {
			a.server(&o)
		}
		if o.bad {
			f.discard()
			a.violate()
			return
		}
	}
}

func (a *mysqlAnalyzer) gap(fromOrig bool, n uint64) {
	if a.tls {
		a.forwardGap(fromOrig, n)
	}
	a.gone = true
}

func (a *mysqlAnalyzer) idle(fromOrig bool) bool {
	if a.tls {
		return a.skip || !a.wants(fromOrig)
	}
	return a.skip || a.gone || a.confirmed && a.det.pastViolations()
}

func (a *mysqlAnalyzer) client(o *octets) {
	switch {
	case a.commands:
		a.command(o)
	case a.login: // anything
	case a.version == 10:
		a.response10(o)
	case a.version == 9:
		a.response9(o)
	default:
		o.fail()
	}
}

// response10 is the answer to a greeting of version 10.
func (a *mysqlAnalyzer) response10(o *octets) {
	flags := o.le32()
	o.skip(28)
	if flags&mysqlSSL == 0 {
		o.text()
		o.counted()
		if flags&mysqlWithDatabase != 0 {
			o.text()
		}
		if flags&mysqlPlugin != 0 && bytes.IndexByte(o.b, 0) >= 0 {
			o.text()
		}
		if flags&mysqlConnectAttrs != 0 {
			o.attributes()
		}
		if flags&mysqlZstd != 0 {
			o.u8()
		}
	}
	if o.bad {
		return
	}
	if flags&mysqlSSL == 0 && flags&mysqlPlugin != 0 {
		a.login = true
	}
	a.capabilities = flags
	a.clientAttributes = flags&mysqlQueryAttrs != 0
	a.confirm()
	if flags&mysqlSSL != 0 {
		a.tls = true
		a.attach(ssl)
	}
}

func (a *mysqlAnalyzer) response9(o *octets) {
	flags := o.le16()
	o.skip(3)
	o.text()
	o.text()
	if flags&mysqlWithDatabase != 0 {
		o.text()
	}
	if !o.bad {
		a.confirm()
	}
}

// command is a request of a client that has logged in.
func (a *mysqlAnalyzer) command(o *octets) {
	command := o.u8()
	switch {
	case command == 0x03 && a.clientAttributes && a.serverAttributes:
		o.queryAttributes()
	case command == 0x11: // change of user
		o.text()
		o.skip(int(o.u8()))
		o.text()
		o.skip(2)
		if a.capabilities&mysqlPlugin != 0 {
			o.text()
		}
		if a.capabilities&mysqlConnectAttrs != 0 {
			o.attributes()
		}
	}
	if o.bad {
		return
	}
	switch command {
	case 0x00, 0x01, 0x02, 0x05, 0x06, 0x07, 0x08, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x1d, 0x1f:
		a.expected = mysqlStatus
	case 0x03, 0x0a:
		a.expected = mysqlCount
	case 0x04:
		a.expected = mysqlColumnOrEnd
	case 0x11:
		a.commands = false
	default:
		a.expected = mysqlAnything
	}
}

// loggedIn is what a status of the server's means at any time.
func (a *mysqlAnalyzer) loggedIn() { a.commands, a.login = true, false }
