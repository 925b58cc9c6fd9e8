package feature

import (
	"math"
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Range says what is usual for a feature: its values at the shares Quantiles of
// ordinary rows.
type Range [len(Quantiles)]float32

// Quantiles are the shares of rows at or below the values of a Range.
var Quantiles = [...]float64{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99}

// Places in a Range.
const (
	low    = 1
	middle = 3
	high   = 5
)

// Bounds are the ends of the usual range: what AppendUsual calls under and over.
func (r *Range) Bounds() (least, most float32) { return r[low], r[high] }

// Middle is the value that half of the rows are at or below.
func (r *Range) Middle() float32 { return r[middle] }

// AppendValue appends the feature i of a connection in the reader's words:
// "4.2 GB", "212", "97 %", "ssl, 1 in 12 connections", "31337/tcp, never seen".
// It allocates only what dst needs.
func (e *Encoder) AppendValue(dst []byte, i int, c *conn.Conn, w Window) []byte {
	if c.Absent != 0 && Absent(c.Absent)>>i&1 != 0 {
		return append(dst, "no column"...)
	}
	switch i {
	case duration:
		if !c.Has(conn.Duration) {
			return append(dst, "unset"...)
		}
		return appendSeconds(dst, c.Duration.Seconds())
	case origBytes:
		return appendOptionalBytes(dst, c.Has(conn.OrigBytes), c.OrigBytes)
	case respBytes:
		return appendOptionalBytes(dst, c.Has(conn.RespBytes), c.RespBytes)
	case origIPBytes:
		return appendBytes(dst, float64(c.OrigIPBytes))
	case respIPBytes:
		return appendBytes(dst, float64(c.RespIPBytes))
	case missedBytes:
		return appendBytes(dst, float64(c.MissedBytes))
	case origPkts:
		return appendCount(dst, float64(c.OrigPkts))
	case respPkts:
		return appendCount(dst, float64(c.RespPkts))

	case protoRarity:
		return e.appendRarity(append(dst, c.Proto.String()...), e.proto(c.Proto, stateCode(c, w)))
	case serviceRarity:
		name := serviceName(c)
		rarity := e.service(name)
		if name == "" {
			name = "unset"
		}
		return e.appendRarity(append(dst, name...), rarity)
	case stateRarity:
		name := c.State.String()
		if c.State == conn.NoState {
			name = "unset"
		}
		return e.appendRarity(append(dst, name...), e.states[stateCode(c, w)])
	case portRarity:
		dst = strconv.AppendUint(dst, uint64(c.Resp.Port()), 10)
		dst = append(append(dst, '/'), c.Proto.String()...)
		return e.appendRarity(dst, e.port(c.Proto, c.Resp.Port()))

	case pairBytes:
		return appendBytes(dst, float64(w.PairBytes))
	case pairSeconds:
		return appendSeconds(dst, float64(w.PairSeconds))
	case originatorPort:
		dst = strconv.AppendUint(dst, uint64(c.Resp.Port()), 10)
		dst = append(append(dst, '/'), c.Proto.String()...)
		dst = appendCount(append(dst, ", "...), float64(w.PortUses))
		dst = appendCount(append(dst, " of its "...), float64(w.Uses))
		if w.Uses >= maxUses { // counted no further
			dst = append(dst, " or more"...)
		}
		return append(dst, " connections"...)

	case respFailures:
		return appendCount(dst, float64(w.RespFailures))
	case connections:
		return appendCount(dst, float64(w.Connections))
	case failures:
		return appendCount(dst, float64(w.Failures))
	case responders:
		return appendDistinct(dst, w.Responders)
	case responderPorts:
		return appendDistinct(dst, w.Ports)
	default: // failedShare
		return appendPercent(dst, float64(w.Failures)/float64(max(w.Connections, 1)))
	}
}

// AppendUsual appends what is usual for the feature i, as seen from the value x
// of a connection: "under 31 MB", "over 2 s", "3", "1 in 200 connections or
// more". It allocates only what dst needs.
func AppendUsual(dst []byte, i int, r *Range, x float32) []byte {
	kind := Schema[i].Kind
	switch {
	case kind == Rarity:
		return append(appendOneIn(dst, r[high]), " or more"...)
	case kind == Count || kind == Share || r[low] == r[high]:
		return appendNumber(dst, kind, r[middle])
	case x > r[high]:
		return appendBound(append(dst, "under "...), kind, r[high])
	case x < r[low]:
		return appendNumber(append(dst, "over "...), kind, r[low])
	}
	dst = appendNumber(dst, kind, r[low])
	if r[low] == unset {
		dst = append(dst, " or up"...)
	}
	return appendNumber(append(dst, " to "...), kind, r[high])
}

// appendNumber prints an encoded number.
func appendNumber(dst []byte, kind Kind, x float32) []byte {
	if x == unset && (kind == Seconds || kind == Bytes) {
		return append(dst, "unset"...)
	}
	switch kind {
	case Seconds:
		return appendSeconds(dst, Exp(float64(x))-durationOffset)
	case Bytes:
		return appendBytes(dst, Exp(float64(x))-1)
	case Share:
		return appendPercent(dst, float64(x))
	case Span:
		return appendSeconds(dst, Exp(float64(x))-1)
	default: // Packets, Count
		return appendCount(dst, Exp(float64(x))-1)
	}
}

// appendBound prints a number that lies above an encoded one: the next count.
func appendBound(dst []byte, kind Kind, x float32) []byte {
	switch kind {
	case Bytes:
		return appendBytes(dst, Exp(float64(x)))
	case Packets:
		return appendCount(dst, Exp(float64(x)))
	}
	return appendNumber(dst, kind, x)
}

// appendRarity appends how often the training rows had a value.
func (e *Encoder) appendRarity(dst []byte, rarity float32) []byte {
	dst = append(dst, ", "...)
	if rarity == e.unseen {
		return append(dst, "never seen"...)
	}
	return appendOneIn(dst, rarity)
}

func appendOneIn(dst []byte, rarity float32) []byte {
	if rarity < 0.6 { // more than half of the connections: "1 in 1.3" says less
		return append(appendPercent(dst, Exp(-float64(rarity))), " of connections"...)
	}
	dst = appendRounded(append(dst, "1 in "...), Exp(float64(rarity)))
	return append(dst, " connections"...)
}

// appendDistinct says where a number is an estimate.
func appendDistinct(dst []byte, n uint32) []byte {
	if n < recentKeys {
		return appendCount(dst, float64(n))
	}
	return appendRounded(append(dst, "about "...), float64(n))
}

func appendOptionalBytes(dst []byte, set bool, n uint64) []byte {
	if !set {
		return append(dst, "unset"...)
	}
	return appendBytes(dst, float64(n))
}

func appendBytes(dst []byte, x float64) []byte {
	units := [...]string{" B", " kB", " MB", " GB", " TB", " PB", " EB"}
	u := 0
	for x = math.Round(max(x, 0)); x >= 999.5 && u < len(units)-1; u++ {
		x /= 1000
	}
	if u == 0 {
		return append(strconv.AppendFloat(dst, x, 'f', 0, 64), units[0]...)
	}
	return append(appendShort(dst, x), units[u]...)
}

func appendSeconds(dst []byte, s float64) []byte {
	switch {
	case s < 0.9995e-3:
		return append(strconv.AppendFloat(dst, math.Round(max(s, 0)*1e6), 'f', 0, 64), " µs"...)
	case s < 0.9995:
		return append(appendShort(dst, s*1e3), " ms"...)
	case s < 119.5:
		return append(appendShort(dst, s), " s"...)
	case s < 119.5*60:
		return append(appendShort(dst, s/60), " min"...)
	case s < 47.5*3600:
		return append(appendShort(dst, s/3600), " h"...)
	}
	return append(appendShort(dst, s/86400), " days"...)
}

// appendPercent keeps 0 % and 100 % for exactly these.
func appendPercent(dst []byte, x float64) []byte {
	p := math.Round(x * 100)
	switch {
	case p <= 0 && x > 0:
		return append(dst, "under 1 %"...)
	case p >= 100 && x < 1:
		return append(dst, "over 99 %"...)
	}
	return append(strconv.AppendFloat(dst, p, 'f', 0, 64), " %"...)
}

// appendShort prints two significant digits, or the whole part if that has more.
func appendShort(dst []byte, x float64) []byte {
	if x < 9.95 {
		return strconv.AppendFloat(dst, x, 'f', 1, 64)
	}
	return strconv.AppendFloat(dst, x, 'f', 0, 64)
}

// appendRounded prints a count to two significant digits, with commas.
func appendRounded(dst []byte, x float64) []byte {
	scale := 1.0
	for x/scale >= 99.5 {
		scale *= 10
	}
	return appendCount(dst, math.Round(x/scale)*scale)
}

// appendCount prints a whole number with commas between thousands.
func appendCount(dst []byte, x float64) []byte {
	start := len(dst)
	dst = strconv.AppendFloat(dst, math.Round(max(x, 0)), 'f', 0, 64)
	for digits := len(dst) - start; digits > 3; digits -= 3 {
		at := start + digits - 3
		dst = append(dst, 0)
		copy(dst[at+1:], dst[at:])
		dst[at] = ','
	}
	return dst
}

// AppendEncoded appends the value x of the feature i as the forest sees it, for
// example the threshold of a split, in the reader's words: "31 MB", "1 in 200
// connections". It allocates only what dst needs.
func AppendEncoded(dst []byte, i int, x float32) []byte {
	switch kind := Schema[i].Kind; kind {
	case Rarity:
		return appendOneIn(dst, x)
	case Count, Packets: // a threshold lies between whole numbers
		if n := Exp(float64(x)) - 1; n < 10 && math.Abs(n-math.Round(n)) > 0.05 {
			return strconv.AppendFloat(dst, n, 'f', 1, 64)
		}
		fallthrough
	default:
		return appendNumber(dst, kind, x)
	}
}
