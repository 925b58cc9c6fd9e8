package sensor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// The files of a state directory.
const (
	stateFile = "state"          // the learner's; holds addresses
	asideFile = "state.unusable" // one that could not be used
	modelFile = "model"          // the model in use, for the command line
	lockFile  = "lock"
)

var errLocked = errors.New("another Zeek uses it")

// stateDir is the directory in which one sensor keeps what it has learnt. Its
// zero value keeps nothing.
type stateDir struct {
	path   string
	lock   *os.File
	saver  *learn.Saver
	failed bool // to save, and it was said

	written chan error // of the model file, while it is being written
	unsaved *model.Model
}

// open makes the directory and takes its lock.
func (d *stateDir) open(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%s is not absolute", path)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	_ = os.Chmod(path, 0o700) // where it was made by hand; not ours to insist
	l, err := lock(filepath.Join(path, lockFile))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	d.path, d.lock = path, l
	return nil
}

// restore reads the state, or nil if there is none. One that cannot be used is
// set aside, which the error says.
func (d *stateDir) restore(o learn.Options, day learn.Day, k Kind) (*learn.Learner, error) {
	if d.path == "" {
		return nil, nil
	}
	path := filepath.Join(d.path, stateFile)
	var adopt func()
	l, err := learn.RestoreRows(path, o, day, func(states [][]byte) (err error) {
		adopt, err = k.Restore(states)
		return err
	})
	var format *model.FormatError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.As(err, &format):
		aside := filepath.Join(d.path, asideFile)
		if renamed := os.Rename(path, aside); renamed != nil {
			return nil, fmt.Errorf("learning starts anew: %w; %w", err, renamed)
		}
		return nil, fmt.Errorf("learning starts anew: %w; it is kept as %s", err, aside)
	case err != nil: // not to be overwritten with less
		d.release()
		return nil, fmt.Errorf("learning starts anew, and nothing is kept: %w", err)
	}
	adopt()
	return l, nil
}

// release gives the directory back.
func (d *stateDir) release() {
	if d.lock != nil {
		d.lock.Close()
	}
	*d = stateDir{}
}

// begin begins to save, unless it is being done.
func (d *stateDir) begin(l *learn.Learner, memory learn.Memory, day learn.Day) (err error) {
	if d.path == "" || d.saver != nil {
		return nil
	}
	d.saver, err = l.Save(filepath.Join(d.path, stateFile), memory, day)
	return err
}

// step does a slice of what is being saved; done says that all of it is.
func (d *stateDir) step() (done bool, err error) {
	if d.written != nil {
		select {
		case err = <-d.written:
			d.written = nil
		default:
		}
	}
	if d.unsaved != nil && d.written == nil {
		d.keep(d.unsaved)
	}
	if d.saver == nil || err != nil {
		return false, err
	}
	done, err = d.saver.Step()
	if done || err != nil {
		d.saver = nil
	}
	return done, err
}

// keep writes a model beside the state, in a goroutine that waits for the disk
// and computes nothing.
func (d *stateDir) keep(m *model.Model) {
	if d.path == "" || m == nil {
		return
	}
	if d.written != nil {
		d.unsaved = m
		return
	}
	d.unsaved, d.written = nil, make(chan error, 1)
	go func(path string, written chan<- error) { written <- m.WriteFile(path) }(filepath.Join(d.path, modelFile), d.written)
}

// finish saves everything, waits for it and gives the directory back.
func (d *stateDir) finish(l *learn.Learner, memory learn.Memory, day learn.Day) (err error) {
	if d.path == "" {
		return nil
	}
	if d.saver != nil { // older than what is saved now
		err = d.saver.Cancel()
		d.saver = nil
	}
	if d.written != nil {
		err = errors.Join(err, <-d.written)
	}
	if d.unsaved != nil {
		err = errors.Join(err, d.unsaved.WriteFile(filepath.Join(d.path, modelFile)))
	}
	if saving := d.begin(l, memory, day); saving != nil {
		err = errors.Join(err, saving)
	} else {
		err = errors.Join(err, d.saver.Finish())
	}
	d.release()
	return err
}
