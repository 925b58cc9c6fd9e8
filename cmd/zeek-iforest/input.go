package main

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the largest window that is accepted, that of zstd -22 and
// --long: memory for decompression is bounded by about twice that.
const zstdWindow = 128 << 20

// openInput opens a file, or stdin for "-", and decompresses gzip, zstd and
// bzip2, which it recognises by content. Damaged data is read up to the damage;
// what is packed otherwise is named.
func openInput(path string, stdin io.Reader) (*input, error) {
	if path == "-" {
		return decompress(path, io.NopCloser(stdin))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, hinted(fmt.Errorf("%s is a directory", path), "name the files in it, such as "+path+"/conn.*.log.gz")
	}
	return decompress(path, f)
}

// input is decompressed data and the file below it.
type input struct {
	io.Reader
	format string // "gzip", "zstd", "bzip2", or "" when it is plain
	start  []byte // its first bytes, decompressed
	close  func() error
}

func decompress(path string, file io.ReadCloser) (*input, error) {
	in, err := unpack(path, file)
	if err != nil {
		return nil, err
	}
	if err := contained(path, in.start, in.format); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

func unpack(path string, file io.ReadCloser) (*input, error) {
	name := displayName(path)
	in := bufio.NewReaderSize(file, 64<<10) // a block of a plain log is longer: read without a copy
	start, err := in.Peek(4)
	if err != nil && err != io.EOF {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		r, err := newGzipMembers(in)
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("%s: %w", name, damaged("gzip", err))
		}
		return begun(r, "gzip", file.Close), nil
	case isZstd(start):
		tail := &tailZeros{Reader: in}
		r, err := zstd.NewReader(tail, zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("%s: %w", name, damaged("zstd", err))
		}
		return begun(&trailing{Reader: r, in: tail}, "zstd", func() error { r.Close(); return file.Close() }), nil
	case isBzip2(start):
		tail := &tailZeros{Reader: in}
		return begun(&trailing{Reader: bzip2.NewReader(tail), in: tail}, "bzip2", file.Close), nil
	}
	start, _ = in.Peek(min(in.Buffered(), startLength)) // no more is waited for
	return &input{in, "", bytes.Clone(start), file.Close}, nil
}

// startLength is how much of an input tells what it is: a tar's magic is last.
const startLength = 512

// begun is decompressed data of which the first bytes have been looked at; an
// error there comes again with the first Read.
func begun(r io.Reader, format string, close func() error) *input {
	start := make([]byte, startLength)
	n, err := r.Read(start)
	start = start[:n]
	var rest io.Reader = r
	if err != nil {
		rest = failed{err}
	}
	return &input{&joined{start, rest}, format, start, close}
}

// joined reads what was looked at, then the rest.
type joined struct {
	start []byte
	rest  io.Reader
}

func (j *joined) Read(p []byte) (int, error) {
	if len(j.start) > 0 {
		n := copy(p, j.start)
		j.start = j.start[n:]
		return n, nil
	}
	return j.rest.Read(p)
}

// failed reads nothing.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// isBzip2 recognises a stream that has a block.
func isBzip2(start []byte) bool {
	return len(start) == 4 && bytes.HasPrefix(start, []byte("BZh")) && start[3] >= '1' && start[3] <= '9'
}

// isZstd recognises a frame or a skippable frame (RFC 8878, §3.1).
func isZstd(start []byte) bool {
	return bytes.Equal(start, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(start) == 4 && start[0]>>4 == 5 && bytes.Equal(start[1:], []byte{0x2a, 0x4d, 0x18})
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.Reader.Read(p)
	if err != nil && err != io.EOF && in.format != "" {
		err = damaged(in.format, err)
	}
	return n, err
}

func (in *input) Close() error { return in.close() }

// damaged says that compressed data cannot be read on, unless it is the file
// itself that cannot be read.
func damaged(format string, err error) error {
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return hinted(fmt.Errorf("the zstd data needs more memory than is allowed here: %w", err), "zstd -dc --long=31 FILE | zeek-iforest … -")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s data is cut off: %w", format, err)
	}
	return fmt.Errorf("the %s data is damaged: %w", format, err)
}
