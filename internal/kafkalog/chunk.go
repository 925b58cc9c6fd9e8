package kafkalog

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

// chunkRows is how many rows a chunk has at most: enough for a batch of scores,
// few enough for all cores to have some.
const chunkRows = 1024

// Chunk is some rows of a partition, in the log's order.
type Chunk struct {
	Part   *Part
	Replay bool          // rows that were given before: only what hosts did is of interest
	Block  zeeklog.Block // its rows after Parse
	Next   int64         // the offset after the last row

	rows []row
	text []byte
}

// row is what is around a row of the block.
type row struct {
	offset        int64
	key           []byte
	before, after []byte // {"conn": and }
}

// add adds a record, unless its tag says that it belongs to another log, which
// is returned.
func (c *Chunk) add(r *kgo.Record) (log string) {
	c.Next = r.Offset + 1
	value := r.Value
	if len(bytes.TrimSpace(value)) == 0 {
		return "" // a tombstone
	}
	added := row{offset: r.Offset, key: r.Key}
	if log, start, end, ok := zeeklog.Tagged(string(value)); ok {
		if log != "conn" {
			return log
		}
		added.before, added.after = value[:start], value[end:]
		value = value[start:end]
	}
	c.rows = append(c.rows, added)
	from := len(c.text)
	c.text = append(append(c.text, value...), '\n')
	for i := range c.text[from : len(c.text)-1] {
		if b := &c.text[from+i]; *b == '\n' || *b == '\r' { // between JSON's tokens: no string has them
			*b = ' '
		}
	}
	return ""
}

// Parse parses the chunk's rows.
func (c *Chunk) Parse(p *zeeklog.Parser, names *zeeklog.Names) {
	file := c.Part.Name()
	c.Block.SetObjects(string(c.text), file, 0, names)
	c.text = nil
	p.Parse(&c.Block)
	if len(c.Block.Rows) != len(c.rows) {
		panic(fmt.Sprintf("kafkalog: %d rows of %d records", len(c.Block.Rows), len(c.rows)))
	}
	for i := range c.Block.Rows {
		row := &c.Block.Rows[i]
		row.Line = int(c.rows[i].offset)
		var at *zeeklog.Error
		if errors.As(row.Err, &at) {
			at.Line = row.Line
		}
	}
}

// Rows gives the rows as they go on, text being the block with columns added.
func (c *Chunk) Rows(text []byte) []Row {
	rows := make([]Row, len(c.rows))
	for i, r := range c.rows {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		if r.before != nil {
			line = bytes.Join([][]byte{r.before, line, r.after}, nil)
		}
		rows[i] = Row{Key: r.key, Value: line}
		if row := &c.Block.Rows[i]; row.Err == nil {
			rows[i].Key = row.Conn.Orig.Addr().AppendTo(nil)
		}
	}
	return rows
}
