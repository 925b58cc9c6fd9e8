package feature

import (
	"math"
	"strconv"
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

// Bounds returns the ends of the usual range: what AppendUsual calls under and over.
func (r *Range) Bounds() (least, most float32) { return r[low], r[high] }

// Middle returns the value that half of the rows are at or below.
func (r *Range) Middle() float32 { return r[middle] }

// AppendUsual appends what is usual for the feature i, as seen from the value x
// of a row: "under 31 MB", "over 2 s", "3", "1 in 200 connections or
// more". It allocates only what dst needs.
func (s *Set) AppendUsual(dst []byte, i int, r *Range, x float32) []byte {
	kind := s.Features[i].Kind
	switch {
	case kind == Rarity:
		return append(s.appendOneIn(dst, r[high]), " or more"...)
	case kind == Count || kind == Share || r[low] == r[high]:
		return appendNumber(dst, kind, r[middle])
	case x > r[high]:
		return appendBound(append(dst, "under "...), kind, r[high])
	case x < r[low]:
		return appendNumber(append(dst, "over "...), kind, r[low])
	}
	dst = appendNumber(dst, kind, r[low])
	if r[low] == Unset {
		dst = append(dst, " or up"...)
	}
	return appendNumber(append(dst, " to "...), kind, r[high])
}

// appendNumber prints an encoded number.
func appendNumber(dst []byte, kind Kind, x float32) []byte {
	if x == Unset && kind.mayBeUnset() {
		return append(dst, "unset"...)
	}
	switch kind {
	case Seconds:
		return AppendSeconds(dst, Exp(float64(x))-durationOffset)
	case Bytes:
		return AppendBytes(dst, Exp(float64(x))-1)
	case Share:
		return AppendPercent(dst, float64(x))
	case Span:
		return AppendSeconds(dst, Exp(float64(x))-1)
	case Surprise:
		return append(appendShort(dst, float64(x)), " bits a character"...)
	default: // Packets, Count, Amount
		return AppendCount(dst, Exp(float64(x))-1)
	}
}

// appendBound prints a number that lies above an encoded one: the next count.
func appendBound(dst []byte, kind Kind, x float32) []byte {
	switch kind {
	case Bytes:
		return AppendBytes(dst, Exp(float64(x)))
	case Packets, Amount:
		return AppendCount(dst, Exp(float64(x)))
	}
	return appendNumber(dst, kind, x)
}

// AppendRarity appends how often the training rows had a value of that rarity:
// ", 1 in 12 connections". It allocates only what dst needs.
func (e *Encoder) AppendRarity(dst []byte, rarity float32) []byte {
	dst = append(dst, ", "...)
	if rarity == e.unseen {
		return append(dst, "never seen"...)
	}
	return e.set.appendOneIn(dst, rarity)
}

func (s *Set) appendOneIn(dst []byte, rarity float32) []byte {
	if rarity < 0.6 { // more than half of the rows: "1 in 1.3" says less
		return append(append(AppendPercent(dst, Exp(-float64(rarity))), " of "...), s.Rows...)
	}
	dst = appendRounded(append(dst, "1 in "...), Exp(float64(rarity)))
	return append(append(dst, ' '), s.Rows...)
}

// AppendDistinct appends a number of Window.Responders or Ports, and says where
// it is an estimate.
func AppendDistinct(dst []byte, n uint32) []byte {
	if n < recentKeys {
		return AppendCount(dst, float64(n))
	}
	return appendRounded(append(dst, "about "...), float64(n))
}

func appendOptionalBytes(dst []byte, set bool, n uint64) []byte {
	if !set {
		return append(dst, "unset"...)
	}
	return AppendBytes(dst, float64(n))
}

// AppendBytes appends a number of bytes: "4.2 GB".
func AppendBytes(dst []byte, x float64) []byte {
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

// AppendSeconds appends a time: "212 ms", "2.0 h".
func AppendSeconds(dst []byte, s float64) []byte {
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

// AppendPercent appends a share, 0 % and 100 % for exactly these.
func AppendPercent(dst []byte, x float64) []byte {
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
	return AppendCount(dst, math.Round(x/scale)*scale)
}

// AppendCount appends a whole number with commas between thousands.
func AppendCount(dst []byte, x float64) []byte {
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
func (s *Set) AppendEncoded(dst []byte, i int, x float32) []byte {
	switch kind := s.Features[i].Kind; kind {
	case Rarity:
		return s.appendOneIn(dst, x)
	case Count, Packets, Amount: // a threshold lies between whole numbers
		if n := Exp(float64(x)) - 1; n < 10 && math.Abs(n-math.Round(n)) > 0.05 {
			return strconv.AppendFloat(dst, n, 'f', 1, 64)
		}
		fallthrough
	default:
		return appendNumber(dst, kind, x)
	}
}
