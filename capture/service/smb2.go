package service

// smb2State is what answers need of their requests.
type smb2State struct {
	trees  map[uint64]uint32 // message id → tree
	reads  map[uint64]uint64 // message id → file
	ioctls map[uint64]uint64
}

// smb2Head are the fields of an SMB2 header that matter.
type smb2Head struct {
	size     int // as the header gives it; offsets in messages count from there
	status   uint32
	command  uint16
	next     uint32
	message  uint64
	tree     uint32
	pipeTree bool
}

const (
	smb2Pending    = 0x00000103
	smb2Transceive = 0x0011c017 // FSCTL_PIPE_TRANSCEIVE
)

// smb2PDU parses one PDU behind its protocol mark; true if another follows
// (src/analyzer/protocol/smb/smb2-protocol.pac).
func (a *smbAnalyzer) smb2PDU(o *octets, fromOrig bool) (more bool) {
	h := smb2Head{size: int(o.le16())}
	o.skip(2)
	h.status = o.le32()
	h.command = o.le16()
	o.skip(2 + 4)
	h.next = o.le32()
	h.message = o.le64()
	o.skip(4)
	h.tree = o.le32()
	o.skip(8 + 16)
	if o.bad {
		return false
	}
	a.smb2Track(&h, fromOrig)

	r := newRecord(o)
	switch {
	case fromOrig:
		a.smb2Request(r, &h)
	case h.failed():
		r.skip(4)
		r.skip(int(int32(r.le32())))
	default:
		a.smb2Response(r, &h)
	}
	if h.next == 0 || o.bad {
		return false
	}
	// What the message left of its place in the chain, in Zeek's 32 bits.
	r.skip(int(int32(int64(h.next-uint32(h.size)) - int64(r.offset()))))
	return true
}

// smb2Track finds the tree of an answer by its request's: servers leave it out.
func (a *smbAnalyzer) smb2Track(h *smb2Head, fromOrig bool) {
	s := &a.smb2
	if fromOrig {
		h.pipeTree = a.isPipeTree(h.tree)
		if s.trees == nil || len(s.trees) >= smbMaxPending {
			s.trees = map[uint64]uint32{}
		}
		s.trees[h.message] = h.tree
		return
	}
	h.pipeTree = a.isPipeTree(s.trees[h.message])
	if h.status != smb2Pending {
		delete(s.trees, h.message)
	}
}

// failed reports an error response, whatever the command.
func (h *smb2Head) failed() bool {
	switch h.status {
	case 0:
		return false
	case 0x80000005: // buffer overflow
		return h.command != 11 && h.command != 16 && h.command != 8
	case 0xc000000d: // invalid parameter
		return h.command != 11
	case 0xc0000016: // more processing required
		return h.command != 1
	case 0x0000010c: // notify enum dir
		return h.command != 15
	}
	return true
}

// smb2File reads a file id; the sum of its halves names a pipe.
func (o *octets) smb2File() uint64 { return o.le64() + o.le64() }

func (a *smbAnalyzer) smb2Request(r record, h *smb2Head) {
	switch h.command {
	case 0: // negotiate
		r.skip(2)
		dialects := int(r.le16())
		r.skip(32)
		r.skip(2 * dialects)
	case 1: // session setup
		r.skip(12)
		at, size := int(r.le16()), int(r.le16())
		r.padTo(at - h.size)
		blob := r.take(size)
		if !r.bad {
			a.secure(blob, true)
		}
	case 3: // tree connect
		r.skip(4)
		at, size := int(r.le16()), int(r.le16())
		r.padTo(at - h.size)
		r.skip(size)
	case 4: // tree disconnect
		r.skip(4)
		if !r.bad {
			delete(a.pipeTrees, h.tree)
		}
	case 5:
		a.smb2Create(r, h)
	case 6: // close
		r.skip(8)
		file := r.smb2File()
		if !r.bad {
			a.closePipe(file)
		}
	case 7: // flush
		r.skip(24)
	case 8: // read
		r.skip(16)
		file := r.smb2File()
		r.skip(12)
		at, size := int(r.le16()), int(r.le16())
		r.padTo(at - h.size)
		r.skip(size)
		if !r.bad {
			if a.smb2.reads == nil || len(a.smb2.reads) >= smbMaxPending {
				a.smb2.reads = map[uint64]uint64{}
			}
			a.smb2.reads[h.message] = file
		}
	case 9: // write
		r.skip(2)
		at, size := int(r.le16()), int(int32(r.le32()))
		r.skip(8)
		file := r.smb2File()
		r.skip(16)
		r.padTo(at - h.size)
		data := r.take(size)
		if !r.bad && h.pipeTree {
			a.pipe(data, file, true)
		}
	case 10: // lock
		r.skip(2)
		locks := int(r.le16())
		r.skip(20 + 20*locks)
	case 11:
		a.smb2IoctlRequest(r, h)
	case 12, 13: // cancel, echo
		r.skip(4)
	case 14: // query directory
		r.skip(24)
		at, size := int(r.le16()), int(r.le16())
		r.skip(4)
		r.padTo(at - h.size)
		r.skip(size)
	case 15: // change notify
		r.skip(32)
	case 16: // query info
		r.skip(8)
		at := int(r.le16())
		r.skip(2)
		size := int(int32(r.le32()))
		r.skip(24)
		r.padTo(at - h.size)
		r.skip(size)
	case 17:
		r.smb2SetInfo(h)
	case 18: // oplock break
		r.skip(24)
	}
}

func (a *smbAnalyzer) smb2Response(r record, h *smb2Head) {
	switch h.command {
	case 0:
		a.smb2NegotiateResponse(r, h)
	case 1:
		r.skip(4)
		at, size := int(r.le16()), int(r.le16())
		r.padTo(at - h.size)
		blob := r.take(size)
		if !r.bad {
			a.secure(blob, false)
		}
	case 3:
		r.skip(2)
		share := r.u8()
		r.skip(13)
		if !r.bad && share == 2 {
			a.setPipeTree(h.tree)
		}
	case 4, 7, 10, 13:
		r.skip(4)
	case 5:
		r.skip(80)
		at, size := r.le32(), int(int32(r.le32()))
		r.padToContexts(at, h)
		r.skip(size)
	case 6:
		r.skip(60)
	case 8:
		r.skip(2)
		at := int(r.u8())
		r.skip(1)
		size := int(int32(r.le32()))
		r.skip(8)
		r.padTo(at - h.size)
		data := r.take(size)
		if r.bad {
			return
		}
		file := a.smb2.reads[h.message]
		if h.status != smb2Pending {
			delete(a.smb2.reads, h.message)
		}
		if h.pipeTree {
			a.pipe(data, file, false)
		}
	case 9:
		r.skip(16)
	case 11:
		a.smb2IoctlResponse(r, h)
	case 14, 16: // query directory, query info
		r.skip(2)
		at, size := int(r.le16()), int(int32(r.le32()))
		r.padTo(at - h.size)
		r.skip(size)
	case 15:
		r.skip(2)
		at, size := int(r.le16()), int(int32(r.le32()))
		r.padTo(at - h.size)
		changes := r.take(size)
		for changes.len() > 0 { // one behind the other, whatever their offsets say
			changes.skip(8)
			changes.skip(int(int32(changes.le32())))
		}
		r.join(changes)
	case 17:
		r.skip(2)
	case 18:
		r.skip(24)
	}
}
