package service

// smbAnalyzer confirms SMB, of any version, at the third delivered block that
// did not fail to parse (src/analyzer/protocol/smb/SMB.cc). Security blobs go
// to GSSAPI or NTLM, and what passes through named pipes to DCE/RPC.
type smbAnalyzer struct {
	node
	flow   [2]frameBuffer
	begun  [2]bool // a message, if only its first byte is to come
	broken [2]bool // one that had begun was thrown away
	synced bool    // else a block must begin with an SMB header
	blocks int

	gssapi, ntlm analyzer
	pipes        map[uint64]*dceRPCAnalyzer // by file id
	held         int                        // bytes that these keep
	pipeTrees    map[uint32]struct{}        // trees that are IPC$
	smb2         smb2State
	pipeCalls    map[uint16]struct{} // SMB1 transactions on pipes, by multiplex id
}

func newSMB() analyzer { return &smbAnalyzer{} }

const (
	smbMaxPending = 1000    // SMB::max_pending_messages
	smbMaxPipes   = 1000    // SMB::max_dce_rpc_analyzers
	smbMaxTrees   = 4096    // ours; Zeek has no limit
	smbMaxHeld    = 4 << 20 // ours too
)

// smbHead is NetBIOS' session header.
const smbHead = 4

func smbSize(h []byte) (int, bool) {
	return smbHead + int(h[1])<<16 + int(h[2])<<8 + int(h[3]), true
}

func hasSMBHeader(b []byte) bool {
	return len(b) >= 8 && (b[4] == 0xff || b[4] == 0xfe) && string(b[5:8]) == "SMB"
}

func (a *smbAnalyzer) gap(fromOrig bool, n uint64) { a.resync() }

// resync throws away what was gathered. Zeek forgets the bytes but not the
// parser that waits for more of them; it begins behind each message, and fails
// on the next block.
func (a *smbAnalyzer) resync() {
	a.flow[0].discard()
	a.flow[1].discard()
	a.broken = a.begun
	a.synced = false
}

func (a *smbAnalyzer) fail(i int) {
	a.begun[i] = false
	a.violate()
	a.resync()
}

func (a *smbAnalyzer) data(fromOrig bool, b []byte) {
	if !a.synced && !hasSMBHeader(b) {
		return
	}
	a.synced = true
	i := side(fromOrig)
	if a.broken[i] {
		a.fail(i)
		return
	}
	a.begun[i] = true
	f := &a.flow[i]
	for len(b) > 0 {
		o, state := f.next(&b, smbHead, smbSize)
		if state == frameWaits {
			break
		}
		if !a.message(o, fromOrig) {
			a.fail(i)
			return
		}
	}
	if a.blocks++; a.blocks == 3 {
		a.confirm()
	}
}

// message parses a NetBIOS message: a chain of SMB2 PDUs, or one of another
// version.
func (a *smbAnalyzer) message(o octets, fromOrig bool) bool {
	kind := o.u8()
	o.skip(smbHead - 1)
	if kind != 0 { // not a session message
		return true
	}
	size := o.len()
	for o.len() > 0 {
		switch o.be32() {
		case 0xff534d42:
			a.smb1(&o, fromOrig, size)
		case 0xfe534d42:
			if more := a.smb2PDU(&o, fromOrig); more && !o.bad {
				continue
			}
		case 0xfd534d42:
			o.skip(48) // the rest is encrypted
		}
		break
	}
	return !o.bad
}

// secure hands on a security blob.
func (a *smbAnalyzer) secure(blob octets, fromOrig bool) {
	if blob.bad || blob.len() < 8 {
		return
	}
	if isNTLM(blob.b) {
		if a.ntlm == nil {
			a.ntlm = a.instantiate(ntlm)
		}
		a.ntlm.data(fromOrig, blob.b)
		return
	}
	if a.gssapi == nil {
		a.gssapi = a.instantiate(gssapi)
	}
	a.gssapi.data(fromOrig, blob.b)
}

// pipe hands on what was written to or read from a named pipe.
func (a *smbAnalyzer) pipe(data octets, file uint64, fromOrig bool) {
	p := a.pipes[file]
	if p == nil {
		if a.pipes == nil || len(a.pipes) >= smbMaxPipes || a.held > smbMaxHeld {
			a.pipes, a.held = map[uint64]*dceRPCAnalyzer{}, 0
		}
		p = a.instantiate(dceRPC).(*dceRPCAnalyzer)
		a.pipes[file] = p
	}
	a.held -= p.held()
	p.take(fromOrig, data.b)
	a.held += p.held()
}

func (a *smbAnalyzer) closePipe(file uint64) {
	if p := a.pipes[file]; p != nil {
		a.held -= p.held()
		delete(a.pipes, file)
	}
}

func (a *smbAnalyzer) isPipeTree(tree uint32) bool {
	_, ok := a.pipeTrees[tree]
	return ok
}

func (a *smbAnalyzer) setPipeTree(tree uint32) {
	if a.pipeTrees == nil {
		a.pipeTrees = map[uint32]struct{}{}
	}
	if len(a.pipeTrees) < smbMaxTrees {
		a.pipeTrees[tree] = struct{}{}
	}
}

// smbPipeName says whether a file opened by this name must be a pipe
// (SMB::pipe_filenames; scripts/base/protocols/smb/consts.zeek).
func smbPipeName(name string) bool {
	switch name {
	case "spoolss", "winreg", "samr", "srvsvc", "netdfs", "lsarpc", "wkssvc", "MsFteWds":
		return true
	}
	return false
}

// smbUnicode is UTF-16 up to the first NUL, as far as it is ASCII.
func smbUnicode(b []byte) string {
	var name [16]byte
	n := 0
	for i := 0; i < len(b); i += 2 {
		c := b[i]
		if i+1 < len(b) && b[i+1] != 0 {
			return ""
		}
		if c == 0 {
			break
		}
		if n == len(name) {
			return ""
		}
		name[n] = c
		n++
	}
	return string(name[:n])
}

// record is a part of a message whose fields are found by their offset in it.
type record struct {
	*octets
	whole int
}

func newRecord(o *octets) record { return record{o, o.len()} }

// offset returns how much of the record was read.
func (r record) offset() int { return r.whole - r.len() }

// padTo skips to an offset, if that still lies ahead.
func (r record) padTo(offset int) {
	if n := offset - r.offset(); n > 0 && !r.bad {
		r.skip(n)
	}
}
