// Package usage writes what belongs to a command line beside its help: the
// manual page and the completions of bash, zsh and fish. All are made from the
// verbs' own options, so an option is described once, where it is defined.
package usage

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Program is a command line with verbs.
type Program struct {
	Name    string
	Version string
	Short   string // one line
	About   string // paragraphs
	Verbs   []Verb
	Exits   []string // exit statuses from 0 on, what each means
	Seen    []string // SEE ALSO
}

// Verb is one sub-command.
type Verb struct {
	Name     string
	Synopsis string   // what follows the name
	Short    string   // one line
	About    string   // paragraphs, may be empty
	Words    []string // what its first argument can be, where that is not a file
	Flags    *pflag.FlagSet
}

const (
	choices = "choices" // an annotation: what an option's value can be
	list    = "list"    // an annotation: the value is several of them, with commas between
)

// Choices says what the value of an option can be.
func Choices(flags *pflag.FlagSet, name string, values ...string) {
	annotate(flags, name, choices, values)
}

// List says what can stand in an option's comma-separated value.
func List(flags *pflag.FlagSet, name string, values ...string) {
	annotate(flags, name, choices, values)
	annotate(flags, name, list, nil)
}

func annotate(flags *pflag.FlagSet, name, key string, values []string) {
	if err := flags.SetAnnotation(name, key, values); err != nil {
		panic(err) // there is no such option: a slip in the program
	}
}

// value says what follows an option.
type value int

const (
	none   value = iota // nothing: a switch
	free                // something that nobody can guess, a number
	file                // a file
	folder              // a folder
	chosen              // one of the choices
	listed              // several of the choices
)

// option is what this package knows of a flag.
type option struct {
	*pflag.Flag
	takes  value
	called string // what the help calls the value: FILE
	text   string // the description
}

// files are the names of values that are files.
var files = []string{"FILE", "LOG", "CONN.LOG"}

// options returns the visible options of a verb, in the order of its help.
func (v *Verb) options() (all []option) {
	v.Flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		o := option{Flag: f}
		o.called, o.text = pflag.UnquoteUsage(f)
		_, isList := f.Annotations[list]
		switch {
		case f.NoOptDefVal != "":
			o.takes, o.called = none, ""
		case isList:
			o.takes = listed
		case f.Annotations[choices] != nil:
			o.takes = chosen
		case o.called == "DIR":
			o.takes = folder
		case slices.Contains(files, o.called):
			o.takes = file
		default:
			o.takes = free
		}
		all = append(all, o)
	})
	return all
}

// spelled returns the ways to write the option: -m, --model.
func (o *option) spelled() []string {
	long := "--" + o.Name
	if o.Shorthand == "" {
		return []string{long}
	}
	return []string{"-" + o.Shorthand, long}
}

// values returns the choices.
func (o *option) values() []string { return o.Annotations[choices] }

// repeats reports whether the option can be given several times.
func (o *option) repeats() bool {
	_, ok := o.Value.(pflag.SliceValue)
	return ok
}

// brief returns the first clause of the description, for a completion's list.
func (o *option) brief() string {
	text, _, _ := strings.Cut(o.text, "; ")
	return text
}
