package zeeklog

import (
	"fmt"
	"strings"
)

// Names says what the columns of a log are where the log itself does not: it
// has no header (LogAscii::include_meta = F), or its columns have other names
// (Log::default_field_name_map).
type Names struct {
	order []string         // all columns, in the order of the log
	other map[string]field // what a column of another name is

	schema *Schema // of a log that is not conn.log, in place of both
}

// ParseNames reads the names of all columns in the order of the log, separated
// by commas, or pairs THEIRS=OURS, such as src=id.orig_h. Columns that
// conn.log does not have can have any name. Nothing is nil.
func ParseNames(text string) (*Names, error) {
	if text == "" {
		return nil, nil
	}
	list := strings.Split(text, ",")
	n := &Names{other: make(map[string]field)}
	for _, item := range list {
		theirs, ours, pair := strings.Cut(strings.TrimSpace(item), "=")
		switch {
		case theirs == "":
			return nil, fmt.Errorf("%q has a name missing", text)
		case !pair:
			n.order = append(n.order, theirs)
			continue
		}
		f := fieldNamed(ours)
		if f == noField {
			return nil, fmt.Errorf("%s: conn.log has no column %q", item, ours)
		}
		if known := fieldNamed(theirs); known != noField && known != f {
			return nil, fmt.Errorf("%s: %s is a column of conn.log itself", item, theirs)
		}
		n.other[theirs] = f
	}
	if n.order == nil {
		return n, nil
	}
	if len(n.other) > 0 {
		return nil, fmt.Errorf("%q mixes names in the order of the log with pairs THEIRS=OURS", text)
	}
	l := start(TSV)
	l.setNames(n.order)
	if l.err != nil {
		return nil, fmt.Errorf("%q: %w", text, l.err)
	}
	return n, nil
}

// field returns the field that a column of another name is, or noField.
func (n *Names) field(name string) field {
	if n == nil {
		return noField
	}
	if f, ok := n.other[name]; ok {
		return f
	}
	return noField
}

// ordered returns the names of all columns, nil when they are not given.
func (n *Names) ordered() []string {
	if n == nil {
		return nil
	}
	return n.order
}

// Named says what the log's columns are called, nil that its header tells. It
// is called before the first Next.
func (b *Blocks) Named(n *Names) *Blocks {
	b.names = n
	return b
}

// Named is as (*Blocks).Named, before the first Read.
func (r *Reader) Named(n *Names) *Reader {
	r.blocks.Named(n)
	return r
}
