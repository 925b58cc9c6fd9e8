// Package dnslog turns rows of dns.log into numbers: what a Query holds, its
// Set, its memory by originator and by registered domain, and its values in
// words.
//
// All is computed on the text as it is logged, in a form that does not depend on
// how: \xNN stands for one byte, since JSON has it where a sensor has the byte,
// letters are small, and what lies beyond 1,024 bytes of a text or beyond 100
// answers does not count, since Zeek 8.1 logs no more of them.
//
// The registered domain is that of package domain, whose list is part of the
// set's identity.
package dnslog
