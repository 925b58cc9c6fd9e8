package learn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// A recording holds the batches that a sensor has learnt from, so that its
// models can be made again (FitRecording). It is
//
//	recordingMagic
//	batches: rows learnt before (8 bytes), length (4 bytes), batch
//
// all little-endian. It holds addresses: its mode is 0600.
const (
	recordingMagic = "zeek-iforest recording 1\n"
	recordingHead  = 12
)

// Recorder writes a recording.
type Recorder struct {
	file   *os.File
	buffer []byte
}

// Record goes on with the recording at path of a sensor that has learnt from so
// many rows, and begins it anew where that is none.
func Record(path string, rows uint64) (*Recorder, error) {
	flags := os.O_RDWR | os.O_CREATE | os.O_APPEND
	if rows == 0 {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	magic := make([]byte, len(recordingMagic))
	switch n, err := io.ReadFull(file, magic); {
	case n == 0 && err == io.EOF:
		if _, err := file.WriteString(recordingMagic); err != nil {
			file.Close()
			return nil, err
		}
	case string(magic) != recordingMagic:
		file.Close()
		return nil, fmt.Errorf("%s is not a recording of zeek-iforest", path)
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

// ErrGap says that a recording lacks rows, so that nothing can be made again of
// it.
var ErrGap = errors.New("the recording does not hold all that the sensor has learnt from")

// FitRecording makes the model that the sensor used after the batches of a
// recording: ErrNoModelYet where that would be none, ErrGap where the sensor
// has learnt from others too.
func FitRecording(from io.Reader, o Options) (*model.Model, Report, error) {
	o.AsSensor = true
	o = o.withDefaults()
	var report Report
	m, err := o.fit(func(observe func(*conn.Conn, feature.Window)) error {
		return readRecording(from, func(c *conn.Conn, w feature.Window) {
			report.Rows++
			observe(c, w)
		})
	})
	if err != nil {
		return nil, report, err
	}
	return m, report, nil
}

func readRecording(from io.Reader, each func(*conn.Conn, feature.Window)) error {
	in := bufio.NewReaderSize(from, 1<<16)
	magic := make([]byte, len(recordingMagic))
	if _, err := io.ReadFull(in, magic); string(magic) != recordingMagic {
		return errors.Join(errors.New("not a recording of zeek-iforest"), unlessEOF(err))
	}
	var reader BatchReader
	var rows uint64
	for batch := make([]byte, MaxBatch); ; {
		var head [recordingHead]byte
		if _, err := io.ReadFull(in, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("after %d connections: %w", rows, err)
		}
		before, size := binary.LittleEndian.Uint64(head[:]), binary.LittleEndian.Uint32(head[8:])
		if before != rows {
			return fmt.Errorf("%w: after %d connections comes number %d", ErrGap, rows, before+1)
		}
		if size > MaxBatch {
			return fmt.Errorf("after %d connections: %w", rows, errBatch)
		}
		if _, err := io.ReadFull(in, batch[:size]); err != nil {
			return fmt.Errorf("after %d connections: %w", rows, err)
		}
		if err := reader.Read(batch[:size], func(c *conn.Conn, w feature.Window) { rows++; each(c, w) }); err != nil {
			return fmt.Errorf("after %d connections: %w", rows, err)
		}
	}
}

func unlessEOF(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
