// Command zeek-iforest gives every connection of a conn.log or a pcap its
// anomaly score: the command line of the package of that name for Zeek.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/zeek-iforest/zeek-iforest/capture"
	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/version"
)

// The exit statuses, for all verbs.
const (
	exitDone   = 0 // done
	exitPartly = 1 // done, but some rows or packets could not be used
	exitNot    = 2 // not done: arguments, unreadable input, disk full, interrupted
	exitLimit  = 3 // a limit that the user set was passed
)

// exits says what each exit status means.
var exits = []string{
	exitDone:   "done",
	exitPartly: "done, but some rows or packets could not be used",
	exitNot:    "not done",
	exitLimit:  "a limit that you set was passed",
}

// short is the program in one line.
const short = "anomaly scores for Zeek's connections"

// verb is one sub-command.
type verb struct {
	name     string
	synopsis string   // what follows the name
	short    string   // one line
	about    string   // more, may be empty
	words    []string // what its first argument can be, where that is not a file
	logs     bool     // it reads logs to their end: --columns-in
	define   func(*pflag.FlagSet) func(*session, []string) error
}

// verbs in the order in which help lists them. Each has its file.
func verbs() []verb {
	return []verb{
		replayVerb, trainVerb, scoreVerb, explainVerb, infoVerb, evalVerb,
		watchVerb, allowVerb, labelVerb, browseVerb, reportVerb, tuneVerb, drillVerb, exportVerb, importVerb,
		completionVerb(), manVerb(),
	}
}

// session is what a verb works with: the process's streams and its end.
type session struct {
	context.Context // ends with Ctrl-C
	stdin           io.Reader
	stdout, stderr  io.Writer
	terminal        bool // stderr is one: progress may be drawn

	names *zeeklog.Names // of --columns-in

	certificates *certificates // of --x509, or that there are none

	begun     *input // opened to see of which log it is
	begunName string

	faults
	lacking
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	s := &session{
		Context:  ctx,
		stdin:    newInterruptible(ctx, os.Stdin),
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)
	status := run(s, os.Args[1:])
	stop()
	os.Exit(status)
}

// run runs the verb that args name and gives the exit status.
func run(s *session, args []string) int {
	if len(args) == 0 {
		printUsage(s.stderr)
		return exitNot
	}
	switch args[0] {
	case "-h", "--help", "help":
		if len(args) > 1 {
			args = []string{args[1], "--help"}
			break
		}
		printUsage(s.stdout)
		return exitDone
	case "--version", "version":
		fmt.Fprintln(s.stdout, "zeek-iforest", version.Build())
		fmt.Fprintln(s.stdout, "replay writes the rows of Zeek", capture.ZeekVersion)
		return exitDone
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return runVerb(s, v, args[1:])
		}
	}
	return s.fail(hinted(fmt.Errorf("there is no verb %q", args[0]), "zeek-iforest --help lists them"))
}

func runVerb(s *session, v verb, args []string) int {
	flags := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	do, names := v.options(flags)
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		printHelp(s.stdout, v, flags)
		return exitDone
	case err != nil:
		return s.fail(hinted(parseError(err), "zeek-iforest "+v.name+" --help lists the options"))
	}
	err := refuseIgnored(v.name, flags, flags.Arg(0))
	if err != nil {
		return s.fail(err)
	}
	if s.names, err = zeeklog.ParseNames(*names); err != nil {
		return s.fail(fmt.Errorf("--columns-in: %w", err))
	}
	err = do(s, flags.Args())
	s.sayLacking()
	if err != nil {
		return s.fail(err)
	}
	s.sayFaults()
	if s.unusable > 0 {
		return exitPartly
	}
	return exitDone
}

// options defines the verb's options. It gives what the verb does, and where
// the value of --columns-in will be.
func (v *verb) options(flags *pflag.FlagSet) (do func(*session, []string) error, columnsIn *string) {
	do = v.define(flags)
	if !v.logs {
		return do, new(string)
	}
	return do, columnsInFlag(flags)
}

func printUsage(w io.Writer) {
	fmt.Fprintf(w, "zeek-iforest: %s\n\nusage: zeek-iforest VERB [OPTION …] [FILE …]\n\n", short)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-10s %s\n", v.name, v.short)
	}
	fmt.Fprintf(w, "  %-10s %s\n", "version", "print the version")
	fmt.Fprintf(w, "\nzeek-iforest VERB --help tells more. Exit status:\n")
	for status, means := range exits {
		fmt.Fprintf(w, "  %d  %s\n", status, means)
	}
}

func printHelp(w io.Writer, v verb, flags *pflag.FlagSet) {
	fmt.Fprintf(w, "usage: zeek-iforest %s %s\n\n%s.\n", v.name, v.synopsis, v.short)
	if v.about != "" {
		fmt.Fprintf(w, "\n%s\n", v.about)
	}
	fmt.Fprintf(w, "\n%s", flags.FlagUsages())
}
