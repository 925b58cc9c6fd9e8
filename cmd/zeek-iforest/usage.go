package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/internal/version"
)

func completionVerb() verb {
	shells := []string{"bash", "zsh", "fish"}
	return verb{
		name:     "completion",
		synopsis: "bash|zsh|fish",
		short:    "print what completes this command line in a shell",
		about: `bash   source <(zeek-iforest completion bash)
zsh    zeek-iforest completion zsh > "${fpath[1]}/_zeek-iforest"
fish   zeek-iforest completion fish > ~/.config/fish/completions/zeek-iforest.fish`,
		words: shells,
		define: func(*pflag.FlagSet) func(*session, []string) error {
			return func(s *session, args []string) error {
				if len(args) != 1 {
					return hinted(errors.New("one shell wanted"), "bash, zsh or fish")
				}
				p := commandLine()
				write, ok := map[string]func() []byte{"bash": p.Bash, "zsh": p.Zsh, "fish": p.Fish}[args[0]]
				if !ok {
					return hinted(fmt.Errorf("there is no completion for %q", args[0]), "bash, zsh or fish")
				}
				_, err := s.stdout.Write(write())
				return err
			}
		},
	}
}

func manVerb() verb {
	return verb{
		name:  "man",
		short: "print the manual page: zeek-iforest man | man -l -",
		define: func(*pflag.FlagSet) func(*session, []string) error {
			return func(s *session, args []string) error {
				if len(args) != 0 {
					return fmt.Errorf("man takes no argument, got %q", args[0])
				}
				_, err := s.stdout.Write(commandLine().Man())
				return err
			}
		},
	}
}

// commandLine returns the program as the manual page and the completions see it.
func commandLine() *usage.Program {
	p := &usage.Program{
		Name:    "zeek-iforest",
		Version: version.String(),
		Short:   short,
		About: `Every connection of a conn.log or a pcap gets an anomaly score between 0 and 1,
from an Isolation Forest that was grown from ordinary connections of the same network.
The score is the one that the Zeek package zeek-iforest writes into conn.log, digit for digit.

Logs are read as TSV, JSON, CSV or Parquet, plain or compressed. A - stands for
standard input. Results go to standard output, warnings and progress to standard error.`,
		Exits: exits,
		Seen:  []string{"zeek(8)", "https://github.com/zeek-iforest/zeek-iforest"},
	}
	for _, v := range verbs() {
		flags := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
		flags.SortFlags = false
		v.options(flags)
		p.Verbs = append(p.Verbs, usage.Verb{
			Name: v.name, Synopsis: v.synopsis, Short: v.short, About: v.about, Words: v.words, Flags: flags,
		})
	}
	return p
}
