//go:build !race

package testenv

// Race says whether the race detector is built in: it makes code ten to forty
// times slower, so that tests which only repeat a measurement leave it out.
const Race = false
