package evaluate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// Table is labelled rows of numbers.
type Table struct {
	Name     string    // the file's, without folder and extensions
	Features []string  // names of the columns, the label left out
	Rows     []float32 // n × len(Features), row-major, finite
	Labels   []bool    // of each row: an anomaly
}

// Anomalies returns the number of rows labelled so.
func (t *Table) Anomalies() int {
	n := 0
	for _, label := range t.Labels {
		if label {
			n++
		}
	}
	return n
}

// TableError says what in a table cannot be used, and where.
type TableError struct {
	File   string
	Line   int    // from 1; 0 if none is to blame
	Column string // by its name, or "" if none is to blame
	Err    error
}

func (e *TableError) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(", line %d", e.Line)
	}
	if e.Column != "" {
		s += ", column " + e.Column
	}
	return s + ": " + e.Err.Error()
}

func (e *TableError) Unwrap() error { return e.Err }

// ReadTable reads a CSV with a header, whose column label, or the last one for
// "", holds 0 or 1 and all others numbers; gzip is told by its first bytes. A
// *TableError says what is wrong and where.
func ReadTable(r io.Reader, file, label string) (*Table, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	in := io.Reader(buffered)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, &TableError{File: file, Err: err}
		}
		defer unzipped.Close()
		in = unzipped
	}
	t := &tableReader{csv: csv.NewReader(in), file: file}
	t.csv.ReuseRecord = true
	if err := t.header(label); err != nil {
		return nil, err
	}
	for {
		if err := t.row(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	if len(t.table.Labels) == 0 {
		return nil, &TableError{File: file, Err: errors.New("no rows below the header")}
	}
	t.table.Name, _, _ = strings.Cut(filepath.Base(file), ".")
	return &t.table, nil
}

type tableReader struct {
	csv   *csv.Reader
	file  string
	names []string // of all columns
	label int      // which one
	line  int      // where the last record begins
	table Table
}

func (t *tableReader) header(label string) error {
	record, err := t.csv.Read()
	if err == io.EOF {
		err = errors.New("empty: want a header and rows")
	}
	if err != nil {
		return t.failed(err)
	}
	t.line, _ = t.csv.FieldPos(0)
	t.label = -1
	for i, name := range record {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		if _, err := strconv.ParseFloat(name, 64); err == nil {
			return &TableError{t.file, t.line, "", fmt.Errorf("no header: %q is a number, want the columns' names", name)}
		}
		t.names = append(t.names, name)
		if name == label || label == "" && i == len(record)-1 {
			t.label = i
		} else {
			t.table.Features = append(t.table.Features, name)
		}
	}
	switch {
	case t.label < 0:
		return &TableError{t.file, t.line, "", fmt.Errorf("no column %q for the label, there are %s", label, strings.Join(t.names, ", "))}
	case len(t.table.Features) == 0:
		return &TableError{t.file, t.line, "", errors.New("no column besides the label")}
	case len(t.table.Features)+1 != len(t.names):
		return &TableError{t.file, t.line, label, errors.New("the label's name stands twice")}
	}
	return nil
}

func (t *tableReader) row() error {
	record, err := t.csv.Read()
	if err != nil {
		return t.failed(err)
	}
	t.line, _ = t.csv.FieldPos(0)
	for i, text := range record {
		text = strings.TrimSpace(text)
		if i == t.label {
			label, err := parseLabel(text)
			if err != nil {
				return t.at(i, err)
			}
			t.table.Labels = append(t.table.Labels, label)
			continue
		}
		v, err := parseNumber(text)
		if err != nil {
			return t.at(i, err)
		}
		t.table.Rows = append(t.table.Rows, v)
	}
	return nil
}

func parseNumber(text string) (float32, error) {
	if text == "" {
		return 0, errors.New("empty, want a number")
	}
	v, err := strconv.ParseFloat(text, 32)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%.40q, want a finite number", text)
	}
	return float32(v), nil
}

func parseLabel(text string) (bool, error) {
	switch v, err := strconv.ParseFloat(text, 64); {
	case err == nil && v == 0:
		return false, nil
	case err == nil && v == 1:
		return true, nil
	}
	return false, fmt.Errorf("label %.40q, want 0 or 1", text)
}

func (t *tableReader) at(column int, err error) error {
	line, _ := t.csv.FieldPos(column)
	return &TableError{t.file, line, t.names[column], err}
}

// failed gives the reader's error its place; io.EOF stays as it is.
func (t *tableReader) failed(err error) error {
	var parse *csv.ParseError
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, csv.ErrFieldCount):
		errors.As(err, &parse)
		return &TableError{t.file, parse.Line, "", fmt.Errorf("wrong number of columns, want %d", len(t.names))}
	case errors.As(err, &parse):
		return &TableError{t.file, parse.Line, "", parse.Err}
	}
	return &TableError{t.file, t.line + 1, "", err}
}
