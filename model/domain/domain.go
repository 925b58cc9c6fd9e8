// Package domain finds in a name what somebody has registered: one label below
// the public suffix, "bbc.co.uk". The last two labels would make one domain of
// all of co.uk, and one of all customers of duckdns.org or github.io, which is
// where tunnels and command-and-control like to live. So the rules of the public
// suffix list are in suffixes.txt (private ones among them), which the command
// internal/suffixes makes: 130 kB in the program, and a map of 1 MB from the
// first name on. golang.org/x/net/publicsuffix would do the same, but the sensor
// library takes nothing into Zeek beyond the standard library and msgpack, and a
// test holds the two against each other. A table that is some months old says
// little less: a suffix that it does not know makes one domain of its customers.
package domain

import (
	_ "embed" // suffixes.txt
	"strings"
	"sync"
)

// suffixList are the rules of the public suffix list, one a line, behind a line
// that says which list it was.
//
//go:embed suffixes.txt
var suffixList string

// List says which list it is: it is part of a set's identity.
func List() string {
	line, _, _ := strings.Cut(suffixList, "\n")
	return line
}

// rule says what the list has of a name.
type rule uint8

const (
	isSuffix  rule = 1 << iota // "co.uk"
	allBelow                   // "*.ck": each name directly below is a suffix
	exception                  // "!www.ck": this one is not
)

// deepest is the most labels of a rule.
const deepest = 8

// rules is made when the first name comes: a sensor without dns.log needs none.
var rules = sync.OnceValue(func() map[string]rule {
	_, list, _ := strings.Cut(suffixList, "\n")
	m := make(map[string]rule, strings.Count(list, "\n"))
	for line := range strings.Lines(list) {
		name := strings.TrimSuffix(line, "\n")
		kind := isSuffix
		if rest, ok := strings.CutPrefix(name, "!"); ok {
			name, kind = rest, exception
		} else if rest, ok := strings.CutPrefix(name, "*."); ok {
			name, kind = rest, allBelow
		}
		m[name] |= kind
	}
	return m
})

// Registered returns where in a name the registered domain begins: one label more
// than the longest public suffix, the whole name where it has no more. A top
// level that the list does not have is a suffix. The name has small letters and
// no dot at its end. It does not allocate.
func Registered(name string) int {
	known := rules()
	start := len(name) + 1 // of the labels looked at so far
	suffix := start
	var above rule // of these labels
	for depth := 1; depth <= deepest && start > 1; depth++ {
		at := labelBefore(name, start-1)
		r := known[name[at:]]
		if r&exception != 0 {
			suffix = start
			break
		}
		if depth == 1 || r&isSuffix != 0 || above&allBelow != 0 {
			suffix = at
		}
		above, start = r, at
	}
	if suffix == 0 {
		return 0
	}
	return labelBefore(name, suffix-1)
}

// labelBefore returns where the label begins that ends at end.
func labelBefore(name string, end int) int { return strings.LastIndexByte(name[:end], '.') + 1 }
