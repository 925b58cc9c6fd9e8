package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vmihailenco/msgpack/v5"
)

// A model file is one msgpack value:
//
//	["zeek-iforest", format version, SHA-256 of the body, body]
//
// The hash and the body are of msgpack's type bin; the body is itself msgpack
// (encode.go, decode.go).
const (
	magic            = "zeek-iforest"
	formatVersion    = 2
	connVersion      = 1 // of the time when there was conn.log alone: still read
	fingerprintBytes = 6
	maxFile          = 64 << 20 // bytes: a thousand trees of a thousand rows take 20 MB
)

// FormatError says why a file is not a model that can be used.
type FormatError struct {
	What string // what is wrong
	Hint string // what to do
	Err  error  // the cause, where there is one
}

func (e *FormatError) Error() string {
	if e.Err != nil {
		return e.What + ": " + e.Err.Error()
	}
	return e.What
}

func (e *FormatError) Unwrap() error { return e.Err }

const (
	hintTrain = "make a model with zeek-iforest train"
	hintCopy  = "the file is damaged; copy it again or train a new model"
)

func checksum(body []byte) [sha256.Size]byte { return sha256.Sum256(body) }

// seal puts the header before a body.
func seal(body []byte, sum [sha256.Size]byte) []byte {
	var b bytes.Buffer
	b.Grow(len(body) + 64)
	enc := msgpack.NewEncoder(&b)
	err := errors.Join(
		enc.EncodeArrayLen(4),
		enc.EncodeString(magic),
		enc.EncodeUint(formatVersion),
		enc.EncodeBytes(sum[:]),
		enc.EncodeBytes(body),
	)
	if err != nil {
		panic(err) // a bytes.Buffer does not fail
	}
	return b.Bytes()
}

// Bytes returns the model's file, which must not be changed.
func (m *Model) Bytes() []byte { return m.file }

// Write writes the model: the same model, the same bytes.
func (m *Model) Write(w io.Writer) error {
	_, err := w.Write(m.file)
	return err
}

// WriteFile replaces the file at path atomically: a temporary file beside it,
// fsync, rename. A new file has mode 0600; an existing one keeps its mode, and
// stays as it was where an error is returned.
func (m *Model) WriteFile(path string) (err error) {
	mode := fs.FileMode(0o600)
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() { // a pipe or a device cannot be replaced
			return m.writeTo(path)
		}
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil { // of which nobody wants to know the temporary name
		return &fs.PathError{Op: "writing", Path: path, Err: errors.Unwrap(err)}
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := errors.Join(f.Chmod(mode), m.Write(f), f.Sync()); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the renaming in a directory last through a power cut, where the
// system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (m *Model) writeTo(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(m.Write(f), f.Close())
}

// ReadFile reads the model at path, as Read does.
func ReadFile(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Read reads a model and validates all of it; a *FormatError says what is
// wrong with it and what to do. It takes memory in proportion to what it
// reads, and reads 64 MB at most.
func Read(r io.Reader) (*Model, error) {
	header := make([]byte, len(magic)+2)
	n, err := io.ReadFull(r, header)
	switch {
	case err == io.EOF:
		return nil, &FormatError{What: "not a model: the file is empty", Hint: hintTrain}
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	}
	if want := seal(nil, [sha256.Size]byte{})[:len(header)]; !bytes.Equal(header[:n], want[:n]) {
		return nil, &FormatError{What: "not a zeek-iforest model", Hint: hintTrain}
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFile-int64(n)+1))
	if err != nil {
		return nil, err
	}
	if len(data)+n > maxFile {
		return nil, &FormatError{What: fmt.Sprintf("not a model: larger than %d MB", maxFile>>20), Hint: hintTrain}
	}
	return open(append(header[:n], data...))
}

// open reads a whole file.
func open(file []byte) (*Model, error) {
	d := newDecoder(file)
	d.arrayLen(4)
	d.bytes() // the magic string
	version := d.uint()
	if d.err == nil && version != formatVersion && version != connVersion {
		hint := "train the model anew"
		if version > formatVersion {
			hint = "it was written by a newer zeek-iforest: use that, or train the model anew"
		}
		return nil, &FormatError{What: fmt.Sprintf("model format %d, this program reads %d", version, formatVersion), Hint: hint}
	}
	want := d.bytes()
	body := d.bytes()
	if d.err == nil && d.left() > 0 {
		d.err = fmt.Errorf("%d bytes too many at the end", d.left())
	}
	if errors.Is(d.err, io.ErrUnexpectedEOF) {
		return nil, &FormatError{What: fmt.Sprintf("model is truncated after %d bytes", len(file)), Hint: hintCopy}
	}
	if d.err != nil {
		return nil, &FormatError{What: "model cannot be read", Hint: hintCopy, Err: d.err}
	}
	sum := checksum(body)
	if !bytes.Equal(sum[:], want) {
		return nil, &FormatError{What: "model is damaged: its checksum is " + hex.EncodeToString(sum[:4]) +
			"…, the file says " + hex.EncodeToString(want[:min(4, len(want))]) + "…", Hint: hintCopy}
	}
	m, err := decode(body, version)
	if err != nil {
		return nil, err
	}
	m.fingerprint = hex.EncodeToString(sum[:fingerprintBytes])
	m.file = file
	return m, nil
}
