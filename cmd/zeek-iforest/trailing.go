package main

import (
	"compress/bzip2"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// errTrailing says that compressed data ended, and that more follows.
var errTrailing = errors.New("something else follows it")

// trailing reads the streams of bzip2 or zstd data that follow one another.
// Zero bytes behind the last are padding, as behind gzip's.
type trailing struct {
	io.Reader
	in    *tailZeros
	begun bool
}

func (t *trailing) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.begun = t.begun || n > 0
	if err == nil || err == io.EOF || !t.begun || !noStream(err) {
		return n, err
	}
	switch padded, inErr := t.in.padded(); {
	case inErr != nil:
		err = inErr
	case padded:
		err = io.EOF
	default:
		err = errTrailing
	}
	return n, err
}

// noStream reports whether an error says that what follows is no stream of the
// format.
func noStream(err error) bool {
	var bad bzip2.StructuralError
	return errors.Is(err, zstd.ErrMagicMismatch) || errors.As(err, &bad) && bad == "bad magic value in continuation file"
}

// tailZeros counts the zero bytes at the end of what was read.
type tailZeros struct {
	io.Reader
	mu    sync.Mutex // zstd reads ahead
	zeros int64
}

func (z *tailZeros) Read(p []byte) (int, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	n, err := z.Reader.Read(p)
	for _, b := range p[:n] {
		if z.zeros++; b != 0 {
			z.zeros = 0
		}
	}
	return n, err
}

// padded reads to the end and reports whether zeros stand there: at least as
// many as a stream's magic has, none of which begins with one.
func (z *tailZeros) padded() (bool, error) {
	_, err := io.Copy(io.Discard, z)
	return z.zeros >= 4, err
}
