package capture

import "math/bits"

// buffers are the copies of payload that wait above holes, in sizes that are
// powers of two so that they can be used again, and limited in all.
type buffers struct {
	free    [17][][]byte // by the logarithm of the size, up to 64 KiB
	held    int64        // bytes in use
	limit   int64
	refused uint64 // blocks that found no room
}

func (b *buffers) keep(data []byte) []byte {
	class := bits.Len(uint(max(len(data), 64) - 1))
	if class >= len(b.free) || b.held+1<<class > b.limit {
		b.refused++
		return nil
	}
	b.held += 1 << class
	free := b.free[class]
	if n := len(free); n > 0 {
		buf := free[n-1]
		b.free[class] = free[:n-1]
		return append(buf[:0], data...)
	}
	return append(make([]byte, 0, 1<<class), data...)
}

func (b *buffers) release(data []byte) {
	class := bits.Len(uint(cap(data) - 1))
	b.held -= 1 << class
	b.free[class] = append(b.free[class], data)
}
