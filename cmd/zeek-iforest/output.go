package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// output is where results go: stdout, or a file that comes into being only
// when the run has succeeded.
type output struct {
	*bufio.Writer
	name string // "stdout" or the path
	file *os.File
	mode os.FileMode // of the file
	last byte        // written
}

// bufferSize is less than what a block of a log becomes, which is then written
// without a copy.
const bufferSize = 64 << 10

// Write writes p.
func (o *output) Write(p []byte) (int, error) {
	if len(p) > 0 {
		o.last = p[len(p)-1]
	}
	return o.Writer.Write(p)
}

// startLine ends a line that a log without a final newline left open.
func (o *output) startLine() error {
	if o.last == 0 || o.last == '\n' {
		return nil
	}
	_, err := o.Write([]byte{'\n'})
	return err
}

// output opens path, "" and "-" meaning stdout. The file is written beside its
// place and renamed by commit, so a failed run leaves nothing behind and an
// older file as it was. It has the mode of the older file, otherwise 0600: logs
// hold addresses.
func (s *session) output(path string) (*output, error) {
	if path == "" || path == "-" {
		return &output{Writer: bufio.NewWriterSize(s.stdout, bufferSize), name: "stdout"}, nil
	}
	mode := os.FileMode(0o600)
	if to, err := os.Stat(path); err == nil {
		mode = to.Mode().Perm()
		if to.IsDir() {
			return nil, hinted(fmt.Errorf("%s is a directory", path), "name a file in it")
		}
		if !to.Mode().IsRegular() { // a device or a pipe
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return nil, err
			}
			return &output{Writer: bufio.NewWriterSize(file, bufferSize), name: path, file: file}, nil
		}
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil { // of which the user wants to know the cause, not the temporary name
		return nil, &fs.PathError{Op: "writing", Path: path, Err: errors.Unwrap(err)}
	}
	return &output{Writer: bufio.NewWriterSize(file, bufferSize), name: path, file: file, mode: mode}, nil
}

// commit ends a successful run.
func (o *output) commit() error {
	if err := o.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", o.name, err)
	}
	if o.file == nil {
		return nil
	}
	file := o.file
	o.file = nil
	if file.Name() == o.name { // a device or a pipe
		return file.Close()
	}
	err := errors.Join(file.Chmod(o.mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), o.name)
	}
	if err != nil {
		os.Remove(file.Name())
		return fmt.Errorf("writing %s: %w", o.name, err)
	}
	return nil
}

// discard ends a failed run; after commit it does nothing. What stdout was
// given so far stays.
func (o *output) discard() {
	if o.file == nil {
		o.Flush()
		return
	}
	o.file.Close()
	if o.file.Name() != o.name {
		os.Remove(o.file.Name())
	}
	o.file = nil
}
