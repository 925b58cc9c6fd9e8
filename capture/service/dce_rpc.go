package service

import (
	"encoding/binary"
	"slices"
)

// dceRPCAnalyzer confirms DCE/RPC by one whole PDU
// (src/analyzer/protocol/dce-rpc). It is found on TCP and in SMB's named pipes.
type dceRPCAnalyzer struct {
	node
	flow   [2]dceRPCFlow
	gssapi analyzer
	ntlm   analyzer
	gone   bool
}

func newDCERPC() analyzer { return &dceRPCAnalyzer{} }

// dceRPCFlow is one direction: the PDU in hand, and the calls whose fragments
// are being waited for.
type dceRPCFlow struct {
	frameBuffer
	calls []uint32
}

const (
	dceRPCHead     = 16
	dceRPCMaxCalls = 20    // DCE_RPC::max_cmd_reassembly
	dceRPCMaxFrag  = 30000 // DCE_RPC::max_frag_data
)

// dceRPCOrder returns the byte order that a PDU's header declares.
func dceRPCOrder(h []byte) binary.ByteOrder {
	if h[4]>>4 != 0 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

func dceRPCSize(h []byte) (int, bool) {
	return int(dceRPCOrder(h).Uint16(h[8:])), h[0] == 5
}

func (a *dceRPCAnalyzer) gap(fromOrig bool, n uint64) { a.gone = true }

func (a *dceRPCAnalyzer) idle(fromOrig bool) bool { return a.gone || a.node.idle(fromOrig) }

func (a *dceRPCAnalyzer) data(fromOrig bool, b []byte) {
	if a.gone || !a.det.stream {
		return
	}
	f := &a.flow[side(fromOrig)]
	for len(b) > 0 {
		o, state := f.next(&b, dceRPCHead, dceRPCSize)
		if state == frameWaits {
			return
		}
		if state == frameWrong || !a.pdu(f, o) {
			f.discard()
			a.violate()
			return
		}
		a.confirm()
	}
}

// held returns how many bytes are kept of PDUs that have begun.
func (a *dceRPCAnalyzer) held() int { return cap(a.flow[0].kept) + cap(a.flow[1].kept) }

func (a *dceRPCAnalyzer) pdu(f *dceRPCFlow, o octets) bool {
	head := o.take(dceRPCHead).b
	order := dceRPCOrder(head)
	kind, flags := head[2], head[3]
	size, authSize := int(order.Uint16(head[8:])), int(order.Uint16(head[10:]))
	call := order.Uint32(head[12:])
	size -= dceRPCHead + authSize
	if authSize > 0 {
		size -= 8
	}
	body := o.take(size)
	if o.bad {
		return false
	}
	if authSize > 0 {
		authType := o.u8()
		o.skip(7)
		blob := o.take(authSize)
		if o.bad {
			return false
		}
		a.authenticate(authType, blob.b)
	}
	if !a.whole(f, call, flags&1 != 0, flags&2 != 0, body.len()) {
		return true
	}
	body.dceRPCBody(order, kind, flags&0x80 != 0)
	return !body.bad
}

// authenticate hands on a verifier. Kerberos' goes to Zeek's analyzer of
// datagrams by a way on which that takes nothing, the others' nowhere.
func (a *dceRPCAnalyzer) authenticate(kind byte, blob []byte) {
	switch kind {
	case 0x09:
		if a.gssapi == nil {
			a.gssapi = a.instantiate(gssapi)
		}
		a.gssapi.data(true, blob)
	case 0x0a:
		if a.ntlm == nil {
			a.ntlm = a.instantiate(ntlm)
		}
		a.ntlm.data(true, blob)
	}
}

// whole reports whether a PDU's body is to be parsed: it ends a call. What Zeek
// then parses of a call in fragments is the last one alone. Its limits stop
// the analyzer behind this PDU.
func (a *dceRPCAnalyzer) whole(f *dceRPCFlow, call uint32, first, last bool, size int) bool {
	i := slices.Index(f.calls, call)
	switch {
	case first && i >= 0:
		a.skip = true
		return false
	case first && last:
		return true
	case first:
		f.calls = append(f.calls, call)
		if len(f.calls) > dceRPCMaxCalls || size > dceRPCMaxFrag {
			a.skip = true
		}
		return false
	case i < 0:
		return false
	}
	if size > dceRPCMaxFrag {
		a.skip = true
	}
	if last {
		f.calls = slices.Delete(f.calls, i, i+1)
	}
	return last
}

func (o *octets) dceRPCBody(order binary.ByteOrder, kind byte, object bool) {
	whole := o.len()
	align := func(n int) { o.skip((n - (whole-o.len())%n) % n) }
	switch kind {
	case 0: // request
		o.skip(8)
		if object {
			o.skip(16)
		}
		align(8)
	case 2: // response
		o.skip(8)
	case 11, 14: // bind, alter context
		o.skip(8)
		n := int(o.u8())
		o.skip(3)
		for ; n > 0 && !o.bad; n-- {
			o.skip(2)
			transfers := int(o.u8())
			o.skip(1 + 20 + 20*transfers)
		}
	case 12, 15: // their answers
		o.skip(8)
		o.skip(int(order.Uint16(o.pair())))
		align(4)
		n := int(o.u8())
		o.skip(3 + 24*n)
	}
}

// pair takes two bytes; zeros beyond the end.
func (o *octets) pair() []byte {
	t := o.take(2)
	if len(t.b) < 2 {
		return []byte{0, 0}
	}
	return t.b
}
