package service

// The larger SMB2 commands; src/analyzer/protocol/smb/smb2-com-*.pac.

func (a *smbAnalyzer) smb2NegotiateResponse(r record, h *smb2Head) {
	r.skip(4)
	dialect, contexts := r.le16(), int(r.le16())
	r.skip(50)
	size, at := int(r.le16()), r.le32()
	blob := r.take(size)
	if dialect == 0x0311 {
		r.padTo(int(at - uint32(h.size)))
		if contexts > 0 {
			r.smb2Contexts(contexts)
		}
	}
	if !r.bad {
		a.secure(blob, false)
	}
}

// smb2Contexts reads the contexts of a negotiation; all but the last are padded.
func (o *octets) smb2Contexts(n int) {
	if !o.fits(n-1, 1) {
		return
	}
	for i := range n {
		start := o.len()
		kind, size := o.le16(), int(o.le16())
		o.skip(4)
		switch kind {
		case 1: // integrity
			hashes, salt := int(o.le16()), int(o.le16())
			o.skip(2*hashes + salt)
		case 2: // encryption
			o.skip(2 * int(o.le16()))
		case 3: // compression
			algorithms := int(o.le16())
			o.skip(6 + 2*algorithms)
		default:
			o.skip(size)
		}
		if i < n-1 && !o.bad {
			o.skip((8 - (start-o.len())%8) % 8)
		}
		if o.bad {
			return
		}
	}
}

func (a *smbAnalyzer) smb2Create(r record, h *smb2Head) {
	r.skip(44)
	nameAt, nameSize := int(r.le16()), int(r.le16())
	at, size := r.le32(), int(int32(r.le32()))
	r.padTo(nameAt - h.size)
	name := r.take(nameSize)
	r.padToContexts(at, h)
	r.skip(size)
	if !r.bad && !h.pipeTree && smbPipeName(smbUnicode(name.b)) {
		a.setPipeTree(h.tree)
	}
}

// padToContexts skips to the contexts of a create; 0 is none. Zeek reckons the
// distance without sign.
func (r record) padToContexts(at uint32, h *smb2Head) {
	if at != 0 {
		r.padTo(int(at - uint32(h.size)))
	}
}

func (a *smbAnalyzer) smb2IoctlRequest(r record, h *smb2Head) {
	r.skip(4)
	code := r.le32()
	file := r.smb2File()
	inputAt, inputSize := r.le32(), int(int32(r.le32()))
	r.skip(4)
	outputAt, outputSize := r.le32(), int(int32(r.le32()))
	r.skip(12)
	input, _ := r.smb2Buffers(h, inputAt, outputAt, inputSize, outputSize)
	if r.bad {
		return
	}
	if code == smb2Transceive {
		a.pipe(input, file, true)
	}
	if a.smb2.ioctls == nil || len(a.smb2.ioctls) >= smbMaxPending {
		a.smb2.ioctls = map[uint64]uint64{}
	}
	a.smb2.ioctls[h.message] = file
}

func (a *smbAnalyzer) smb2IoctlResponse(r record, h *smb2Head) {
	r.skip(4)
	code := r.le32()
	r.skip(16)
	inputAt, inputSize := r.le32(), int(int32(r.le32()))
	outputAt, outputSize := r.le32(), int(int32(r.le32()))
	r.skip(8)
	_, output := r.smb2Buffers(h, inputAt, outputAt, inputSize, outputSize)
	if r.bad {
		return
	}
	file := a.smb2.ioctls[h.message]
	delete(a.smb2.ioctls, h.message)
	if code == smb2Transceive {
		a.pipe(output, file, false)
	}
}

// smb2Buffers reads the buffers of an ioctl. Zeek skips by how far their
// offsets lie *behind* the place reached, and fails if they lie ahead of it.
func (r record) smb2Buffers(h *smb2Head, inputAt, outputAt uint32, inputSize, outputSize int) (input, output octets) {
	if inputAt != 0 {
		r.skip(int(int32(uint32(r.offset()+h.size) - inputAt)))
	}
	input = r.take(inputSize)
	if outputAt != 0 && outputAt != inputAt {
		r.skip(int(int32(int64(r.offset()+h.size) - int64(outputAt))))
	}
	return input, r.take(outputSize)
}

func (r record) smb2SetInfo(h *smb2Head) {
	r.skip(2)
	class, level := r.u8(), r.u8()
	r.skip(4)
	at := int(r.le16())
	r.skip(22)
	r.padTo(at - h.size)
	switch class {
	case 1: // file
		switch level {
		case 0x04: // basic
			r.skip(36)
		case 0x0a, 0x0b: // rename, link
			r.skip(16)
			r.skip(int(int32(r.le32())))
		case 0x0d: // disposition
			r.skip(1)
		case 0x0e, 0x13, 0x14, 0x18, 0x27: // position, allocation, end of file, pipe, valid length
			r.skip(8)
		case 0x0f:
			r.smb2Attributes()
		case 0x10: // mode
			r.skip(4)
		case 0x28: // short name
			r.skip(int(int32(r.le32())))
		}
	case 2: // file system
		switch level {
		case 0x06: // control
			r.skip(48)
		case 0x08: // object id
			r.skip(64)
		}
	}
}

// smb2Attributes reads extended attributes up to one without a next.
func (o *octets) smb2Attributes() {
	for o.len() > 0 {
		e := newRecord(o)
		next := e.le32()
		e.skip(1)
		name, value := int(e.u8()), int(e.le16())
		e.skip(name + value)
		e.padTo(int(next))
		if next == 0 || o.bad {
			return
		}
	}
}
