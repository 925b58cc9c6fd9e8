package sensor

import "strings"

// maxNames bounds the services that are remembered. A Zeek sees some hundred
// combinations; should somebody produce more, the table starts afresh.
const maxNames = 4096

// names keeps one copy of each text it has met, so that a text in Zeek's
// memory becomes a Go string that may be kept, without an allocation per call.
type names struct{ known map[string]string }

func (n *names) of(text string) string {
	if s, ok := n.known[text]; ok {
		return s
	}
	if n.known == nil || len(n.known) == maxNames {
		n.known = make(map[string]string)
	}
	s := strings.Clone(text)
	n.known[s] = s
	return s
}
