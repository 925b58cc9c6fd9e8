package feature

import (
	"encoding/binary"
	"errors"
)

// portsPerPart is how many port counts a part of a Counter's state covers.
const portsPerPart = 1 << 12

// StateParts is the number of parts of a Counter's state.
const StateParts = 1 + numPorts/portsPerPart

// AppendState appends one part of the state, 0 to StateParts−1. All parts give
// the counter again.
func (k *Counter) AppendState(dst []byte, part int) []byte {
	if part > 0 {
		from := (part - 1) * portsPerPart
		for i, n := range k.ports[from : from+portsPerPart] {
			if n > 0 {
				dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(from+i)), uint64(n))
			}
		}
		return dst
	}
	dst = binary.AppendUvarint(dst, k.rows)
	for _, n := range k.protos {
		dst = binary.AppendUvarint(dst, n)
	}
	for _, n := range k.states {
		dst = binary.AppendUvarint(dst, n)
	}
	for i := range k.services {
		s := &k.services[i]
		dst = append(append(dst, s.size), s.name[:s.size]...)
		dst = binary.AppendUvarint(dst, s.rows)
	}
	return dst
}

// RestoreState brings a part back into a counter that was empty before.
func (k *Counter) RestoreState(part int, data []byte) error {
	r := stateReader{data: data}
	if part > 0 {
		for r.err == nil && len(r.data) > 0 {
			i, n := r.uvarint(), r.uvarint()
			if i >= uint64(numPorts) || n > 1<<32-1 {
				return errState
			}
			k.ports[i] = uint32(n)
			k.met[i/64] |= 1 << (i % 64)
		}
		return r.err
	}
	k.rows = r.uvarint()
	for i := range k.protos {
		k.protos[i] = r.uvarint()
	}
	for i := range k.states {
		k.states[i] = r.uvarint()
	}
	for r.err == nil && len(r.data) > 0 {
		size := r.bytes(1)
		name := string(r.bytes(int(size[0])))
		rows := r.uvarint()
		if r.err != nil {
			return r.err
		}
		before := len(k.services)
		if k.serviceID(name); len(k.services) != before+1 {
			return errors.New("state of counts names a service twice, or too many")
		}
		k.services[before].rows = rows
	}
	return r.err
}
