package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// TestIgnoredOptionsAreRefused: none is taken silently and without effect.
func TestIgnoredOptionsAreRefused(t *testing.T) {
	for command, says := range map[string]string{
		"replay -m x --trees 5 x.pcap":                            "--trees means nothing with --model: it is made already",
		"replay -m x --seed 1 x.pcap":                             "--seed means nothing with --model",
		"replay -m x --cuts-within x.pcap":                        "--cuts-within means nothing with --model",
		"replay --top 3 --format json x.pcap":                     "--format means nothing with --top",
		"replay --top 3 --columns rank x.pcap":                    "--columns means nothing with --top",
		"train -o m --warmup 5 x.log":                             "--warmup means nothing without --as-sensor",
		"train -o m --labels l x.log":                             "--labels means nothing without --as-sensor",
		"train --state-dir d --as-sensor --labels l x.log":        "--labels means nothing with --state-dir",
		"train -o m --as-sensor=false --warmup 5 x.log":           "--warmup means nothing without --as-sensor",
		"train -o m --as-sensor --samples s --strict":             "--strict means nothing with --samples",
		"train -o m --as-sensor --samples s --columns-in a,b":     "--columns-in means nothing with --samples",
		"train --state-dir d -o m x.log":                          "--output means nothing with --state-dir",
		"train --state-dir d --trees 5 x.log":                     "--trees means nothing with --state-dir",
		"train -o m --node manager x.log":                         "--node means nothing without --state-dir",
		"train -o m --alerts-per-day 5 x.log":                     "--alerts-per-day means nothing without --state-dir",
		"replay -m x --learn-from-input x.pcap":                   "--learn-from-input means nothing with --model",
		"score -m x --learn-from-input x.log":                     "--learn-from-input means nothing with --model",
		"score --partition-by originator --learn-from-input":      "--learn-from-input means nothing with --partition-by",
		"score -m x --top 3 --columns rank x.log":                 "--columns means nothing with --top",
		"score -m x --alerts-per-day 3 --columns rank x.log":      "--columns means nothing with --alerts-per-day",
		"score --partition-by responder -m x x.log":               "--model means nothing with --partition-by responder",
		"score --partition-by responder --plot x.svg x.log":       "--plot means nothing with --partition-by responder",
		"score --partition-by originator -m x --alerts-per-day 1": "--alerts-per-day means nothing with --partition-by originator",
		"score --samples s --alerts-per-day 5 x.log":              "--alerts-per-day means nothing with --samples: the scores are those that the workers gave",
		"score --samples s --learn-from-input x.log":              "--learn-from-input means nothing with --samples",
		"score --samples s --uid-column x.log":                    "--uid-column means nothing with --samples",
		"explain -m x --uid C --tree 1 x.log":                     "--tree means nothing without --trace",
		"explain -m x --uid C --similar 0 --among y x.log":        "--among means nothing with --similar 0",
		"explain -m x --uid C --similar 0 --ordinary 5 x.log":     "--ordinary means nothing with --similar 0",
		"eval --table t.csv --report r.html":                      "--report is for labelled logs, not for --table",
		"eval --table t.csv --sampling uniform":                   "--sampling is for labelled logs, not for --table",
		"eval --table t.csv --seed 4":                             "--seed is for labelled logs, not for --table",
		"eval --table t.csv -m x":                                 "--model is for labelled logs, not for --table",
		"eval -m x --seeds 5 l.log":                               "--seeds means nothing with --model",
		"eval -m x --trees 5 l.log":                               "--trees means nothing with --model",
		"watch --dry-run --to stdout l.log":                       "--to means nothing with --dry-run",
		"watch --dry-run --state s l.log":                         "--state means nothing with --dry-run",
		"watch --webhook-token env:X l.log":                       "--webhook-token means nothing without --to json:…",
		"watch --to slack:env:X --webhook-template t l.log":       "--webhook-template means nothing without --to json:…",
		"watch --ca x l.log":                                      "--ca means nothing without --to",
		"allow add --originator 10.0.0.1 --log x.log":             "--log means nothing without --from-uid",
		"allow list --originator 10.0.0.1":                        "--originator means nothing to list",
		"allow remove 2 --comment x":                              "--comment means nothing to remove",
		"tune --unlabelled --label x l.log":                       "--label means nothing with --unlabelled",
		"tune --family x l.log":                                   "unknown flag: --family",
		"drill -m x --per-day 3 --alerts-per-day 4 l.log":         "--per-day means nothing with --alerts-per-day",
	} {
		var stderr strings.Builder
		s := &session{Context: t.Context(), stdout: io.Discard, stderr: &stderr}
		require.Equal(t, exitNot, run(s, strings.Fields(command)), command)
		require.Contains(t, stderr.String(), "error: "+says, command)
	}
}

// Each rule names verbs and options that there are.
func TestIgnoredNamesOptions(t *testing.T) {
	known := map[string]bool{}
	for _, v := range verbs() {
		known[v.name] = true
		flags := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
		v.define(flags)
		for _, r := range ignoredBy[v.name] {
			names := append(strings.Fields(strings.TrimPrefix(r.options, "but ")), r.given, r.missing)
			for _, name := range names {
				require.True(t, name == "" || flags.Lookup(name) != nil, "%s has no --%s", v.name, name)
			}
		}
	}
	for verb := range ignoredBy {
		require.True(t, known[verb], verb)
	}
}
