package sensor

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// yield gives the connections of records.
func yield(rs []Record) func(*conn.Conn) error {
	var services names
	return func(c *conn.Conn) error {
		if len(rs) == 0 {
			return io.EOF
		}
		r := &rs[0]
		rs = rs[1:]
		return r.fill(c, &services)
	}
}

// The state is that of a sensor which has scored the rows, byte for byte, and a
// sensor that begins with it goes on as that one would.
func TestBootstrapIsWhatASensorHasLearnt(t *testing.T) {
	rs := records(7000)
	live, booted := t.TempDir(), t.TempDir()
	s := learner(t, Learning{Seed: 9, Dir: live})
	s.SetAlerts(200)
	s.UseSeed(true)
	for i := range rs {
		if r, _ := s.Score(&rs[i]); r.Unusual {
			s.Raise()
		}
	}
	require.NoError(t, s.EndLearning())

	report, err := Bootstrap(yield(rs), Learning{Seed: 9, Dir: booted}, 200)
	require.NoError(t, err)
	require.Equal(t, uint64(len(rs)), report.Rows)
	require.Greater(t, report.Models, 1)
	require.Equal(t, s.Model().Fingerprint(), report.Model.Fingerprint())
	for _, name := range []string{stateFile, modelFile} {
		want, err := os.ReadFile(filepath.Join(live, name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(booted, name))
		require.NoError(t, err)
		require.Equal(t, len(want), len(got), name)
		require.True(t, string(want) == string(got), "%s: the same bytes", name)
	}

	next := learner(t, Learning{Dir: booted})
	_, err = next.Score(&rs[0])
	require.NoError(t, err, "a score from the first connection on")
	require.Equal(t, report.Model.Fingerprint(), next.InUse().Fingerprint(), "by a model of its own")
	require.Equal(t, uint64(len(rs)+1), next.Statistics().Learner.Rows)
	require.NoError(t, next.Finish())
}

func TestBootstrapOfFewRows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "zeek")
	rs := records(300)
	rs[7].State = "XX"
	bad := 0
	fill := yield(rs)
	report, err := Bootstrap(func(c *conn.Conn) error {
		err := fill(c)
		if err != nil && err != io.EOF {
			bad++
			*c = conn.Conn{Duration: -1, Set: conn.Duration}
			return nil
		}
		return err
	}, Learning{Dir: dir}, 20)
	require.NoError(t, err)
	require.Equal(t, 1, bad)
	require.Equal(t, Bootstrapped{Rows: 299, Unusable: 1}, report)
	next := learner(t, Learning{Dir: dir})
	require.Equal(t, uint64(299), next.Statistics().Learner.Rows)
	require.NoError(t, next.Finish())
}

func TestBootstrapRefuses(t *testing.T) {
	rs := records(1500)
	there := t.TempDir()
	_, err := Bootstrap(yield(rs), Learning{Dir: there}, 20)
	require.NoError(t, err)
	before, err := os.ReadFile(filepath.Join(there, stateFile))
	require.NoError(t, err)
	_, err = Bootstrap(yield(rs), Learning{Dir: there}, 20)
	require.ErrorIs(t, err, ErrStateThere)
	after, err := os.ReadFile(filepath.Join(there, stateFile))
	require.NoError(t, err)
	require.Equal(t, before, after)

	used := t.TempDir()
	s := learner(t, Learning{Dir: used})
	_, err = Bootstrap(yield(rs), Learning{Dir: used}, 20)
	require.ErrorContains(t, err, "another Zeek uses it")
	require.NoError(t, s.Finish())

	_, err = Bootstrap(yield(rs), Learning{Dir: "relative"}, 20)
	require.ErrorContains(t, err, "not absolute")

	// Rows that cannot be read to their end make no state, and the directory can
	// be used.
	broken, n := t.TempDir(), 0
	fault := errors.New("no more")
	_, err = Bootstrap(func(c *conn.Conn) error {
		if n++; n > 1400 {
			return fault
		}
		return rs[n-1].fill(c, &names{})
	}, Learning{Dir: broken}, 20)
	require.ErrorIs(t, err, fault)
	require.NoFileExists(t, filepath.Join(broken, stateFile))
	require.NoFileExists(t, filepath.Join(broken, modelFile))
	_, err = Bootstrap(yield(rs), Learning{Dir: broken}, 20)
	require.NoError(t, err)
}
