package usage

import (
	"bytes"
	"fmt"
	"strings"
)

// Fish returns the program's completion for fish 3.
func (p *Program) Fish() []byte {
	var b bytes.Buffer
	function := "__" + identifier(p.Name)
	fmt.Fprintf(&b, `# fish completion for %[1]s, made by "%[1]s completion fish".
function %[2]s_verb
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end
function %[2]s_first
    test (count (commandline -opc)) -eq $argv[1]
end
`, p.Name, function)
	complete := "complete -c " + p.Name
	for _, v := range append(p.Verbs, Verb{Name: "version", Short: "print the version"}, Verb{Name: "help", Short: "tell how a verb is used"}) {
		fmt.Fprintf(&b, "%s -f -n '%s_first 1' -a %s -d %s\n", complete, function, v.Name, fishQuote(v.Short))
	}
	fmt.Fprintf(&b, "%s -f -n '%s_verb help' -a '%s'\n", complete, function, strings.Join(p.names(), " "))
	for i := range p.Verbs {
		v := &p.Verbs[i]
		when := fmt.Sprintf("%s -n '%s_verb %s'", complete, function, v.Name)
		for _, o := range v.options() {
			line := when
			if o.Shorthand != "" {
				line += " -s " + o.Shorthand
			}
			line += " -l " + o.Name
			switch o.takes {
			case free:
				line += " -x"
			case file:
				line += " -r -F"
			case folder:
				line += " -x -a '(__fish_complete_directories)'"
			case chosen:
				line += " -x -a '" + strings.Join(o.values(), " ") + "'"
			case listed:
				line += " -x -a '(__fish_append , " + strings.Join(o.values(), " ") + ")'"
			}
			fmt.Fprintf(&b, "%s -d %s\n", line, fishQuote(o.brief()))
		}
		fmt.Fprintf(&b, "%s -s h -l help -d 'tell how the verb is used'\n", when)
		if v.Words != nil {
			fmt.Fprintf(&b, "%s -f -n '%s_verb %s; and %[2]s_first 2' -a '%[4]s'\n", complete, function, v.Name, strings.Join(v.Words, " "))
		}
	}
	return b.Bytes()
}

// fishQuote returns a word in single quotes.
func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
