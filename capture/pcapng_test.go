package capture

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// ngWriter writes pcapng blocks.
type ngWriter struct {
	order binary.AppendByteOrder
	b     []byte
}

func newNGWriter() *ngWriter {
	w := &ngWriter{order: binary.LittleEndian}
	w.section()
	return w
}

func (w *ngWriter) block(kind uint32, body []byte) {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	w.b = w.order.AppendUint32(w.b, kind)
	w.b = w.order.AppendUint32(w.b, uint32(len(body)+blockOverhead))
	w.b = append(w.b, body...)
	w.b = w.order.AppendUint32(w.b, uint32(len(body)+blockOverhead))
}

func (w *ngWriter) words(v ...uint32) (b []byte) {
	for _, v := range v {
		b = w.order.AppendUint32(b, v)
	}
	return b
}

func (w *ngWriter) section() {
	b := w.words(byteOrderMagic)
	b = w.order.AppendUint16(w.order.AppendUint16(b, 1), 0)
	w.block(blockSection, append(b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
}

func (w *ngWriter) iface(link uint16, snapshot uint32, options ...[]byte) {
	b := w.order.AppendUint16(w.order.AppendUint16(nil, link), 0)
	b = append(b, w.words(snapshot)...)
	w.block(blockInterface, append(b, concat(options...)...))
}

func (w *ngWriter) option(code uint16, value ...byte) []byte {
	b := w.order.AppendUint16(w.order.AppendUint16(nil, code), uint16(len(value)))
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func (w *ngWriter) packet(id uint32, time uint64, wire uint32, data string) {
	b := w.words(id, uint32(time>>32), uint32(time), uint32(len(data)), wire)
	w.block(blockEnhancedPacket, append(b, data...))
}

func TestPcapngBlocks(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		t.Run(order.String(), func(t *testing.T) {
			w := &ngWriter{order: order}
			w.section()
			w.block(4, w.words(1, 2, 3)) // names, which nobody needs
			w.iface(1, 10)
			w.iface(101, 0)
			w.packet(0, 1_000_002, 60, "abc")
			w.packet(1, 2_000_000, 4, "defg")
			w.block(5, w.words(0, 0, 0)) // statistics
			w.block(blockSimplePacket, append(w.words(3), "hij"...))
			w.block(blockSimplePacket, append(w.words(12), "klmnopqrst"...)) // cut to the interface's 10
			old := append(w.order.AppendUint16(w.order.AppendUint16(nil, 1), 7), w.words(0, 3_000_000, 2, 5)...)
			w.block(blockPacket, append(old, "uv"...))
			got, s, err := readFrames(w.b)
			require.Equal(t, io.EOF, err)
			require.Equal(t, []readFrame{
				{1_000_002, 60, "abc", 1}, {2_000_000, 4, "defg", 101}, {0, 3, "hij", 1}, {0, 12, "klmnopqrst", 1},
				{3_000_000, 5, "uv", 101},
			}, got)
			require.Equal(t, uint64(5), s.Packets)
		})
	}
}

func TestPcapngSections(t *testing.T) {
	w := newNGWriter()
	w.iface(1, 0)
	w.packet(0, 5, 1, "a")
	w.order = binary.BigEndian
	w.section()
	w.iface(101, 0)
	w.packet(0, 6, 1, "b")
	got, _, err := readFrames(w.b)
	require.Equal(t, io.EOF, err)
	require.Equal(t, []readFrame{{5, 1, "a", 1}, {6, 1, "b", 101}}, got)

	w.section() // forgets the interface
	w.packet(0, 7, 1, "c")
	got, _, err = readFrames(w.b)
	require.Len(t, got, 2)
	require.ErrorContains(t, err, "interface 0 is not described")
}

func TestPcapngTimes(t *testing.T) {
	minute := []byte{60, 0, 0, 0, 0, 0, 0, 0}
	year := []byte{0, 0, 0, 0, 0, 0, 0, 0x80} // far before the epoch
	for _, tt := range []struct {
		name       string
		resolution []byte
		offset     []byte
		stamp      uint64
		want       conn.Micros
	}{
		{"nanoseconds", []byte{9}, nil, 1_000_002_999, 1_000_002},
		{"seconds", []byte{0}, nil, 7, 7_000_000},
		{"milliseconds", []byte{3}, nil, 7_001, 7_001_000},
		{"half seconds", []byte{0x81}, nil, 3, 1_500_000},
		{"2^-32 seconds", []byte{0xa0}, nil, 1<<32 + 1<<31, 1_500_000},
		{"an offset", nil, minute, 2, 60_000_002},
		{"before the epoch", nil, year, 2, -1},
		{"beyond all clocks", []byte{0}, nil, 1 << 60, -1},
		{"microseconds beyond all clocks", nil, nil, 1 << 63, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newNGWriter()
			var options [][]byte
			if tt.resolution != nil {
				options = append(options, w.option(optionTSResol, tt.resolution...))
			}
			if tt.offset != nil {
				options = append(options, w.option(optionTSOffset, tt.offset...))
			}
			w.iface(1, 0, append(options, w.option(optionEnd))...)
			w.packet(0, tt.stamp, 1, "a")
			got, s, err := readFrames(w.b)
			require.Equal(t, io.EOF, err)
			if tt.want < 0 {
				require.Equal(t, uint64(1), s.Skipped[SkipTime])
				return
			}
			require.Equal(t, []readFrame{{tt.want, 1, "a", 1}}, got)
		})
	}
}

func TestDamagedPcapng(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(*ngWriter)
		want  string
	}{
		{"no interface", func(w *ngWriter) {}, "no interface"},
		{"a packet before", func(w *ngWriter) { w.packet(0, 1, 1, "a") }, "before any description"},
		{"an unknown interface", func(w *ngWriter) { w.iface(1, 0); w.packet(3, 1, 1, "a") }, "interface 3"},
		{"more captured than there is", func(w *ngWriter) {
			w.iface(1, 0)
			w.block(blockEnhancedPacket, w.words(0, 0, 0, 400, 400))
		}, "claims 400 captured bytes"},
		{"a short packet block", func(w *ngWriter) { w.iface(1, 0); w.block(blockEnhancedPacket, w.words(0, 0)) }, "has 8 bytes only"},
		{"a simple packet cut", func(w *ngWriter) { w.iface(1, 0); w.block(blockSimplePacket, w.words(9)) }, "claims 9 captured bytes"},
		{"a short interface", func(w *ngWriter) { w.block(blockInterface, w.words(1)) }, "has 4 bytes only"},
		{"a time too fine", func(w *ngWriter) { w.iface(1, 0, w.option(optionTSResol, 20)) }, "too fine"},
		{"a time much too fine", func(w *ngWriter) { w.iface(1, 0, w.option(optionTSResol, 0xff)) }, "too fine"},
		{"an option too long", func(w *ngWriter) { w.iface(1, 0, []byte{9, 0, 40, 0}) }, "does not fit"},
		{"an option of another length", func(w *ngWriter) { w.iface(1, 0, w.option(optionTSOffset, 1)) }, "does not fit"},
		{"lengths that differ", func(w *ngWriter) { w.iface(1, 0); w.packet(0, 1, 1, "a"); w.b[len(w.b)-4]++ }, "says at its end"},
		{"a length of no block", func(w *ngWriter) { w.iface(1, 0); w.b = append(w.b, w.words(6, 13, 0, 0)...) }, "length of 13"},
		{"a huge length", func(w *ngWriter) { w.iface(1, 0); w.b = append(w.b, w.words(6, 1<<30, 0, 0)...) }, "length of 1073741824"},
		{"version 2", func(w *ngWriter) { w.b[12] = 2 }, "version 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newNGWriter()
			tt.write(w)
			_, _, err := readFrames(w.b)
			var damage *DamageError
			require.ErrorAs(t, err, &damage)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestTruncatedPcapng(t *testing.T) {
	w := newNGWriter()
	w.iface(1, 0)
	ends := []int{len(w.b)}
	for range 3 {
		w.packet(0, 1, 5, "abcde")
		ends = append(ends, len(w.b))
	}
	for n := ends[0]; n <= len(w.b); n++ {
		whole := 0
		for _, end := range ends[1:] {
			if end <= n {
				whole++
			}
		}
		got, _, err := readFrames(w.b[:n])
		require.Len(t, got, whole)
		if n == ends[whole] {
			require.Equal(t, io.EOF, err)
			continue
		}
		var damage *DamageError
		require.ErrorAs(t, err, &damage)
		require.Equal(t, uint64(whole+1), damage.Packet)
		require.Equal(t, int64(ends[whole]), damage.Offset)
	}
}
