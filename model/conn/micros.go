package conn

import (
	"math"
	"time"
)

// Micros is a time since the epoch or an interval, in microseconds. Zeek keeps
// doubles and prints six decimals; we round once, on entry, so that Zeek's
// record, TSV and JSON give the same number.
type Micros int64

// Longest representable values that FromSeconds returns, about ±292,000 years.
const (
	minMicros = math.MinInt64
	maxMicros = math.MaxInt64
)

// FromSeconds rounds as Zeek's TSV writer does (src/3rdparty/modp_numtoa.c,
// modp_dtoa2 with six decimals): up above one half, and at exactly one half
// when the last digit is odd or the fraction is zero. A value out of range is
// clamped; NaN gives 0, so callers that read text check for it first.
func FromSeconds(s float64) Micros {
	neg := s < 0
	if neg {
		s = -s
	}
	if !(s < maxMicros/1e6) {
		switch {
		case math.IsNaN(s):
			return 0
		case neg:
			return minMicros
		}
		return maxMicros
	}
	whole := int64(s)
	scaled := (s - float64(whole)) * 1e6
	frac := int64(scaled)
	switch rest := scaled - float64(frac); {
	case rest > 0.5, rest == 0.5 && (frac == 0 || frac&1 == 1):
		frac++
	}
	m := Micros(whole*1e6 + frac)
	if neg {
		return -m
	}
	return m
}

// Seconds returns the value as Zeek's double.
func (m Micros) Seconds() float64 { return float64(m) / 1e6 }

// Time returns the value as a point in time, in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }
