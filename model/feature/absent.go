package feature

import (
	"math/bits"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// A log can lack columns. What is made of them then says nothing: it counts as
// usual, and no reason names it. The windows know no absent field but the
// duration, without which a connection ends when it begins.

// madeFrom are the features that need a field.
var madeFrom = map[conn.Fields][]int{
	conn.Service:     {serviceRarity},
	conn.Duration:    {duration, pairSeconds},
	conn.OrigBytes:   {origBytes},
	conn.RespBytes:   {respBytes},
	conn.MissedBytes: {missedBytes},
	conn.OrigPkts:    {origPkts},
	conn.OrigIPBytes: {origIPBytes, pairBytes},
	conn.RespPkts:    {respPkts},
	conn.RespIPBytes: {respIPBytes},
}

// needs is madeFrom by the place of the field's bit: bit i for Conn.Features[i].
var needs = func() (by [16]uint32) {
	for field, features := range madeFrom {
		for _, i := range features {
			by[bits.TrailingZeros16(uint16(field))] |= 1 << i
		}
	}
	return by
}()

// Absent returns the features of conn.log that say nothing where those fields are
// absent, bit i for Conn.Features[i].
func Absent(fields conn.Fields) (features uint32) {
	for ; fields != 0; fields &= fields - 1 {
		features |= needs[bits.TrailingZeros16(uint16(fields))]
	}
	return features
}

// WithUsual returns the encoder for rows that can lack fields: features that say
// nothing count as those of usual.
func (e *Encoder) WithUsual(usual Vector) *Encoder {
	with := *e
	with.usual = usual
	return &with
}

// put writes to v the features that say nothing: those of from.
func put(v, from *Vector, features uint32) {
	for ; features != 0; features &= features - 1 {
		i := bits.TrailingZeros32(features)
		v[i] = from[i]
	}
}
