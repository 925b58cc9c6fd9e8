package capture

import (
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"io"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Merge is a packet source of several files: their packets in order of time, as
// mergecap makes one file of them. Packets of one file stay in its order; of
// those of one instant the file that was added first comes first. Each packet
// brings the link type of its file. The zero value has no files.
type Merge struct {
	link   layers.LinkType
	added  int
	parts  parts // those with a packet, the next one first
	lent   bool  // the first part's packet was handed out
	failed error
}

// part is a file with its next packet.
type part struct {
	name  string
	place int
	file  *File
	data  []byte
	info  gopacket.CaptureInfo
}

// Add adds a file before the first packet is read. Errors call it by its name.
func (m *Merge) Add(name string, file *File) {
	if m.added == 0 {
		m.link = file.LinkType()
	}
	p := &part{name: name, place: m.added, file: file}
	m.added++
	if m.read(p) {
		heap.Push(&m.parts, p)
	}
}

// LinkType returns that of the first file.
func (m *Merge) LinkType() layers.LinkType { return m.link }

// read reads the next packet of a part; false at its end.
func (m *Merge) read(p *part) bool {
	var err error
	p.data, p.info, err = p.file.ZeroCopyReadPacketData()
	if err != nil && err != io.EOF {
		m.failed = errors.Join(m.failed, fmt.Errorf("%s: %w", p.name, err))
	}
	return err == nil
}

// ZeroCopyReadPacketData reads the next packet of all files. Its bytes are lent
// until the next one is read. Files that are damaged end there; the error at
// the end of all says so, else it is io.EOF.
func (m *Merge) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	if m.lent {
		m.lent = false
		if m.read(m.parts[0]) {
			heap.Fix(&m.parts, 0)
		} else {
			heap.Pop(&m.parts)
		}
	}
	if len(m.parts) == 0 {
		if m.failed != nil {
			return nil, gopacket.CaptureInfo{}, m.failed
		}
		return nil, gopacket.CaptureInfo{}, io.EOF
	}
	m.lent = true
	return m.parts[0].data, m.parts[0].info, nil
}

// ReadPacketData returns the same with a copy of the bytes.
func (m *Merge) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	data, info, err := m.ZeroCopyReadPacketData()
	return bytes.Clone(data), info, err
}

// parts are a heap in order of time, then as they were added.
type parts []*part

func (p parts) Len() int      { return len(p) }
func (p parts) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p parts) Less(i, j int) bool {
	if order := p[i].info.Timestamp.Compare(p[j].info.Timestamp); order != 0 {
		return order < 0
	}
	return p[i].place < p[j].place
}

// Push and Pop are heap.Interface's.
func (p *parts) Push(x any) { *p = append(*p, x.(*part)) }
func (p *parts) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}
