package zeeklog

import (
	"fmt"
	"strings"
)

// setExtended keeps the value that MongoDB's extended JSON wraps with its type,
// as mongoexport writes it: {"$date":"2008-05-16T15:50:57.834Z"},
// {"$date":{"$numberLong":"1210953057834"}}, {"$numberInt":"80"}.
func (o *jsonObject) setExtended(f field, value string) error {
	members := jsonMembers{text: value, escapes: o.escapes}
	m, ok, err := members.next()
	if err != nil {
		return err
	}
	if !ok || members.at >= len(value) || value[members.at] != '}' {
		return fmt.Errorf("%s where one value belongs", quote(value))
	}
	inner := value[m.value:m.end]
	switch {
	case m.key == "$date" && inner[0] == '{' && strings.HasPrefix(inner[skipSpace(inner, 1):], `"$numberLong"`):
	case inner[0] == '{' || inner[0] == '[':
		return fmt.Errorf("%s where one value belongs", quote(value))
	case m.key == "$date", m.key == "$numberLong", m.key == "$numberInt", m.key == "$numberDouble", m.key == "$numberDecimal":
	default:
		return fmt.Errorf("%s where one value belongs", quote(value))
	}
	if err := o.set(f, inner); err != nil {
		return err
	}
	if text := o.values[f]; m.key == "$date" && f == ts && len(text) < len("100000000000") && strings.Trim(text, "0123456789") == "" && text != "" {
		o.values[f] = text + "e-3" // milliseconds, few enough to be taken for seconds
	}
	return nil
}
