package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

// container is a way to pack or encode files that is not read here; command
// makes it something that is, %s being the file.
type container struct {
	name    string
	at      int // where magic stands
	magic   string
	command string
	piped   bool // the command writes to standard output
}

// containers are tried in this order.
var containers = []container{
	{"xz", 0, "\xfd7zXZ\x00", "xz -dc %s", true},
	{"lz4", 0, "\x04\x22\x4d\x18", "lz4 -dc %s", true},
	{"lz4 (legacy)", 0, "\x02\x21\x4c\x18", "lz4 -dc %s", true},
	{"compress (.Z)", 0, "\x1f\x9d", "gzip -dc %s", true},
	{"lzip", 0, "LZIP\x01", "lzip -dc %s", true},
	{"lzop", 0, "\x89LZO\x00", "lzop -dc %s", true},
	{"lzma", 0, "\x5d\x00\x00", "xz --format=lzma -dc %s", true},
	{"snappy", 0, "\xff\x06\x00\x00sNaPpY", "snzip -dc %s", true},
	{"zlib", 0, "\x78\x01", "pigz -dcz %s", true},
	{"zlib", 0, "\x78\x9c", "pigz -dcz %s", true},
	{"zlib", 0, "\x78\xda", "pigz -dcz %s", true},
	{"zip", 0, "PK\x03\x04", "unzip %s", false},
	{"zip (empty)", 0, "PK\x05\x06", "unzip %s", false},
	{"7z", 0, "7z\xbc\xaf\x27\x1c", "7z x %s", false},
	{"rar", 0, "Rar!\x1a\x07", "unrar x %s", false},
	{"tar", 257, "ustar", "tar -xf %s", false},
	{"Parquet", 0, "PAR1", "", false},
	{"ORC", 0, "ORC\x0a", "", false},
	{"Arrow", 0, "ARROW1\x00\x00", "", false},
	{"cpio", 0, "070701", "cpio -id < %s", false},
	{"cab", 0, "MSCF\x00\x00\x00\x00", "cabextract %s", false},
	{"encrypted (OpenSSL)", 0, "Salted__", "openssl enc -d -in %s", true},
	{"encrypted (OpenPGP)", 0, "-----BEGIN PGP MESSAGE-----", "gpg -d %s", true},
	{"encrypted (age)", 0, "age-encryption.org/v1", "age -d %s", true},
	{"Avro", 0, "Obj\x01", "", false},
	{"SQLite", 0, "SQLite format 3\x00", "sqlite3 -header -csv %s 'SELECT * FROM conn'", true},
	{"UTF-32", 0, "\xff\xfe\x00\x00", "iconv -f UTF-32 -t UTF-8 %s", true},
	{"UTF-32", 0, "\x00\x00\xfe\xff", "iconv -f UTF-32 -t UTF-8 %s", true},
	{"UTF-16", 0, "\xff\xfe", "iconv -f UTF-16 -t UTF-8 %s", true},
	{"UTF-16", 0, "\xfe\xff", "iconv -f UTF-16 -t UTF-8 %s", true},
	{"UTF-32", 0, "#\x00\x00\x00", "iconv -f UTF-32LE -t UTF-8 %s", true},
	{"UTF-32", 0, "{\x00\x00\x00", "iconv -f UTF-32LE -t UTF-8 %s", true},
	{"UTF-32", 0, "\x00\x00\x00#", "iconv -f UTF-32BE -t UTF-8 %s", true},
	{"UTF-32", 0, "\x00\x00\x00{", "iconv -f UTF-32BE -t UTF-8 %s", true},
	{"UTF-16", 0, "#\x00", "iconv -f UTF-16LE -t UTF-8 %s", true},
	{"UTF-16", 0, "{\x00", "iconv -f UTF-16LE -t UTF-8 %s", true},
	{"UTF-16", 0, "t\x00s\x00", "iconv -f UTF-16LE -t UTF-8 %s", true},
	{"UTF-16", 0, "\x00#", "iconv -f UTF-16BE -t UTF-8 %s", true},
	{"UTF-16", 0, "\x00{", "iconv -f UTF-16BE -t UTF-8 %s", true},
	{"UTF-16", 0, "\x00t\x00s", "iconv -f UTF-16BE -t UTF-8 %s", true},
}

// packedTwice are the formats that are read, but not inside one another.
var packedTwice = []container{
	{"gzip", 0, "\x1f\x8b\x08", "gzip -dc %s", true},
	{"zstd", 0, "\x28\xb5\x2f\xfd", "zstd -dc %s", true},
	{"bzip2", 0, "BZh", "bzip2 -dc %s", true},
}

// contained says that a file is packed or encoded in a way that is not read,
// by its first bytes. outer is what it has been unpacked from already.
func contained(path string, start []byte, outer string) error {
	list := containers
	if outer != "" {
		list = append(packedTwice, list...)
	}
	for _, c := range list {
		if len(start) < c.at || !bytes.HasPrefix(start[c.at:], []byte(c.magic)) {
			continue
		}
		name := c.name
		if outer != "" {
			name += " in " + outer
		}
		return hinted(fmt.Errorf("%s: %s data, which is not read here", displayName(path), name), c.hint(path, outer))
	}
	return nil
}

// hint returns the command that helps.
func (c *container) hint(path, outer string) string {
	file := path
	if path == "-" {
		file = "FILE"
	}
	switch {
	case c.name == "Parquet":
		return "train and score read Parquet from a file that is not packed once more: its end says where its columns are"
	case c.command == "":
		return "write it as CSV or JSON lines with conn.log's column names"
	case outer != "" && c.name != "tar":
		return fmt.Sprintf("%s -dc %s | %s | zeek-iforest … -", outer, file, fmt.Sprintf(c.command, "-"))
	case c.piped:
		return fmt.Sprintf(c.command, file) + " | zeek-iforest … -"
	}
	return fmt.Sprintf(c.command, file) + " unpacks it; name the logs in it"
}

// notCapture adds to the error of a capture that cannot be read which verb
// takes the file, where it is a log.
func notCapture(err error, start []byte) error {
	line, _, _ := bytes.Cut(bytes.TrimLeft(start, "\ufeff \t\r\n"), []byte("\n"))
	for _, sign := range []string{"#separator", "#fields", "separator \\x", "orig_h"} {
		if bytes.Contains(line, []byte(sign)) {
			return hinted(fmt.Errorf("%w: a log of Zeek", err), "score adds the scores to a conn.log")
		}
	}
	switch text := strings.TrimRight(string(line), "\r"); {
	case zeeklog.IsRow(text):
		return hinted(fmt.Errorf("%w: a log without header, it seems", err), "score adds the scores to a conn.log; --columns-in names its columns")
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		return hinted(fmt.Errorf("%w: JSON", err), "score adds the scores to a conn.log, JSON or not")
	}
	return hinted(err, "replay reads pcap and pcapng, plain, gzip or zstd, such as tcpdump -w writes; score is for logs")
}
