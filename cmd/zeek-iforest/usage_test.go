package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// typed are keys, a tab among them, and the arguments that the program then gets.
type typed struct{ keys, want string }

var typedKeys = []typed{
	{"inf\tmy\t", "<info><my model>"},
	{"replay --format=j\t", "<replay><--format=json>"},
	{"replay --format j\t", "<replay><--format><json>"},
	{"train --sampling b\t-m m\t", "<train><--sampling><balanced><-m><my model>"},
	{"score --columns score,ra\t", "<score><--columns><score,rank>"},
	{"tune --sampling u\t", "<tune><--sampling><uniform>"},
	{"allow a\t--ori\t", "<allow><add><--originator>"},
	{"watch --state d\t", "<watch><--state><d>"},
	{"completion f\t", "<completion><fish>"},
	{"help sc\t", "<help><score>"},
}

// optionKeys are all but the last letter of each option of each verb.
func optionKeys() (all []typed) {
	for _, v := range commandLine().Verbs {
		var names []string
		v.Flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, "--"+f.Name)
			}
		})
		for _, name := range names {
			begin := name[:len(name)-1]
			alike := 0
			for _, other := range names {
				if strings.HasPrefix(other, begin) {
					alike++
				}
			}
			if alike == 1 {
				all = append(all, typed{v.Name + " " + begin + "\t", "<" + v.Name + "><" + name + ">"})
			}
		}
	}
	return all
}

// shellFolder has files to complete, and the completions of all shells.
func shellFolder(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
	p := commandLine()
	for name, text := range map[string][]byte{
		"my model": nil, "other.log": nil,
		"complete.bash": p.Bash(), "_zeek-iforest": p.Zsh(), "complete.fish": p.Fish(),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	return dir
}

// inShell runs a program in dir with a standard input.
func inShell(t *testing.T, dir, stdin, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.WaitDelay = time.Second
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=dumb", "LC_ALL=C.UTF-8")
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	return string(out)
}

// compare holds the lines "<argument><argument>" against what was wanted.
func compare(t *testing.T, all []typed, got string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(got), "\n")
	require.Len(t, lines, len(all), "%s", got)
	for i, k := range all {
		// Bash puts a slash behind a folder, zsh = behind an option.
		line := strings.NewReplacer("/>", ">", "=>", ">").Replace(lines[i])
		require.Equal(t, k.want, line, "typed %q", k.keys)
	}
}

func typeAll(all []typed) string {
	var b strings.Builder
	for _, k := range all {
		b.WriteString("zeek-iforest " + k.keys + "\n")
	}
	return b.String()
}

func TestCompletionInBash(t *testing.T) {
	bash := testenv.Program(t, "bash")
	dir := shellFolder(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rc"), []byte(`
zeek-iforest() { printf '<%s>' "$@"; echo; }
source ./complete.bash
bind 'set bell-style none' 2>/dev/null
PS1=
`), 0o644))
	all := append(optionKeys(), typedKeys...)
	compare(t, all, inShell(t, dir, typeAll(all)+"exit 0\n", bash, "--rcfile", "rc", "-i"))
}

func TestCompletionInZsh(t *testing.T) {
	zsh := testenv.Program(t, "zsh")
	dir := shellFolder(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "drive"), []byte(`
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1='READY> '; fpath=($PWD \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump; setopt nobeep; zeek-iforest() { printf '<%s>' \"\$@\" >> out; echo >> out }; print RE''ADY"
zpty -r -m z answer '*READY*READY> *' || exit 1
while IFS= read -r line; do zpty -w z "$line"; done
zpty -w z exit
while zpty -r z answer; do :; done
cat out
`), 0o644))
	all := append(optionKeys(), typedKeys...)
	compare(t, all, inShell(t, dir, typeAll(all), zsh, "-f", "drive"))
}

func TestCompletionInFish(t *testing.T) {
	fish := testenv.Program(t, "fish")
	dir := shellFolder(t)
	offers := func(line string) (words []string) {
		out := inShell(t, dir, "", fish, "--no-config", "-c", `source complete.fish; complete -C "$argv"`, "zeek-iforest "+line)
		for _, l := range strings.Split(strings.TrimSpace(out), "\n") {
			word, _, _ := strings.Cut(l, "\t")
			words = append(words, word)
		}
		return words
	}
	require.Equal(t, []string{"info"}, offers("inf"))
	require.Equal(t, []string{"my model"}, offers("info m"))
	require.Equal(t, []string{"json", "tsv"}, offers("replay --format "))
	require.Equal(t, []string{"score,rank"}, offers("score --columns score,ra"))
	require.Equal(t, []string{"add", "list", "remove"}, offers("allow "))
	require.Equal(t, []string{"d/"}, offers("watch --state "))
	require.Equal(t, []string{"score"}, offers("help sc"))
	require.NotContains(t, offers("replay --columns score --"), "--alerts-per-day", "an argument is no verb")
	for _, v := range commandLine().Verbs {
		want := []string{"--help"}
		v.Flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				want = append(want, "--"+f.Name)
			}
		})
		require.ElementsMatch(t, want, offers(v.Name+" --"), v.Name)
	}
}

func TestManualPage(t *testing.T) {
	page := commandLine().Man()
	for _, v := range commandLine().Verbs {
		require.Contains(t, string(page), "\n.SS "+v.Name+"\n")
		v.Flags.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				require.Contains(t, string(page), `\fB\-\-`+strings.ReplaceAll(f.Name, "-", `\-`)+`\fR`, v.Name)
			}
		})
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "page.1"), page, 0o644))

	t.Run("mandoc", func(t *testing.T) {
		cmd := exec.Command(testenv.Program(t, "mandoc"), "-T", "lint", "-W", "warning", "page.1")
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput() // the status tells that there are warnings
		for line := range strings.Lines(string(out)) {
			require.Contains(t, line, "missing date", "a page made from a program has none")
		}
	})
	t.Run("groff", func(t *testing.T) {
		cmd := exec.Command(testenv.Program(t, "groff"), "-man", "-ww", "-z", "-k", "-Tutf8", "page.1")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err)
		require.Empty(t, string(out))
	})
	t.Run("man", func(t *testing.T) {
		text := inShell(t, dir, "", testenv.Program(t, "man"), "--warnings", "-P", "cat", "-l", "page.1")
		require.Contains(t, text, "EXIT STATUS")
		require.Contains(t, text, "--alerts-per-day")
	})
}
