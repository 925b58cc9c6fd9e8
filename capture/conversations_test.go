package capture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// conversation is what two ends said to each other.
type conversation struct {
	group string // the service that Zeek found
	tcp   bool
	port  uint16 // the responder's
	turns []turn
}

// turn is a segment of TCP in order, or a datagram.
type turn struct {
	fromOrig bool
	data     []byte
}

// Bounds of what is taken of a conversation.
const (
	maxTurns     = 60
	maxTurnBytes = 24 << 10
)

// sharedConversations reads the beginnings of all conversations with payload
// in the shared traces, by the service that the real Zeek found in them.
func sharedConversations(t *testing.T) map[string][]conversation {
	groups := map[string][]conversation{}
	seen := map[string]bool{}
	for _, folder := range []string{"zeek-traces", "ndpi-traces", "handmade-traces"} {
		pcaps := testenv.Shared(t, folder, "pcaps")
		expected := testenv.Shared(t, folder, "expected", "ignore-checksums")
		require.NoError(t, filepath.WalkDir(pcaps, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(pcaps, path)
			if err != nil {
				return err
			}
			services := map[string]string{}
			for _, r := range readExpected(t, filepath.Join(expected, name+".conn.log")) {
				services[r[5]+" "+r[1]+" "+r[2]+" "+r[3]+" "+r[4]] = r[serviceColumn]
			}
			for key, c := range readConversations(t, path) {
				var text bytes.Buffer
				for _, turn := range c.turns {
					text.Write(turn.data)
				}
				if group, ok := services[key]; ok && !seen[text.String()] {
					seen[text.String()] = true
					c.group = group
					groups[group] = append(groups[group], *c)
				}
			}
			return nil
		}))
	}
	return groups
}

// readConversations finds conversations over Ethernet, without looking for more
// than the next segment of each side.
func readConversations(t *testing.T, path string) map[string]*conversation {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	found := map[string]*conversation{}
	file, err := openPcap(bufio.NewReader(f), new(Stats))
	if err != nil {
		return found
	}
	type direction struct {
		conversation *conversation
		key          string
		next         uint32
		begun        bool
	}
	directions := map[string]*direction{}
	var fr frame
	for file.next(&fr) == nil {
		if fr.link != linkEthernet {
			continue
		}
		p, ok := parseSimple(fr.data)
		if !ok {
			continue
		}
		proto := map[bool]string{true: "tcp ", false: "udp "}[p.tcp]
		way := func(a, b netip.AddrPort) string {
			sep := func(p netip.AddrPort) string {
				return p.Addr().String() + " " + textPort(p.Port())
			}
			return proto + sep(a) + " " + sep(b)
		}
		forth, back := way(p.src, p.dst), way(p.dst, p.src)
		d := directions[forth]
		if d == nil {
			c := &conversation{tcp: p.tcp, port: p.dst.Port()}
			d = &direction{conversation: c, key: forth}
			directions[forth], directions[back] = d, &direction{conversation: c, key: forth}
			found[forth] = c
		}
		if p.tcp {
			switch {
			case p.syn:
				d.next, d.begun = p.seq+1, true
				continue
			case len(p.payload) == 0 || d.begun && p.seq != d.next:
				continue
			}
			d.next, d.begun = p.seq+uint32(len(p.payload)), true
		}
		c := d.conversation
		size := 0
		for _, turn := range c.turns {
			size += len(turn.data)
		}
		if len(c.turns) < maxTurns && size < maxTurnBytes {
			c.turns = append(c.turns, turn{forth == d.key, bytes.Clone(p.payload)})
		}
	}
	for key, c := range found {
		if len(c.turns) == 0 {
			delete(found, key)
		}
	}
	return found
}

func textPort(p uint16) string {
	return netip.AddrPortFrom(netip.IPv4Unspecified(), p).String()[len("0.0.0.0:"):]
}

type simplePacket struct {
	tcp, syn bool
	src, dst netip.AddrPort
	seq      uint32
	payload  []byte
}

// parseSimple reads a frame without tunnels, fragments or options of IPv6.
func parseSimple(b []byte) (p simplePacket, ok bool) {
	if len(b) < 14 {
		return p, false
	}
	kind := binary.BigEndian.Uint16(b[12:])
	b = b[14:]
	for (kind == 0x8100 || kind == 0x88a8) && len(b) >= 4 {
		kind = binary.BigEndian.Uint16(b[2:])
		b = b[4:]
	}
	var proto byte
	var src, dst netip.Addr
	switch {
	case kind == 0x0800 && len(b) >= 20:
		header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
		if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 || total < header || header < 20 || total > len(b) {
			return p, false
		}
		proto, src, dst = b[9], netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
		b = b[header:total]
	case kind == 0x86dd && len(b) >= 40:
		size := int(binary.BigEndian.Uint16(b[4:]))
		if 40+size > len(b) {
			return p, false
		}
		proto, src, dst = b[6], netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
		b = b[40 : 40+size]
	default:
		return p, false
	}
	header := 8
	switch {
	case proto == protoTCP && len(b) >= 20:
		p.tcp, p.seq, p.syn = true, binary.BigEndian.Uint32(b[4:]), b[13]&2 != 0
		header = int(b[12]>>4) * 4
	case proto == protoUDP && len(b) >= 8:
	default:
		return p, false
	}
	if header > len(b) {
		return p, false
	}
	p.src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(b))
	p.dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(b[2:]))
	p.payload = b[header:]
	return p, true
}
