package capture

// tcpState is the state of one end (src/analyzer/protocol/tcp/TCP_Endpoint.h).
type tcpState uint8

const (
	tcpInactive    tcpState = iota // nothing seen of this side
	tcpSYNSent                     // SYN seen, no answer to it
	tcpSYNACKSent                  // SYN-ACK seen, but no SYN before it
	tcpPartial                     // packets seen, but no SYN
	tcpEstablished                 // SYN-ACK seen
	tcpClosed                      // FIN seen
	tcpReset                       // RST seen
)

// handshake reports that a side has not come further than its SYN.
func (s tcpState) handshake() bool {
	return s == tcpInactive || s == tcpSYNSent || s == tcpSYNACKSent
}

// endpoint is one side of a TCP connection. Sequence numbers are the 32-bit
// ones of the wire with a count of their wraps; relative ones are 64 bits wide
// and start at 0 with the SYN (for a side whose SYN was not seen, one before
// its first byte).
type endpoint struct {
	state, prev tcpState // prev: before the last change of state
	orig        bool
	didClose    bool // reported as closed
	sentFIN     bool

	start              uint64
	last, ack          uint32 // one past the last byte sent, and acknowledged
	seqWraps, ackWraps uint32
	finSeq             uint64 // relative

	histSYN, histFIN, histRST uint64 // relative numbers of the last control packets
	badChecksum               scaled
	retransmitted             scaled
	zeroWindow                scaled
	gaps                      scaled

	stream stream
}

// fullSeq widens a sequence number by the times that it wrapped.
func fullSeq(seq, wraps uint32) uint64 { return uint64(wraps)<<32 + uint64(seq) }

func seqDelta(a, b uint32) int32 { return int32(a - b) }

func (e *endpoint) setLast(seq uint32) {
	if seq < e.last {
		e.seqWraps++
	}
	e.last = seq
}

func (e *endpoint) setAck(seq uint32) {
	if seq < e.ack {
		e.ackWraps++
	}
	e.ack = seq
}

// begin sets the numbers anew, as at a SYN.
func (e *endpoint) begin(start, last uint32) {
	e.start, e.ack, e.last = uint64(start), start, last
}

// nothingAcked reports that no data of this side was acknowledged: at most its SYN.
func (e *endpoint) nothingAcked() bool {
	ack := fullSeq(e.ack, e.ackWraps)
	return ack == e.start || ack == e.start+1
}

// relative brings a sequence number near last into the relative space, and
// reports whether it lies before the start.
func (e *endpoint) relative(seq, last, wraps uint32) (rel uint64, underflow bool) {
	switch delta := seqDelta(seq, last); {
	case delta < 0 && wraps > 0 && seq > last:
		wraps--
	case delta > 0 && seq < last:
		wraps++
	}
	if wraps == 0 {
		delta := seqDelta(seq, uint32(e.start))
		return uint64(int64(delta)), delta < 0
	}
	return fullSeq(seq, wraps) - e.start, false
}

// size returns the payload that this side sent, by the sequence numbers: what was
// acknowledged counts even if it was not captured.
func (e *endpoint) size(peer *endpoint) uint64 {
	if e.prev == tcpSYNSent && e.state == tcpReset && peer.state == tcpInactive && !e.nothingAcked() {
		return 0 // a half-open connection was found and aborted: the numbers mean nothing
	}
	size := max(fullSeq(e.last, e.seqWraps), fullSeq(e.ack, e.ackWraps)) - e.start
	if size != 0 {
		size-- // the SYN
	}
	if e.sentFIN && size != 0 {
		size--
	}
	return size
}

// clean reports an end that is, or was until its FIN, established.
func (e *endpoint) clean() bool {
	return e.state == tcpEstablished || e.state == tcpClosed && e.prev == tcpEstablished
}
