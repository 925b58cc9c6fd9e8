package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

// ranges are the ranges of all numbers, by verb and option. "!" before a bound
// says that it is not itself in the range.
var ranges = map[string][2]string{
	"replay trees": {"1", "4096"}, "replay subsample": {"2", "1048576"}, "replay max-depth": {"0", "1048576"}, "replay seed": {"0", "18446744073709551615"},
	"replay top": {"1", "1000000"}, "replay fail-above": {"!0", "!1"},
	"train trees": {"1", "4096"}, "train subsample": {"2", "1048576"}, "train max-depth": {"0", "1048576"}, "train seed": {"0", "18446744073709551615"},
	"train warmup": {"1", "1000000000"}, "train rebuild-every": {"1", "1000000000"}, "train alerts-per-day": {"0.001", "1000000"},
	"score top": {"1", "1000000"}, "score fail-above": {"!0", "!1"}, "score alerts-per-day": {"0.001", "1000000"},
	"explain similar": {"0", "1000"}, "explain ordinary": {"1", "1000000000"}, "explain tree": {"0", "4095"},
	"eval trees": {"1", "4096"}, "eval subsample": {"2", "1048576"}, "eval max-depth": {"0", "1048576"}, "eval seed": {"0", "18446744073709551615"},
	"eval cv": {"2", "10000"}, "eval seeds": {"1", "10000"},
	"watch alerts-per-day": {"0.001", "1000000"}, "watch alerts-per-hour": {"0", "1000000"}, "watch spool": {"1", "1000000"},
	"label alerts-per-day": {"0.001", "1000000"}, "browse alerts-per-day": {"0.001", "1000000"},
	"report top": {"1", "1000000"}, "report alerts-per-day": {"0.001", "1000000"}, "eval alerts-per-day": {"0.001", "1000000"},
	"tune trees": {"1", "4096"}, "tune subsample": {"2", "1048576"}, "tune max-depth": {"0", "1048576"}, "tune seeds": {"2", "10000"}, "tune fpr": {"!0", "!1"},
	"drill alerts-per-day": {"0.001", "1000000"}, "drill per-day": {"0.001", "1000000"}, "drill times": {"1", "1000"}, "drill seed": {"0", "18446744073709551615"},
}

// eachOption calls do with each option of each verb, freshly defined.
func eachOption(t *testing.T, do func(t *testing.T, name string, f *pflag.Flag)) {
	for _, v := range verbs() {
		flags := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
		v.define(flags)
		flags.VisitAll(func(f *pflag.Flag) {
			t.Run(v.name+"/"+f.Name, func(t *testing.T) { do(t, v.name+" "+f.Name, f) })
		})
	}
}

// TestNumbersHaveRanges: an option is text, a list of texts, a switch, or a
// number with a range that the table above tells.
func TestNumbersHaveRanges(t *testing.T) {
	seen := map[string]bool{}
	eachOption(t, func(t *testing.T, name string, f *pflag.Flag) {
		kind := f.Value.Type()
		what, _ := pflag.UnquoteUsage(f)
		bounds, ranged := ranges[name]
		seen[name] = true
		switch {
		case kind == "number" || kind == "numbers":
			require.True(t, ranged, "the table has no range for this number")
		case what == "N" || what == "NUMBERS" || what == "SCORE":
			t.Fatalf("%s stands for a number, but the option is of type %s", what, kind)
		default:
			require.Contains(t, []string{"string", "bool", "stringArray", "stringSlice"}, kind, "numbers are defined with numberVar, which wants a range")
			require.False(t, ranged)
			return
		}
		before := f.Value.String()
		for _, text := range []string{"", " ", "x", "nan", "NaN", "-nan", "inf", "-inf", "+Inf", "1e999", "-1e999", "-1", "-0.5", "99999999999999999999", "1;2", "1 2", "0x"} {
			require.Error(t, f.Value.Set(text), "%q", text)
			require.Equal(t, before, f.Value.String(), "%q changed the value", text)
		}
		for i, bound := range bounds {
			edge, excluded := strings.CutPrefix(bound, "!")
			if excluded {
				require.Error(t, f.Value.Set(edge))
				continue
			}
			require.NoError(t, f.Value.Set(edge))
			n, err := strconv.ParseFloat(edge, 64)
			require.NoError(t, err)
			if n += float64(2*i - 1); n < 1e18 {
				require.Error(t, f.Value.Set(strconv.FormatFloat(n, 'f', -1, 64)), "beyond %s", edge)
			}
		}
	})
	for name := range ranges {
		require.True(t, seen[name], "%s is in the table, but there is no such option", name)
	}
}

func TestNumbersInWords(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"score --fail-above nan", `invalid --fail-above "nan": not a number`},
		{"score --fail-above 0", `invalid --fail-above "0": must be above 0 and below 1`},
		{"replay --fail-above=-inf", `invalid --fail-above "-inf": must be above 0 and below 1`},
		{"replay --top 0", `invalid --top "0": must be from 1 to 1000000`},
		{"report --top 1.5", `invalid --top "1.5": not a whole number`},
		{"watch --alerts-per-day nan", `invalid --alerts-per-day "nan": not a number`},
		{"watch --alerts-per-day 0", `invalid --alerts-per-day "0": must be from 0.001 to 1000000`},
		{"watch --alerts-per-hour=-1", `invalid --alerts-per-hour "-1": must be from 0 to 1000000`},
		{"drill --per-day NaN", `invalid --per-day "NaN": not a number`},
		{"drill --alerts-per-day 1e999", `invalid --alerts-per-day "1e999": must be from 0.001 to 1000000`},
		{"drill --seed=-1", `invalid --seed "-1": must be from 0 to 18446744073709551615`},
		{"train --trees 99999999999999999999", `invalid --trees "99999999999999999999": must be from 1 to 4096`},
		{"tune --trees 50,x", `invalid --trees "50,x": not a whole number`},
		{"tune --fpr 1", `invalid --fpr "1": must be above 0 and below 1`},
	} {
		var stderr strings.Builder
		s := &session{Context: t.Context(), stdout: &strings.Builder{}, stderr: &stderr}
		require.Equal(t, exitNot, run(s, strings.Fields(c.args)), c.args)
		require.Contains(t, stderr.String(), "zeek-iforest: error: "+c.want+"\n", c.args)
	}
}

// TestListsOfNumbers: the first that are given take the place of the default,
// further ones are added, as pflag's own lists do.
func TestListsOfNumbers(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	var list []int
	numbersVar(flags, &list, "n", []int{7, 8}, between(1, 9), "")
	require.Equal(t, "[7,8]", flags.Lookup("n").Value.String())
	require.NoError(t, flags.Parse([]string{"--n", "1,2", "--n", "3"}))
	require.Equal(t, []int{1, 2, 3}, list)
}

// TestOneBudget: drill, watch and the sensor have the same default, and the
// option the same name.
func TestOneBudget(t *testing.T) {
	want := fmt.Sprint(alerts.DefaultPerDay)
	eachOption(t, func(t *testing.T, name string, f *pflag.Flag) {
		switch {
		case name == "score alerts-per-day":
			require.Equal(t, "0", f.DefValue, "not asked for")
		case f.Name == "alerts-per-day":
			require.Equal(t, want, f.DefValue)
		case strings.HasSuffix(f.Name, "per-day"):
			require.True(t, f.Hidden, "the old name")
		}
	})
	options, err := os.ReadFile("../../scripts/options.zeek")
	require.NoError(t, err)
	found := regexp.MustCompile(`alerts_per_day\s*=\s*([0-9]+)`).FindSubmatch(options)
	require.NotNil(t, found)
	require.Equal(t, want, string(found[1]))
}
