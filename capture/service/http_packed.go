package service

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
)

// packedSample is how much of a packed body is kept: enough for the first
// unpacked byte.
const packedSample = 1024

// unpacks reports whether the beginning of a packed body yields any bytes. A
// gap in a message counts as within its body only if some of it was seen, and
// Zeek counts unpacked bytes (HTTP_Entity::Undelivered).
func unpacks(sample []byte, p packing) bool {
	var one [1]byte
	read := func(r io.Reader) bool {
		n, _ := io.ReadFull(r, one[:])
		return n == 1
	}
	if p == gzipped {
		z, err := gzip.NewReader(bytes.NewReader(sample))
		return err == nil && read(z)
	}
	if z, err := zlib.NewReader(bytes.NewReader(sample)); err == nil && read(z) {
		return true
	}
	return read(flate.NewReader(bytes.NewReader(sample)))
}
