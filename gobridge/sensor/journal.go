package sensor

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// journal keeps what a sensor counts between two savings of its hosts, in files
// of the state directory that are numbered: what is older than the state is not
// needed. A process that is killed loses what is not written, a second's rows;
// what a machine loses that fails is for its disk to say.
type journal struct {
	dir    string // "" for none
	rows   feature.Journal
	file   *os.File
	number int // of the file
	saving int // of the one that was begun with the saving that goes on
}

const (
	journalFile = "rows."
	// The rows are written when there are so many bytes, and when a second's
	// messages are fetched.
	journalBuffer = 1 << 15
)

// journals returns the files of a directory, oldest first.
func journals(dir string) (names []string, last int) {
	names, _ = filepath.Glob(filepath.Join(dir, journalFile+"*"))
	names = slices.DeleteFunc(names, func(name string) bool { return numberOf(name) == 0 })
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(numberOf(a), numberOf(b)) })
	if n := len(names); n > 0 {
		last = numberOf(names[n-1])
	}
	return names, last
}

func numberOf(name string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(name), journalFile))
	return n
}

// restore counts what the hosts of a state lack, and begins another file. found
// says that there was a file.
func (j *journal) restore(dir string, h *feature.Hosts) (found bool, err error) {
	names, last := journals(dir)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return true, err
		}
		h.Replay(data)
	}
	j.dir, j.number = dir, last
	h.Keep(&j.rows)
	return len(names) > 0, j.another()
}

// another begins the next file.
func (j *journal) another() (err error) {
	if err := j.write(); err != nil {
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.number++
	j.file, err = os.OpenFile(filepath.Join(j.dir, journalFile+strconv.Itoa(j.number)), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	return err
}

// write writes the rows to the file.
func (j *journal) write() error {
	if len(j.rows.Bytes()) == 0 || j.file == nil {
		return nil
	}
	_, err := j.file.Write(j.rows.Bytes())
	j.rows.Reset()
	return err
}

// forget removes the files before the one of that number.
func (j *journal) forget(number int) (err error) {
	names, _ := journals(j.dir)
	for _, name := range names {
		if numberOf(name) < number {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}

// end ends it; the rows are in the state where that was saved.
func (j *journal) end(saved bool) (err error) {
	if j.file == nil {
		return nil
	}
	err = errors.Join(j.write(), j.file.Close())
	j.file = nil
	if saved {
		err = errors.Join(err, j.forget(j.number+1))
	}
	return err
}

// journalFails says what it means that the journal cannot be written, once.
func (s *Sensor) journalFails(err error) {
	t := s.sampling
	if err == nil || t.journal.dir == "" {
		return
	}
	s.windows().Keep(nil)
	t.journal.rows.Reset()
	t.journal.end(false)
	t.journal.dir = ""
	s.tell(Event{Kind: Warning, Text: fmt.Sprintf("if Zeek is killed, windows of hosts go on from their last saving: %v", err)})
}
