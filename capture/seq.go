package capture

import (
	"math"
	"slices"
)

// stream is the reassembly of one side's TCP data
// (src/analyzer/protocol/tcp/TCP_Reassembler.cc, src/Reassem.cc). Positions
// are relative sequence numbers: data begins at 1.
//
// Zeek keeps each block until it is acknowledged. Here a block's bytes go once
// they are delivered; that they still wait for their acknowledgement is known
// from delivered and trimmed.
type stream struct {
	delivered uint64  // up to where data was delivered, or given up as missing
	trimmed   uint64  // up to where it was acknowledged
	blocks    []block // above a hole, in order, not overlapping
	waiting   uint64  // bytes in blocks
	hadGap    bool
	skipped   bool // given up: nothing is delivered or missed any more
	ended     bool // the end was reported
}

// block is data above a hole.
type block struct {
	seq, upper uint64
	data       []byte // nil where nobody listens, or the buffers' limit was reached
}

func (st *stream) init(old *stream) {
	*st = stream{delivered: 1, trimmed: 1, blocks: old.blocks[:0]}
}

// holds reports data that is not acknowledged or not delivered yet.
func (st *stream) holds() bool {
	return !st.skipped && (st.delivered > st.trimmed || len(st.blocks) > 0)
}

// size returns how many bytes Zeek would hold.
func (st *stream) size() uint64 {
	if st.delivered > st.trimmed {
		return st.waiting + st.delivered - st.trimmed
	}
	return st.waiting
}

// sent takes data of one side from relative number seq on
// (TCP_Reassembler::DataSent).
func (t *tcp) sent(e *endpoint, seq uint64, data []byte) {
	st := &e.stream
	if st.skipped {
		return
	}
	if room := math.MaxUint64 - seq; uint64(len(data)) > room {
		data = data[:room]
	}
	// What was acknowledged, or was delivered and waits for that, is old; where
	// blocks overlap, the bytes that came first stay.
	upper := seq + uint64(len(data))
	from := max(seq, st.trimmed)
	if st.trimmed <= st.delivered {
		from = max(from, st.delivered)
	}
	if from < upper {
		t.insert(e, from, data[from-seq:])
	}
	if e.nothingAcked() && len(st.blocks) > 0 &&
		st.blocks[len(st.blocks)-1].upper-st.delivered > tcpMaxAboveHoleWithoutAnyAcks ||
		st.size() > tcpExcessiveDataWithoutFurtherAcks || len(st.blocks) > maxBlocks {
		t.dropBlocks(st)
		st.skipped = true
	}
}

// maxBlocks bounds the list of blocks of one side. Zeek has no such limit.
const maxBlocks = 16 << 10

// insert adds new data above everything delivered.
func (t *tcp) insert(e *endpoint, seq uint64, data []byte) {
	st := &e.stream
	if len(st.blocks) == 0 && seq == st.delivered { // the usual case: in order
		st.delivered += uint64(len(data))
		t.pass(e, data)
		t.trimUnacked(e)
		return
	}
	upper := seq + uint64(len(data))
	i, _ := slices.BinarySearchFunc(st.blocks, seq, func(b block, seq uint64) int {
		if b.upper <= seq {
			return -1
		}
		return 1
	})
	for start := seq; start < upper; i++ {
		end := upper
		if i < len(st.blocks) {
			if b := st.blocks[i]; b.seq <= start {
				start = b.upper
				continue
			} else {
				end = min(upper, b.seq)
			}
		}
		st.blocks = slices.Insert(st.blocks, i, block{start, end, t.keep(data[start-seq : end-seq])})
		st.waiting += end - start
		start = end
	}
	if st.blocks[0].seq == st.delivered {
		t.deliverBlocks(e)
	}
}

// deliverBlocks hands over what follows without a hole (BlockInserted).
func (t *tcp) deliverBlocks(e *endpoint) {
	st := &e.stream
	n := 0
	for n < len(st.blocks) && st.blocks[n].seq == st.delivered {
		b := &st.blocks[n]
		size := b.upper - b.seq
		st.delivered, st.waiting = b.upper, st.waiting-size
		if b.data != nil {
			t.pass(e, b.data)
			t.release(b.data)
		} else {
			t.c.detection().Gap(e.orig, size)
		}
		*b = block{}
		n++
	}
	st.blocks = slices.Delete(st.blocks, 0, n)
	t.trimUnacked(e)
}

// trimUnacked lets go of delivered data where much was sent and none of it
// acknowledged: the other direction is probably not captured.
func (t *tcp) trimUnacked(e *endpoint) {
	if e.nothingAcked() && e.size(t.peer(e)) > tcpMaxInitialWindow {
		e.stream.trimmed = max(e.stream.trimmed, e.stream.delivered)
	}
}

// acked takes the acknowledgement of a side's data up to relative number seq
// (TCP_Reassembler::AckReceived, DataBlockList::Trim).
func (t *tcp) acked(e *endpoint, seq uint64) {
	st := &e.stream
	if e.sentFIN && seq >= e.finSeq {
		seq = e.finSeq - 1
	}
	if seq <= st.trimmed {
		return
	}
	if seq > st.delivered {
		t.undelivered(e, seq)
	}
	if len(st.blocks) > 0 && st.blocks[0].seq == st.delivered {
		t.deliverBlocks(e)
	}
	st.trimmed = max(st.trimmed, seq)
	t.checkEOF(e)
}

// undelivered gives up what is missing below an acknowledged position, and
// delivers the blocks in between.
func (t *tcp) undelivered(e *endpoint, upTo uint64) {
	st := &e.stream
	if upTo <= 2 && t.partial {
		return // numbers that were made up, or a keep-alive before the first data
	}
	if !st.skipped {
		for len(st.blocks) > 0 && st.blocks[0].seq < upTo {
			t.gap(e, st.blocks[0].seq-st.delivered)
			st.delivered = st.blocks[0].seq
			t.deliverBlocks(e)
		}
		if upTo > st.delivered {
			t.gap(e, upTo-st.delivered)
		}
	}
	st.delivered = max(st.delivered, upTo)
}

// gap notes n missing bytes. Only between ends that are established or closed
// in order does it show in the row: elsewhere the numbers may be wrong.
func (t *tcp) gap(e *endpoint, n uint64) {
	if e.clean() && t.peer(e).clean() {
		if e.gaps.event() {
			t.c.history.add(letterOf('G', e.orig))
		}
		t.c.missed += n
	}
	t.c.detection().Gap(e.orig, n)
	e.stream.hadGap = true
}

// pass hands a block in order to the detection of services.
func (t *tcp) pass(e *endpoint, data []byte) {
	t.c.detection().Data(e.orig, data, t.c.table.packetTime)
}

// dropBlocks forgets what waits above a hole.
func (t *tcp) dropBlocks(st *stream) {
	for i := range st.blocks {
		t.release(st.blocks[i].data)
		st.blocks[i] = block{}
	}
	st.blocks, st.waiting = st.blocks[:0], 0
}

// keep copies data above a hole, if somebody listens and there is room.
func (t *tcp) keep(data []byte) []byte {
	if d := t.c.detection(); !d.Wants(true) && !d.Wants(false) {
		return nil
	}
	return t.c.table.buffers.keep(data)
}

func (t *tcp) release(data []byte) {
	if data != nil {
		t.c.table.buffers.release(data)
	}
}
