package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the largest window that is accepted, that of zstd -22 and
// --long: memory for decompression is bounded by about twice that.
const zstdWindow = 128 << 20

// openInput opens a file, or stdin for "-", and decompresses gzip and zstd,
// which it recognises by content. Damaged data is read up to the damage.
func openInput(path string, stdin io.Reader) (io.ReadCloser, error) {
	if path == "-" {
		return decompress("standard input", io.NopCloser(stdin))
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
	format string // "gzip", "zstd", or "" when it is plain
	close  func() error
}

func decompress(name string, file io.ReadCloser) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(file, 64<<10) // a block of a plain log is longer: read without a copy
	start, err := in.Peek(4)
	if err != nil && err != io.EOF {
		file.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		r, err := gzip.NewReader(in)
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("%s: %w", name, damaged("gzip", err))
		}
		return &input{r, "gzip", file.Close}, nil
	case isZstd(start):
		r, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("%s: %w", name, damaged("zstd", err))
		}
		return &input{r, "zstd", func() error { r.Close(); return file.Close() }}, nil
	}
	return &input{in, "", file.Close}, nil
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
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the %s data is cut off: %w", format, err)
	}
	return fmt.Errorf("the %s data is damaged: %w", format, err)
}
