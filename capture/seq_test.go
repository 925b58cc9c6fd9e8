package capture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/service"
)

// plainStream keeps every block until it is acknowledged, as Zeek's
// reassembler does: the slow twin of stream, for a connection that is
// established on both sides and whose data is acknowledged now and then.
type plainStream struct {
	delivered, trimmed uint64
	blocks             []block
	log                []string
}

func (p *plainStream) sent(seq uint64, data []byte) {
	if seq+uint64(len(data)) <= p.trimmed {
		return
	}
	if seq < p.trimmed {
		data, seq = data[p.trimmed-seq:], p.trimmed
	}
	for i := range data { // a byte at a time, where there is none yet
		at := seq + uint64(i)
		if !slices.ContainsFunc(p.blocks, func(b block) bool { return b.seq <= at && at < b.upper }) {
			last := len(p.blocks) - 1
			if i > 0 && last >= 0 && p.blocks[last].upper == at && &p.blocks[last].data[len(p.blocks[last].data)-1] == &data[i-1] {
				p.blocks[last].upper++
				p.blocks[last].data = p.blocks[last].data[:len(p.blocks[last].data)+1]
			} else {
				p.blocks = append(p.blocks, block{at, at + 1, data[i : i+1]})
			}
		}
	}
	p.deliver()
}

// deliver hands over blocks that follow without a hole.
func (p *plainStream) deliver() {
	slices.SortFunc(p.blocks, func(a, b block) int { return int(a.seq) - int(b.seq) })
	for _, b := range p.blocks {
		if b.seq == p.delivered {
			p.log = append(p.log, fmt.Sprintf("data %d", b.upper-b.seq))
			p.delivered = b.upper
		}
	}
}

func (p *plainStream) acked(seq uint64) {
	for seq > p.delivered {
		next := seq
		for _, b := range p.blocks {
			if b.seq > p.delivered {
				next = min(next, b.seq)
			}
		}
		p.log = append(p.log, fmt.Sprintf("gap %d", next-p.delivered))
		p.delivered = next
		p.deliver()
	}
	if seq > p.trimmed {
		p.trimmed = seq
		p.blocks = slices.DeleteFunc(p.blocks, func(b block) bool { return b.upper <= seq })
	}
}

func TestStreamIsThatOfAPlainOne(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		tb := newTable((&Options{}).withDefaults(), new(Stats))
		c := &connection{table: tb, tcp: new(tcp)}
		c.detector = tb.tracker.Attach(c, service.ID{}, 0)
		c.tcp.init(c)
		e := c.tcp.orig
		c.tcp.orig.state, c.tcp.resp.state = tcpEstablished, tcpEstablished
		plain := plainStream{delivered: 1, trimmed: 1}
		e.ack = 2 // something was acknowledged

		data := make([]byte, 400)
		var missed uint64
		for range 300 {
			seq := max(1, int(plain.delivered)+r.IntN(120)-40)
			if r.IntN(3) > 0 {
				b := data[:1+r.IntN(60)]
				b = slices.Clone(b)
				c.tcp.sent(e, uint64(seq), b)
				plain.sent(uint64(seq), b)
			} else {
				seq -= r.IntN(60)
				if seq > 0 {
					c.tcp.acked(e, uint64(seq))
					plain.acked(uint64(seq))
				}
			}
			missed = 0
			for _, l := range plain.log {
				var n uint64
				if _, err := fmt.Sscanf(l, "gap %d", &n); err == nil {
					missed += n
				}
			}
			require.Equal(t, plain.delivered, e.stream.delivered)
			require.Equal(t, plain.trimmed, e.stream.trimmed)
			require.Equal(t, len(plain.blocks) > 0, e.stream.holds())
			require.Equal(t, missed, c.missed)
		}
		c.tcp.dropBlocks(&e.stream)
		require.Zero(t, tb.buffers.held, "every buffer is given back")
	}
}

// Blocks reach the detection of services one by one, as they were sent.
func TestStreamKeepsTheBoundariesOfBlocks(t *testing.T) {
	// HTTP's first line comes behind the second segment; the request is only
	// recognized if the two are put in order.
	rows := (&rule{tcp: handshake(
		seg{at: 0.4, flags: "PA", seq: 1005, ack: 5001, data: "/ HTTP/1.1\r\n\r\n"},
		seg{at: 0.5, flags: "PA", seq: 1001, ack: 5001, data: "GET "},
		seg{at: 0.6, flags: "<PA", seq: 5001, ack: 1019, data: "HTTP/1.1 204 No Content\r\n\r\n"},
	)}).capture().rows(t, Options{})
	require.Len(t, rows, 1)
	require.Equal(t, "http", rows[0].Service)
}
