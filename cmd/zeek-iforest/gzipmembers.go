package main

import (
	"bufio"
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gzipMembers reads the members of a gzip file one after the other. Zero bytes
// behind a member are padding, of tapes and of block devices, as for gzip.
type gzipMembers struct {
	in     *bufio.Reader
	member *gzip.Reader
	err    error // once there is no other member
}

func newGzipMembers(in *bufio.Reader) (*gzipMembers, error) {
	member, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	member.Multistream(false)
	return &gzipMembers{in: in, member: member}, nil
}

func (g *gzipMembers) Read(p []byte) (int, error) {
	for g.err == nil {
		n, err := g.member.Read(p)
		if err != nil && err != io.EOF {
			g.err = err
		} else if err == io.EOF {
			g.err = g.next()
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, g.err
}

// next begins the next member, or returns io.EOF.
func (g *gzipMembers) next() error {
	for {
		b, err := g.in.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			break
		}
	}
	if err := g.in.UnreadByte(); err != nil {
		return err
	}
	if magic, _ := g.in.Peek(2); !bytes.HasPrefix([]byte{0x1f, 0x8b}, magic) {
		return errTrailing
	}
	if err := g.member.Reset(g.in); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	g.member.Multistream(false)
	return nil
}
