package service

import "bytes"

// server takes a message of the server's.
func (a *mysqlAnalyzer) server(o *octets) {
	size := o.len()
	o.skip(3)
	sequence := o.u8()
	switch {
	case a.commands:
		a.reply(o, size)
	case sequence == 0 && a.sequence != 255:
		a.greeting(o)
	default:
		a.dialogue(o)
	}
	if !o.bad {
		a.sequence = sequence
	}
}

func (a *mysqlAnalyzer) greeting(o *octets) {
	version := o.u8()
	switch version {
	case 10:
		o.text()
		o.skip(4 + 8 + 6) // connection, salt, filler, capabilities, character set, status
		capabilities := uint32(o.le16()) << 16
		salt := int(o.u8())
		if salt != 0 && salt < 21 {
			o.fail()
		}
		o.skip(10 + max(13, salt-8))
		if capabilities&mysqlPlugin != 0 {
			o.text()
		}
		if !o.bad {
			a.serverAttributes = capabilities&mysqlQueryAttrs != 0
		}
	case 9:
		o.text()
		o.skip(4)
		o.text()
	default:
		a.failure(o)
	}
	if !o.bad {
		a.version = version
	}
}

// dialogue is what the server says until the client is logged in.
func (a *mysqlAnalyzer) dialogue(o *octets) {
	switch o.u8() {
	case 0x00:
		a.success(o)
	case 0x01: // more data to log in
	case 0xfe: // use another way
		if o.text(); !o.bad {
			a.login = true
			a.expected = mysqlStatus
		}
	case 0xff:
		a.failure(o)
	default:
		o.fail()
	}
}

// reply is the server's answer to a command.
func (a *mysqlAnalyzer) reply(o *octets, size int) {
	switch a.expected {
	case mysqlStatus:
		switch o.u8() {
		case 0x00:
			a.success(o)
		case 0xfe:
			o.skip(4)
		case 0xff:
			a.failure(o)
		}
	case mysqlCount:
		a.count(o)
	case mysqlColumn:
		if o.column(o.u8()); o.bad {
			return
		}
		if a.remaining--; a.remaining == 0 {
			a.expected = mysqlEndOfColumns
		}
	case mysqlColumnOrEnd:
		if marker := o.u8(); marker == 0xfe {
			a.end(o, size)
		} else {
			o.column(marker)
		}
	case mysqlEndOfColumns:
		if a.capabilities&mysqlNoEnd != 0 {
			a.row(o, size)
			return
		}
		if o.skip(5); !o.bad {
			a.loggedIn()
			a.expected = mysqlRow
		}
	case mysqlRow:
		a.row(o, size)
	case mysqlAnything:
	}
}

// count is how many columns a result has, if it has any.
func (a *mysqlAnalyzer) count(o *octets) {
	switch first := o.u8(); first {
	case 0x00:
		a.success(o)
	case 0xff:
		a.failure(o)
	default:
		if n := o.numberAfter(first); !o.bad {
			a.columns, a.remaining = uint32(n), uint32(n)
			a.expected = mysqlColumn
		}
	}
}

func (a *mysqlAnalyzer) row(o *octets, size int) {
	marker := o.u8()
	if marker == 0xfe {
		if a.end(o, size); !o.bad {
			a.expected = mysqlAnything
		}
		return
	}
	o.countedAfter(marker)
	n := int(int32(a.columns - 1))
	if o.fits(n, 1) {
		for ; n > 0 && !o.bad; n-- {
			o.counted()
		}
	}
	if !o.bad {
		a.expected = mysqlRow
	}
}

// end closes a list of rows or columns.
func (a *mysqlAnalyzer) end(o *octets, size int) {
	if a.capabilities&mysqlNoEnd != 0 || size > 13 {
		a.success(o)
		return
	}
	o.skip(4)
}

func (a *mysqlAnalyzer) success(o *octets) {
	if o.number(); !o.bad {
		a.loggedIn()
	}
}

func (a *mysqlAnalyzer) failure(o *octets) {
	if o.skip(8); !o.bad {
		a.loggedIn()
	}
}

// text reads a string that ends with a NUL.
func (o *octets) text() {
	n := bytes.IndexByte(o.b, 0)
	switch {
	case n >= 0:
		o.skip(n + 1)
	case o.more > 0:
		o.skip(len(o.b) + 1)
	default:
		o.fail()
	}
}

// number reads a length-encoded integer.
func (o *octets) number() int { return o.numberAfter(o.u8()) }

func (o *octets) numberAfter(first byte) int {
	switch first {
	case 0xfb, 0xff:
		return 0
	case 0xfc:
		return int(o.le16())
	case 0xfd:
		return int(o.little(3))
	case 0xfe:
		return int(int32(o.le64()))
	}
	return int(first)
}

// counted reads a string that its length precedes.
func (o *octets) counted() { o.skip(o.number()) }

func (o *octets) countedAfter(first byte) { o.skip(o.numberAfter(first)) }

// column reads the description of a column, of whose first string the length
// has begun.
func (o *octets) column(first byte) {
	o.countedAfter(first)
	for range 5 {
		o.counted()
	}
	o.number()
	o.skip(12)
}

// attributes reads names and values of a connection.
func (o *octets) attributes() {
	list := o.take(int(o.u8()))
	for list.len() > 0 {
		list.counted()
		list.counted()
	}
	o.join(list)
}

// queryAttributes reads what may stand in front of a query.
func (o *octets) queryAttributes() {
	n := o.number()
	o.number()
	if n <= 0 || o.bad {
		return
	}
	null := o.take((n + 7) / 8)
	if o.u8() != 1 || !o.fits(n, 1) {
		o.fail()
		return
	}
	kinds := make([]byte, 0, min(n, maxKept))
	for range n {
		kinds = append(kinds, o.u8())
		o.u8()
		if o.counted(); o.bad {
			return
		}
	}
	for i := range n {
		if o.len() == 0 {
			return
		}
		if i/8 >= len(null.b) || null.b[i/8]>>(i%8)&1 == 0 {
			o.value(kinds[i])
		}
	}
}

// value reads a binary value of a type.
func (o *octets) value(kind byte) {
	switch kind {
	case 0x00:
		o.number()
	case 0x01:
		o.skip(1)
	case 0x02, 0x0d:
		o.skip(2)
	case 0x03, 0x04, 0x09:
		o.skip(4)
	case 0x05, 0x08:
		o.skip(8)
	case 0x06:
	case 0x07, 0x0a, 0x0c, 0x11:
		switch n := o.u8(); n {
		case 0, 4, 7, 11:
			o.skip(int(n))
		default:
			o.fail()
		}
	case 0x0b:
		switch n := o.u8(); n {
		case 0:
		case 8, 12:
			if o.u8() > 1 {
				o.fail()
			}
			o.skip(int(n) - 1)
		default:
			o.fail()
		}
	case 0x0f, 0x10, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff:
		o.counted()
	default:
		o.fail()
	}
}
