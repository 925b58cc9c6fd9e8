package learn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// A state file is
//
//	magic, version (4 bytes), schema (16 bytes), sampling (1), trees, subsample, max depth (4 each)
//	pieces: part (1), piece (4), length (4), content, CRC-32C of these
//	the piece 255, 0, 0, CRC-32C: the end
//
// all little-endian. What a memory keeps holds addresses: its mode is 0600.
const (
	stateMagic   = "zeek-iforest state\n"
	stateVersion = 5
	// A state of that version has no labels; all else is as it is now.
	stateWithoutLabels = 4
	headSize           = len(stateMagic) + 4 + 16 + 1 + 12
	pieceHead          = 9
	endPart            = 255
	maxState           = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (l *Learner) head(version uint32) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(stateMagic), version)
	b = append(append(b, l.o.Set.ID...), byte(l.o.Sampling))
	b = binary.LittleEndian.AppendUint32(b, uint32(l.o.Trees))
	b = binary.LittleEndian.AppendUint32(b, uint32(l.o.Subsample))
	return binary.LittleEndian.AppendUint32(b, uint32(l.o.MaxDepth))
}

// Saver writes a state in slices, so that saving can run between connections
// on the thread that reads them.
type Saver struct {
	state  state
	path   string
	file   *os.File
	buffer []byte
	part   int
	piece  int
	synced chan error
}

// Memory is what a sensor remembers of rows beside the learner, such as
// feature.Hosts: state that goes to disk in pieces.
type Memory interface {
	// Places is the number of places that AppendState has to pass.
	Places() int
	// AppendState appends the state of the places from to from+n−1.
	AppendState(dst []byte, from, n int) []byte
}

// Save begins to save the learner, the memory and, unless it is nil, the
// rolling day of alerts to the file at path, by way of path with ".new"
// appended: what stood at path before stays there until all is written. One
// saver at a time.
func (l *Learner) Save(path string, memory Memory, day Day) (*Saver, error) {
	s := &Saver{state: state{l: l, memory: memory}, path: path, buffer: make([]byte, 0, 1<<17)}
	if day != nil {
		s.state.blobs[day24] = day.AppendState(nil)
	}
	s.state.blobs[labels] = []byte(l.labelled.labels)
	if err := s.state.collect(); err != nil {
		return nil, err
	}
	var err error
	if s.file, err = os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return nil, err
	}
	if _, err := s.file.Write(l.head(stateVersion)); err != nil {
		s.Abandon()
		return nil, err
	}
	return s, nil
}

// collect takes hold of what is immutable and of how far a rebuild has come.
func (s *state) collect() error {
	l, b := s.l, s.l.rebuild
	s.rows = l.past.rows
	var onTrial *model.Model
	if l.trial != nil {
		onTrial = l.trial.next
	}
	for i, m := range [...]*model.Model{l.model, l.previous, onTrial} {
		if m != nil {
			s.blobs[i] = m.Bytes()
		}
	}
	s.rebuild = savedRebuild{stage: b.stage, tree: b.tree, size: len(b.order)}
	if b.stage == idle {
		return nil
	}
	s.rebuild.drawn = b.drawn.first(b.tree * len(b.order))
	if b.parts.Encoder != nil {
		s.rebuild.tables = b.parts.Encoder.Tables()
	}
	if b.next > 0 {
		curve, err := b.curve.Curve()
		if err != nil {
			return err
		}
		_, s.rebuild.counts = curve.Counts()
	}
	return nil
}

// Step writes the next slice, about 40 KB. The last one hands the file to the
// system to be made durable, in a goroutine that waits for that and computes
// nothing; done says that it has taken the place of the old one. After an error
// the saver is over, and the old file is where it was.
func (s *Saver) Step() (done bool, err error) {
	if s.synced != nil {
		select {
		case err := <-s.synced:
			return err == nil, err
		default:
			return false, nil
		}
	}
	for s.part < len(parts) && s.piece >= parts[s.part].pieces(&s.state) {
		s.part, s.piece = s.part+1, 0
	}
	if s.part == len(parts) {
		if err := s.write(endPart, 0, s.begin()); err != nil {
			return false, err
		}
		s.synced = make(chan error, 1)
		go s.replace()
		return false, nil
	}
	c := codec{set: s.state.l.o.Set, data: s.begin()}
	parts[s.part].code(&s.state, &c, s.piece)
	if c.err != nil {
		s.Abandon()
		return false, c.err
	}
	err = s.write(byte(s.part), s.piece, c.data)
	s.piece++
	return false, err
}

// begin returns the buffer with room for the head of a piece.
func (s *Saver) begin() []byte { return append(s.buffer[:0], make([]byte, pieceHead)...) }

// write writes a piece for whose head there is room.
func (s *Saver) write(part byte, piece int, b []byte) error {
	b[0] = part
	binary.LittleEndian.PutUint32(b[1:], uint32(piece))
	binary.LittleEndian.PutUint32(b[5:], uint32(len(b)-pieceHead))
	s.buffer = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	_, err := s.file.Write(s.buffer)
	if err != nil {
		s.Abandon()
	}
	return err
}

func (s *Saver) replace() {
	err := s.file.Sync()
	if err = errors.Join(err, s.file.Close()); err == nil {
		err = os.Rename(s.file.Name(), s.path)
	}
	if err != nil {
		os.Remove(s.file.Name())
	}
	s.synced <- err
}

// Finish runs the saver to its end and waits for it: at shutdown.
func (s *Saver) Finish() error {
	for s.synced == nil {
		if _, err := s.Step(); err != nil {
			return err
		}
	}
	return <-s.synced
}

// Abandon gives the saving up; the old file stays.
func (s *Saver) Abandon() {
	if s.synced == nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}

// Day is the day of alerts, which a state keeps beside what was learnt.
type Day interface {
	AppendState(dst []byte) []byte
	RestoreState(state []byte) error
}

// Cancel is Abandon, and waits where the file is already on its way: then it
// takes its place, or the error says why not.
func (s *Saver) Cancel() error {
	if s.synced != nil {
		return <-s.synced
	}
	s.Abandon()
	return nil
}

const hintState = "learning starts anew; remove or keep the old file as you like"

// RestoreRows reads a state that Save wrote, with the day's part of it unless day
// is nil; memory is given all that the Memory appended. The options must ask for
// the set, the sampling and the size of the forest of the state; the seed is the
// state's. A file that cannot be used gives a
// *model.FormatError. Rows that were observed when it was complete are never
// learnt twice: go on with the next.
func RestoreRows(path string, o Options, day Day, memory func(states [][]byte) error) (*Learner, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxState {
		return nil, fmt.Errorf("%s: %w", path, &model.FormatError{What: fmt.Sprintf("state larger than %d MB", maxState>>20), Hint: hintState})
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l, err := restore(data, o, day, memory)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

func restore(data []byte, o Options, day Day, memory func([][]byte) error) (*Learner, error) {
	l := NewLearner(o)
	switch {
	case len(data) < headSize || !bytes.HasPrefix(data, []byte(stateMagic)):
		return nil, &model.FormatError{What: "not a state of zeek-iforest", Hint: hintState}
	case !bytes.Equal(data[:headSize], l.head(stateVersion)) && !bytes.Equal(data[:headSize], l.head(stateWithoutLabels)):
		return nil, &model.FormatError{What: "state of another version, or of other features, sampling or forest size", Hint: hintState}
	}
	s := &state{l: l, seen: map[*cells][]usage{}}
	err := s.read(data[headSize:])
	if err == nil {
		err = s.settle()
	}
	if err == nil {
		err = memory(s.windows)
	}
	if err == nil && day != nil {
		err = day.RestoreState(s.blobs[day24])
	}
	if err != nil {
		return nil, &model.FormatError{What: "state is damaged", Hint: hintState, Err: err}
	}
	return l, nil
}

// read reads the pieces.
func (s *state) read(data []byte) error {
	for last := 0; ; {
		if len(data) < pieceHead+4 {
			return errors.New("truncated")
		}
		part, piece := int(data[0]), binary.LittleEndian.Uint32(data[1:])
		size := uint64(binary.LittleEndian.Uint32(data[5:]))
		if size > uint64(len(data)-pieceHead-4) {
			return errors.New("truncated")
		}
		whole, sum := data[:pieceHead+size], binary.LittleEndian.Uint32(data[pieceHead+size:])
		data = data[pieceHead+size+4:]
		if crc32.Checksum(whole, castagnoli) != sum {
			return fmt.Errorf("wrong checksum in part %d", part)
		}
		if part == endPart {
			if len(data) > 0 {
				return fmt.Errorf("%d bytes too many at the end", len(data))
			}
			return nil
		}
		if part >= len(parts) || part < last || piece > math.MaxInt32/(1<<16) {
			return fmt.Errorf("part %d is out of place", part)
		}
		last = part
		c := codec{set: s.l.o.Set, data: whole[pieceHead:], reading: true}
		parts[part].code(s, &c, int(piece))
		if c.err == nil && len(c.data) > 0 {
			c.err = errState
		}
		if c.err != nil {
			return fmt.Errorf("part %d, piece %d: %w", part, piece, c.err)
		}
	}
}

// settle puts together what the pieces brought.
func (s *state) settle() (err error) {
	l := s.l
	for in, seen := range s.seen {
		slices.SortStableFunc(seen, func(a, b usage) int { return int(a.order) - int(b.order) })
		for _, u := range seen {
			in.table.Use(u.key)
		}
	}
	if err := l.past.counter.RestoreEnd(); err != nil {
		return err
	}
	if _, err := feature.NewEncoder(l.o.Set, l.past.counter.Tables()); err != nil {
		return err
	}
	var onTrial *model.Model
	for i, m := range []**model.Model{&l.model, &l.previous, &onTrial} {
		if len(s.blobs[i]) > 0 {
			if *m, err = model.Read(bytes.NewReader(s.blobs[i])); err != nil {
				return err
			}
		}
	}
	if l.trial != nil {
		if l.trial.now, l.trial.next = l.model, onTrial; l.model == nil || onTrial == nil {
			return errors.New("a trial without models")
		}
	}
	if err := s.settleLabels(); err != nil {
		return err
	}
	return l.rebuild.resume(&s.rebuild)
}

// settleLabels takes the labels; rows of kinds that they do not name were kept
// after the labels were collected.
func (s *state) settleLabels() error {
	l := s.l
	if len(s.blobs[labels]) > 0 {
		text := string(s.blobs[labels])
		_, kinds, err := parseLabels(text)
		if err != nil {
			return err
		}
		l.labelled.set(text, kinds, l.o.Set)
	} else {
		l.labelled = labelledRows{}
	}
	if t := l.trial; t != nil && (t.lost > t.labelled || t.labelled > len(l.labelled.of)) {
		t.labelled, t.lost = 0, 0
	}
	return nil
}

// resume brings a rebuild to where it was.
func (b *rebuild) resume(r *savedRebuild) (err error) {
	if r.stage == idle {
		return nil
	}
	if r.stage > assembling || (r.stage > growing) != (r.tree == b.o.Trees) || r.drawn.n != r.tree*r.size {
		return errors.New("a rebuild at no stage")
	}
	if err = b.reserve(r.size); err != nil {
		return err
	}
	b.stage = r.stage
	sum := &b.parts.Summary
	sum.Seed, sum.Build, sum.Sampling, sum.ZeekVersion = b.o.Seed, b.build, b.o.Sampling.String(), b.o.ZeekVersion
	sum.Calibration = b.total
	if r.stage == freezing {
		return nil
	}
	if b.parts.Encoder, err = feature.NewEncoder(b.o.Set, r.tables); err != nil {
		return err
	}
	b.drawn.copy(0, &r.drawn, 0, r.drawn.n)
	for b.tree < r.tree {
		if err := b.growNext(); err != nil {
			return err
		}
	}
	if r.stage <= packing {
		return nil
	}
	if b.parts.Forest, err = b.grower.Forest(); err != nil {
		return err
	}
	width := calibrate.WidthFor(b.parts.Forest.AverageLength())
	b.curve = calibrate.NewHistogram(width)
	left := b.next
	for i, n := range r.counts {
		for ; n > 0 && left > 0; n-- {
			b.curve.Add((float64(i) + 0.5) * width)
			left--
		}
	}
	rows := b.past.calibration.rows.n
	if !sum.Disjoint {
		rows += b.past.early.n
	}
	if left > 0 || b.next > b.total || b.total == 0 || b.total > rows {
		return errors.New("a curve of other rows")
	}
	for f := range b.o.Set.N() {
		if len(b.vector[f]) != b.next*min(b.total, usualRows)/b.total {
			return errors.New("usual ranges of other rows")
		}
	}
	return nil
}
