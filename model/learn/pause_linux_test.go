package learn_test

import (
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// What learning and saving cost the packet thread, call by call, as thread CPU
// time. The bounds are loose, for machines that are busy; the figures are in
// the log.
func TestPauses(t *testing.T) {
	n := 300_000
	if testing.Short() {
		n = 30_000
	}
	rows := officeRows(21, 20000)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // as on the sensor
	l, hosts := learn.NewLearner(learn.Options{Seed: 1}), feature.NewHosts(model.DefaultHosts)
	path := filepath.Join(t.TempDir(), "state")
	var observe, step, save []time.Duration
	var saver *learn.Saver
	for i := range n {
		c := &rows[i%len(rows)]
		c.TS += 3600e6
		w := hosts.Observe(c)
		var s model.Score
		if m := l.Model(); m != nil {
			s = m.ScoreRow(rowOf(c, w))
		}
		t0 := threadTime()
		l.Observe(rowOf(c, w), s)
		t1 := threadTime()
		_, err := l.Step()
		t2 := threadTime()
		if err != nil {
			require.IsType(t, &learn.Refused{}, err)
		}
		observe, step = append(observe, t1-t0), append(step, t2-t1)
		if i%20_000 == 10_000 && saver == nil { // a disk may be slow: one at a time, as on the sensor
			t0 = threadTime()
			saver, err = l.Save(path, hosts, nil)
			require.NoError(t, err)
			save = append(save, threadTime()-t0)
		}
		if saver != nil {
			t0 = threadTime()
			done, err := saver.Step()
			require.NoError(t, err)
			save = append(save, threadTime()-t0)
			if done {
				saver = nil
			}
		}
	}
	if saver != nil {
		require.NoError(t, saver.Finish())
	}
	for name, d := range map[string][]time.Duration{"Observe": observe, "Step": step, "Save": save} {
		slices.Sort(d)
		at := func(share float64) time.Duration { return d[min(len(d)-1, int(share*float64(len(d))))] }
		t.Logf("%-8s %7d calls: median %v, p99 %v, p99.9 %v, p99.99 %v, longest %v", name, len(d), at(0.5), at(0.99), at(0.999), at(0.9999), d[len(d)-1])
		most := 2 * time.Millisecond
		if testenv.Race {
			most *= 10 // the detector's time is not the sensor's
		}
		require.Less(t, at(0.99), most)
	}
	t.Logf("%+v", l.Stats())
}
