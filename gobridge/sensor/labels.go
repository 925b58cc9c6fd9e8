package sensor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// labelsFile is the file in a state directory that records what was labelled bad,
// and when. train --as-sensor --labels makes the same models with it. It holds
// addresses.
const labelsFile = "labels"

// Label says what is labelled bad (learn.LabelHeader), for the tests of the
// models that follow; "" says nothing, and neither does a sensor that does not
// learn. Labels that cannot be used are a Warning, and those before hold on.
func (s *Sensor) Label(text string) {
	l := s.learning
	if text == "" || l == nil || text == l.labelled {
		return
	}
	l.labelled = text
	if changed, err := l.learner.SetLabels(text); err != nil {
		s.tell(Event{Kind: Warning, Text: fmt.Sprintf("the test for new models does not know what is labelled bad: %v", err)})
	} else if changed {
		s.noteLabels()
	}
}

// noteLabels makes the file of labels say what the learner has. Without labels
// there is none.
func (s *Sensor) noteLabels() {
	l := s.learning
	if l.dir.path == "" {
		return
	}
	path := filepath.Join(l.dir.path, labelsFile)
	if _, err := os.Stat(path); err != nil && l.learner.Labels() == learn.LabelHeader+"\n" {
		return
	}
	if err := writeLabels(path, learn.LabelChange{Rows: l.learner.Rows(), Labels: l.learner.Labels()}); err != nil {
		s.tell(Event{Kind: Warning, Text: fmt.Sprintf("what is labelled bad is not kept for train --as-sensor: %v", err)})
	}
}

// writeLabels adds a change to the file. What is later is of a sensor that was
// killed, which goes on from an earlier row. A file that cannot be read begins
// anew.
func writeLabels(path string, change learn.LabelChange) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var changes []learn.LabelChange
	if len(text) > 0 {
		if changes, err = learn.ParseLabelChanges(string(text)); err != nil {
			changes = nil
		}
	}
	for len(changes) > 0 && changes[len(changes)-1].Rows >= change.Rows {
		changes = changes[:len(changes)-1]
	}
	var before string
	if len(changes) > 0 {
		before = changes[len(changes)-1].Labels
	}
	if before != change.Labels {
		changes = append(changes, change)
	}
	if err := os.WriteFile(path+".new", []byte(learn.FormatLabelChanges(changes)), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
