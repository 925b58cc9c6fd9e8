package zeeklog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// margin is by how much a rotated file may seem older than it is: copies and
// archives can keep whole seconds alone.
const margin = 2 * int64(time.Second)

// resume takes up reading at a position: in the log, or in the file that it was
// rotated to since, and then in those that were rotated after that.
func (t *Tail) resume(p *Position) {
	t.done, t.owed, t.lastMod, t.before, t.header = slices.Clone(p.Done), slices.Clone(p.Owed), p.Since, p.Before, p.Header
	if t.before == 0 {
		t.before = p.Since // a state from before there was Before
	}
	known := p.Rows && p.File.Length > 0
	id := p.File
	id.Size = p.Offset
	if known && !t.here(p) {
		t.owe(id)
	}
	t.queue(true)
	if known && t.lost(id) {
		t.warn(fmt.Errorf("%s: it was read up to line %d before, but that file is not found any more: its later rows are lost, unless it turns up among the rotated files (--archive names their folder)", t.path, p.Line-1))
	}
	if t.source != nil && len(t.waiting) > 0 {
		t.waiting = append(t.waiting, t.source)
		t.source = nil
	}
}

// here goes on in the log itself, where it still is what the position is of.
func (t *Tail) here(p *Position) bool {
	s, err := t.openLog()
	if err != nil {
		return false
	}
	b := t.beginningOf(t.path, io.NewSectionReader(s.plain, 0, math.MaxInt64), s.same)
	if s.info.Size() < p.Offset || !p.File.is(b) || len(b.text) < p.File.Length || !p.File.lastIn(s.plain) {
		s.file.Close()
		return false
	}
	t.at = FileID{Device: s.id.Device, Inode: s.id.Inode}
	s.from(p, b.text)
	t.source = s
	return true
}

// skipRotated leaves out what was rotated before following began.
func (t *Tail) skipRotated() {
	var found []candidate
	for _, path := range t.archive() {
		if info, err := os.Stat(path); err == nil && isFile(info) {
			found = append(found, candidate{path: path, info: info})
			t.before = max(t.before, info.ModTime().UnixNano()+1)
		}
	}
	t.lastMod = t.before
	slices.SortFunc(found, candidate.compare)
	for _, c := range found[max(0, len(found)-doneFiles/2):] { // they may be compressed or copied yet
		if s, b, err := t.openRotated(c.path); err == nil {
			if b.first != "" {
				t.done = append(t.done, FileID{Length: len(b.text), Start: fingerprint(b.text), First: b.first})
			}
			s.file.Close()
		}
	}
}

// place finds out how much of the content that now has the log's name was read
// before: it was moved back, rewritten, or lost its first or its last rows.
func (t *Tail) place(s *source) {
	b := t.beginningOf(s.name, io.NewSectionReader(s.plain, 0, math.MaxInt64), s.same)
	if b.first == "" {
		return
	}
	id, drop := t.read(s.plain, s.info.Size(), b)
	switch {
	case id == nil:
	case drop > 0:
		s.drop, s.known = drop, *id
		s.known.Size = drop
	default:
		t.sayTwice(s.name)
	}
	if id != nil {
		t.owed = slices.DeleteFunc(t.owed, id.equals)
	}
}

func (t *Tail) sayTwice(name string) {
	t.warn(fmt.Errorf("%s: it begins as before, but the last row that was read is not in it any more: it is read from its beginning, so rows may come twice", name))
}

// read finds among the files that were read before the one that content begins
// as, or whose last row is in it, and returns up to where it was read; 0 when
// that is unknown.
func (t *Tail) read(f io.ReaderAt, size int64, b *beginning) (id *FileID, drop int64) {
	known := slices.Concat(t.done, t.owed)
	for i := len(known) - 1; i >= 0; i-- {
		id := &known[i]
		if id.Size == 0 || !id.is(b) {
			continue // of size 0 is what was there before
		}
		if size >= id.Size && id.lastIn(f) {
			return id, id.Size
		}
		end, _ := id.endOfLast(f)
		return id, end
	}
	for i := len(known) - 1; i >= 0 && i >= len(known)-2; i-- {
		if end, found := known[i].endOfLast(f); found {
			return &known[i], end
		}
	}
	return nil, 0
}

// resolved reports whether what was owed last goes on under the log's name.
func (t *Tail) resolved() bool {
	s, err := t.openLog()
	if err != nil {
		return false
	}
	defer s.file.Close()
	b := t.beginningOf(s.name, io.NewSectionReader(s.plain, 0, math.MaxInt64), s.same)
	if b.first == "" {
		return false
	}
	id, drop := t.read(s.plain, s.info.Size(), b)
	return id != nil && drop > 0
}

// owe notes that the rest of a file is to be read where it turns up.
func (t *Tail) owe(id FileID) {
	if t.owed = append(t.owed, id); len(t.owed) > owedFiles {
		t.owed = t.owed[1:]
	}
}

// lost reports whether the rest of a file was not found.
func (t *Tail) lost(id FileID) bool {
	return slices.ContainsFunc(t.owed, id.equals) && !t.resolved()
}

// candidate is a file that may be a rotated part of the log.
type candidate struct {
	path string
	info fs.FileInfo
	old  bool // it can only be one of which a part is owed
}

func (a candidate) compare(b candidate) int {
	return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), strings.Compare(a.path, b.path))
}

// candidates lists the files that may hold something new, the oldest first.
func (t *Tail) candidates(all bool) (found []candidate) {
	open := slices.Concat(t.waiting, t.late)
	if t.source != nil {
		open = append(open, t.source)
	}
	current, _ := os.Stat(t.path)
	for _, path := range t.archive() {
		info, err := os.Stat(path)
		if err != nil || !isFile(info) || current != nil && os.SameFile(info, current) ||
			slices.ContainsFunc(open, func(s *source) bool { return os.SameFile(s.info, info) }) {
			continue
		}
		at := info.ModTime().UnixNano()
		old := at < t.lastMod-margin || at < t.before
		if !old || all && len(t.owed) > 0 {
			found = append(found, candidate{path, info, old})
		}
	}
	slices.SortFunc(found, candidate.compare)
	return found
}

// queue lines up the files that were rotated and have not been read, or not to
// their end: several rotations may lie between two looks, or between two runs.
// With all, files of any age are looked at for those of which a part is owed.
func (t *Tail) queue(all bool) {
	t.unripe = false
	t.lookLate()
	var plain, packed []*source
	for _, c := range t.candidates(all) {
		if j, ok := t.judged[c.path]; ok && unchanged(j.info, c.info) {
			if j.err != nil && t.fresh(c.info) {
				t.unripe = true
			} else {
				t.giveUp(c)
			}
			continue
		}
		s, b, err := t.openRotated(c.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			t.unripe = true // compressed or moved on meanwhile
		case err != nil:
			t.notYet(c, err)
		case b.first == "" || !b.whole && t.fresh(c.info):
			s.file.Close()
			t.notYet(c, b.err)
		case c.old && !slices.ContainsFunc(t.owed, func(id FileID) bool { return id.is(b) }):
			s.file.Close()
		default:
			s.begin, s.old = b, c.old
			if s.plain != nil {
				plain = append(plain, s)
			} else {
				packed = append(packed, s)
			}
		}
	}
	// A file that is being compressed is there twice: as it was, and in part.
	first := len(t.waiting)
	for _, s := range slices.Concat(plain, packed) {
		if t.isNew(s, all) {
			t.waiting = append(t.waiting, s)
		} else {
			s.file.Close()
		}
	}
	slices.SortStableFunc(t.waiting[first:], func(a, b *source) int {
		return candidate{a.name, a.info, false}.compare(candidate{b.name, b.info, false})
	})
}

// notYet leaves a file of which nothing can be read, until it changes. When it
// does not, the reason is said; there may be just no row in it.
func (t *Tail) notYet(c candidate, err error) {
	t.judged[c.path] = judgement{c.info, err}
	if t.fresh(c.info) {
		t.unripe = true
	} else {
		t.giveUp(c)
	}
}

// giveUp says why a file is not read that does not change any more.
func (t *Tail) giveUp(c candidate) {
	if err := t.judged[c.path].err; err != nil && !c.old {
		t.warn(err)
	}
	t.judged[c.path] = judgement{info: c.info}
}

// isNew reports whether a rotated file is to be read, and prepares it.
func (t *Tail) isNew(s *source, all bool) bool {
	for i := len(t.owed) - 1; i >= 0; i-- {
		id := t.owed[i]
		if !id.is(s.begin) {
			continue
		}
		drop := id.Size
		if s.plain != nil && (s.info.Size() < id.Size || !id.lastIn(s.plain)) {
			if t.fresh(s.info) && s.info.Size() < id.Size {
				t.unripe = true
				return false // a copy that is not whole yet
			}
			if drop, _ = id.endOfLast(s.plain); drop == 0 {
				t.sayTwice(s.name)
			}
		}
		t.owed = slices.Delete(t.owed, i, i+1)
		s.drop, s.known = drop, id
		return true
	}
	for _, other := range append(slices.Clone(t.waiting), t.source) { // the late ones are done
		if other == nil {
			continue
		}
		id := &other.id
		if other.begin != nil {
			id = &FileID{Length: len(other.begin.text), Start: fingerprint(other.begin.text), First: other.begin.first}
		} else {
			other.identify()
		}
		if id.is(s.begin) {
			return false
		}
	}
	for i := len(t.done) - 1; i >= 0; i-- {
		id := t.done[i]
		if !id.is(s.begin) {
			continue
		}
		if id.Size > 0 && t.longer(s, id.Size, all) {
			t.done = slices.Delete(t.done, i, i+1)
			s.drop, s.known = id.Size, id
			return true
		}
		t.judged[s.name] = judgement{info: s.info}
		return false
	}
	return !s.old
}

// longer reports whether a rotated file is longer than it was read. What is
// compressed is only looked at when reading begins.
func (t *Tail) longer(s *source, size int64, all bool) bool {
	if s.plain != nil {
		return s.info.Size() > size
	}
	if !all {
		return false
	}
	f, err := t.open(s.name)
	if err != nil {
		return false
	}
	defer f.Close()
	n, err := io.Copy(io.Discard, f)
	return err == nil && n > size
}

// openRotated opens a rotated file, decompressed where it is compressed, and
// reads its beginning.
func (t *Tail) openRotated(path string) (*source, *beginning, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	start := make([]byte, 6)
	n, _ := file.ReadAt(start, 0)
	if !isPacked(start[:n]) {
		s := t.newSource(path, file)
		s.carry, s.same = t.header, true
		return s, t.beginningOf(path, io.NewSectionReader(file, 0, math.MaxInt64), true), nil
	}
	info, err := file.Stat()
	file.Close()
	if err != nil {
		return nil, nil, err
	}
	f, err := t.open(path)
	if err != nil {
		return nil, nil, err
	}
	b := t.beginningOf(path, f, true)
	f.Close()
	if f, err = t.open(path); err != nil {
		return nil, nil, err
	}
	s := t.newSource(path, f)
	s.plain, s.info, s.carry, s.same = nil, info, t.header, true
	return s, b, nil
}
