package dnslog

import (
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// appendText appends a text as it counts: \xNN as the byte that it stands for,
// small letters, the first MaxText bytes of it.
func appendText(dst []byte, text string) []byte {
	from := len(dst)
	dst = feature.AppendText(dst, text, MaxText)
	feature.Lower(dst[from:])
	return dst
}

// textLength returns the length of a text as it counts.
func textLength(text string) (length uint32) {
	if strings.IndexByte(text, '\\') < 0 {
		return uint32(min(len(text), MaxText))
	}
	for len(text) > 0 && length < MaxText {
		_, n := feature.NextByte(text)
		text = text[n:]
		length++
	}
	return length
}
