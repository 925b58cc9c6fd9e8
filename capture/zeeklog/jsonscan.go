package zeeklog

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// jsonMembers goes through the members of a JSON object without decoding
// them. What lies inside a value is checked only as far as finding its end
// needs it.
type jsonMembers struct {
	text    string
	at      int  // of the opening brace at first; in the end behind the closing one
	escapes bool // text can have backslashes
	started bool
}

// jsonMember is one key and its value, text[value:end]; start is where the
// key's quotation mark is.
type jsonMember struct {
	key               string
	start, value, end int
}

var (
	errCut     = errors.New("the JSON object is cut off")
	errNesting = errors.New("brackets do not match")
)

// next returns the next member, or false after the last one.
func (j *jsonMembers) next() (m jsonMember, ok bool, err error) {
	s, i := j.text, j.at
	switch {
	case !j.started:
		if i >= len(s) || s[i] != '{' {
			return m, false, errNotObject
		}
		if i = skipSpace(s, i+1); i < len(s) && s[i] == '}' {
			j.at = i + 1
			return m, false, nil
		}
		j.started = true
	case i >= len(s):
		return m, false, errCut
	case s[i] == '}':
		j.at = i + 1
		return m, false, nil
	case s[i] == ',':
		i = skipSpace(s, i+1)
	default:
		return m, false, fmt.Errorf("%s where a comma or a closing brace belongs", quote(s[i:]))
	}
	m.start = i
	if i >= len(s) {
		return m, false, errCut
	}
	if s[i] != '"' {
		return m, false, fmt.Errorf("%s where a key belongs", quote(s[i:]))
	}
	if i, err = j.stringEnd(i); err != nil {
		return m, false, err
	}
	m.key = s[m.start+1 : i-1]
	if j.escapes && strings.IndexByte(m.key, '\\') >= 0 {
		if m.key, err = unquoteJSON(s[m.start:i]); err != nil {
			return m, false, err
		}
	}
	if i = skipSpace(s, i); i >= len(s) || s[i] != ':' {
		return m, false, fmt.Errorf("no colon after the key %s", quote(m.key))
	}
	m.value = skipSpace(s, i+1)
	if m.end, err = j.valueEnd(m.value); err != nil {
		return m, false, err
	}
	j.at = skipSpace(s, m.end)
	return m, true, nil
}

// stringEnd returns where the string that begins at i ends, behind its closing
// quotation mark.
func (j *jsonMembers) stringEnd(i int) (int, error) {
	for i++; ; i++ {
		i = nextQuote(j.text, i)
		if i == len(j.text) {
			return 0, errCut
		}
		if !j.escapes || evenBackslashes(j.text[:i]) {
			return i + 1, nil
		}
	}
}

// nextQuote returns where in s, from i on, the next quotation mark stands, or
// the length of s. Names and values are short, as in appendByte.
func nextQuote(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		if m := zeroBytes(load8(s[i:]) ^ '"'*0x0101010101010101); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(s) && s[i] != '"' {
		i++
	}
	return i
}

// evenBackslashes reports whether s ends in an even number of backslashes: a
// quotation mark after it is not escaped.
func evenBackslashes(s string) bool {
	n := len(s)
	for n > 0 && s[n-1] == '\\' {
		n--
	}
	return (len(s)-n)%2 == 0
}

// valueEnd returns where the value that begins at i ends.
func (j *jsonMembers) valueEnd(i int) (int, error) {
	s := j.text
	if i >= len(s) {
		return 0, errCut
	}
	switch s[i] {
	case '"':
		return j.stringEnd(i)
	case '{', '[':
		return j.nestedEnd(i)
	}
	end := i
	for end < len(s) && !isDelimiter(s[end]) {
		end++
	}
	if end == i {
		return 0, fmt.Errorf("%s where a value belongs", quote(s[i:]))
	}
	return end, nil
}

// nestedEnd returns the end of the object or array that begins at i.
func (j *jsonMembers) nestedEnd(i int) (end int, err error) {
	var open []byte
	for i < len(j.text) {
		switch c := j.text[i]; c {
		case '"':
			if i, err = j.stringEnd(i); err != nil {
				return 0, err
			}
			continue
		case '{', '[':
			open = append(open, c+2) // ASCII: } is { + 2, ] is [ + 2
		case '}', ']':
			if open[len(open)-1] != c {
				return 0, errNesting
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return 0, errCut
}

func isDelimiter(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\r', '"', '{', '[', ':':
		return true
	}
	return false
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}
