// Package zeeklog reads and writes conn.log: Zeek's TSV, JSON lines, and CSV
// with conn.log's column names.
//
// There are two ways to read. Reader gives one row after the other. Blocks is
// for programs that want all cores and their output in the format of the
// input: it cuts a log into blocks of whole lines, a Parser parses a block in
// any goroutine, AddColumns writes it through with columns added, and Run puts
// these together and keeps the order of the log.
//
// What is not a row (header lines, comments, blank lines) and what is not
// understood (unknown columns, rows that cannot be used) goes through byte for
// byte.
//
// Memory: a block's text is one immutable string and the rows' strings are
// parts of it, so they stay valid, but keep the whole block alive: clone
// (strings.Clone) a uid that is kept for long. Service and History are
// independent of the block.
package zeeklog
