package zeeklog

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// startBytes is how much of a log's beginning identifies it, beside its first
// row: a header of Zeek's has some 700 bytes.
const startBytes = 4096

// doneFiles is how many files that were read to their end are remembered.
const doneFiles = 64

// owedFiles is how many files are remembered of which a part is still to be
// read, and which are not where they were.
const owedFiles = 8

// FileID identifies a log by what it begins with, which stays when it is
// rotated, moved, copied or compressed, and says how far it was read. Inodes
// tell nothing for long: the next file may get that of one that was deleted.
type FileID struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Length int    `json:"length"`          // of the beginning that Start is of
	Start  string `json:"start"`           // SHA-256 of it, hexadecimal
	Hole   int64  `json:"hole,omitempty"`  // zero bytes before it
	First  string `json:"first,omitempty"` // SHA-256 of the first row

	Size       int64  `json:"size,omitempty"` // decompressed, up to where the file was read; 0: all
	Last       string `json:"last,omitempty"` // SHA-256 of the last row read
	LastEnd    int64  `json:"last_end,omitempty"`
	LastLength int    `json:"last_length,omitempty"`
}

// Position says how far a log was read. Reading on from it gives each row of
// the log once.
type Position struct {
	File   FileID   `json:"file"`
	Offset int64    `json:"offset"`           // of the first byte not yet read, decompressed
	Line   int      `json:"line"`             // that begins there, 1-based
	Header string   `json:"header"`           // the header lines that hold there; at offset 0, for content that has none
	Rows   bool     `json:"rows"`             // whether the file had any row up to there
	Done   []FileID `json:"done,omitempty"`   // files read to their end before this one
	Owed   []FileID `json:"owed,omitempty"`   // files of which the rest is to be read where they turn up
	Since  int64    `json:"since"`            // rotated files written before it have been read, nanoseconds since 1970
	Before int64    `json:"before,omitempty"` // those written before it are older than the following
}

// Valid reports whether the position can be one.
func (p *Position) Valid() bool {
	ids := append(slices.Concat(p.Done, p.Owed), p.File)
	for _, id := range ids {
		if id.Length < 0 || id.Length > startBytes || id.Size < 0 || id.Hole < 0 || id.LastEnd < 0 || id.LastLength < 0 {
			return false
		}
	}
	return p.Offset >= 0 && p.Line >= 0 && p.File.Hole <= p.Offset-int64(p.File.Length)
}

// beginning is what a file begins with.
type beginning struct {
	text  []byte // at most startBytes of it, behind a hole
	first string // SHA-256 of the first row, or "" if there is none yet
	whole bool   // the first row has its end
	err   error  // why there is none
}

// is reports whether the file that begins so is the one that id tells of. Of a
// file that is shorter than it was, the first row tells.
func (id *FileID) is(b *beginning) bool {
	if id.Length == 0 || b.first == "" || id.First != "" && id.First != b.first {
		return false
	}
	if len(b.text) < id.Length {
		return id.First != ""
	}
	return fingerprint(b.text[:id.Length]) == id.Start
}

// equals reports whether both tell of the same content.
func (id FileID) equals(other FileID) bool {
	return id.Start == other.Start && id.First == other.First && id.Length == other.Length
}

func fingerprint[T string | []byte](text T) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
