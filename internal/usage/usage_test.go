package usage_test

import (
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/golden"
	"github.com/zeek-iforest/zeek-iforest/internal/usage"
)

// program has an option of each sort and a text with each awkward character.
func program() *usage.Program {
	cut := pflag.NewFlagSet("cut", pflag.ContinueOnError)
	cut.SortFlags = false
	cut.StringP("output", "o", "", "write to `FILE`; not run by the shell: $(x) `y`")
	cut.StringArray("log", nil, "read `LOG` [of Zeek's]: again and again")
	cut.String("state", "", "keep what is known in `DIR`")
	cut.String("format", "tsv", "write as `FORMAT`")
	usage.Choices(cut, "format", "tsv", "json")
	cut.String("columns", "score", "add a `LIST` of columns")
	usage.List(cut, "columns", "score", "rank")
	cut.Int("n", 7, "take `N` rows")
	cut.BoolP("strict", "s", false, `stop at C:\nowhere`)
	cut.Bool("old", false, "no longer shown")
	if err := cut.MarkHidden("old"); err != nil {
		panic(err)
	}
	return &usage.Program{
		Name: "log-cut", Version: "1.2.3", Short: "cuts logs", About: "One paragraph.\n\na  table\n.b  of two lines",
		Verbs: []usage.Verb{
			{Name: "cut", Synopsis: "[OPTION …] LOG", Short: "cut Zeek's logs", About: "More of it.", Flags: cut},
			{Name: "keep", Synopsis: "add|list", Short: "keep a list", Words: []string{"add", "list"}, Flags: pflag.NewFlagSet("keep", pflag.ContinueOnError)},
		},
		Exits: []string{"done", "not done"},
		Seen:  []string{"zeek(8)"},
	}
}

func TestPages(t *testing.T) {
	p := program()
	golden.Assert(t, "testdata/log-cut.1", p.Man())
	golden.Assert(t, "testdata/log-cut.bash", p.Bash())
	golden.Assert(t, "testdata/_log-cut", p.Zsh())
	golden.Assert(t, "testdata/log-cut.fish", p.Fish())
}

func TestChoicesOfAnOptionThatIsNot(t *testing.T) {
	require.Panics(t, func() { usage.Choices(pflag.NewFlagSet("", pflag.ContinueOnError), "format", "tsv") })
}
