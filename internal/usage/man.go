package usage

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Man returns the program's manual page, in the macros of man(7).
func (p *Program) Man() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".\\\" Made by \"%[1]s man\".\n.TH %[2]s 1 \"\" \"%[1]s %[3]s\" \"User Commands\"\n", p.Name, roff(strings.ToUpper(p.Name)), p.Version)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(p.Name), roff(p.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I VERB\n[\\fIOPTION\\fR ...] [\\fIFILE\\fR ...]\n", roff(p.Name))
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s", paragraphs(p.About))
	fmt.Fprintf(&b, ".SH VERBS\n")
	for i := range p.Verbs {
		v := &p.Verbs[i]
		fmt.Fprintf(&b, ".SS %s\n.B %s %[1]s\n%[3]s\n.PP\n%[4]s", roff(v.Name), roff(p.Name), roff(v.Synopsis), fill(sentence(v.Short)))
		if v.About != "" {
			fmt.Fprintf(&b, ".PP\n%s", paragraphs(v.About))
		}
		for _, o := range v.options() {
			fmt.Fprintf(&b, ".TP\n%s\n%s", o.roff(), fill(sentence(o.text)))
		}
	}
	fmt.Fprintf(&b, ".SH EXIT STATUS\n")
	for status, means := range p.Exits {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s", status, fill(sentence(means)))
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", roff(strings.Join(p.Seen, ", ")))
	return b.Bytes()
}

// roff returns the option with what follows it, and its default.
func (o *option) roff() string {
	spelled := o.spelled()
	for i, s := range spelled {
		spelled[i] = `\fB` + roff(s) + `\fR`
	}
	line := strings.Join(spelled, ", ")
	if o.called != "" {
		line += ` \fI` + roff(o.called) + `\fR`
	}
	switch o.DefValue {
	case "", "0", "[]", "false":
		return line
	}
	return line + " (default " + roff(strings.Trim(o.DefValue, "[]")) + ")"
}

// paragraphs are filled, except those whose lines are laid out as a table.
func paragraphs(text string) string {
	var b strings.Builder
	for i, p := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		lines := strings.Split(p, "\n")
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "  ") }) {
			b.WriteString(fill(p))
			continue
		}
		b.WriteString(".nf\n")
		for _, line := range lines {
			b.WriteString(roff(line) + "\n")
		}
		b.WriteString(".fi\n")
	}
	return b.String()
}

// fill breaks a text into lines of less than 80 bytes, and after a sentence, as
// roff wants its input.
func fill(text string) string {
	var b strings.Builder
	line := ""
	end := func() {
		if line != "" {
			b.WriteString(roff(line) + "\n")
		}
		line = ""
	}
	for _, word := range strings.Fields(text) {
		if len(roff(line))+1+len(roff(word)) >= 80 {
			end()
		}
		if line != "" {
			line += " "
		}
		if line += word; strings.HasSuffix(word, ".") {
			end()
		}
	}
	end()
	return b.String()
}

// sentence returns the text with a capital and a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// roff escapes what roff would read as its own.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
