package sensor

import (
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// maxNames bounds the services, and the contexts, that are remembered. A Zeek sees some hundred
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

// context returns the copy of a context, as much of it as counts.
func (n *names) context(text string) string {
	if text == "" {
		return ""
	}
	return n.of(text[:min(len(text), conn.MaxContext)])
}
