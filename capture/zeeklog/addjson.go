package zeeklog

import "strings"

// appendObject appends a JSON row.
func (r *rewriter) appendObject(dst []byte, row *Row) []byte {
	raw := row.Raw
	if row.unknown || row.Err != nil {
		for _, c := range r.columns {
			if strings.Contains(raw, c.Name) { // perhaps as a key
				return r.appendMembers(dst, raw)
			}
		}
	}
	if row.Err != nil {
		return append(dst, raw...)
	}
	end := strings.LastIndexByte(raw, '}')
	dst = append(dst, raw[:end]...)
	for k := range r.values {
		if r.values[k].kind != unsetValue {
			dst = r.appendMember(append(dst, ','), k)
		}
	}
	return append(dst, raw[end:]...)
}

func (r *rewriter) appendMember(dst []byte, k int) []byte {
	return r.values[k].append(append(dst, r.keys[k]...), jsonNotation{})
}

// appendMembers appends a JSON row member by member, because one of the keys
// to add may be among them. What is not an object is appended as it stands.
func (r *rewriter) appendMembers(dst []byte, raw string) []byte {
	out := len(dst)
	members := jsonMembers{text: raw, at: skipSpace(raw, 0), escapes: true}
	done, kept := 0, 0 // raw[:done] is dealt with; members appended
	placed := make([]bool, len(r.columns))
	for {
		m, ok, err := members.next()
		if err != nil {
			return append(dst[:out], raw...)
		}
		if !ok {
			break
		}
		if done == 0 {
			dst = append(dst, raw[:m.start]...) // the opening brace
			done = m.start
		}
		k := r.indexOf(m.key)
		if k < 0 || !placed[k] && r.values[k].kind != unsetValue {
			if kept++; kept > 1 {
				dst = append(dst, raw[done:m.start]...) // the comma
			}
			if k < 0 {
				dst = append(dst, raw[m.start:m.end]...)
			} else {
				dst = r.values[k].append(append(dst, raw[m.start:m.value]...), jsonNotation{})
				placed[k] = true
			}
		}
		done = m.end
	}
	for k := range r.values {
		if !placed[k] && r.values[k].kind != unsetValue {
			if kept++; kept > 1 {
				dst = append(dst, ',')
			}
			dst = r.appendMember(dst, k)
		}
	}
	return append(dst, raw[done:]...)
}

func (r *rewriter) indexOf(name string) int {
	for k, c := range r.columns {
		if c.Name == name {
			return k
		}
	}
	return -1
}
