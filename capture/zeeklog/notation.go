package zeeklog

import (
	"math"
	"net/netip"
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// notation is how a format writes the values of conn.log: each method appends
// one to dst.
type notation interface {
	valueNotation
	boolean(dst []byte, b bool) []byte
	addr(dst []byte, a netip.Addr) []byte
	set(dst []byte, elements []string) []byte
}

// valueNotation is how a format writes the values of added columns.
type valueNotation interface {
	count(dst []byte, n uint64) []byte
	double(dst []byte, f float64) []byte
	seconds(dst []byte, m conn.Micros) []byte // time and interval
	text(dst []byte, s string) []byte         // also enum
}

// Value is one value of an added column. The zero Value is unset.
type Value struct {
	kind   valueKind
	number float64
	whole  uint64
	text   string
}

type valueKind uint8

const (
	unsetValue valueKind = iota
	doubleValue
	countValue
	textValue
	secondsValue
)

// Double returns a value of Zeek's type double. NaN and infinities are unset.
func Double(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}
	}
	return Value{kind: doubleValue, number: f}
}

// Count returns a value of Zeek's type count.
func Count(n uint64) Value { return Value{kind: countValue, whole: n} }

// Text returns a value of Zeek's type string.
func Text(s string) Value { return Value{kind: textValue, text: s} }

// Interval returns a value of Zeek's type interval.
func Interval(m conn.Micros) Value { return Value{kind: secondsValue, whole: uint64(m)} }

// append appends a value that is set.
func (v *Value) append(dst []byte, n valueNotation) []byte {
	switch v.kind {
	case doubleValue:
		return n.double(dst, v.number)
	case countValue:
		return n.count(dst, v.whole)
	case secondsValue:
		return n.seconds(dst, conn.Micros(v.whole))
	}
	return n.text(dst, v.text)
}

// exponentFrom is where Zeek's TSV writer leaves decimal notation, INT_MAX
// (src/3rdparty/modp_numtoa.c).
const exponentFrom = math.MaxInt32

// appendSeconds appends a time or an interval as modp_dtoa does with six
// decimals: 1427325411.001122, or 2.14748364725e+09 from 2^31 − 1 seconds on.
func appendSeconds(dst []byte, m conn.Micros) []byte {
	if m < 0 {
		dst, m = append(dst, '-'), -m
	}
	if m >= exponentFrom*1e6 {
		return appendExponent(dst, m.Seconds())
	}
	dst = strconv.AppendUint(dst, uint64(m/1e6), 10)
	return appendMillionths(append(dst, '.'), uint32(m%1e6))
}

func appendMillionths(dst []byte, n uint32) []byte {
	return append(dst, '0'+byte(n/100000), '0'+byte(n/10000%10), '0'+byte(n/1000%10),
		'0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10))
}

// appendExponent appends seventeen digits less trailing zeros: 4.000000000000001e+09.
func appendExponent(dst []byte, f float64) []byte {
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', 16, 64)
	exponent := len(dst) - 1
	for dst[exponent] != 'e' {
		exponent--
	}
	end := exponent
	for dst[end-1] == '0' {
		end--
	}
	if dst[end-1] == '.' && end-1 > start {
		end--
	}
	return append(dst[:end], dst[exponent:]...)
}

// appendDouble appends a double as ODesc::Add does (src/Desc.cc, with
// modp_dtoa3): at most six decimals, no trailing zeros, never an exponent, and
// ".0" after a whole number. f is finite.
func appendDouble(dst []byte, f float64) []byte {
	positive := math.Abs(f)
	if f < 0 {
		dst = append(dst, '-')
	}
	if positive >= exponentFrom {
		dst = trimZeros(strconv.AppendFloat(dst, positive, 'f', 6, 64))
	} else {
		m := conn.FromSeconds(positive) // rounds as modp_dtoa3 does
		dst = strconv.AppendUint(dst, uint64(m/1e6), 10)
		if fraction := uint32(m % 1e6); fraction != 0 {
			dst = trimZeros(appendMillionths(append(dst, '.'), fraction))
		}
	}
	if math.Abs(f-math.RoundToEven(f)) < 1e-9 {
		dst = append(dst, ".0"...)
	}
	return dst
}

func trimZeros(dst []byte) []byte {
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// appendAddr appends an address as Zeek's inet_ntop does
// (src/3rdparty/zeek_inet_ntop.c): as netip, but after six zero words and
// after ::ffff:0 the last two words are dotted decimals.
func appendAddr(dst []byte, a netip.Addr) []byte {
	a = a.Unmap()
	if !a.Is6() {
		return a.AppendTo(dst)
	}
	b := a.As16()
	var zero [12]byte
	var prefix string
	switch {
	case [12]byte(b[:12]) == zero && (b[12] != 0 || b[13] != 0):
		prefix = "::"
	case [12]byte(b[:12]) == [12]byte{8: 0xff, 9: 0xff}:
		prefix = "::ffff:0:"
	default:
		return a.AppendTo(dst)
	}
	return netip.AddrFrom4([4]byte(b[12:])).AppendTo(append(dst, prefix...))
}

// Any returns the value as float64, uint64 or string, or nil if it is unset,
// for formats that are not text.
func (v Value) Any() any {
	switch v.kind {
	case doubleValue:
		return v.number
	case countValue:
		return v.whole
	case textValue:
		return v.text
	}
	return nil
}
