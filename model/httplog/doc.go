// Package httplog turns rows of http.log into numbers: what a Request holds, its
// Set, what is remembered of its originator, and its values in words.
//
// All is computed on the text as it is logged, in a form that does not depend on
// how: \xNN stands for one byte, since JSON has it where a sensor has the byte,
// and what lies beyond 1,024 bytes of a text does not count, since Zeek 8.1 logs
// no more than 4,096. A field that is unset is the same as an empty one, which
// JSON and TSV tell apart in different ways.
//
// A user agent counts without its numbers, so that a browser's new version is no
// new program. A host counts without its port, which is a feature of its own, in
// small letters, and by its registered domain (package domain) where it is rare.
package httplog
