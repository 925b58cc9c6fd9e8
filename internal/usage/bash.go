package usage

import (
	"bytes"
	"fmt"
	"strings"
)

// Bash returns the program's completion for bash 3.2 and later.
func (p *Program) Bash() []byte {
	var b bytes.Buffer
	function := "_" + identifier(p.Name)
	fmt.Fprintf(&b, `# bash completion for %[1]s, made by "%[1]s completion bash".
# shellcheck shell=bash disable=SC2207
%[2]s() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words= before=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '%[3]s' -- "$cur"))
    return
  fi
  # --option=value comes as three words.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  case "$verb $prev" in
`, p.Name, function, strings.Join(append(p.names(), "version", "help", "--version", "--help"), " "))
	fmt.Fprintf(&b, "    'help help') words='%s' ;;\n", strings.Join(p.names(), " "))
	for i := range p.Verbs {
		v := &p.Verbs[i]
		for _, o := range v.options() {
			var does string
			switch o.takes {
			case none:
				continue
			case free: // bash 3.2 offers files all the same
				does = "compopt +o default 2>/dev/null; return"
			case file:
				does = "return" // readline completes files
			case folder:
				does = "compopt -o dirnames +o default 2>/dev/null; return"
			case chosen:
				does = fmt.Sprintf("words='%s'", strings.Join(o.values(), " "))
			case listed:
				does = fmt.Sprintf("words='%s'; [[ $cur != *,* ]] || before=${cur%%,*},", strings.Join(o.values(), " "))
			}
			fmt.Fprintf(&b, "    %s) %s ;;\n", alternatives(v.Name, o.spelled()), does)
		}
		if v.Words != nil {
			fmt.Fprintf(&b, "    '%s %[1]s') [[ $cur == -* ]] || words='%s' ;;\n", v.Name, strings.Join(v.Words, " "))
		}
	}
	fmt.Fprintf(&b, `  esac
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -P "$before" -W "$words" -- "${cur##*,}"))
    return
  fi
  [[ $cur == -* ]] || return
  case $verb in
`)
	for i := range p.Verbs {
		v := &p.Verbs[i]
		var all []string
		for _, o := range v.options() {
			all = append(all, o.spelled()...)
		}
		fmt.Fprintf(&b, "    %s) words='%s' ;;\n", v.Name, strings.Join(append(all, "--help"), " "))
	}
	fmt.Fprintf(&b, `  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F %s %s
`, function, p.Name)
	return b.Bytes()
}

// names returns the verbs' names.
func (p *Program) names() (names []string) {
	for _, v := range p.Verbs {
		names = append(names, v.Name)
	}
	return names
}

// alternatives returns a pattern of case: 'score -m'|'score --model'.
func alternatives(verb string, spelled []string) string {
	quoted := make([]string, len(spelled))
	for i, s := range spelled {
		quoted[i] = "'" + verb + " " + s + "'"
	}
	return strings.Join(quoted, "|")
}

// identifier makes a function's name of a program's.
func identifier(name string) string { return strings.ReplaceAll(name, "-", "_") }
