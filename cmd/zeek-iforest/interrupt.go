package main

import (
	"context"
	"io"
)

// interruptible reads from r until ctx ends: a read that waits for a terminal or
// a pipe does not hold up Ctrl-C.
type interruptible struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	left []byte // of buf, not yet returned
	err  error  // comes after left
	done chan result
}

type result struct {
	n   int
	err error
}

func newInterruptible(ctx context.Context, r io.Reader) *interruptible {
	return &interruptible{ctx: ctx, r: r, buf: make([]byte, 128<<10), done: make(chan result, 1)}
}

func (i *interruptible) Read(p []byte) (int, error) {
	if len(i.left) == 0 && i.err == nil {
		go func() {
			n, err := i.r.Read(i.buf)
			i.done <- result{n, err}
		}()
		select {
		case <-i.ctx.Done(): // what that read still gets is lost: nothing reads after this
			i.err = i.ctx.Err()
		case got := <-i.done:
			i.left, i.err = i.buf[:got.n], got.err
		}
	}
	if len(i.left) == 0 {
		return 0, i.err
	}
	n := copy(p, i.left)
	i.left = i.left[n:]
	return n, nil
}
