package capture

import (
	"encoding/binary"
)

// IPv6's extension headers.
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extAH          = 51
	extDestination = 60
	extMobility    = 135

	optionPad1        = 0
	optionHomeAddress = 201
)

func isExtension(typ uint8) bool {
	switch typ {
	case extHopByHop, extRouting, extFragment, extAH, extDestination, extMobility, protoESP:
		return true
	}
	return false
}

// noReplacement leaves the headers of a chain as they are.
const noReplacement = -1

// parse6 reads an IPv6 header, of which 40 bytes are there, and the extension
// headers behind it up to one that was not captured completely or that is
// always the last (src/IP.cc, IPv6_Hdr_Chain::Init). Home addresses and the
// destinations of routing headers take the place of the header's addresses.
//
// In a datagram made of fragments, where the header announces the fragment
// header that is not there any more, replacement says what follows instead.
func (h *ipHeader) parse6(b []byte, replacement int) {
	h.v6 = true
	h.total = uint32(binary.BigEndian.Uint16(b[4:])) + ipv6Header
	h.src = address6(b[8:24])
	h.dst = address6(b[24:40])
	h.fragment, h.more, h.fragOffset, h.id = false, false, 0, 0
	h.length = ipv6Header
	h.last, h.next = protoIPv6, b[6]
	if replacement >= 0 && h.next == extFragment {
		h.next = uint8(replacement)
	}
	if isExtension(h.next) {
		h.parseExtensions(b[ipv6Header:], replacement)
	}
	h.payloadLen = uint16(h.total - h.length)
}

func (h *ipHeader) parseExtensions(b []byte, replacement int) {
	var home, routed bool
	for isExtension(h.next) && len(b) >= 2 {
		typ := h.next
		length := 8
		switch typ {
		case extHopByHop, extRouting, extDestination, extMobility:
			length += 8 * int(b[1])
		case extAH:
			length += 4 * int(b[1])
		}
		if len(b) < length {
			return
		}
		h.last, h.lastAt, h.next = typ, h.length, b[0]
		if replacement >= 0 && h.next == extFragment && typ != protoESP {
			h.next = uint8(replacement)
		}
		h.length += uint32(length)

		switch typ {
		case extRouting:
			if !routed {
				routed = h.route(b[:length])
			}
		case extDestination:
			home = h.goHome(b[2:length], home)
		case extFragment:
			h.fragment = true
			field := binary.BigEndian.Uint16(b[2:])
			h.fragOffset, h.more = field&^7, field&1 != 0
			h.id = binary.BigEndian.Uint32(b[4:])
			return
		case protoESP:
			h.next = protoNone
			return
		case extMobility:
			return
		}
		b = b[length:]
	}
}

// route takes the final destination from a routing header of type 0 or 2 that
// has segments left.
func (h *ipHeader) route(b []byte) bool {
	words, typ, left := b[1], b[2], b[3]
	if left == 0 || !(typ == 0 && words >= 2 && words%2 == 0 || typ == 2 && words == 2) {
		return false
	}
	h.dst = address6(b[len(b)-16:])
	return true
}

// goHome takes the source from the first home address option of the chain.
func (h *ipHeader) goHome(options []byte, found bool) bool {
	for len(options) > 0 {
		if options[0] == optionPad1 {
			options = options[1:]
			continue
		}
		if len(options) < 2 || len(options) < 2+int(options[1]) {
			break
		}
		value := options[2 : 2+int(options[1])]
		if options[0] == optionHomeAddress && len(value) == 16 && !found {
			h.src = address6(value)
			found = true
		}
		options = options[2+len(value):]
	}
	return found
}
