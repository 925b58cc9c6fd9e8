package feature

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// Unset stands for a field that Zeek left unset. It lies below the range of
// every logarithm here, whose least value is ln 0.0001 = −9.2, so that one
// split tells unset from zero.
const Unset = -12

// durationOffset, in seconds, keeps the logarithm of a zero duration finite
// and the difference between microseconds small.
const durationOffset = 1e-4

// LogCount is ln(n + 1).
func LogCount(n uint64) float32 {
	if n < uint64(len(smallCounts)) {
		return smallCounts[n]
	}
	return logNumber(n)
}

func logNumber(n uint64) float32 { return float32(Log(float64(n) + 1)) }

// smallCounts are the logarithms of the counts that come most often.
var smallCounts = func() (t [1 << 10]float32) {
	for n := range t {
		t[n] = logNumber(uint64(n))
	}
	return t
}()

// LogSeconds is ln(d + 0.0001 s).
func LogSeconds(d conn.Micros) float32 {
	return float32(Log(float64(max(d, 0))/1e6 + durationOffset))
}
