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
	h.fragment, h.more, h.df, h.fragOffset, h.id = false, false, false, 0, 0
	h.length = ipv6Header
	h.odd = h.odd[:0]
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
			if routed {
				h.weird() // multiple_routing_headers
			} else {
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
	final := false
	switch {
	case typ == 0:
		final = left > 0 && words >= 2 && words%2 == 0
	case typ == 2:
		final = left > 0 && words == 2
	}
	if typ == 0 && left > 0 && words >= 2 && !final {
		h.weird() // odd_routing0_len
	}
	if final {
		h.dst = address6(b[len(b)-16:])
	}
	if typ == 0 || typ == 2 && left > 0 && !final || typ != 0 && typ != 2 {
		h.weird() // routing0_hdr, bad_routing2_len, unknown_routing_type
	}
	return final
}

// weird notes that something of the chain is odd, between the addresses as far
// as they are known (src/IP.cc, ProcessRoutingHeader and ProcessDstOpts).
func (h *ipHeader) weird() {
	pair := [2]address{h.src, h.dst}
	if n := len(h.odd); n == 0 || h.odd[n-1] != pair {
		h.odd = append(h.odd, pair)
	}
}

// goHome takes the source from the first home address option of the chain.
func (h *ipHeader) goHome(options []byte, found bool) bool {
	for len(options) > 0 {
		if options[0] == optionPad1 {
			options = options[1:]
			continue
		}
		if len(options) < 2 || len(options) < 2+int(options[1]) {
			h.weird() // bad_ipv6_dest_opt_len
			break
		}
		value := options[2 : 2+int(options[1])]
		switch {
		case options[0] != optionHomeAddress:
		case len(value) != 16, found:
			h.weird() // bad_home_addr_len, multiple_home_addr_opts
		default:
			h.src = address6(value)
			found = true
		}
		options = options[2+len(value):]
	}
	return found
}
