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
)

// A recording holds the batches that a sensor has learnt from, so that its
// models can be made again (FitRecording). It is
//
//	recordingMagic
//	length (4 bytes), options: #path of the log, with its length (8), seed, warmup, rebuild every (8 each),
//	Zeek's version, with its length (8)
//	batches: rows learnt before (8), length (4), batch
//
// all little-endian. It says when which kind of row was seen: its mode is 0600.
const (
	recordingMagic = "zeek-iforest recording 2\n"
	batchFrame     = 12
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
	b := binary.LittleEndian.AppendUint64(r.buffer[:0], rows)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(batch)))
	r.buffer = append(b, batch...)
	_, err := r.file.Write(r.buffer)
	return err
}

// Close ends the recording.
func (r *Recorder) Close() error { return r.file.Close() }

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

// readFrames gives each the batches of a recording from the offset begin to end:
// where each stands, and how many rows were learnt from before it. The batch is
// valid until each returns.
func readFrames(from io.ReaderAt, begin, end int64, each func(at int64, before uint64, batch []byte) error) error {
	in := bufio.NewReaderSize(io.NewSectionReader(from, begin, end-begin), 1<<16)
	batch := make([]byte, MaxBatch)
	for at := begin; ; {
		var head [batchFrame]byte
		if _, err := io.ReadFull(in, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		before, size := binary.LittleEndian.Uint64(head[:]), binary.LittleEndian.Uint32(head[8:])
		if size > MaxBatch {
			return errBatch
		}
		if _, err := io.ReadFull(in, batch[:size]); err == io.EOF {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		if err := each(at, before, batch[:size]); err != nil {
			return err
		}
		at += batchFrame + int64(size)
	}
}
