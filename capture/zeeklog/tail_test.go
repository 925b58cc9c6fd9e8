package zeeklog

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// follower follows a log in a folder of its own and gathers the uids it reads.
type follower struct {
	t      *testing.T
	dir    string
	tail   *Tail
	uids   []string
	warned []string
	bad    int
}

func follow(t *testing.T) *follower {
	f := &follower{t: t, dir: t.TempDir()}
	f.restart(nil)
	return f
}

func (f *follower) path(name string) string { return filepath.Join(f.dir, name) }

func (f *follower) restart(from *Position) {
	if f.tail != nil {
		f.tail.Close()
	}
	f.tail = Log{Path: f.path("conn.log"), Warn: func(err error) { f.warned = append(f.warned, err.Error()) }, Archive: func() []string {
		rotated, _ := filepath.Glob(f.path("conn[.\\-]*"))
		var others []string
		for _, r := range rotated {
			if filepath.Base(r) != "conn.log" {
				others = append(others, r)
			}
		}
		return others
	}, Open: func(path string) (io.ReadCloser, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return gzip.NewReader(file)
	}}.Follow(from)
}

// read reads until the log is idle three times, as a watcher's polling does.
func (f *follower) read() {
	f.t.Helper()
	var blk Block
	for idle := 0; idle < 3; {
		err := f.tail.Next(&blk)
		if errors.Is(err, ErrIdle) {
			idle++
			continue
		}
		require.NoError(f.t, err)
		for _, r := range blk.Rows {
			if r.Err != nil {
				f.bad++
				continue
			}
			f.uids = append(f.uids, r.Conn.UID)
		}
	}
}

// append writes the rows from..to, with a header where the file is new.
func (f *follower) append(name string, from, to int) {
	f.t.Helper()
	file, err := os.OpenFile(f.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(f.t, err)
	defer file.Close()
	info, err := file.Stat()
	require.NoError(f.t, err)
	text := ""
	if info.Size() == 0 {
		text = tsvHeader
	}
	_, err = file.WriteString(text + rowsText(from, to))
	require.NoError(f.t, err)
}

func rowsText(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(strings.Replace(webRow, webConn.UID, fmt.Sprintf("C%d", i), 1))
	}
	return b.String()
}

func (f *follower) rename(from, to string) { require.NoError(f.t, os.Rename(f.path(from), f.path(to))) }

// compress does as gzip: the modification time stays.
func (f *follower) compress(name string) {
	text, err := os.ReadFile(f.path(name))
	require.NoError(f.t, err)
	info, err := os.Stat(f.path(name))
	require.NoError(f.t, err)
	out, err := os.Create(f.path(name + ".gz"))
	require.NoError(f.t, err)
	w := gzip.NewWriter(out)
	_, err = w.Write(text)
	require.NoError(f.t, err)
	require.NoError(f.t, w.Close())
	require.NoError(f.t, out.Close())
	require.NoError(f.t, os.Chtimes(f.path(name+".gz"), info.ModTime(), info.ModTime()))
	require.NoError(f.t, os.Remove(f.path(name)))
}

// want wants each of the rows 0..n once and in order.
func (f *follower) want(n int) {
	f.t.Helper()
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("C%d", i))
	}
	require.Equal(f.t, want, f.uids)
}

func TestTailGrowth(t *testing.T) {
	f := follow(t)
	f.read() // no log yet
	f.append("conn.log", 0, 3)
	f.read()
	f.want(3)
	half := rowsText(3, 4)
	write := func(text string) {
		file, err := os.OpenFile(f.path("conn.log"), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	write(half[:40])
	f.read()
	f.want(3)
	write(half[40:])
	f.read()
	f.want(4)
	assert.Empty(t, f.warned)
}

// Each way of rotating gives each row once, with a restart at the worst moment
// and without.
func TestTailRotation(t *testing.T) {
	for name, rotate := range map[string]func(f *follower){
		"rename": func(f *follower) {
			f.append("conn.log", 10, 12) // not read before its name goes
			f.rename("conn.log", "conn-26-11-21_09.00.00.log")
			f.append("conn.log", 12, 20)
		},
		"twice between two looks": func(f *follower) {
			f.append("conn.log", 10, 12)
			f.rename("conn.log", "conn-26-11-21_09.00.00.log")
			f.append("conn.log", 12, 15)
			f.rename("conn.log", "conn-26-11-21_09.00.01.log")
			f.append("conn.log", 15, 20)
		},
		"compressed at once": func(f *follower) {
			f.append("conn.log", 10, 12)
			f.rename("conn.log", "conn.09:00:00-10:00:00.log")
			f.compress("conn.09:00:00-10:00:00.log")
			f.append("conn.log", 12, 15)
			f.rename("conn.log", "conn.10:00:00-11:00:00.log")
			f.compress("conn.10:00:00-11:00:00.log")
			f.append("conn.log", 15, 20)
		},
		"copied and truncated": func(f *follower) {
			f.append("conn.log", 10, 12)
			text, err := os.ReadFile(f.path("conn.log"))
			require.NoError(f.t, err)
			require.NoError(f.t, os.WriteFile(f.path("conn.log.1"), text, 0o600))
			require.NoError(f.t, os.Truncate(f.path("conn.log"), 0))
			f.append("conn.log", 12, 20)
		},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", name, restart), func(t *testing.T) {
				f := follow(t)
				f.append("conn.log", 0, 10)
				f.read()
				f.want(10)
				at := f.tail.Position()
				rotate(f)
				if restart {
					f.restart(&at)
				}
				f.read()
				f.want(20)
				at = f.tail.Position()
				f.restart(&at)
				f.read()
				f.want(20)
				f.append("conn.log", 20, 22)
				f.read()
				f.want(22)
				assert.Empty(t, f.warned)
			})
		}
	}
}

// What was there before the first start is not read.
func TestTailLeavesOldFilesAlone(t *testing.T) {
	f := &follower{t: t, dir: t.TempDir()}
	f.append("conn-26-11-21_08.00.00.log", 100, 105)
	f.append("conn.log", 0, 5)
	f.restart(nil)
	f.read()
	f.rename("conn.log", "conn-26-11-21_09.00.00.log")
	f.append("conn.log", 5, 7)
	f.read()
	f.want(7)
}

// A restart at each row of a log, across a rotation, loses and repeats nothing.
func TestTailRestartsAnywhere(t *testing.T) {
	f := follow(t)
	for i := range 30 {
		f.append("conn.log", i, i+1)
		f.read()
		at := f.tail.Position()
		f.restart(&at)
		if i%7 == 6 {
			f.rename("conn.log", fmt.Sprintf("conn-26-11-21_%02d.log", i))
		}
		if i%14 == 13 {
			f.compress(fmt.Sprintf("conn-26-11-21_%02d.log", i))
		}
	}
	f.read()
	f.want(30)
	assert.Empty(t, f.warned)
}

func TestTailSaysWhatIsLost(t *testing.T) {
	f := follow(t)
	f.append("conn.log", 0, 5)
	f.read()
	at := f.tail.Position()
	require.NoError(t, os.Remove(f.path("conn.log")))
	f.append("other", 0, 0) // takes the inode
	f.append("conn.log", 5, 8)
	f.restart(&at)
	f.read()
	f.want(8)
	require.Len(t, f.warned, 1)
	assert.Contains(t, f.warned[0], "read up to line 12 before")
}

// A log that is replaced by one of another format, or by something else.
func TestTailReplaced(t *testing.T) {
	f := follow(t)
	f.append("conn.log", 0, 3)
	f.read()
	f.rename("conn.log", "conn-1.log")
	require.NoError(t, os.WriteFile(f.path("conn.log"), []byte(strings.Replace(webObject, webConn.UID, "C3", 1)), 0o600))
	f.read()
	f.want(4)
	at := f.tail.Position()
	f.restart(&at)
	file, err := os.OpenFile(f.path("conn.log"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(strings.Replace(webObject, webConn.UID, "C4", 1))
	require.NoError(t, err)
	require.NoError(t, file.Close())
	f.read()
	f.want(5)

	f.rename("conn.log", "conn-2.log")
	require.NoError(t, os.WriteFile(f.path("conn.log"), []byte("no log at all\n"), 0o600))
	f.read()
	require.Len(t, f.warned, 1)
	assert.Contains(t, f.warned[0], "not a conn.log")
	f.rename("conn.log", "conn-3.log")
	f.append("conn.log", 5, 6)
	f.read()
	f.want(6)
}

// A compressed file that is not whole is read so far, waited for while it may
// still be written, and then said; if it becomes whole all the same, its other
// rows are read.
func TestTailDamagedFile(t *testing.T) {
	s := newScene(t, writings[1])
	s.write(10)
	s.start(nil)
	s.look(1)
	text := packed(t, s.rows(10, 3000), ".gz")
	s.next = 3000
	s.rename(theLog, a)
	s.put(b+".gz", text[:len(text)-10])
	s.write(2)
	s.look(4)
	require.Empty(t, s.warned)
	require.Less(t, 2000, len(s.uids))
	some := len(s.uids)
	s.tail.now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	s.look(4)
	require.Len(t, s.warned, 1)
	require.Contains(t, s.warned[0], "unexpected EOF")
	require.Len(t, s.uids, some)
	s.put(b+".gz", text)
	s.look(archiveLooks)
	s.judge(0, false)
}

// What cannot be followed is said once, and what takes its place is read.
func TestTailSaysWhatCannotBeOpened(t *testing.T) {
	f := follow(t)
	f.append("conn.log", 0, 2)
	f.read()
	f.rename("conn.log", "conn-1.log")
	require.NoError(t, os.Mkdir(f.path("conn.log"), 0o700))
	f.read()
	f.read()
	require.Len(t, f.warned, 1)
	assert.Contains(t, f.warned[0], "not a regular file")
	require.NoError(t, os.Remove(f.path("conn.log")))
	f.append("conn.log", 2, 4)
	f.read()
	f.want(4)
}

// A state that an older version saved is gone on from.
func TestTailOldState(t *testing.T) {
	f := follow(t)
	f.append("conn.log", 0, 5)
	f.read()
	f.rename("conn.log", "conn-26-11-21_09.00.00.log")
	f.append("conn.log", 5, 10)
	f.read()
	saved, err := json.Marshal(f.tail.Position())
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(saved, &fields))
	delete(fields, "owed")
	delete(fields, "before")
	files := append(fields["done"].([]any), fields["file"])
	for _, file := range files {
		for _, name := range []string{"hole", "first", "size", "last", "last_end", "last_length"} {
			delete(file.(map[string]any), name)
		}
	}
	require.Len(t, files, 2)
	saved, err = json.Marshal(fields)
	require.NoError(t, err)
	var old Position
	require.NoError(t, json.Unmarshal(saved, &old))
	f.append("conn.log", 10, 12)
	f.rename("conn.log", "conn-26-11-21_10.00.00.log")
	f.compress("conn-26-11-21_10.00.00.log")
	f.append("conn.log", 12, 14)
	f.restart(&old)
	f.read()
	f.want(14)
	assert.Empty(t, f.warned)
}

func TestPositionValid(t *testing.T) {
	assert.True(t, (&Position{Offset: 5000, File: FileID{Length: 4096}}).Valid())
	for _, p := range []Position{
		{Offset: -1}, {Line: -1}, {Offset: 3, File: FileID{Length: 4}}, {Offset: 3, File: FileID{Length: 2, Hole: 1<<63 - 1}},
		{Offset: 1 << 20, File: FileID{Length: startBytes + 1}},
		{Done: []FileID{{Size: -1}}}, {Owed: []FileID{{LastEnd: -1}}}, {Owed: []FileID{{LastLength: -1}}}, {Owed: []FileID{{Hole: -1}}},
	} {
		assert.False(t, p.Valid(), "%+v", p)
	}
}

func TestBlockValue(t *testing.T) {
	header := strings.Replace(strings.Replace(tsvHeader, "ip_proto\n", "ip_proto\tanomaly_score\tanomaly_reason\n", 1), "count\n", "count\tdouble\tstring\n", 1)
	row := strings.TrimSuffix(webRow, "\n")
	object := strings.TrimSuffix(webObject, "}\n")
	for name, tc := range map[string]struct {
		text, score, reason string
	}{
		"TSV":         {header + row + "\t0.7123\ta\\x09b\n", "0.7123", "a\tb"},
		"TSV unset":   {header + row + "\t-\t-\n", "", ""},
		"TSV without": {tsvHeader + webRow, "", ""},
		"JSON":        {object + `,"anomaly_score":0.7123,"anomaly_reason":"say \"anomaly_score\":1"}` + "\n", "0.7123", `say "anomaly_score":1`},
		"JSON spaces": {strings.Replace(object+`,"anomaly_score": 0.7123}`, `{"ts":`, `{ "ts": `, 1) + "\n", "0.7123", ""},
		"JSON null":   {object + `,"anomaly_score":null}` + "\n", "", ""},
		"JSON none":   {webObject, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			blocks, parser, blk := NewBlocks(strings.NewReader(tc.text), "conn.log"), NewParser(), Block{}
			require.NoError(t, blocks.Next(&blk))
			parser.Parse(&blk)
			require.Len(t, blk.Rows, 1)
			require.NoError(t, blk.Rows[0].Err)
			score, ok := blk.Value(&blk.Rows[0], "anomaly_score")
			assert.Equal(t, tc.score, score)
			assert.Equal(t, tc.score != "", ok)
			reason, _ := blk.Value(&blk.Rows[0], "anomaly_reason")
			assert.Equal(t, tc.reason, reason)
		})
	}
}
