// Package ssllog turns rows of ssl.log into numbers: what a Handshake holds, its
// Set, what is remembered of its originator, and its values in words.
//
// All is computed on the text as it is logged, in a form that does not depend on
// how: \xNN stands for one byte, since JSON has it where a sensor has the byte,
// and what lies beyond 1,024 bytes of a text does not count, since Zeek 8.1 logs
// no more of it. A field that is unset is the same as an empty one, which JSON
// and TSV tell apart in different ways.
package ssllog
