package learn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// In a cluster one sensor scores connections and another learns from them: a
// Batch carries them there. It is
//
//	batchVersion, feature.SchemaID (16 bytes), rows
//
// and a row is what Observe reads of a connection and its window, the address
// of the originator among it; of the responder there is the port alone.
const (
	batchVersion = 2
	batchHead    = 1 + 16
	// BatchRows is the most connections of a batch.
	BatchRows = 128
	// MaxBatch is the most bytes of a batch.
	MaxBatch = batchHead + BatchRows*maxRow
	// Three numbers of sixteen bits and an address, eighteen varints, the service.
	maxRow = 6 + 16 + 11*binary.MaxVarintLen64 + 7*binary.MaxVarintLen32 + 1 + maxService
	// A longer service is never told from another one (feature.Counter).
	maxService = feature.MaxServiceName + 1
)

// The bits of a row's flags beside those of conn.Fields.
const (
	rowIsLocal = 1 << (iota + 12)
	rowIsCold
	rowIsIPv4
	rowIsOneWay

	rowFields = conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.LocalOrig
)

// Batch gathers connections for the Learner of another process. Its memory is
// reserved at once.
type Batch struct {
	data []byte
	rows int
}

// NewBatch returns an empty batch.
func NewBatch() *Batch {
	b := &Batch{data: make([]byte, 0, MaxBatch)}
	b.Reset()
	return b
}

// Reset empties the batch.
func (b *Batch) Reset() {
	b.data = append(append(b.data[:0], batchVersion), feature.SchemaID...)
	b.rows = 0
}

// Rows is the number of connections in the batch.
func (b *Batch) Rows() int { return b.rows }

// Full reports whether there is no room for another connection.
func (b *Batch) Full() bool { return b.rows == BatchRows }

// Bytes is the batch as it is sent, valid until it changes.
func (b *Batch) Bytes() []byte { return b.data }

// Add adds a connection for which feature.Check finds no fault, and its window,
// to a batch that is not full. It does not allocate.
func (b *Batch) Add(c *conn.Conn, w feature.Window) {
	flags := c.Set & rowFields
	if c.LocalOrig {
		flags |= rowIsLocal
	}
	if w.Cold {
		flags |= rowIsCold
	}
	if w.OneWay {
		flags |= rowIsOneWay
	}
	orig := c.Orig.Addr().Unmap()
	if orig.Is4() {
		flags |= rowIsIPv4
	}
	d := binary.LittleEndian.AppendUint16(b.data, uint16(flags))
	d = append(d, byte(c.Proto), byte(c.State))
	d = binary.LittleEndian.AppendUint16(d, c.Resp.Port())
	if orig.Is4() {
		a := orig.As4()
		d = append(d, a[:]...)
	} else {
		a := orig.As16()
		d = append(d, a[:]...)
	}
	d = binary.AppendVarint(d, int64(c.TS))
	d = binary.AppendVarint(d, int64(c.Duration))
	for _, n := range [...]uint64{
		c.OrigBytes, c.RespBytes, c.MissedBytes, c.OrigPkts, c.RespPkts, c.OrigIPBytes, c.RespIPBytes,
		uint64(w.Connections), uint64(w.Failures), uint64(w.Responders), uint64(w.Ports),
		uint64(w.RespFailures), uint64(w.PortUses), uint64(w.Uses), w.PairBytes, w.PairSeconds,
	} {
		d = binary.AppendUvarint(d, n)
	}
	service := c.Service[:min(len(c.Service), maxService)]
	d = append(d, byte(len(service)))
	b.data = append(d, service...)
	b.rows++
}

// BatchReader reads batches. It keeps one copy of each service it has met.
type BatchReader struct {
	services map[string]string
	conn     conn.Conn
}

// errBatch is of a batch that Batch did not write.
var errBatch = errors.New("a batch of connections is damaged")

// Read gives each the connections of a batch in their order, or none where the
// batch is damaged or of another version. They are valid until each returns.
func (r *BatchReader) Read(batch []byte, each func(*conn.Conn, feature.Window)) error {
	if len(batch) < batchHead || len(batch) > MaxBatch {
		return errBatch
	}
	if batch[0] != batchVersion || string(batch[1:batchHead]) != feature.SchemaID {
		return errors.New("a batch of connections is of another version of zeek-iforest: install the same one on all nodes")
	}
	if err := r.rows(batch[batchHead:], func(*conn.Conn, feature.Window) {}); err != nil {
		return err
	}
	return r.rows(batch[batchHead:], each)
}

func (r *BatchReader) rows(data []byte, each func(*conn.Conn, feature.Window)) error {
	for n := 1; len(data) > 0; n++ {
		var w feature.Window
		left, ok := r.row(data, &w)
		if !ok || n > BatchRows {
			return fmt.Errorf("%w: connection %d", errBatch, n)
		}
		if err := feature.Check(&r.conn); err != nil {
			return fmt.Errorf("%w: connection %d: %w", errBatch, n, err)
		}
		data = left
		each(&r.conn, w)
	}
	return nil
}

// row reads a row to r.conn and w and returns what follows.
func (r *BatchReader) row(d []byte, w *feature.Window) (left []byte, ok bool) {
	if len(d) < 6 {
		return nil, false
	}
	flags := conn.Fields(binary.LittleEndian.Uint16(d))
	if flags&^(rowFields|rowIsLocal|rowIsCold|rowIsIPv4|rowIsOneWay) != 0 {
		return nil, false
	}
	c := &r.conn
	*c = conn.Conn{
		Proto: conn.Proto(d[2]), State: conn.State(d[3]),
		Resp:      netip.AddrPortFrom(netip.Addr{}, binary.LittleEndian.Uint16(d[4:])),
		LocalOrig: flags&rowIsLocal != 0,
		Set:       flags & rowFields,
	}
	size := 16
	if flags&rowIsIPv4 != 0 {
		size = 4
	}
	if d = d[6:]; len(d) < size {
		return nil, false
	}
	orig, _ := netip.AddrFromSlice(d[:size])
	c.Orig = netip.AddrPortFrom(orig, 0)
	d = d[size:]

	for _, to := range [...]*conn.Micros{&c.TS, &c.Duration} {
		x, n := binary.Varint(d)
		if n <= 0 {
			return nil, false
		}
		*to, d = conn.Micros(x), d[n:]
	}
	for _, to := range [...]*uint64{&c.OrigBytes, &c.RespBytes, &c.MissedBytes, &c.OrigPkts, &c.RespPkts, &c.OrigIPBytes, &c.RespIPBytes} {
		x, n := binary.Uvarint(d)
		if n <= 0 {
			return nil, false
		}
		*to, d = x, d[n:]
	}
	for _, to := range [...]*uint32{&w.Connections, &w.Failures, &w.Responders, &w.Ports, &w.RespFailures, &w.PortUses, &w.Uses} {
		x, n := binary.Uvarint(d)
		if n <= 0 || x > math.MaxUint32 {
			return nil, false
		}
		*to, d = uint32(x), d[n:]
	}
	for _, to := range [...]*uint64{&w.PairBytes, &w.PairSeconds} {
		x, n := binary.Uvarint(d)
		if n <= 0 {
			return nil, false
		}
		*to, d = x, d[n:]
	}
	w.Cold, w.OneWay = flags&rowIsCold != 0, flags&rowIsOneWay != 0

	if len(d) == 0 || int(d[0]) > maxService || len(d) < 1+int(d[0]) {
		return nil, false
	}
	c.Service = r.service(d[1 : 1+d[0]])
	return d[1+d[0]:], true
}

// service is the text, of which no second copy is made.
func (r *BatchReader) service(text []byte) string {
	if s, ok := r.services[string(text)]; ok {
		return s
	}
	if r.services == nil || len(r.services) == 2*feature.MaxServices {
		r.services = make(map[string]string)
	}
	s := string(text)
	r.services[s] = s
	return s
}
