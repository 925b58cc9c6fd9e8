package feature

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sort"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Counter counts the values of which Tables are made, in bounded memory
// without pointers. It is not safe for concurrent use.
type Counter struct {
	rows   uint64
	protos [conn.NumProto]uint64
	states [conn.NumState]uint64
	ports  []uint32 // by proto and port
	met    []uint64 // a bit for each port that was met

	services []service // in the order of their first row
	heads    [MaxServices]uint16
	seed     maphash.Seed
}

// service is one name and its rows; chain leads to the next of equal hash,
// counted from one.
type service struct {
	rows  uint64
	chain uint16
	size  uint8
	name  [MaxServiceName]byte
}

// otherService is the code of a service that found no place.
const otherService = MaxServices

// NewCounter returns an empty counter, about 1.1 MB.
func NewCounter() *Counter {
	return &Counter{
		ports:    make([]uint32, numPorts),
		met:      make([]uint64, numPorts/64),
		services: make([]service, 0, MaxServices),
		seed:     maphash.MakeSeed(),
	}
}

// Rows is the number of connections counted.
func (k *Counter) Rows() uint64 { return k.rows }

// ServiceCode is the code of a connection's service, for Count and Sample. A
// new service takes a place, counted or not. It does not allocate.
func (k *Counter) ServiceCode(c *conn.Conn) uint16 { return k.serviceID(serviceName(c)) }

// Count counts the values of a connection, whose service has that code. It
// does not allocate.
func (k *Counter) Count(c *conn.Conn, service uint16) {
	k.rows++
	k.protos[c.Proto]++
	k.states[c.State]++
	port := int(c.Proto)<<16 | int(c.Resp.Port())
	k.met[port/64] |= 1 << (port % 64)
	if n := &k.ports[port]; *n < math.MaxUint32 {
		*n++
	}
	if service != otherService && c.Absent&conn.Service == 0 {
		k.services[service].rows++
	}
}

// Halve halves all counts, so that what is long past weighs less.
func (k *Counter) Halve() {
	k.rows /= 2
	for i := range k.protos {
		k.protos[i] /= 2
	}
	for i := range k.states {
		k.states[i] /= 2
	}
	for i := range k.eachPort {
		k.ports[i] /= 2
	}
	for i := range k.services {
		k.services[i].rows /= 2
	}
}

// serviceID finds the code of a service, and gives it one while there is room.
func (k *Counter) serviceID(name string) uint16 {
	head := &k.heads[maphash.String(k.seed, name)%MaxServices]
	for at := *head; at != 0; at = k.services[at-1].chain {
		if s := &k.services[at-1]; string(s.name[:s.size]) == name {
			return at - 1
		}
	}
	if len(name) > MaxServiceName || len(k.services) == MaxServices {
		return otherService
	}
	s := service{chain: *head, size: uint8(len(name))}
	copy(s.name[:], name)
	k.services = append(k.services, s)
	*head = uint16(len(k.services))
	return *head - 1
}

// Tables freezes the counts. Of more than MaxPorts ports the ones met most
// stay; where counts agree in their five leading bits, the lower number.
func (k *Counter) Tables() Tables {
	t := Tables{Rows: k.rows, Protos: k.protos, States: k.states}
	for i := range k.services {
		if s := &k.services[i]; s.rows > 0 {
			t.Services = append(t.Services, ServiceCount{string(s.name[:s.size]), s.rows})
		}
	}
	sort.Slice(t.Services, func(i, j int) bool { return t.Services[i].Name < t.Services[j].Name })

	var met [magnitudes]int
	for i := range k.eachPort {
		met[magnitude(k.ports[i])]++
	}
	least, room := magnitudes, MaxPorts
	for least > 1 && met[least-1] <= room {
		least--
		room -= met[least]
	}
	t.Ports = make([]PortCount, 0, MaxPorts-room)
	for i := range k.eachPort {
		n := k.ports[i]
		switch m := magnitude(n); {
		case m >= least:
		case m > 0 && m == least-1 && room > 0:
			room--
		default:
			continue
		}
		t.Ports = append(t.Ports, PortCount{conn.Proto(i >> 16), uint16(i), uint64(n)})
	}
	return t
}

// eachPort yields the ports that were met, in order. There are far more that
// were not.
func (k *Counter) eachPort(yield func(int) bool) {
	for w, word := range k.met {
		for ; word != 0; word &= word - 1 {
			if !yield(w*64 + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

// magnitudes is the number of values of magnitude.
const magnitudes = 32 * 16

// magnitude orders counts by their five leading bits; only zero has magnitude 0.
func magnitude(n uint32) int {
	if n < 16 {
		return int(n)
	}
	shift := bits.Len32(n) - 5
	return (shift+1)*16 + int(n>>shift) - 16
}
