package ssllog

import (
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// appendText appends a text as it counts.
func appendText(dst []byte, text string) []byte { return feature.AppendText(dst, text, MaxText) }

// domainOf returns where in a name its domain begins: the last two labels, and three
// below a country's own second level ("co.uk", "com.br"), which it knows by its
// length. The name has small letters and no dot at its end; of an address all is
// the domain.
func domainOf(name string) int {
	last := strings.LastIndexByte(name, '.')
	if last < 0 || isAddress(name) {
		return 0
	}
	second := strings.LastIndexByte(name[:last], '.')
	if second >= 0 && len(name)-last-1 == 2 && last-second-1 <= 3 {
		second = strings.LastIndexByte(name[:second], '.')
	}
	return second + 1
}

// isAddress reports whether a name is an IPv4 address, or an IPv6 one.
func isAddress(name string) bool {
	if strings.IndexByte(name, ':') >= 0 {
		return true
	}
	c := name[len(name)-1]
	return '0' <= c && c <= '9' // no top level ends with a digit
}
