// Package dnslog turns rows of dns.log into numbers: what a Query holds, its
// Set, its memory by originator and by registered domain, and its values in
// words.
//
// All is computed on the text as it is logged, in a form that does not depend on
// how: \xNN stands for one byte, since JSON has it where a sensor has the byte,
// letters are small, and what lies beyond 1,024 bytes of a text or beyond 100
// answers does not count, since Zeek 8.1 logs no more of them.
//
// The registered domain is what somebody has registered: one label below the
// public suffix, "bbc.co.uk". The last two labels would make one domain of all
// of co.uk, and one of all customers of duckdns.org or github.io, which is where
// tunnels and command-and-control like to live. So the rules of the public
// suffix list are in suffixes.txt (private ones among them), which the command
// internal/suffixes makes: 130 kB in the program, and a map of 1 MB from the
// first name on. golang.org/x/net/publicsuffix would do the same, but the sensor
// library takes nothing into Zeek beyond the standard library and msgpack, and a
// test holds the two against each other. A table that is some months old says
// little less: a suffix that it does not know makes one domain of its customers.
// The table is part of the set's identity.
package dnslog
