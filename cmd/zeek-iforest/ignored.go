package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// An option that would be ignored is refused: whoever gives it expects
// something of it. All such combinations stand here.

// ignored says where options of a verb mean nothing.
type ignored struct {
	options string // their names, with spaces between; "but a b" is all others
	given   string // where this option is given …
	value   string // … with this value, where one is named,
	unless  string // … and not this one
	missing string // or where this one is not, with a value that begins like value,
	what    string // or where the verb is told to do this
	because string
	says    string // in place of "means nothing with …"
}

// learnt are the options of learningFlags.
const learnt = "trees subsample max-depth without cuts-within sampling seed"

// ignoredBy are the rules of each verb.
var ignoredBy = map[string][]ignored{
	"replay": {
		{options: learnt + " learn-from-input", given: "model", because: "it is made already"},
		{options: "columns", given: "top", because: "it prints a table instead of a log"},
		{options: "format", given: "top", unless: "with-zeek", because: "it prints a table instead of a log"},
		{options: "output long plot " + learnt, given: "with-zeek", because: "the logs are scored in their folder"},
	},
	"train": {
		{options: "warmup rebuild-every zeek-version", missing: "as-sensor", unless: "state-dir"},
		{options: "samples labels", missing: "as-sensor"},
		{options: "node alerts-per-day", missing: "state-dir"},
		{options: "output trees subsample max-depth without cuts-within sampling samples labels", given: "state-dir", because: "it makes what a sensor learns, as a sensor does"},
		{options: "but samples as-sensor labels output", given: "samples", because: "the file says how to learn"},
		{options: "partition-by", given: "as-sensor", because: "a sensor sees all hosts"},
	},
	"score": {
		{options: "learn-from-input partition-by order-by log-start uid-column keep x509 alerts-per-day", given: "samples", because: "the scores are those that the workers gave"},
		{options: "learn-from-input", given: "model", because: "it is made already"},
		{options: "learn-from-input", given: "partition-by", because: "a part of a log makes no model of the whole"},
		{options: "columns keep", given: "top", because: "it prints a table instead of a log"},
		{options: "columns keep", given: "alerts-per-day", because: "it prints a table instead of a log"},
		{options: "alerts-per-day", given: "partition-by", value: "originator"},
		{options: "alerts-per-day model columns top fail-above plot log-start", given: "partition-by", value: "responder"},
	},
	"explain": {
		{options: "tree", missing: "trace"},
		{options: "among ordinary", given: "similar", value: "0"},
	},
	"eval": {
		{options: "but table label trees subsample max-depth seeds json", given: "table", says: "is for labelled logs, not for --table"},
		{options: learnt + " seeds", given: "model", because: "it is made already"},
		{options: "alerts-per-day", missing: "campaign"},
	},
	"watch": {
		{options: "to state spool ca webhook-token webhook-template", given: "dry-run", because: "nothing is sent or kept"},
		{options: "ca", missing: "to"},
		{options: "webhook-token webhook-template", missing: "to", value: "json:"},
	},
	"allow": {
		{options: "log", missing: "from-uid"},
		{options: "but file", what: "list"},
		{options: "but file", what: "remove"},
	},
	"tune": {
		{options: "label anomalous normal", given: "unlabelled"},
	},
	"drill": {
		{options: "per-day", given: "alerts-per-day", because: "it is the same"},
	},
}

// refuseIgnored refuses options that the others make meaningless; what is the
// first argument, which tells some verbs what to do.
func refuseIgnored(verb string, flags *pflag.FlagSet, what string) error {
	var all []error
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.String() == "" && f.Value.Type() == "string" {
			all = append(all, fmt.Errorf("--%s is empty", f.Name)) // an unset variable of a script, mostly
			return
		}
		for _, r := range ignoredBy[verb] {
			if r.holds(flags, what) && r.names(f.Name) {
				all = append(all, r.refuse(f.Name))
				return
			}
		}
	})
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

func (r *ignored) holds(flags *pflag.FlagSet, what string) bool {
	switch {
	case r.unless != "" && flags.Changed(r.unless):
		return false
	case r.what != "":
		return r.what == what
	case r.missing != "" && r.value != "":
		list, ok := flags.Lookup(r.missing).Value.(pflag.SliceValue)
		return !ok || !slices.ContainsFunc(list.GetSlice(), func(v string) bool { return strings.HasPrefix(v, r.value) })
	case r.missing != "":
		return !flags.Changed(r.missing) || flags.Lookup(r.missing).Value.String() == "false"
	case r.value != "":
		return flags.Lookup(r.given).Value.String() == r.value
	}
	return flags.Changed(r.given) && flags.Lookup(r.given).Value.String() != "false"
}

func (r *ignored) names(option string) bool {
	list := strings.Fields(r.options)
	if list[0] == "but" {
		return !slices.Contains(list[1:], option)
	}
	return slices.Contains(list, option)
}

func (r *ignored) refuse(option string) error {
	if r.says != "" {
		return fmt.Errorf("--%s %s", option, r.says)
	}
	text := "--" + option + " means nothing "
	switch {
	case r.what != "":
		text += "to " + r.what
	case r.missing != "":
		if text += "without --" + r.missing; r.value != "" {
			text += " " + r.value + "…"
		}
	default:
		text += "with --" + r.given
		if r.value != "" {
			text += " " + r.value
		}
	}
	if r.because != "" {
		return fmt.Errorf("%s: %s", text, r.because)
	}
	return errors.New(text)
}
