package sensor

import (
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// What a new model costs a worker's packet thread, as thread CPU time. The bound
// is loose, for machines that are busy; the figures are in the log.
func TestAdoptingTakes(t *testing.T) {
	cpu := func() time.Duration {
		var now unix.Timespec
		require.NoError(t, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now))
		return time.Duration(now.Nano())
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // as on the sensor
	m := asSensor(t, records(30_000), learn.Options{Seed: 1})
	w := New(model.DefaultHosts)
	w.Sample(Sampling{OneIn: 1})
	var took []time.Duration
	for range 21 {
		before := cpu()
		require.NoError(t, w.Adopt(m.Bytes(), m.Fingerprint()))
		took = append(took, cpu()-before)
	}
	first := took[0]
	slices.Sort(took)
	t.Logf("a model of %d KB: first %v, median %v, longest %v", len(m.Bytes())/1024, first, took[len(took)/2], took[len(took)-1])
	most := 10 * time.Millisecond
	if testenv.Race {
		most *= 10 // the detector's time is not the sensor's
	}
	require.Less(t, took[len(took)/2], most)
}
