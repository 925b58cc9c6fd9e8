package capture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// trace is a capture in memory, of one link.
type trace struct {
	name    string
	link    linkType
	packets []tracePacket
}

type tracePacket struct {
	at   conn.Micros // from the capture's first packet
	wire uint32
	data []byte
}

// mutant is a trace under change.
type mutant struct {
	*rand.Rand
	trace
	others []trace // of the same link
	done   []string
}

func (m *mutant) chance(percent int) bool { return m.IntN(100) < percent }

// some calls f for packets whose datagram can be changed, a share of them; f
// returns what stands in the packet's place.
func (m *mutant) some(percent int, f func(p tracePacket, s spot) []tracePacket) {
	var out []tracePacket
	for _, p := range m.packets {
		s, ok := find(m.link, p.data)
		if !ok || !m.chance(percent) {
			out = append(out, p)
			continue
		}
		p.data = bytes.Clone(p.data)
		out = append(out, f(p, s)...)
	}
	m.packets = out
}

func (p tracePacket) with(data []byte) tracePacket {
	p.data, p.wire = data, uint32(len(data))
	return p
}

// share is how many packets in a hundred a mutation touches.
func (m *mutant) share() int { return pick(m.Rand, 2, 5, 10, 30, 100) }

// mutations change a trace as networks, captures and attackers do.
var mutations = []struct {
	name  string
	apply func(*mutant)
}{
	{"snapped", func(m *mutant) {
		most, share := 20+m.IntN(200), m.share()
		for i := range m.packets {
			if p := &m.packets[i]; m.chance(share) && len(p.data) > most {
				p.data = p.data[:most]
			}
		}
	}},
	{"lost", func(m *mutant) {
		share := pick(m.Rand, 1, 3, 10, 30)
		m.packets = slices.DeleteFunc(m.packets, func(tracePacket) bool { return m.chance(share) })
	}},
	{"begun before", func(m *mutant) { m.packets = m.packets[min(len(m.packets), 1+m.IntN(12)):] }},
	{"cut short", func(m *mutant) { m.packets = m.packets[:early(m.Rand, len(m.packets)+1)] }},
	{"one side", func(m *mutant) {
		var from []byte
		keep := m.IntN(2) == 0
		m.some(100, func(p tracePacket, s spot) []tracePacket {
			src, _ := s.addresses(p.data)
			if from == nil {
				from = src.AsSlice()
			}
			if bytes.Equal(from, src.AsSlice()) == keep {
				return []tracePacket{p}
			}
			return nil
		})
	}},
	{"twice", func(m *mutant) {
		share := m.share()
		var out []tracePacket
		for _, p := range m.packets {
			out = append(out, p)
			if m.chance(share) {
				out = append(out, p)
			}
		}
		m.packets = out
	}},
	{"late", func(m *mutant) {
		for range 1 + m.IntN(4) {
			if len(m.packets) < 2 {
				return
			}
			i := m.IntN(len(m.packets) - 1)
			j := min(i+1+m.IntN(4), len(m.packets)-1)
			p := m.packets[i]
			if m.IntN(3) > 0 {
				p.at = m.packets[j].at
			}
			m.packets = slices.Insert(slices.Delete(m.packets, i, i+1), j, p)
		}
	}},
	{"again", func(m *mutant) {
		if len(m.packets) == 0 {
			return
		}
		i := m.IntN(len(m.packets))
		for _, p := range m.packets[i:min(len(m.packets), i+1+m.IntN(5))] {
			p.at = m.packets[len(m.packets)-1].at + conn.Micros(m.IntN(12_000_000))
			m.packets = append(m.packets, p)
		}
	}},
	{"ports swapped", func(m *mutant) {
		m.some(100, func(p tracePacket, s spot) []tracePacket {
			if b := p.data[s.transport:]; s.hasPorts() {
				b[0], b[1], b[2], b[3] = b[2], b[3], b[0], b[1]
			}
			return []tracePacket{p}
		})
	}},
	{"port renumbered", func(m *mutant) { m.renumber() }},
	{"bytes", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
			payload := p.data[s.payload:s.end]
			for n := 1 + m.IntN(3); n > 0 && len(payload) > 0; n-- {
				at := early(m.Rand, len(payload))
				payload[at] = pick(m.Rand, payload[at]^1<<m.IntN(8), payload[at]+1, payload[at]-1, 0, 0xff, byte(m.Uint32()))
			}
			s.seal(p.data)
			return []tracePacket{p}
		})
	}},
	{"shorter", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
			payload := p.data[s.payload:s.end]
			return []tracePacket{p.with(s.withPayload(p.data, payload[:early(m.Rand, len(payload)+1)]))}
		})
	}},
	{"longer", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
			payload := p.data[s.payload:s.end]
			at := m.IntN(len(payload) + 1)
			payload = slices.Insert(slices.Clone(payload), at, []byte("\x00\x01\r\nA\xff")[:1+m.IntN(6)]...)
			return []tracePacket{p.with(s.withPayload(p.data, payload))}
		})
	}},
	{"resegmented", func(m *mutant) {
		size := pick(m.Rand, 1, 7, 40, 300)
		budget := 300
		m.some(m.share(), func(p tracePacket, s spot) (out []tracePacket) {
			payload := bytes.Clone(p.data[s.payload:s.end])
			if s.proto != protoTCP || len(payload) == 0 {
				return []tracePacket{p}
			}
			seq := binary.BigEndian.Uint32(p.data[s.transport+4:])
			for len(payload) > 0 && budget > 0 {
				n := min(1+m.IntN(2*size), len(payload))
				binary.BigEndian.PutUint32(p.data[s.transport+4:], seq)
				out = append(out, p.with(s.withPayload(p.data, payload[:n])))
				payload, seq = payload[n:], seq+uint32(n)
				budget--
			}
			if len(payload) > 0 {
				binary.BigEndian.PutUint32(p.data[s.transport+4:], seq)
				out = append(out, p.with(s.withPayload(p.data, payload)))
			}
			return out
		})
	}},
	{"flags", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
			if s.proto == protoTCP {
				p.data[s.transport+13] = pick(m.Rand, p.data[s.transport+13]^1<<m.IntN(6), 0x11, 0x14, 0x04, 0x02, 0x12)
				s.seal(p.data)
			}
			return []tracePacket{p}
		})
	}},
	{"sequence", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
			if s.proto == protoTCP {
				at := p.data[s.transport+pick(m.Rand, 4, 8):]
				by := pick(m.Rand, 1, ^uint32(0), 100, 1400, ^uint32(1399), 1<<21, 1<<31, m.Uint32())
				binary.BigEndian.PutUint32(at, binary.BigEndian.Uint32(at)+by)
				s.seal(p.data)
			}
			return []tracePacket{p}
		})
	}},
	{"wrong checksum", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
			p.data[pick(m.Rand, s.transport, s.ip)+pick(m.Rand, 2, 6, 10, 16)%max(s.payload-s.transport, 1)] ^= 0x41
			return []tracePacket{p}
		})
	}},
	{"fragments", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) (out []tracePacket) {
			binary.BigEndian.PutUint16(p.data[s.ip+4:], uint16(m.IntN(65536)))
			if s.v6 {
				return []tracePacket{p}
			}
			for _, b := range s.fragments(p.data, 8*(1+m.IntN(100))) {
				if out = append(out, p.with(b)); m.chance(5) {
					out = append(out, p.with(b))
				}
			}
			if m.chance(30) {
				m.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
			}
			if m.chance(10) {
				out = out[1:]
			}
			return out
		})
	}},
	{"anywhere", func(m *mutant) {
		share := m.share()
		for i := range m.packets {
			if p := &m.packets[i]; m.chance(share) && len(p.data) > 0 {
				p.data = bytes.Clone(p.data)
				p.data[early(m.Rand, len(p.data))] ^= 1 << m.IntN(8)
			}
		}
	}},
	{"headers", func(m *mutant) {
		m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
			p.data[s.ip+m.IntN(s.payload-s.ip)] ^= 1 << m.IntN(8)
			if again, ok := find(m.link, p.data); ok {
				again.seal(p.data)
			}
			return []tracePacket{p}
		})
	}},
	{"wire length", func(m *mutant) {
		share := m.share()
		for i := range m.packets {
			if m.chance(share) {
				m.packets[i].wire += uint32(m.IntN(40)) - 20
			}
		}
	}},
	{"slower", func(m *mutant) {
		factor := conn.Micros(pick(m.Rand, 2, 5, 20, 100))
		for i := range m.packets {
			m.packets[i].at *= factor
		}
	}},
	{"pauses", func(m *mutant) {
		share := pick(m.Rand, 1, 5, 30)
		var late conn.Micros
		for i := range m.packets {
			if m.chance(share) {
				late += conn.Micros(pick(m.Rand, 3, 5, 6, 10, 59, 61, 301, 3601)) * second
				late += conn.Micros(m.IntN(500_000))
			}
			m.packets[i].at += late
		}
	}},
	{"merged", func(m *mutant) {
		o := m.others[m.IntN(len(m.others))]
		shift := conn.Micros(m.IntN(3_000_000))
		for _, p := range o.packets[:min(len(o.packets), 150)] {
			p.at += shift
			m.packets = append(m.packets, p)
		}
		slices.SortStableFunc(m.packets, func(a, b tracePacket) int { return int(a.at - b.at) })
	}},
	{"tunnelled", func(m *mutant) {
		tunnel := pick(m.Rand, "vlan", "mpls", "pppoe", "ip", "gre", "gre-ethernet", "vxlan", "geneve", "gtp", "teredo")
		var from []byte
		m.some(pick(m.Rand, 100, 100, 50), func(p tracePacket, s spot) []tracePacket {
			src, _ := s.addresses(p.data)
			if from == nil {
				from = src.AsSlice()
			}
			return []tracePacket{p.with(s.wrap(p.data, tunnel, !bytes.Equal(from, src.AsSlice())))}
		})
	}},
	{"other payload", func(m *mutant) { m.graft() }},
	{"no SYN", func(m *mutant) { m.without(0x02) }},
	{"no FIN", func(m *mutant) { m.without(0x01) }},
	{"no SYN-ACK", func(m *mutant) { m.without(0x12) }},
	{"no empty segment", func(m *mutant) {
		m.some(100, func(p tracePacket, s spot) []tracePacket {
			if s.proto == protoTCP && s.payload == s.end && p.data[s.transport+13] == 0x10 {
				return nil
			}
			return []tracePacket{p}
		})
	}},
	{"acknowledgements lost", func(m *mutant) {
		share := m.share()
		m.some(100, func(p tracePacket, s spot) []tracePacket {
			if s.proto == protoTCP && m.chance(share) {
				binary.BigEndian.PutUint32(p.data[s.transport+8:], 0)
				p.data[s.transport+13] &^= 0x10
				s.seal(p.data)
			}
			return []tracePacket{p}
		})
	}},
}

// without drops segments with just these flags.
func (m *mutant) without(flags byte) {
	m.some(100, func(p tracePacket, s spot) []tracePacket {
		if s.proto == protoTCP && p.data[s.transport+13]&0x17&^0x10 == flags&^0x10 &&
			(flags&0x10 == 0 || p.data[s.transport+13]&0x10 != 0) {
			return nil
		}
		return []tracePacket{p}
	})
}

// renumber gives a server another port.
func (m *mutant) renumber() {
	var ports []uint16
	m.some(100, func(p tracePacket, s spot) []tracePacket {
		if s.hasPorts() {
			ports = append(ports, binary.BigEndian.Uint16(p.data[s.transport+2:]))
		}
		return []tracePacket{p}
	})
	if len(ports) == 0 {
		return
	}
	old := ports[early(m.Rand, len(ports))]
	to := pick(m.Rand, 9999, 41001, 20, 21, 22, 23, 25, 53, 67, 68, 79, 80, 88, 110, 123, 135, 137, 139, 143, 161, 389, 443, 445, 502, 514, 587,
		784, 853, 993, 1080, 1434, 1812, 1883, 2123, 2152, 2811, 3306, 3389, 3544, 4754, 4789, 5060, 5072, 5222, 5353, 5432, 6081, 6379, 6667, 8080, 20000)
	m.some(100, func(p tracePacket, s spot) []tracePacket {
		if !s.hasPorts() {
			return []tracePacket{p}
		}
		changed := false
		for _, at := range []int{s.transport, s.transport + 2} {
			if binary.BigEndian.Uint16(p.data[at:]) == old {
				binary.BigEndian.PutUint16(p.data[at:], uint16(to))
				changed = true
			}
		}
		if changed {
			s.seal(p.data)
		}
		return []tracePacket{p}
	})
}

// graft puts payload of another trace into the packets, at the same lengths in
// TCP so that the sequence numbers stay right.
func (m *mutant) graft() {
	o := m.others[m.IntN(len(m.others))]
	var payloads [][]byte
	for _, p := range o.packets {
		if s, ok := find(m.link, p.data); ok && s.payload < s.end {
			payloads = append(payloads, p.data[s.payload:s.end])
		}
	}
	m.some(m.share(), func(p tracePacket, s spot) []tracePacket {
		if len(payloads) == 0 || s.payload == s.end {
			return []tracePacket{p}
		}
		other := payloads[0]
		payloads = payloads[1:]
		if s.proto == protoUDP {
			return []tracePacket{p.with(s.withPayload(p.data, other))}
		}
		copy(p.data[s.payload:s.end], other)
		s.seal(p.data)
		return []tracePacket{p}
	})
}

// mutate applies some of the mutations.
func (m *mutant) mutate() {
	if m.chance(70) { // captures of senders that leave checksums to their card
		m.some(100, func(p tracePacket, s spot) []tracePacket {
			s.seal(p.data)
			return []tracePacket{p}
		})
	}
	for range pick(m.Rand, 0, 1, 1, 1, 2, 2, 3) {
		mutation := mutations[m.IntN(len(mutations))]
		mutation.apply(m)
		m.done = append(m.done, mutation.name)
	}
}
