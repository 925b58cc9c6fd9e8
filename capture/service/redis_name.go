package service

import "bytes"

// redisName checks a command's name, which Zeek decodes as UTF-8 to compare it
// with the commands that it knows (src/analyzer/protocol/redis/redis.spicy,
// command_from). What the decoder cannot read it replaces; only a character
// that is cut by the name's end, or that Unicode does not have, is an error
// (Spicy's Bytes::decode).
type redisName struct {
	wrong bool
	need  int  // bytes of a character to come
	char  rune // which it is so far
	ended bool

	quote   byte // an inline name is inside such quotes
	escape  bool // and behind a backslash
	started bool
}

func (v *redisName) valid() bool { return !v.wrong && v.need == 0 }

// write checks more of the name.
func (v *redisName) write(b []byte) {
	if v.ended {
		return
	}
	for _, c := range b {
		switch {
		case v.need > 0 && c>>6 == 0x2:
			v.char = v.char<<6 | rune(c&0x3f)
			if v.need--; v.need == 0 && (v.char > 0x10ffff || v.char>>11 == 0x1b) {
				v.wrong = true
			}
			continue
		case c>>5 == 0x6:
			v.need, v.char = 1, rune(c&0x1f)
		case c>>4 == 0xe:
			v.need, v.char = 2, rune(c&0x0f)
		case c>>3 == 0x1e:
			v.need, v.char = 3, rune(c&0x07)
		default:
			v.need = 0
		}
	}
}

// words takes more of an inline command and finds its name: it ends at a blank
// outside of quotes.
func (v *redisName) words(b []byte) {
	for i := range b {
		c := b[i]
		blank := bytes.IndexByte([]byte("\x00\t\n\r "), c) >= 0
		switch {
		case v.ended:
			return
		case !v.started && blank:
			continue
		case v.quote == 0 && blank:
			v.ended = true
			return
		case v.quote == 0:
			if c == '"' || c == '\'' {
				v.quote = c
			}
		case v.escape && c == v.quote:
			v.escape = false
		case c == v.quote:
			v.quote, v.escape = 0, false
		default:
			v.escape = c == '\\'
		}
		v.started = true
		v.write(b[i : i+1])
	}
}
