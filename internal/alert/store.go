package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state is all that a watcher remembers, in one file that is replaced as a
// whole: how far the log was read, and what has become of it, never disagree.
type state struct {
	Format int    `json:"format"`
	Log    string `json:"log"`
	Place
	Policy []byte    `json:"policy,omitempty"`
	Folds  folds     `json:"folds,omitempty"`
	Queue  []*queued `json:"queue,omitempty"`
	Counts Counts    `json:"counts"`
}

const stateFormat = 2

// queued is an alert and the receivers that have not taken it yet.
type queued struct {
	Alert *Alert   `json:"alert"`
	To    []string `json:"to"`

	Since map[int32]int64 `json:"since,omitempty"` // a topic's offsets before its first row
}

// Counts is what a watcher has done since its state began.
type Counts struct {
	Rows     uint64 `json:"rows"`
	Unscored uint64 `json:"unscored"` // rows without a score, and no model to score them
	BySeed   uint64 `json:"by_seed"`  // rows that the seed model scored, which never saw this network
	Bad      uint64 `json:"bad"`      // rows that cannot be read
	Allowed  uint64 `json:"allowed"`  // left out by the allow-list
	Beyond   uint64 `json:"beyond"`   // unusual enough, but the hour, or the day, had no room
	Alerts   uint64 `json:"alerts"`
	Sent     uint64 `json:"sent"`    // by receiver
	Refused  uint64 `json:"refused"` // by receiver
	Dropped  uint64 `json:"dropped"` // because the spool was full
}

// store is the folder with the state file, locked against a second watcher.
type store struct {
	dir  string
	lock *os.File
}

func (s *store) path() string    { return filepath.Join(s.dir, "state.json") }
func (s *store) refused() string { return filepath.Join(s.dir, "refused.jsonl") }

// openStore makes and locks the folder.
func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: name another folder for the state with --state", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: name another folder for the state with --state", err)
	}
	if err := lockFile(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: another zeek-iforest watch uses this state: end it, or give this one a folder of its own with --state (%w)", dir, err)
	}
	return &store{dir: dir, lock: lock}, nil
}

func (s *store) close() { s.lock.Close() }

// read returns nil if there is no state yet.
func (s *store) read() (*state, error) {
	text, err := os.ReadFile(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	st, err := parseState(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: move it away to begin anew", s.path(), err)
	}
	return st, nil
}

// parseState reads and checks a state.
func parseState(text []byte) (*state, error) {
	st := &state{}
	var of struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &of); err != nil {
		return nil, fmt.Errorf("not the state of a watcher: %w", err)
	}
	var err error
	switch of.Format {
	case stateFormat:
		err = json.Unmarshal(text, st)
	case 1: // of 0.1.0: its day of alerts followed other rules, and begins anew
		old := struct {
			*state
			Folds json.RawMessage `json:"folds"`
		}{state: st}
		err = json.Unmarshal(text, &old)
	default:
		return nil, fmt.Errorf("state of format %d, this program knows %d", of.Format, stateFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("not the state of a watcher: %w", err)
	}
	if p := st.Position; p != nil && !p.Valid() {
		return nil, errors.New("the position in the log is damaged")
	}
	for _, p := range st.Logs {
		if !p.Valid() || p.Seen < 0 {
			return nil, errors.New("the position in a log is damaged")
		}
	}
	for n, offset := range st.Offsets {
		if n < 0 || offset < 0 {
			return nil, errors.New("the offsets in the topic are damaged")
		}
	}
	for _, q := range st.Queue {
		if q == nil || q.Alert == nil {
			return nil, errors.New("the spool is damaged")
		}
	}
	for _, g := range st.Folds {
		if g == nil || g.Seen == nil || g.Origins == nil || g.RespPorts == nil {
			return nil, errors.New("the incidents are damaged")
		}
	}
	return st, nil
}

func (s *store) write(st *state) error {
	st.Format = stateFormat
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	return replaceFile(s.path(), text, 0o600)
}

// keepRefused notes an alert that a receiver would not take.
func (s *store) keepRefused(receiver string, a *Alert, cause error) error {
	line, err := json.Marshal(map[string]any{"receiver": receiver, "error": cause.Error(), "alert": a})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.refused(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}
