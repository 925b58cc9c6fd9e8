package capture

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// TestRandomFramesAgainstZeek compares with the real Zeek on frames of every
// link with tunnels in tunnels. RANDOM_SEED=n tries others, PARITY_SHOW=n
// says more of what differs.
func TestRandomFramesAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	seed, err := strconv.ParseUint(os.Getenv("RANDOM_SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	for i, link := range onionLinks {
		t.Run(fmt.Sprint("link", link), func(t *testing.T) {
			random := &onion{Rand: rand.New(rand.NewPCG(seed, uint64(i)))}
			w := randomFrames(random, link, 400)
			compareWithZeek(t, w, Options{})
			compareWithZeek(t, w, Options{IgnoreChecksums: true}, "-C")
		})
	}
}

// randomFrames is a capture of that many datagrams, some of which are cut,
// padded or changed.
func randomFrames(o *onion, link linkType, datagrams int) *wire {
	w := new(wire)
	capture := pcapFileHeader(link)
	clock := conn.Micros(epoch * second)
	rough := pick(o.Rand, 8, 40) // one frame in two, or one in ten, is damaged
	for range datagrams {
		for _, b := range o.frames(link, o.IntN(6)) {
			clock += conn.Micros(o.IntN(1000000)) // so that less than 300 timers are ever due at once
			at := clock
			switch {
			case o.chance(1):
				clock += 301 * second
			case o.chance(2):
				at -= conn.Micros(o.IntN(2000000))
			}
			wire := uint32(len(b))
			switch o.IntN(rough) {
			case 0:
				b = b[:o.IntN(len(b))+1] // snapped
			case 1:
				b = append(b, o.bytes(1+o.IntN(20))...)
				wire = uint32(len(b))
			case 2:
				b[o.IntN(len(b))] ^= 1 << o.IntN(8)
			case 3:
				wire += uint32(o.IntN(20)) - 10
			}
			capture = appendRecord(capture, at, wire, b)
		}
	}
	w.buf.Write(capture)
	return w
}

// compareWithZeek compares rows, not their order: a carrier and what it carries
// often end at one instant, and then Zeek's order depends on timers of its own.
// Those of the weirds are there (weird.go), but in frames as damaged as these
// orders still differ.
func compareWithZeek(t *testing.T, w *wire, o Options, args ...string) {
	t.Helper()
	show, _ := strconv.Atoi(os.Getenv("PARITY_SHOW"))
	want := zeekRows(t, w, args...)
	var got []textRow
	var uids []string
	for _, c := range w.rows(t, o) {
		got, uids = append(got, textOf(&c)), append(uids, c.UID)
	}
	resolveParents(got, uids)
	d := compareRows(want, got)
	for _, e := range d.examples[:min(len(d.examples), max(show, 5))] {
		t.Log(e)
	}
	require.Equal(t, len(want), d.equal, "equal rows of %d; %v", len(want), d.fields)
	require.Equal(t, len(want), len(got))
}

// TestFileFormatsAgainstZeek has Zeek read the same packets in files of many
// kinds.
func TestFileFormatsAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	o := &onion{Rand: rand.New(rand.NewPCG(1, 99))}
	var frames []string
	for range 60 {
		for _, b := range o.frames(linkRaw, 1) {
			frames = append(frames, string(b))
		}
	}
	classic := func(change func(*pcapWriter)) []byte {
		w := newPcapWriter()
		change(w)
		fraction := uint32(999_999)
		if w.magic == magicNanoseconds {
			fraction = 999_999_999
		}
		for i, b := range frames {
			n := uint32(len(b))
			w.record(epoch+uint32(i)/3, fraction-uint32(i), n, n, b)
		}
		return w.b
	}
	ng := func(order binary.AppendByteOrder, perSecond float64, options ...func(*ngWriter) []byte) []byte {
		w := &ngWriter{order: order}
		w.section()
		var parts [][]byte
		for _, option := range options {
			parts = append(parts, option(w))
		}
		w.iface(101, 0, parts...)
		for i, b := range frames {
			w.packet(0, uint64((1000+float64(i)/3)*perSecond), uint32(len(b)), b)
		}
		return w.b
	}
	resolution := func(b byte) func(*ngWriter) []byte {
		return func(w *ngWriter) []byte { return w.option(optionTSResol, b) }
	}
	offset := func(w *ngWriter) []byte {
		return w.option(optionTSOffset, w.order.AppendUint64(nil, epoch)...)
	}
	for name, file := range map[string][]byte{
		"nanoseconds":        classic(func(w *pcapWriter) { w.magic = magicNanoseconds }),
		"big-endian":         classic(func(w *pcapWriter) { w.order = binary.BigEndian }),
		"patched":            classic(func(w *pcapWriter) { w.magic = magicPatched }),
		"version 2.3":        classic(func(w *pcapWriter) { w.minor = 3 }),
		"snapped":            classic(func(w *pcapWriter) { w.snapshot = 40 }),
		"pcapng":             ng(binary.LittleEndian, 1e6),
		"pcapng, big-endian": ng(binary.BigEndian, 1e6, offset),
		"pcapng, 10^-9":      ng(binary.LittleEndian, 1e9, resolution(9), offset),
		"pcapng, 10^-3":      ng(binary.LittleEndian, 1e3, resolution(3)),
		"pcapng, 2^-20":      ng(binary.LittleEndian, 1<<20, resolution(0x94)),
		"pcapng, 2^-10":      ng(binary.LittleEndian, 1<<10, resolution(0x8a)),
	} {
		t.Run(name, func(t *testing.T) {
			w := new(wire)
			w.buf.Write(file)
			compareWithZeek(t, w, Options{})
		})
	}
}
