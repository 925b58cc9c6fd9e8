package service

// untilTLS is of an analyzer that reads each block of the stream by itself,
// until TLS begins, whose analyzer gets the rest.
type untilTLS struct {
	node
	tls   bool
	blind bool // after a gap
}

// block gives a block to read, which returns what follows on what it has read; nil
// where that violates.
func (a *untilTLS) block(fromOrig bool, b []byte, read func(fromOrig bool, b []byte) []byte) {
	if a.tls {
		a.forward(fromOrig, b)
		return
	}
	if a.partial() || a.blind {
		return
	}
	for len(b) > 0 {
		if b = read(fromOrig, b); b == nil {
			a.violate()
			return
		}
	}
}

func (a *untilTLS) gap(bool, uint64) { a.blind = true }

func (a *untilTLS) idle(fromOrig bool) bool {
	if a.tls {
		return a.skip || !a.wants(fromOrig)
	}
	return a.skip || a.blind
}
