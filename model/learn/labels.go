package learn

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// LabelHeader is the first line of labels: texts of what is labelled bad, a line
// for each label, its fields separated by tabs and called as in an allow-list.
// "-" is a field that is not set.
const LabelHeader = "#fields\toriginator\tlocal_orig\tproto\tservice\tconn_state\torig_ip_bytes\tresp_ip_bytes"

// changeHeader is that of what was labelled as time went by (LabelChange).
var changeHeader = strings.Replace(LabelHeader, "\t", "\trows\t", 1)

const (
	labelColumns = 7
	// maxLabelled is the most kinds of all labels: one that label wrote has at most
	// eighteen.
	maxLabelled = 1 << 14
)

// noLabel is the line that says that nothing is labelled.
var noLabel = strings.Repeat("-\t", labelColumns-1) + "-"

// labelledKind is a kind of connection that is labelled bad.
type labelledKind struct {
	cell uint64
	host uint32 // of the originator, 0 for any
}

func (k labelledKind) compare(other labelledKind) int {
	return cmp.Or(cmp.Compare(k.cell, other.cell), cmp.Compare(k.host, other.host))
}

// parseLabels reads labels, after their header, and returns them in the order in
// which they are compared, with the kinds that they name. A label that names no
// kind, because it has no conn_state or bytes, is left out.
func parseLabels(text string) (lines []string, kinds []labelledKind, err error) {
	err = eachLabel(text, LabelHeader, func(line string) (err error) {
		before := len(kinds)
		if kinds, err = appendKinds(kinds, line); len(kinds) > before {
			lines = append(lines, line)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(lines)
	slices.SortFunc(kinds, labelledKind.compare)
	return slices.Compact(lines), slices.Compact(kinds), nil
}

// eachLabel passes the lines after the header, without their ends, until f finds
// a fault; the error says in which line.
func eachLabel(text, header string, f func(line string) error) error {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if number == 1 {
			if line != header {
				return fmt.Errorf("line 1 of labels: want %q", header)
			}
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("line %d of labels: %w", number, err)
		}
	}
	return nil
}

func appendKinds(kinds []labelledKind, line string) ([]labelledKind, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != labelColumns {
		return nil, fmt.Errorf("%d fields, want %d", len(fields), labelColumns)
	}
	var host uint32
	k := feature.ConnKinds{Local: []bool{true, false}}
	carried := true // bytes are known
	for i, value := range fields {
		if value == "-" {
			carried = carried && i < 5
			continue
		}
		var ok bool
		switch i {
		case 0:
			a, err := netip.ParseAddr(value)
			if ok = err == nil && a.Zone() == ""; ok {
				host = feature.OriginatorHash(conn.Host{Addr: a.Unmap()})
			}
		case 1:
			ok = value == "T" || value == "F"
			k.Local = []bool{value == "T"}
		case 2:
			k.Proto, ok = conn.ParseProto(value)
		case 3:
			k.Service, ok = value, true
		case 4:
			k.State, ok = conn.ParseState(value)
		case 5:
			k.OrigBytes, ok = parseSpan(value)
		case 6:
			k.RespBytes, ok = parseSpan(value)
		}
		if !ok {
			return nil, fmt.Errorf("%s: %q cannot be used", strings.Split(LabelHeader, "\t")[i+1], value)
		}
	}
	if k.State == conn.NoState || !k.State.Failed() && !carried {
		return kinds, nil
	}
	if len(kinds)+k.N() > maxLabelled {
		return nil, fmt.Errorf("more than %d kinds of connection are labelled bad: take labels that are no longer needed out", maxLabelled)
	}
	for _, cell := range k.Append(nil) {
		kinds = append(kinds, labelledKind{cell, host})
	}
	return kinds, nil
}

func parseSpan(value string) (span [2]uint64, ok bool) {
	low, high, _ := strings.Cut(value, "-")
	var errs [2]error
	span[0], errs[0] = strconv.ParseUint(low, 10, 63)
	span[1], errs[1] = strconv.ParseUint(high, 10, 63)
	return span, errors.Join(errs[:]...) == nil && span[0] <= span[1]
}

// LabelChange says what is labelled bad from a row on: of everything, not only
// what is new.
type LabelChange struct {
	Rows   uint64 // learnt before
	Labels string // as SetLabels takes them
}

// ParseLabelChanges reads what FormatLabelChanges wrote.
func ParseLabelChanges(text string) (changes []LabelChange, err error) {
	err = eachLabel(text, changeHeader, func(line string) error {
		at, label, _ := strings.Cut(line, "\t")
		rows, err := strconv.ParseUint(at, 10, 64)
		if err != nil {
			return fmt.Errorf("rows: %q is not a number", at)
		}
		last := len(changes) - 1
		if last < 0 || changes[last].Rows != rows {
			if last >= 0 && changes[last].Rows > rows {
				return fmt.Errorf("rows: %d follows %d", rows, changes[last].Rows)
			}
			changes, last = append(changes, LabelChange{rows, LabelHeader + "\n"}), last+1
		}
		if label == noLabel {
			return nil
		}
		changes[last].Labels += label + "\n"
		_, err = appendKinds(nil, label)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// FormatLabelChanges writes changes, the earliest first, as a text of a line for
// each label.
func FormatLabelChanges(changes []LabelChange) string {
	var out strings.Builder
	out.WriteString(changeHeader + "\n")
	for _, c := range changes {
		_, lines, _ := strings.Cut(c.Labels, "\n")
		if lines == "" {
			lines = noLabel + "\n"
		}
		for line := range strings.Lines(lines) {
			fmt.Fprintf(&out, "%d\t%s", c.Rows, line)
		}
	}
	return out.String()
}

// labelledRows are connections that are labelled bad: of each kind the first that
// the model in use found as strange as what is worth an alert. It stays while the
// label does, so that no later row, which the label may not mean, takes its place.
type labelledRows struct {
	labels string         // with the header; empty before the first
	kinds  []labelledKind // of the labels, sorted
	of     []labelledKind // of each row
	rows   *samples       // nil before the first label
}

// maxLabelledRows bounds the rows. What came first stays.
const maxLabelledRows = 1 << 8

// add takes a row where it is of a kind that has none.
func (l *labelledRows) add(cell uint64, host uint32, s *feature.Sample) {
	for _, k := range [...]labelledKind{{cell, host}, {cell, 0}} {
		if _, named := slices.BinarySearchFunc(l.kinds, k, labelledKind.compare); !named {
			continue
		}
		if len(l.of) < maxLabelledRows && !slices.Contains(l.of, k) {
			l.rows.put(len(l.of), s)
			l.of = append(l.of, k)
		}
	}
}

// set puts labels in the place of those before, and keeps the rows that they
// name.
func (l *labelledRows) set(labels string, kinds []labelledKind, set *feature.Set) {
	before := *l
	*l = labelledRows{labels: labels, kinds: kinds, rows: newSamples(set, maxLabelledRows)}
	for i, k := range before.of {
		if _, named := slices.BinarySearchFunc(kinds, k, labelledKind.compare); named {
			s := before.rows.at(i)
			l.rows.put(len(l.of), &s)
			l.of = append(l.of, k)
		}
	}
}

// SetLabels says what is labelled bad (LabelHeader): a new model must find it
// strange where the one in use does. changed tells whether that is something
// new. On an error the labels before hold on.
func (l *Learner) SetLabels(text string) (changed bool, err error) {
	if l.o.Set != feature.Conn {
		return false, fmt.Errorf("labels are about connections, and %s are none", l.o.Set.Rows)
	}
	lines, kinds, err := parseLabels(text)
	if err != nil {
		return false, err
	}
	labels := LabelHeader + "\n"
	for _, line := range lines {
		labels += line + "\n"
	}
	if labels == l.Labels() {
		return false, nil
	}
	l.labelled.set(labels, kinds, l.o.Set)
	l.alerts.each(func(cell uint64, host uint32, s *feature.Sample) { l.labelled.add(cell, host, s) })
	if l.trial != nil {
		l.trial.labelled, l.trial.lost = 0, 0
	}
	return true, nil
}

// Labels returns what is labelled bad, as SetLabels takes it.
func (l *Learner) Labels() string { return cmp.Or(l.labelled.labels, LabelHeader+"\n") }
