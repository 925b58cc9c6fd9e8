package zeeklog

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// writing is how a log is written down.
type writing struct {
	name, header string
	row          func(i int) string
	names        string
}

func tsvRow(i int) string {
	return strings.Replace(webRow, webConn.UID, fmt.Sprintf("C%06d", i), 1)
}

func jsonRow(i int) string {
	return strings.Replace(webObject, webConn.UID, fmt.Sprintf("C%06d", i), 1)
}

// prefixed is Zeek's header with another LogAscii::meta_prefix.
func prefixed(prefix string) string {
	return strings.ReplaceAll("\n"+strings.TrimSuffix(tsvHeader, "\n"), "\n#", "\n"+prefix)[1:] + "\n"
}

var csvNames = func() string {
	line, _ := strings.CutPrefix(strings.TrimSuffix(fieldsLine, "\n"), "#fields\t")
	return strings.ReplaceAll(line, "\t", ",")
}()

var writings = []writing{
	{"TSV", tsvHeader, tsvRow, ""},
	{"JSON", "", jsonRow, ""},
	{"TSV with other prefix", prefixed("//"), tsvRow, ""},
	{"TSV without prefix", prefixed(""), tsvRow, ""},
	{"TSV with names", strings.ReplaceAll(csvNames, ",", "\t") + "\n", tsvRow, ""},
	{"TSV without header", "", tsvRow, csvNames},
}

// scene is a log in a folder of its own, its writer, its archiver and its
// follower.
type scene struct {
	t       *testing.T
	w       writing
	dir     string
	between func() // what the follower does between two steps of the others
	tail    *Tail
	uids    []string
	warned  []string
	bad     int
	next    int // the row that is written next
}

func newScene(t *testing.T, w writing) *scene {
	s := &scene{t: t, w: w, dir: t.TempDir(), between: func() {}}
	require.NoError(t, os.MkdirAll(s.path("current"), 0o700))
	require.NoError(t, os.MkdirAll(s.path("2026-11-20"), 0o700))
	return s
}

const theLog = "current/conn.log"

func (s *scene) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scene) start(from *Position) {
	names, err := ParseNames(s.w.names)
	require.NoError(s.t, err)
	s.tail = Log{
		Path: s.path(theLog), Names: names, Open: openPacked,
		Warn: func(err error) { s.warned = append(s.warned, err.Error()) },
		Archive: func() (found []string) {
			_ = filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() && path != s.path(theLog) && !strings.HasPrefix(e.Name(), ".") {
					found = append(found, path)
				}
				return nil
			})
			return found
		},
	}.Follow(from)
}

// openPacked opens a compressed file as watch does.
func openPacked(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var r io.Reader
	if strings.HasSuffix(path, ".zst") {
		r, err = zstd.NewReader(file, zstd.WithDecoderConcurrency(1))
	} else {
		r, err = gzip.NewReader(file)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{r, file}, nil
}

// stop ends the follower and returns what it left in its state file.
func (s *scene) stop() *Position {
	saved, err := json.Marshal(s.tail.Position())
	require.NoError(s.t, err)
	s.tail.Close()
	p := &Position{}
	require.NoError(s.t, json.Unmarshal(saved, p))
	require.True(s.t, p.Valid(), "%s", saved)
	return p
}

// look reads until the log was idle so many times.
func (s *scene) look(times int) {
	s.t.Helper()
	var blk Block
	for reads := 0; times > 0; reads++ {
		require.Less(s.t, reads, 1000, "the follower goes in circles")
		err := s.tail.Next(&blk)
		if errors.Is(err, ErrIdle) {
			times--
			continue
		}
		require.NoError(s.t, err)
		for _, r := range blk.Rows {
			if r.Err != nil {
				s.bad++
				continue
			}
			s.uids = append(s.uids, r.Conn.UID)
		}
	}
}

func (s *scene) rows(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(s.w.row(i))
	}
	return b.String()
}

// more is the text of the next n rows.
func (s *scene) more(n int) string {
	s.next += n
	return s.rows(s.next-n, s.next)
}

func (s *scene) read(name string) string {
	text, err := os.ReadFile(s.path(name))
	require.NoError(s.t, err)
	return string(text)
}

// put writes a whole file, in place where it is there.
func (s *scene) put(name, text string) {
	require.NoError(s.t, os.WriteFile(s.path(name), []byte(text), 0o600))
}

// add appends to a file.
func (s *scene) add(name, text string) {
	f, err := os.OpenFile(s.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	_, err = f.WriteString(text)
	require.NoError(s.t, err)
	require.NoError(s.t, f.Close())
}

func (s *scene) rename(from, to string) { require.NoError(s.t, os.Rename(s.path(from), s.path(to))) }
func (s *scene) remove(name string)     { require.NoError(s.t, os.Remove(s.path(name))) }
func (s *scene) empty(name string)      { require.NoError(s.t, os.Truncate(s.path(name), 0)) }

// write appends n rows to the log, behind a header where it is new.
func (s *scene) write(n int) {
	text := s.more(n)
	if info, err := os.Stat(s.path(theLog)); err != nil || info.Size() == 0 {
		text = s.w.header + text
	}
	s.add(theLog, text)
}

func packed(t *testing.T, text, how string) string {
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if how == ".zst" {
		var err error
		w, err = zstd.NewWriter(&b)
		require.NoError(t, err)
	}
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// compress makes name.gz or name.zst and leaves the file; part is how much of
// it, in hundredths.
func (s *scene) compress(name, how string, part int) {
	text := packed(s.t, s.read(name), how)
	s.put(name+how, text[:len(text)*part/100])
}

// aged makes a file as old as whole seconds tell.
func (s *scene) aged(name string) {
	info, err := os.Stat(s.path(name))
	require.NoError(s.t, err)
	at := info.ModTime().Truncate(time.Second)
	require.NoError(s.t, os.Chtimes(s.path(name), at, at))
}

// a and b are rotated names.
const (
	a = "current/conn-26-11-20_09.00.00.log"
	b = "current/conn-26-11-20_10.00.00.log"
	c = "current/conn-26-11-20_11.00.00.log"
)

// ways are the ways in which a log and its rotated parts can change: 10 rows
// have been read, or 60. Each row is then read once. Where that cannot be known
// (twice), it is read once or more, and said; where rows are nowhere any more
// (lost), that is said.
var ways = []struct {
	name   string
	change func(s *scene)
	said   string // a warning, in whatever way it is followed
	twice  bool
	torn   int                  // bad rows
	looks  int                  // until all is read, 0: a few
	only   func(w writing) bool // nil: all
	lost   func(mode string) (rows int, said string)
}{
	{name: "grown", change: func(s *scene) {
		s.write(3)
		s.between()
		s.write(2)
	}},
	{name: "renamed, new file", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.between()
		s.write(3)
	}},
	{name: "renamed and replaced at once", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.write(3)
		s.between()
		s.write(1)
	}},
	{name: "renamed twice between two looks", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.write(3)
		s.rename(theLog, b)
		s.write(1)
	}},
	{name: "renamed three times, times in whole seconds", change: func(s *scene) {
		for _, to := range []string{a, b, c} {
			s.write(2)
			s.rename(theLog, to)
			s.aged(to)
		}
		s.write(1)
	}},
	{name: "no rows between two rotations", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.between()
		s.add(theLog, s.w.header)
		s.between()
		s.rename(theLog, b)
		s.between()
		s.write(1)
	}},
	{name: "deleted, new file", change: func(s *scene) {
		s.remove(theLog)
		s.between()
		s.write(3)
	}, said: "stopped"},
	{name: "deleted with rows that were not read", change: func(s *scene) {
		s.write(2)
		s.remove(theLog)
		s.write(3)
	}, said: "stopped", lost: func(mode string) (int, string) {
		if mode == "stopped" || mode == "restarted at each step" {
			return 2, "not found any more"
		}
		return 0, ""
	}},
	{name: "another file of the same size", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.put(theLog, s.w.header+s.more(s.next))
		s.between()
		s.write(1)
	}},
	{name: "the link shows to another file", change: func(s *scene) {
		s.write(1)
		s.rename(theLog, a)
		require.NoError(s.t, os.Symlink(s.path(a), s.path(theLog)))
		s.between()
		s.write(2)
		s.between()
		s.add(b, s.w.header+s.more(2))
		require.NoError(s.t, os.Symlink(s.path(b), s.path("current/.new")))
		s.add(a, s.more(2))
		s.rename("current/.new", theLog)
		s.between()
		s.write(1)
	}},
	{name: "compressed", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.compress(a, ".gz", 100)
		s.remove(a)
		s.between()
		s.write(3)
	}},
	{name: "compressed with zstd, twice", change: func(s *scene) {
		for _, to := range []string{a, b} {
			s.write(2)
			s.rename(theLog, to)
			s.compress(to, ".zst", 100)
			s.remove(to)
		}
		s.write(3)
	}},
	{name: "compressed under its own name", change: func(s *scene) {
		s.write(2)
		s.compress(theLog, ".gz", 100)
		s.remove(theLog)
		s.between()
		s.write(3)
	}},
	{name: "compressed, the file is there yet", change: func(s *scene) {
		for _, to := range []string{a, b} {
			s.write(2)
			s.rename(theLog, to)
			s.compress(to, ".gz", 100)
			s.between()
		}
		s.write(3)
		s.between()
		s.remove(a)
		s.remove(b)
	}},
	{name: "two rotations, both there twice", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.compress(a, ".gz", 100)
		s.write(2)
		s.rename(theLog, b)
		s.compress(b, ".gz", 100)
		s.write(3)
	}},
	{name: "just being compressed", change: func(s *scene) {
		for _, to := range []string{a, b} {
			s.write(2)
			s.rename(theLog, to)
			s.compress(to, ".gz", 60)
		}
		s.write(3)
		s.between()
		for _, from := range []string{a, b} {
			s.compress(from, ".gz", 100)
			s.remove(from)
		}
	}},
	{name: "being compressed, the file is gone", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.write(2)
		s.rename(theLog, b)
		text := s.read(a)
		s.compress(a, ".gz", 50)
		s.compress(b, ".gz", 50)
		s.rename(a, "current/.a")
		s.rename(b, "current/.b")
		s.write(3)
		s.between()
		s.put(a+".gz", packed(s.t, text, ".gz"))
		s.put(b+".gz", packed(s.t, s.read("current/.b"), ".gz"))
	}, said: "stopped"},
	{name: "compressed, its inode taken by the next", change: func(s *scene) {
		s.write(2)
		s.compress(theLog, ".gz", 100)
		s.put(theLog, s.w.header+s.more(s.next+5))
		s.between()
		s.write(1)
	}},
	{name: "moved to a folder of its day", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, "2026-11-20/conn.09:00:00-10:00:00.log")
		s.between()
		s.write(3)
	}},
	{name: "moved twice, then compressed", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.between()
		s.rename(a, "2026-11-20/conn.09:00:00-10:00:00.log")
		s.write(2)
		s.between()
		s.compress("2026-11-20/conn.09:00:00-10:00:00.log", ".gz", 100)
		s.remove("2026-11-20/conn.09:00:00-10:00:00.log")
		s.between()
		s.rename(theLog, b)
		s.between()
		s.write(2)
	}},
	{name: "copied to another disk, slowly", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, "current/.moving")
		text := s.read("current/.moving")
		s.put("2026-11-20/conn.log", text[:len(text)/2])
		s.between()
		s.put("2026-11-20/conn.log", text)
		s.remove("current/.moving")
		s.between()
		s.write(3)
	}, said: "stopped"},
	{name: "moved away and back", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, "2026-11-20/conn.log")
		s.between()
		s.rename("2026-11-20/conn.log", theLog)
		s.between()
		s.write(2)
	}},
	{name: "copied and emptied", change: func(s *scene) {
		s.write(2)
		s.put(a, s.read(theLog))
		s.empty(theLog)
		s.between()
		s.write(3)
	}},
	{name: "copied and emptied, no new header", change: func(s *scene) {
		s.write(2)
		s.put(a, s.read(theLog))
		s.empty(theLog)
		s.between()
		s.add(theLog, s.more(3))
		s.between()
		s.put(b, s.read(theLog))
		s.empty(theLog)
		s.add(theLog, s.more(s.next+9)) // longer than it was
	}},
	{name: "copied, compressed and emptied, no new header", change: func(s *scene) {
		s.write(2)
		s.compress(theLog, ".gz", 100)
		s.empty(theLog)
		s.between()
		s.add(theLog, s.more(3))
		s.between()
		s.rename(theLog, b)
		s.write(2)
	}},
	{name: "copied and emptied, then renamed: a copy without header", change: func(s *scene) {
		s.put(a, s.read(theLog))
		s.empty(theLog)
		s.add(theLog, s.more(3))
		s.rename(theLog, b)
		s.write(2)
		s.rename(theLog, c)
		s.write(2)
	}},
	{name: "emptied without a copy", change: func(s *scene) {
		s.empty(theLog)
		s.between()
		s.add(theLog, s.more(3))
	}, said: "not found any more|no copy of it is found"},
	{name: "emptied, its writer does not append", change: func(s *scene) {
		s.write(2)
		size := len(s.read(theLog))
		s.put(a, s.read(theLog))
		s.empty(theLog)
		f, err := os.OpenFile(s.path(theLog), os.O_WRONLY, 0)
		require.NoError(s.t, err)
		defer f.Close()
		for range 3 {
			text := s.more(2)
			_, err = f.WriteAt([]byte(text), int64(size))
			require.NoError(s.t, err)
			size += len(text)
			s.between()
		}
	}, said: "zero bytes at byte 0 are skipped"},
	{name: "emptied twice, its writer does not append", change: func(s *scene) {
		size := int64(len(s.read(theLog)))
		f, err := os.OpenFile(s.path(theLog), os.O_WRONLY, 0)
		require.NoError(s.t, err)
		defer f.Close()
		for _, to := range []string{a, b} {
			text := s.more(2)
			_, err = f.WriteAt([]byte(text), size)
			require.NoError(s.t, err)
			size += int64(len(text))
			s.put(to, s.read(theLog))
			s.empty(theLog)
			s.between()
		}
		_, err = f.WriteAt([]byte(s.more(2)), size)
		require.NoError(s.t, err)
	}, said: "are skipped", looks: archiveLooks},
	{name: "copied and emptied, the writer's buffer ends in the middle of a row", change: func(s *scene) {
		s.put(a, s.read(theLog))
		s.empty(theLog)
		s.add(theLog, s.w.row(999)[70:]+s.more(2))
		s.between()
		s.write(2)
		s.put(b, s.read(theLog))
		s.empty(theLog)
		s.add(theLog, strings.TrimPrefix(s.w.row(999), s.w.row(999)[:100])+s.more(9))
	}, torn: 2, said: "*"},
	{name: "room that is filled later", change: func(s *scene) {
		size := int64(len(s.read(theLog)))
		require.NoError(s.t, os.Truncate(s.path(theLog), size+1<<16))
		s.between()
		f, err := os.OpenFile(s.path(theLog), os.O_WRONLY, 0)
		require.NoError(s.t, err)
		defer f.Close()
		for range 3 {
			text := s.more(1)
			_, err = f.WriteAt([]byte(text), size)
			require.NoError(s.t, err)
			size += int64(len(text))
			s.between()
		}
	}},
	{name: "zero bytes behind a torn row, as after a crash", change: func(s *scene) {
		s.write(1)
		s.add(theLog, s.w.row(999)[:50]+strings.Repeat("\x00", 3000))
		s.between()
		s.add(theLog, s.more(2))
	}, said: "zero bytes", torn: 1},
	{name: "cut to its last rows, in place", change: func(s *scene) {
		s.write(2)
		s.put(theLog, s.w.header+s.rows(s.next-5, s.next))
		s.between()
		s.write(2)
	}},
	{name: "cut to its last rows, without header", change: func(s *scene) {
		s.write(2)
		s.put(theLog, s.rows(s.next-5, s.next))
		s.between()
		s.write(2)
	}},
	{name: "cut to its last rows, as another file", change: func(s *scene) {
		s.write(2)
		s.put("current/.new", s.w.header+s.rows(s.next-4, s.next))
		s.rename("current/.new", theLog)
		s.between()
		s.write(2)
	}},
	{name: "cut to its first rows", change: func(s *scene) {
		s.put(theLog, s.w.header+s.rows(0, 5))
		s.between()
		s.write(2)
	}, said: "rows may come twice|rows written just before may be lost|not found any more", twice: true},
	{name: "edited: the same rows as another file", change: func(s *scene) {
		s.write(2)
		s.put("current/.new", s.read(theLog)+s.more(1))
		s.rename("current/.new", theLog)
		s.between()
		s.write(2)
	}},
	{name: "edited: a row in the middle taken out", change: func(s *scene) {
		s.write(2)
		s.put("current/.new", s.w.header+s.rows(0, 4)+s.rows(5, s.next)+s.more(1))
		s.rename("current/.new", theLog)
		s.between()
		s.write(2)
	}},
	{name: "written anew with the same size", change: func(s *scene) {
		s.put(theLog, s.w.header+s.more(s.next))
		s.between()
		s.write(2)
	}, said: "not found any more|no copy of it is found"},
	{name: "written anew with the same size, and a copy", change: func(s *scene) {
		s.write(3)
		s.put(a, s.read(theLog))
		s.put(theLog, s.w.header+s.more(s.next))
		s.between()
		s.write(2)
	}},
	{name: "other columns after rotation", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.between()
		s.w.header, s.w.row = otherColumns()
		s.write(3)
		s.between()
		s.put(b, s.read(theLog))
		s.empty(theLog)
		s.add(theLog, s.more(2))
	}, only: func(w writing) bool { return w.names == "" }},
	{name: "other columns within the file", change: func(s *scene) {
		s.write(2)
		s.w.header, s.w.row = otherColumns()
		s.add(theLog, s.w.header)
		s.between()
		s.write(3)
		s.between()
		s.put(b, s.read(theLog))
		s.empty(theLog)
		s.add(theLog, s.more(2))
	}, only: func(w writing) bool { return w.name == "TSV" }},
	{name: "JSON after rotation, then copied and emptied", change: func(s *scene) {
		s.write(2)
		s.rename(theLog, a)
		s.between()
		s.w.header, s.w.row = "", jsonRow
		s.write(3)
		s.between()
		s.put(b, s.read(theLog))
		s.empty(theLog)
		s.add(theLog, s.more(2))
	}, only: func(w writing) bool { return w.names == "" }},
	{name: "the last line is only half written", change: func(s *scene) {
		s.write(1)
		row := s.more(1)
		s.add(theLog, row[:60])
		s.between()
		s.add(theLog, row[60:])
		s.between()
		s.write(1)
	}},
	{name: "renamed in the middle of a line", change: func(s *scene) {
		s.write(1)
		row := s.more(1)
		s.add(theLog, row[:60])
		s.rename(theLog, a)
		s.between()
		s.add(a, row[60:])
		s.between()
		s.write(1)
	}},
	{name: "renamed in the middle of a line, which ends when the next file is there", change: func(s *scene) {
		row := s.more(1)
		s.add(theLog, row[:60])
		s.rename(theLog, a)
		s.write(1)
		s.between()
		s.between()
		s.between()
		s.add(a, row[60:])
		s.between()
		s.write(1)
	}},
	{name: "its writer notices the rotation late", change: func(s *scene) {
		s.write(1)
		s.rename(theLog, a)
		s.write(1)
		s.between()
		s.between()
		s.add(a, s.more(2))
		s.between()
		s.write(1)
		s.between()
		s.add(a, s.more(1))
	}},
	{name: "its writer noticed late, and it is compressed", change: func(s *scene) {
		s.write(1)
		s.rename(theLog, a)
		s.write(1)
		s.between()
		s.add(a, s.more(2))
		s.between()
		s.compress(a, ".gz", 100)
		s.remove(a)
		s.between()
		s.write(1)
	}},
	{name: "the last row has no line end", change: func(s *scene) {
		s.write(1)
		s.add(theLog, strings.TrimSuffix(s.more(1), "\n"))
		s.rename(theLog, a)
		s.between()
		s.write(1)
		s.rename(theLog, b)
		s.write(1)
	}},
	{name: "a copy is made now and then", change: func(s *scene) {
		s.write(1)
		s.put(a, s.read(theLog))
		s.between()
		s.write(2)
		s.put(b, s.read(theLog))
		s.between()
		s.rename(theLog, c)
		s.write(1)
		s.between()
		require.NoError(s.t, os.Link(s.path(theLog), s.path("current/conn.log.0")))
		s.write(1)
	}},
	{name: "its folder is exchanged", change: func(s *scene) {
		s.write(2)
		s.rename("current", "2026-11-20/was")
		require.NoError(s.t, os.Mkdir(s.path("current"), 0o700))
		s.between()
		s.write(2)
	}},
}

// otherColumns is a header with one column more and another order, and its rows.
func otherColumns() (string, func(i int) string) {
	turn := func(line string) string {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		slices.Reverse(columns)
		return strings.Join(columns, "\t") + "\n"
	}
	names, _ := strings.CutPrefix(fieldsLine, "#fields\t")
	header := strings.Replace(tsvHeader, fieldsLine+typesLine, "#fields\textra\t"+turn(names), 1)
	return header, func(i int) string { return "-\t" + turn(tsvRow(i)) }
}

// modes are how a log is followed while it changes. A mode makes what the
// follower does between two steps, and what it does at the end.
var modes = []struct {
	name    string
	between func(s *scene) (step, end func())
}{
	{"not looked at meanwhile", func(s *scene) (func(), func()) {
		return func() {}, func() {}
	}},
	{"looked at once a step", func(s *scene) (func(), func()) {
		return func() { s.look(1) }, func() {}
	}},
	{"read at each step", func(s *scene) (func(), func()) {
		return func() { s.look(3) }, func() {}
	}},
	{"stopped", func(s *scene) (func(), func()) {
		at := s.stop()
		return func() {}, func() { s.start(at) }
	}},
	{"restarted at each step", func(s *scene) (func(), func()) {
		return func() { s.look(1); s.start(s.stop()) }, func() { s.start(s.stop()) }
	}},
	{"read and restarted at each step", func(s *scene) (func(), func()) {
		return func() { s.look(3); s.start(s.stop()) }, func() { s.look(3); s.start(s.stop()) }
	}},
}

// TestTailMatrix changes logs in every way, followed and across restarts.
func TestTailMatrix(t *testing.T) {
	kinds, sizes := writings, []int{10, 60}
	if testing.Short() {
		kinds, sizes = writings[:2], sizes[:1]
	}
	for _, way := range ways {
		for _, w := range kinds {
			for _, mode := range modes {
				for _, before := range sizes {
					if way.only != nil && !way.only(w) {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%d", way.name, w.name, mode.name, before), func(t *testing.T) {
						s := newScene(t, w)
						s.write(before)
						s.start(nil)
						s.look(1)
						require.Len(t, s.uids, before)
						step, end := mode.between(s)
						s.between = step
						way.change(s)
						end()
						s.look(max(4, way.looks))
						var lost int
						said := way.said
						if way.lost != nil {
							lost, said = way.lost(mode.name)
						}
						s.judge(lost, way.twice)
						require.LessOrEqual(t, s.bad, way.torn)
						if strings.Contains(mode.name, "top") || strings.Contains(mode.name, "restart") || said != "stopped" {
							s.hasSaid(said)
						}
						// It goes on, also with another start.
						s.start(s.stop())
						s.look(4)
						s.write(2)
						s.look(3)
						s.judge(lost, way.twice)
						s.tail.Close()
					})
				}
			}
		}
	}
}

// judge wants each row once, but for so many that are lost.
func (s *scene) judge(lost int, twice bool) {
	s.t.Helper()
	var want []string
	for i := range s.next {
		want = append(want, fmt.Sprintf("C%06d", i))
	}
	got := slices.Clone(s.uids)
	slices.Sort(got)
	if twice {
		got = slices.Compact(got)
	}
	if lost > 0 {
		require.Equal(s.t, len(want)-lost, len(got), "%q", s.warned)
		return
	}
	require.Equal(s.t, want, got, "%q", s.warned)
}

// hasSaid wants a warning, or none.
func (s *scene) hasSaid(said string) {
	s.t.Helper()
	all := strings.Join(s.warned, "\n")
	if said == "" {
		require.Empty(s.t, all)
		return
	}
	if said == "stopped" || said == "*" {
		return // that a file is not there any more may be said
	}
	require.True(s.t, slices.ContainsFunc(strings.Split(said, "|"), func(part string) bool { return strings.Contains(all, part) }), "%q", all)
}
