package sensor

import (
	"runtime"
	"runtime/debug"
)

// memoryLimit is the safety net under a collector that is switched off: the
// sensor makes no garbage while it scores, and Tidy takes that of a load away.
const memoryLimit = 512 << 20

// SetUpRuntime sets the Go runtime up for a life inside Zeek. It is done here
// and not by environment variables because the runtime reads the environment
// that the process began with. With two processors a collection never takes
// the only one from the packet thread (design: zeek-embedding.md §2.4).
func SetUpRuntime() {
	runtime.GOMAXPROCS(2)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
}

// Tidy collects the garbage that loading a model leaves. It takes about a
// millisecond.
func Tidy() { runtime.GC() }

// Memory says how the collector fares. It stops the other threads of Go, of
// which none computes, for some microseconds.
func Memory() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}
