package usage

import (
	"bytes"
	"fmt"
	"strings"
)

// Zsh returns the program's completion for zsh, a file for a folder of $fpath.
func (p *Program) Zsh() []byte {
	var b bytes.Buffer
	function := "_" + identifier(p.Name)
	fmt.Fprintf(&b, "#compdef %[1]s\n# zsh completion for %[1]s, made by \"%[1]s completion zsh\".\n%[2]s() {\n  local -a verbs\n  verbs=(\n", p.Name, function)
	for _, v := range append(p.Verbs, Verb{Name: "version", Short: "print the version"}, Verb{Name: "help", Short: "tell how a verb is used"}) {
		fmt.Fprintf(&b, "    %s\n", quote(v.Name+":"+v.Short))
	}
	fmt.Fprintf(&b, `  )
  if (( CURRENT == 2 )); then
    _describe -t commands verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
    help) _describe -t commands verb verbs ;;
`)
	for i := range p.Verbs {
		v := &p.Verbs[i]
		fmt.Fprintf(&b, "    %s) _arguments -s -S \\\n", v.Name)
		for _, o := range v.options() {
			fmt.Fprintf(&b, "        %s \\\n", o.zsh())
		}
		fmt.Fprintf(&b, "        '(- *)'{-h,--help}'[tell how the verb is used]' \\\n")
		if v.Words != nil {
			fmt.Fprintf(&b, "        %s \\\n", quote("1: :("+strings.Join(v.Words, " ")+")"))
		}
		fmt.Fprintf(&b, "        '*:file:_files' ;;\n")
	}
	fmt.Fprintf(&b, `  esac
}
if [[ $funcstack[1] == _%s ]]; then %s "$@"; else compdef %[2]s %[1]s; fi
`, p.Name, function)
	return b.Bytes()
}

// inSpec escapes a text for within a specification of _arguments.
var inSpec = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`)

// zsh returns the option as _arguments wants it.
func (o *option) zsh() string {
	rest := "[" + inSpec.Replace(o.brief()) + "]"
	action := ""
	switch o.takes {
	case free:
		action = " "
	case file:
		action = "_files"
	case folder:
		action = "_files -/"
	case chosen:
		action = "(" + strings.Join(o.values(), " ") + ")"
	case listed:
		action = "_values -s , " + o.called + " " + strings.Join(o.values(), " ")
	}
	end := ""
	if o.takes != none {
		rest += ":" + inSpec.Replace(o.called) + ":" + action
		end = "="
	}
	again, once := "", "("+strings.Join(o.spelled(), " ")+")"
	if o.repeats() {
		again, once = "*", ""
	}
	if o.Shorthand == "" {
		return quote(once + again + "--" + o.Name + end + rest)
	}
	return quote(once+again) + "{-" + o.Shorthand + ",--" + o.Name + end + "}" + quote(rest)
}

// quote returns a word in single quotes, for bash, zsh and (with another word for a
// quote inside) not for fish.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
