package learn

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// A recording holds the batches that a sensor has learnt from, and the models
// that came into use: its models can be made again (FitRecording), and the scores
// of the rows (Recorded). It is
//
//	recordingMagic
//	length (4 bytes), options: #path of the log, with its length (8), seed, warmup, rebuild every (8 each),
//	Zeek's version, with its length (8)
//	batches: rows learnt before (8), length (4), batch
//	models among them: rows learnt before (8), length with modelFrame set (4), model file
//
// all little-endian. It says when which kind of row was seen: its mode is 0600.
const (
	recordingMagic = "zeek-iforest recording 3\n"
	frameHead      = 12
	modelFrame     = 1 << 31
	maxHead        = 1 << 10
	maxZeekVersion = 256
	maxLog         = 64
)

// codeOptions describes the options of a recording, both ways.
func codeOptions(c *codec, o *Options) {
	log, version := []byte(nil), []byte(o.ZeekVersion)
	if o.Set != nil {
		log = []byte(o.Set.Log)
	}
	c.bytes(&log, maxLog)
	o.Set = model.SetOf(string(log))
	c.uint64(&o.Seed)
	c.count(&o.Warmup, 1<<31-1)
	c.count(&o.RebuildEvery, 1<<31-1)
	c.bytes(&version, maxZeekVersion)
	o.ZeekVersion = string(version)
}

// Recorder writes a recording.
type Recorder struct {
	file   *os.File
	buffer []byte
}

// Record goes on with the learner's recording at path, or begins it anew where
// it has learnt from nothing yet.
func (l *Learner) Record(path string) (*Recorder, error) {
	var c codec
	if codeOptions(&c, &l.o); c.err != nil {
		return nil, fmt.Errorf("the options cannot be recorded: %w", c.err)
	}
	head := binary.LittleEndian.AppendUint32([]byte(recordingMagic), uint32(len(c.data)))
	head = append(head, c.data...)

	flags := os.O_RDWR | os.O_CREATE | os.O_APPEND
	if l.past.rows == 0 {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	there := make([]byte, len(head))
	switch n, _ := io.ReadFull(file, there); {
	case n == 0:
		_, err = file.Write(head)
	case !bytes.Equal(there, head):
		err = fmt.Errorf("%s was begun with another seed, other options or another version of Zeek; move it away", path)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &Recorder{file: file}, nil
}

// Add adds a batch, before which so many rows were learnt from.
func (r *Recorder) Add(rows uint64, batch []byte) error {
	return r.add(rows, uint32(len(batch)), batch)
}

// Use adds the model that is in use after so many rows.
func (r *Recorder) Use(rows uint64, m *model.Model) error {
	file := m.Bytes()
	return r.add(rows, uint32(len(file))|modelFrame, file)
}

func (r *Recorder) add(rows uint64, length uint32, content []byte) error {
	b := binary.LittleEndian.AppendUint64(r.buffer[:0], rows)
	b = binary.LittleEndian.AppendUint32(b, length)
	r.buffer = append(b, content...)
	_, err := r.file.Write(r.buffer)
	return err
}

// Close ends the recording.
func (r *Recorder) Close() error { return r.file.Close() }

// ErrGap says that a recording lacks rows, so that nothing can be made again of
// it.
var ErrGap = errors.New("the recording does not hold all that the sensor has learnt from")

// FitRecording makes the model that the sensor used after the batches of its
// recording, with what was labelled bad meanwhile: ErrNoModelYet where that would
// be none, ErrGap where the sensor has learnt from others too.
func FitRecording(from io.Reader, labels []LabelChange) (*model.Model, Report, error) {
	in := bufio.NewReaderSize(from, 1<<16)
	var report Report
	o, err := readHead(in)
	if err != nil {
		return nil, report, err
	}
	o.Labels = labels
	m, err := o.withDefaults().fitAsSensor(func(observe func(*feature.Row)) error {
		return readBatches(in, o.Set, &report.Rows, observe)
	})
	return m, report, err
}

func readHead(in io.Reader) (o Options, err error) {
	head := make([]byte, len(recordingMagic)+4)
	if _, err := io.ReadFull(in, head); !bytes.HasPrefix(head, []byte(recordingMagic)) {
		if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errors.New("not a recording of zeek-iforest")
		}
		return o, err
	}
	size := binary.LittleEndian.Uint32(head[len(recordingMagic):])
	if size > maxHead {
		return o, errHead
	}
	c := codec{data: make([]byte, size), reading: true}
	if _, err := io.ReadFull(in, c.data); err != nil {
		return o, fmt.Errorf("%w: %w", errHead, err)
	}
	if codeOptions(&c, &o); c.err != nil || len(c.data) > 0 {
		return o, errHead
	}
	if o.Set == nil {
		return o, errors.New("the recording is of a log that this program does not know")
	}
	return o, nil
}

var errHead = errors.New("the recording's head is damaged")

// readBatches gives each the rows and counts them in rows.
func readBatches(in io.Reader, set *feature.Set, rows *uint64, each func(*feature.Row)) error {
	reader := NewBatchReader(set)
	err := readFrames(in, func(_ int64, before uint64, batch []byte) error {
		if before != *rows {
			return fmt.Errorf("%w: there follows number %d", ErrGap, before+1)
		}
		return reader.Read(batch, func(r *feature.Row) { *rows++; each(r) })
	}, func(int64, io.Reader) error { return nil })
	return after(*rows, set, err)
}

// after says behind which row of a recording an error is.
func after(rows uint64, set *feature.Set, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("after %d %s: %w", rows, set.Rows, err)
}

// readFrames gives batch and used what follows the head of a recording: where
// the content of each frame begins, counted from behind the head, and batches with
// how many rows were learnt from before.
func readFrames(in io.Reader, batch func(at int64, before uint64, batch []byte) error, used func(at int64, file io.Reader) error) error {
	buffer := make([]byte, MaxBatch)
	for at := int64(0); ; {
		var head [frameHead]byte
		if _, err := io.ReadFull(in, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		at += frameHead
		before, size := binary.LittleEndian.Uint64(head[:]), binary.LittleEndian.Uint32(head[8:])
		if size&modelFrame != 0 {
			size &^= modelFrame
			file := &io.LimitedReader{R: in, N: int64(size)}
			err := used(at, file)
			if err == nil {
				_, err = io.Copy(io.Discard, file)
			}
			if err == nil && file.N > 0 {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			at += int64(size)
			continue
		}
		if size > MaxBatch {
			return errBatch
		}
		if n, err := io.ReadFull(in, buffer[:size]); err == io.EOF && n < int(size) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		if err := batch(at, before, buffer[:size]); err != nil {
			return err
		}
		at += int64(size)
	}
}
