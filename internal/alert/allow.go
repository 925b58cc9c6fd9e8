package alert

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// allowFields are the columns of an allow-list, in the order in which we write
// them. The port's is called as in conn.log: "port" is a word of Zeek's language
// and no name of a field there.
var allowFields = []string{"originator", "responder", "network", "resp_p", "service", "expires", "comment"}

// labelFields follow them in a file with labels (label.go). All or none of them
// are there, so that scripts/allow.zeek, for which columns with other names are
// none, sees a name that is wrong.
var labelFields = []string{"verdict", "proto", "local_orig", "conn_state", "orig_ip_bytes", "resp_ip_bytes", "uid"}

// oldPort is what the port's column was called before the sensor read the list,
// too. Such a file is read, and written anew when an entry is added.
const oldPort = "port"

// AllowHeader is the first line of an allow-list: a file that Zeek's input
// framework reads (scripts/allow.zeek).
var AllowHeader = "#fields\t" + strings.Join(allowFields, "\t")

// labelHeader is that of a file with labels.
var labelHeader = AllowHeader + "\t" + strings.Join(labelFields, "\t")

var allFields = slices.Concat(allowFields, labelFields)

// Entry is one line of an allow-list. A connection is allowed when all that is
// set holds for it; something other than the comment and the end is.
type Entry struct {
	Originator netip.Addr
	Responder  netip.Addr
	Network    netip.Prefix // of the originator or of the responder
	Port       uint16       // the responder's
	HasPort    bool
	Proto      conn.Proto // of the port; UnknownTransport for any
	Service    string
	Expires    time.Time // zero for never
	Comment    string

	label
}

// Names reports whether a connection is one of those that the entry names.
func (e *Entry) Names(c *conn.Conn, now time.Time) bool {
	orig, resp := c.Orig.Addr(), c.Resp.Addr()
	switch {
	case e.Originator.IsValid() && e.Originator != orig,
		e.Responder.IsValid() && e.Responder != resp,
		e.Network.IsValid() && !e.Network.Contains(orig) && !e.Network.Contains(resp),
		e.HasPort && (e.Port != c.Resp.Port() || e.Proto != conn.UnknownTransport && e.Proto != c.Proto),
		e.Service != "" && !slices.Contains(strings.Split(c.Service, ","), e.Service) && e.Service != c.Service,
		!e.label.names(c),
		!e.Bad && e.expired(now):
		return false
	}
	return true
}

func (e *Entry) expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// String returns the entry as a line of the file, without its end.
func (e *Entry) String() string {
	if e.label == (label{}) {
		return e.line(allowFields)
	}
	return e.line(allFields)
}

// line returns the entry as a line of a file with those columns.
func (e *Entry) line(columns []string) string {
	fields := make([]string, 0, len(columns))
	add := func(set bool, text string) {
		if !set {
			text = "-"
		}
		fields = append(fields, text)
	}
	add(e.Originator.IsValid(), e.Originator.String())
	add(e.Responder.IsValid(), e.Responder.String())
	add(e.Network.IsValid(), e.Network.String())
	port := strconv.Itoa(int(e.Port))
	if e.Proto != conn.UnknownTransport {
		port += "/" + e.Proto.String()
	}
	add(e.HasPort, port)
	add(e.Service != "", e.Service)
	add(!e.Expires.IsZero(), strconv.FormatInt(e.Expires.Unix(), 10))
	comment := strings.Join(strings.Fields(clean(e.Comment)), " ")
	add(comment != "", comment)
	if len(columns) > len(allowFields) {
		e.label.write(add)
	}
	return strings.Join(fields, "\t")
}

// Describe returns the entry in words, without its comment and end.
func (e *Entry) Describe() string {
	var words []string
	if e.Originator.IsValid() {
		words = append(words, "from "+e.Originator.String())
	}
	if e.Responder.IsValid() {
		words = append(words, "to "+e.Responder.String())
	}
	if e.Network.IsValid() {
		words = append(words, "from or to "+e.Network.String())
	}
	if e.HasPort {
		port := "port " + strconv.Itoa(int(e.Port))
		if e.Proto != conn.UnknownTransport {
			port += "/" + e.Proto.String()
		}
		words = append(words, port)
	}
	if e.Service != "" {
		words = append(words, "service "+e.Service)
	}
	words = e.label.describe(words)
	return strings.Join(words, ", ")
}

// AllowLine is a line of the file with an entry.
type AllowLine struct {
	Entry
	Number int // 1-based
}

// ParseAllow reads an allow-list. An error names the line and the field. Narrow
// is to follow where the list is used.
func ParseAllow(text []byte, file string) ([]AllowLine, error) {
	var lines []AllowLine
	var columns []int // index in allFields
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r")
		names, header := strings.CutPrefix(line, "#fields\t")
		switch {
		case header:
			columns = columns[:0]
			for _, name := range strings.Split(names, "\t") {
				if name == oldPort {
					name = "resp_p"
				}
				at := slices.Index(allFields, name)
				if at < 0 { // it may be meant to narrow the entries
					return nil, fmt.Errorf("%s:%d: an allow-list has no column %q, want %s", file, i+1, name, strings.Join(allFields, ", "))
				}
				columns = append(columns, at)
			}
			if err := wholeLabel(columns); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
			}
			continue
		case line == "", line[0] == '#':
			continue
		case len(columns) == 0:
			return nil, fmt.Errorf("%s:%d: no header before the first entry, want %q", file, i+1, AllowHeader)
		}
		fields := strings.Split(line, "\t")
		if len(fields) != len(columns) {
			return nil, fmt.Errorf("%s:%d: %d fields, want %d as in the header, with tabs between", file, i+1, len(fields), len(columns))
		}
		l := AllowLine{Number: i + 1}
		for j, value := range fields {
			if unset(value) {
				continue
			}
			if err := l.Set(allFields[columns[j]], value); err != nil {
				return nil, fmt.Errorf("%s:%d: %s: %w", file, i+1, allFields[columns[j]], err)
			}
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// unset reports a text that is none: "(empty)" is one that Zeek's reader makes
// empty.
func unset(value string) bool { return value == "" || value == "-" || value == "(empty)" }

// Set sets a field from its text.
func (e *Entry) Set(name, value string) (err error) {
	switch name {
	case "originator", "responder":
		var a netip.Addr
		if a, err = netip.ParseAddr(value); err != nil || a.Zone() != "" {
			return fmt.Errorf("%q is not an address", value)
		}
		if name == "originator" {
			e.Originator = a.Unmap()
		} else {
			e.Responder = a.Unmap()
		}
	case "network":
		if e.Network, err = netip.ParsePrefix(value); err != nil {
			return fmt.Errorf("%q is not a network such as 10.0.0.0/8", value)
		}
		if bits := e.Network.Bits(); e.Network.Addr().Is4In6() {
			if bits < 96 {
				return fmt.Errorf("%q is not a network such as 10.0.0.0/8", value)
			}
			e.Network = netip.PrefixFrom(e.Network.Addr().Unmap(), bits-96)
		}
		e.Network = e.Network.Masked()
	case "resp_p":
		number, proto, has := strings.Cut(value, "/")
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is not a port such as 443/tcp", value)
		}
		if has {
			var ok bool
			if e.Proto, ok = conn.ParseProto(proto); !ok {
				return fmt.Errorf("%q: there is no protocol %q", value, proto)
			}
		}
		e.Port, e.HasPort = uint16(n), true
	case "service":
		if unset(value) || strings.ContainsAny(value, " \t\r\n") {
			return fmt.Errorf("%q is no service such as dns", value)
		}
		e.Service = value
	case "expires":
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > 1e11 {
			return fmt.Errorf("%q is not a time in seconds since 1970", value)
		}
		e.Expires = time.UnixMilli(int64(seconds * 1000))
	case "comment":
		e.Comment = value
	default:
		return e.label.set(name, value)
	}
	return nil
}

// AppendAllow adds an entry to the file, which it makes where there is none. A
// list that would allow everything then stays as it was.
func AppendAllow(file string, e *Entry) error {
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	lines, err := ParseAllow(text, file)
	if err != nil {
		return err
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	header, columns := AllowHeader, allowFields
	if e.label != (label{}) || slices.Equal(headers(text), []string{labelHeader}) || hasLabels(lines) {
		header, columns = labelHeader, allFields
	}
	if !slices.Equal(headers(text), []string{header}) {
		text = present(text, lines, header, columns)
	}
	line := e.line(columns)
	if back, err := ParseAllow([]byte(header+"\n"+line+"\n"), file); err != nil {
		return fmt.Errorf("the entry cannot stand in an allow-list: %w", err)
	} else if len(back) != 1 || back[0].line(columns) != line { // of a log with line ends within a field, say
		return fmt.Errorf("%q cannot stand in an allow-list", line)
	}
	text = append(text, line+"\n"...)
	if lines, err = ParseAllow(text, file); err != nil {
		return err
	}
	if _, err = Narrow(lines, file); err != nil {
		return err
	}
	return writeAllow(file, text)
}

// headers lists the lines that name columns.
func headers(text []byte) (found []string) {
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.HasPrefix(line, "#fields\t") {
			found = append(found, strings.TrimSuffix(line, "\r"))
		}
	}
	return found
}

// present returns the file with one header, ours: Zeek takes only the first.
func present(text []byte, lines []AllowLine, header string, columns []string) []byte {
	out := []byte(header + "\n")
	for i, line := range strings.SplitAfter(string(text), "\n") {
		switch {
		case len(lines) > 0 && lines[0].Number == i+1:
			out = append(out, lines[0].line(columns)+"\n"...)
			lines = lines[1:]
		case !strings.HasPrefix(line, "#fields\t"):
			out = append(out, line...)
		}
	}
	return out
}

// RemoveAllow takes a line out of the file and returns the entry.
func RemoveAllow(file string, number int) (*Entry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines, err := ParseAllow(text, file)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if l.Number == number {
			kept := slices.Delete(bytes.SplitAfter(text, []byte("\n")), number-1, number)
			return &l.Entry, writeAllow(file, bytes.Join(kept, nil))
		}
	}
	return nil, fmt.Errorf("%s:%d: there is no entry in that line", file, number)
}

// writeAllow replaces an allow-list. Zeek's reader knows a new file by its inode
// and the full second of its time, and an inode comes again: of two changes
// within a second the later gets the next one.
func writeAllow(file string, text []byte) error {
	before, err := os.Stat(file)
	known := err == nil
	if err := replaceFile(file, text, 0o644); err != nil || !known {
		return err
	}
	now, err := os.Stat(file)
	if err != nil || now.ModTime().Unix() > before.ModTime().Unix() {
		return err
	}
	at := time.Unix(before.ModTime().Unix()+1, 0)
	return os.Chtimes(file, at, at)
}

// replaceFile writes a file anew so that a reader sees the old or the new one.
// A file that is there keeps its mode.
func replaceFile(path string, text []byte, mode os.FileMode) error {
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".zeek-iforest-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is none
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// allowList is the list that watch holds, read again when the file changes.
type allowList struct {
	path  string
	warn  func(error)
	info  os.FileInfo
	lines []AllowLine
	said  string
}

// read reads the file, unless it is as it was. One that cannot be used leaves
// the list before it.
func (l *allowList) read() error {
	if l.path == "" {
		return nil
	}
	info, err := os.Stat(l.path)
	if err != nil {
		return err
	}
	if l.info != nil && os.SameFile(info, l.info) && info.ModTime().Equal(l.info.ModTime()) && info.Size() == l.info.Size() {
		return nil
	}
	text, err := os.ReadFile(l.path)
	if err != nil {
		return err
	}
	lines, err := ParseAllow(text, l.path)
	if err != nil {
		return err
	}
	lines, refused := Narrow(lines, l.path)
	l.info, l.lines, l.said = info, lines, ""
	if refused != nil {
		l.warn(fmt.Errorf("the other entries of the allow-list are used: %w", refused))
	}
	return nil
}

// reload reads the file and says once what is wrong with it. Alerts too many are
// better than none, so that at the start, too, no more is done about it.
func (l *allowList) reload() {
	err := l.read()
	if err == nil || err.Error() == l.said {
		return
	}
	l.said = err.Error()
	if l.info == nil {
		err = fmt.Errorf("nothing is allowed until the allow-list is mended: %w", err)
	} else {
		err = fmt.Errorf("the allow-list before it holds on: %w", err)
	}
	l.warn(err)
}
