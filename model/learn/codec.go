package learn

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// codec writes or reads a part of a saved state: one description of the part
// serves both ways. After an error it does nothing and yields zeros.
type codec struct {
	set     *feature.Set
	data    []byte // written so far, or left to read
	reading bool
	err     error
}

var errState = errors.New("a part of the state is damaged")

func (c *codec) take(n int) []byte {
	if c.err != nil || n < 0 || len(c.data) < n {
		c.err = errors.Join(c.err, errState)
		return nil
	}
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

func (c *codec) uint64(x *uint64) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint64(c.data, *x)
	} else if b := c.take(8); b != nil {
		*x = binary.LittleEndian.Uint64(b)
	}
}

func (c *codec) uint32(x *uint32) {
	if !c.reading {
		c.data = binary.LittleEndian.AppendUint32(c.data, *x)
	} else if b := c.take(4); b != nil {
		*x = binary.LittleEndian.Uint32(b)
	}
}

func (c *codec) uint8(x *uint8) {
	if !c.reading {
		c.data = append(c.data, *x)
	} else if b := c.take(1); b != nil {
		*x = b[0]
	}
}

// count is a number from 0 to most.
func (c *codec) count(x *int, most int) {
	n := uint64(*x)
	c.uint64(&n)
	if n > uint64(most) {
		c.err = errors.Join(c.err, errState)
		n = 0
	}
	*x = int(n)
}

func (c *codec) micros(x *conn.Micros) {
	n := uint64(*x)
	c.uint64(&n)
	*x = conn.Micros(n)
}

func (c *codec) float64(x *float64) {
	n := math.Float64bits(*x)
	c.uint64(&n)
	*x = math.Float64frombits(n)
}

func (c *codec) float32(x *float32) {
	n := math.Float32bits(*x)
	c.uint32(&n)
	if *x = math.Float32frombits(n); *x-*x != 0 {
		c.err = errors.Join(c.err, errState)
		*x = 0
	}
}

func (c *codec) bool(x *bool) {
	var n uint8
	if *x {
		n = 1
	}
	c.uint8(&n)
	*x = n != 0
}

// bytes is a string of at most so many bytes.
func (c *codec) bytes(x *[]byte, most int) {
	n := len(*x)
	c.count(&n, most)
	if !c.reading {
		c.data = append(c.data, *x...)
	} else {
		*x = c.take(n)
	}
}

func (c *codec) random(r *random) {
	state, err := r.pcg.MarshalBinary()
	c.bytes(&state, 64)
	if c.reading && c.err == nil {
		err = r.pcg.UnmarshalBinary(state)
	}
	c.err = errors.Join(c.err, err)
}

func (c *codec) sample(s *feature.Sample) {
	for i := range c.set.N() {
		c.float32(&s.Vector[i])
	}
	for i := range c.set.Codes {
		c.uint64(&s.Codes[i])
	}
	c.uint8(&s.Silent)
	c.uint32(&s.Absent)
	if c.set.Text {
		text := s.Text[1 : 1+s.Text[0]]
		c.bytes(&text, len(s.Text)-1)
		if c.reading {
			s.Text = feature.Text{}
			s.Text[0] = byte(copy(s.Text[1:], text))
		}
	}
	if err := c.set.CheckSample(s); err != nil {
		c.err = errors.Join(c.err, errState, err)
		*s = feature.Sample{}
	}
}

// sampleAt is the sample i of a list.
func (c *codec) sampleAt(list *samples, i int) {
	var s feature.Sample
	if !c.reading {
		s = list.at(i)
	}
	if c.sample(&s); c.reading {
		list.put(i, &s)
	}
}

// samples is a list that was begun before, from its item from on.
func (c *codec) samples(list *samples, from, n int) {
	end := min(from+n, list.n)
	c.count(&end, list.room())
	if c.reading {
		if end < from || end-from > n {
			c.err = errors.Join(c.err, errState)
			return
		}
	}
	for i := from; i < end; i++ {
		c.sampleAt(list, i)
	}
}
