package zeeklog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// resume takes up reading at a position: in the log, or in the file that it was
// rotated to since, and then in those that were rotated after that.
func (t *Tail) resume(p *Position) {
	t.done, t.lastMod = slices.Clone(p.Done), p.Since
	if p.File == (FileID{}) {
		t.queue(p.Since) // between two files
		return
	}
	if f, err := os.Open(t.path); err == nil {
		s := newSource(t.path, f, true)
		if t.is(s, p.File, p.Offset) {
			s.from(p)
			t.source = s
			return
		}
		f.Close()
	}
	if s := t.find(p.File, p.Offset, false); s != nil {
		s.from(p)
		t.source = s
		t.done = append(t.done, p.File)
	} else {
		t.warn(fmt.Errorf("%s: it was read up to line %d before, but that file is not found any more: its later rows are lost", t.path, p.Line-1))
	}
	t.queue(p.Since)
}

// skipRotated leaves out what was rotated before following began.
func (t *Tail) skipRotated() {
	for _, path := range t.archive() {
		if info, err := os.Stat(path); err == nil {
			t.lastMod = max(t.lastMod, info.ModTime().UnixNano()+1)
		}
	}
}

// is reports whether the source is the file that id tells of, and, if so, moves
// it to the offset.
func (t *Tail) is(s *source, id FileID, offset int64) bool {
	f, ok := s.file.(*os.File)
	if !ok || s.info == nil || s.info.Size() < offset {
		return false
	}
	same := s.id.Device == id.Device && s.id.Inode == id.Inode
	if id.Length > 0 {
		start := make([]byte, id.Length)
		if _, err := f.ReadAt(start, 0); err != nil || fingerprint(start) != id.Start {
			return false
		}
		same = true
	}
	if !same {
		return false
	}
	_, err := f.Seek(offset, io.SeekStart)
	return err == nil
}

// find finds among the rotated files the one that id tells of, or a copy of it
// when only another file will do, and opens it at the offset. Where nothing was
// read of the file, only its inode can tell.
func (t *Tail) find(id FileID, offset int64, copied bool) *source {
	for _, path := range t.archive() {
		s, err := t.openRotated(path)
		if err != nil {
			continue
		}
		same := s.id.Device == id.Device && s.id.Inode == id.Inode && s.id.Inode != 0
		switch {
		case copied && same:
		case s.info != nil && isPlain(s):
			if t.is(s, id, offset) {
				return s
			}
		case id.Length > 0 && t.startsWith(s, id):
			if _, err := io.CopyN(io.Discard, s.file, offset-int64(id.Length)); err == nil {
				return s
			}
		}
		s.file.Close()
	}
	return nil
}

// startsWith reads the beginning of a compressed file and compares it.
func (t *Tail) startsWith(s *source, id FileID) bool {
	start := make([]byte, id.Length)
	_, err := io.ReadFull(s.file, start)
	return err == nil && fingerprint(start) == id.Start
}

func isPlain(s *source) bool { _, ok := s.file.(*os.File); return ok }

// openRotated opens a rotated file: as it is, or decompressed by its name.
func (t *Tail) openRotated(path string) (*source, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fs.ErrInvalid)
	}
	var f io.ReadCloser
	if strings.HasSuffix(path, ".log") || strings.Contains(path, ".log.") && !strings.HasSuffix(path, ".gz") && !strings.HasSuffix(path, ".zst") {
		f, err = os.Open(path)
	} else {
		f, err = t.open(path)
	}
	if err != nil {
		return nil, err
	}
	s := newSource(path, f, false)
	if s.info == nil {
		s.info = info
	}
	return s, nil
}

// queue lines up the files that were rotated since a time and have not been
// read: several rotations may lie between two looks, or between two runs.
func (t *Tail) queue(since int64) {
	current, _ := os.Stat(t.path)
	type candidate struct {
		path string
		info fs.FileInfo
	}
	var found []candidate
	for _, path := range t.archive() {
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && info.ModTime().UnixNano() >= since &&
			(current == nil || !os.SameFile(info, current)) {
			found = append(found, candidate{path, info})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), strings.Compare(a.path, b.path))
	})
	for _, c := range found {
		if t.wasRead(c.path) {
			continue
		}
		s, err := t.openRotated(c.path)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				t.warn(err)
			}
			continue
		}
		t.waiting = append(t.waiting, s)
	}
}

// wasRead reports whether a rotated file is one of those that were read, or
// that wait.
func (t *Tail) wasRead(path string) bool {
	s, err := t.openRotated(path)
	if err != nil {
		return false
	}
	defer s.file.Close()
	for _, w := range t.waiting {
		if os.SameFile(w.info, s.info) {
			return true
		}
	}
	start := make([]byte, startBytes)
	n, _ := io.ReadFull(s.file, start)
	for _, id := range t.done {
		if isPlain(s) && id.Inode != 0 && id.Device == s.id.Device && id.Inode == s.id.Inode && (id.Length == 0 || id.Length <= n && fingerprint(start[:id.Length]) == id.Start) {
			return true
		}
		if id.Length > 0 && id.Length <= n && fingerprint(start[:id.Length]) == id.Start {
			return true
		}
	}
	return false
}
