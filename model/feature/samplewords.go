package feature

import (
	"math"
	"sync"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// AppendSample appends the feature i of a connection whose sample is s in the
// reader's words, as AppendConn does of its window. A sample holds how rare the
// port is for its originator, and not how often each was counted; where several
// counts are that rare, it says "22/tcp, 1 in 39 connections of this originator".
func (e *Encoder) AppendSample(dst []byte, i int, c *conn.Conn, s *Sample) []byte {
	w := Window{
		Connections: uint32(numberOf(s.Vector[connections])), Failures: uint32(numberOf(s.Vector[failures])),
		Responders: uint32(numberOf(s.Vector[responders])), Ports: uint32(numberOf(s.Vector[responderPorts])),
		OneWay: s.Silent>>protoCode&1 != 0,
		Memory: Memory{
			RespFailures: uint32(numberOf(s.Vector[respFailures])),
			PairBytes:    numberOf(s.Vector[pairBytes]), PairSeconds: numberOf(s.Vector[pairSeconds]),
		},
	}
	if i == originatorPort {
		uses := usesOf()[s.Vector[i]]
		if uses.several && (c.Absent == 0 || Absent(c.Absent)>>i&1 == 0) {
			dst = e.set.appendOneIn(append(appendPort(dst, c), ", "...), s.Vector[i])
			return append(dst, " of this originator"...)
		}
		w.PortUses, w.Uses = uses.PortUses, uses.Uses
	}
	return e.AppendConn(dst, i, c, w)
}

// portUses are the counts that have a rarity.
type portUses struct {
	Memory
	several bool // others have it, too
}

// usesOf returns the counts of each UseRarity.
var usesOf = sync.OnceValue(func() map[float32]portUses {
	all := map[float32]portUses{}
	for uses := range uint32(maxUses + 1) {
		for port := range uses + 1 {
			m := Memory{PortUses: port, Uses: uses}
			rarity := m.UseRarity()
			_, several := all[rarity]
			all[rarity] = portUses{m, several}
		}
	}
	return all
})

// numberOf is the inverse of LogCount, as exactly as the logarithm tells it.
func numberOf(x float32) uint64 { return uint64(math.Round(math.Expm1(float64(x)))) }
