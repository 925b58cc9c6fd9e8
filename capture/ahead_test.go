package capture

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// inChunks reads at most so many bytes at once, as a pipe does.
type inChunks struct {
	r    io.Reader
	most int
}

func (c inChunks) Read(b []byte) (int, error) { return c.r.Read(b[:min(len(b), c.most)]) }

// readToEnd gives all rows without what is random in them.
func readToEnd(r *Reader) (rows []conn.Conn, s Stats, err error) {
	for {
		var row conn.Conn
		if err = r.Read(&row); err != nil {
			return rows, r.Stats(), err
		}
		row.UID = ""
		clear(row.TunnelParents)
		rows = append(rows, row)
	}
}

// Packets that are read and decoded ahead give the rows, counters and errors of
// packets that are read when their turn comes, wherever batches end.
func TestReadingAheadChangesNothing(t *testing.T) {
	folders := []string{filepath.Join(testenv.Root(t), "testdata", "pcaps")}
	if !testing.Short() {
		for _, name := range []string{"zeek-traces", "ndpi-traces", "handmade-traces"} {
			folders = append(folders, testenv.Shared(t, name, "pcaps"))
		}
	}
	rows, ahead := 0, 0
	for i, path := range filesBelow(t, folders...) {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		o := Options{IgnoreChecksums: i%2 == 0}
		r, err := NewReader(bytes.NewReader(b), o)
		if err != nil {
			continue
		}
		r.begun = true // nothing is read ahead
		want, wantStats, wantErr := readToEnd(r)
		require.Nil(t, r.packets.ahead)
		rows += len(want)
		for _, most := range []int{50, 3000, len(b)} {
			r, err = NewReader(inChunks{bytes.NewReader(b), most}, o)
			require.NoError(t, err)
			r.readAhead()
			got, stats, gotErr := readToEnd(r)
			require.Equal(t, want, got, path)
			require.Equal(t, wantStats, stats, path)
			require.Equal(t, wantErr, gotErr, path)
		}
		merge := &Merge{}
		file, err := NewFile(bytes.NewReader(b))
		require.NoError(t, err)
		merge.Add(path, file)
		r = NewSourceReader(merge, merge.LinkType(), o)
		r.readAhead()
		got, stats, _ := readToEnd(r)
		require.Equal(t, want, got, path)
		require.Equal(t, wantStats, stats, path)
		ahead++
	}
	require.NotZero(t, rows)
	require.NotZero(t, ahead)
}

func filesBelow(t testing.TB, folders ...string) (paths []string) {
	for _, folder := range folders {
		require.NoError(t, filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				paths = append(paths, path)
			}
			return err
		}))
	}
	return paths
}

// Nearly all packets of an ordinary capture are taken apart ahead.
func TestMostIsDecodedAhead(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(testenv.Root(t), "testdata", "pcaps", "office-day.pcap"))
	require.NoError(t, err)
	r, err := NewReader(bytes.NewReader(b), Options{})
	require.NoError(t, err)
	r.readAhead()
	all, early := 0, 0
	for fr := (frame{}); r.packets.next(&fr) == nil; all++ {
		if fr.early.depth != 0 {
			early++
		}
	}
	require.Greater(t, early, all*9/10, "of %d", all)
}

// endless is a capture without an end.
type endless struct{ rest []byte }

func (e *endless) Read(b []byte) (int, error) {
	if len(e.rest) == 0 {
		e.rest = appendRecord(nil, epoch*second, 60, make([]byte, 60))
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// Nobody goes on reading for a Reader that was closed, and what is read ahead
// is bounded.
func TestCloseEndsReadingAhead(t *testing.T) {
	r, err := NewReader(&endless{rest: pcapFileHeader(linkEthernet)}, Options{})
	require.NoError(t, err)
	r.readAhead()
	var fr frame
	for range 1000 {
		require.NoError(t, r.packets.next(&fr))
	}
	r.Close()
	handedOut := 0
	for b := range r.packets.ahead.ready { // closed when it has ended
		handedOut++
		require.LessOrEqual(t, len(b.buf), batchMost)
	}
	require.LessOrEqual(t, handedOut, batches)
	require.ErrorIs(t, r.Read(new(conn.Conn)), errClosed)
	require.False(t, errors.Is(errClosed, io.EOF))
}
