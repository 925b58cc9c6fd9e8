package feature

import (
	"math/bits"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// ConnKinds describes kinds of connection, as Row.Cell tells them apart.
type ConnKinds struct {
	Proto     conn.Proto
	Service   string // "" for none
	State     conn.State
	Local     []bool    // what local_orig may be; it may be unset, too
	OrigBytes [2]uint64 // orig_ip_bytes, from and to; of attempts that came to nothing they do not count
	RespBytes [2]uint64
}

// N returns the number of kinds.
func (k *ConnKinds) N() int {
	orig, resp := k.magnitudes()
	return (len(k.Local) + 1) * max(orig[1]-orig[0]+1, 0) * max(resp[1]-resp[0]+1, 0)
}

func (k *ConnKinds) magnitudes() (orig, resp [2]int) {
	if k.State.Failed() {
		return orig, resp
	}
	for i := range 2 {
		orig[i], resp[i] = bits.Len64(k.OrigBytes[i]), bits.Len64(k.RespBytes[i])
	}
	return orig, resp
}

// Append appends the kinds.
func (k *ConnKinds) Append(kinds []uint64) []uint64 {
	c := conn.Conn{Proto: k.Proto, State: k.State, Service: k.Service}
	if k.Service != "" {
		c.Set = conn.Service
	}
	service := serviceCode(&c, nil)
	orig, resp := k.magnitudes()
	for local := range len(k.Local) + 1 {
		if local > 0 {
			c.Set, c.LocalOrig = c.Set|conn.LocalOrig, k.Local[local-1]
		}
		for o := orig[0]; o <= orig[1]; o++ {
			for r := resp[0]; r <= resp[1]; r++ {
				c.OrigIPBytes, c.RespIPBytes = 1<<o>>1, 1<<r>>1
				kinds = append(kinds, connCell(&c, service))
			}
		}
	}
	return kinds
}
