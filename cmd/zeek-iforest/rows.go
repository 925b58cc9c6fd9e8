package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/internal/parquetlog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// strictFlag defines --strict.
func strictFlag(flags *pflag.FlagSet) *bool {
	return flags.Bool("strict", false, "stop at the first row that cannot be used instead of leaving it out")
}

// columnsInFlag defines --columns-in.
func columnsInFlag(flags *pflag.FlagSet) *string {
	return flags.String("columns-in", "", "the logs' columns: all `NAMES` in their order where the header does not tell, or pairs, src=id.orig_h,dst=id.resp_h")
}

// orStdin returns the list of files to read: "-" where none is given.
func orStdin(files []string) []string {
	if len(files) == 0 {
		return []string{"-"}
	}
	return files
}

// rows reads the connections of several logs, one after the other.
type rows struct {
	session *session
	files   []string
	strict  bool

	parquet *parquetRows // of this log, where it is one
	name    string       // of this log, in messages
	input   io.ReadCloser
	reader  *zeeklog.Reader
	row     zeeklog.Row
	kind    *logKind // where the logs are not conn.log
	open    bool     // the connections of this log go on
	read    uint64   // rows of this log
	bar     *progressbar.ProgressBar
}

// barRows is how many rows the progress bar advances by.
const barRows = 1024

// rows begins to read; rows that cannot be used are counted and named, or end
// the reading when strict.
func (s *session) rows(files []string, strict bool) *rows {
	return &rows{session: s, files: orStdin(files), strict: strict, bar: s.progress(-1, "connections")}
}

// next reads the next connection and returns io.EOF after the last. c's strings
// stay valid.
func (r *rows) next(c *conn.Conn) error {
	for {
		if err := r.session.Err(); err != nil {
			return err
		}
		if r.parquet != nil {
			err := r.parquet.next(c)
			bad := errors.As(err, new(*zeeklog.Error))
			switch {
			case err == nil:
				if r.read++; r.read%barRows == 0 {
					r.bar.Add(barRows)
				}
				r.session.lack(r.name, c)
				return nil
			case err == io.EOF:
				r.parquet.Close()
				r.parquet = nil
			case !bad || r.strict:
				return err
			default:
				r.session.unused(err)
			}
			continue
		}
		if r.reader == nil {
			if len(r.files) == 0 {
				return io.EOF
			}
			if r.kind != nil && isParquet(r.files[0]) {
				return fmt.Errorf("%s: only conn.log is read as Parquet, not %s.log", r.files[0], r.kind.set.Log)
			}
			if isParquet(r.files[0]) {
				log, err := parquetlog.Open(r.files[0], parquetlog.All)
				if err != nil {
					return err
				}
				r.parquet = &parquetRows{Log: log}
				r.name, r.files, r.read = r.files[0], r.files[1:], 0
				continue
			}
			if kafkalog.IsURL(r.files[0]) {
				return hinted(fmt.Errorf("%s: a topic cannot be read here", r.files[0]), "only score and watch read topics, and of conn.log only")
			}
			input, err := r.session.open(r.files[0])
			if err != nil {
				return err
			}
			r.open = r.kind == nil && isOpenLog(r.files[0], string(input.start))
			r.input, r.reader = input, r.newReader(input, displayName(r.files[0]))
			r.name, r.files, r.read = displayName(r.files[0]), r.files[1:], 0
		}
		err := r.reader.Read(&r.row)
		bad := errors.As(err, new(*zeeklog.Error))
		switch {
		case err == nil:
			if *c = r.row.Conn; r.open {
				goesOn(c)
			}
			if r.read++; r.read%barRows == 0 { // it looks at the clock each time
				r.bar.Add(barRows)
			}
			if r.kind == nil {
				r.session.lack(r.name, c)
			}
			return nil
		case err != io.EOF && (r.strict || r.read == 0 && !bad):
			return err
		case bad:
			r.session.unused(err)
		case err != io.EOF:
			r.session.damaged(err)
		}
		if !bad {
			r.input.Close()
			r.reader = nil
		}
	}
}

// newReader reads a log of the kind.
func (r *rows) newReader(input io.Reader, name string) *zeeklog.Reader {
	if r.kind != nil {
		return zeeklog.NewReader(input, name).Of(r.kind.schema)
	}
	return zeeklog.NewReader(input, name).Named(r.session.names)
}

// nextRow reads the next row of a log that is not conn.log, as next does.
func (r *rows) nextRow() error {
	var none conn.Conn
	return r.next(&none)
}

func (r *rows) close() {
	r.bar.Finish()
	if r.parquet != nil {
		r.parquet.Close()
	}
	if r.reader != nil {
		r.input.Close()
	}
}

// displayName returns a file's name in messages.
func displayName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// at names a connection for messages.
func at(c *conn.Conn) string {
	return fmt.Sprintf("%s %v → %v %s", c.UID, c.Orig, c.Resp, c.Proto)
}

// Value returns the text of a column of the row last read, for columns that conn.log
// does not know; of Parquet only whole numbers.
func (r *rows) Value(column string) (string, bool) {
	switch {
	case r.parquet != nil:
		return r.parquet.value(column)
	case r.reader == nil:
		return "", false
	}
	return r.reader.Value(&r.row, column)
}
