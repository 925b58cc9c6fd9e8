package capture

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// sharedFrames calls f with frames of the shared traces, a few of each, where
// they are there.
func sharedFrames(f func(frame)) {
	root := filepath.Join("..", "..", "shared")
	for _, folder := range []string{"zeek-traces", "ndpi-traces"} {
		_ = filepath.WalkDir(filepath.Join(root, folder, "pcaps"), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil // seeds are welcome, not needed
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			file, err := openPcap(bytes.NewReader(b), &Stats{})
			for i := 0; err == nil && i < 2; i++ {
				var fr frame
				if err = file.next(&fr); err == nil {
					f(fr)
				}
			}
			return nil
		})
	}
}

// FuzzPcap and FuzzPcapng read files of any bytes: the same packets however
// the bytes come, then the end or the place of the damage.
func FuzzPcap(f *testing.F) {
	w := newPcapWriter()
	w.record(1, 2, 3, 60, "abc")
	w.record(1, 2, 0, 60, "")
	f.Add(w.b)
	f.Add(w.b[:len(w.b)-8])
	f.Fuzz(fuzzFile)
}

func FuzzPcapng(f *testing.F) {
	w := newNGWriter()
	w.iface(1, 0, w.option(optionTSResol, 9), w.option(optionTSOffset, make([]byte, 8)...))
	w.packet(0, 1, 60, "abc")
	w.block(blockSimplePacket, append(w.words(3), "hij"...))
	w.section()
	f.Add(w.b)
	f.Add(w.b[:len(w.b)-8])
	f.Fuzz(fuzzFile)
}

func fuzzFile(t *testing.T, b []byte) {
	file, err := NewFile(bytes.NewReader(b))
	slow, slowErr := openPcap(iotest.OneByteReader(bytes.NewReader(b)), &Stats{})
	require.Equal(t, slowErr, err)
	var s Stats
	var fast *packets
	if err == nil {
		fast = newPackets(file, file.LinkType(), &s)
	}
	var fr, slowFr frame
	for err == nil {
		last := s.Packets
		err, slowErr = fast.next(&fr), slow.next(&slowFr)
		require.Equal(t, slowErr, err)
		if err == nil {
			require.Equal(t, slowFr, fr)
			require.Greater(t, s.Packets, last)
			require.NotEmpty(t, fr.data)
			require.GreaterOrEqual(t, fr.time, conn.Micros(0))
		}
		require.LessOrEqual(t, file.in.offset, int64(len(b)))
	}
	var damage *DamageError
	require.True(t, err == io.EOF || errors.As(err, &damage), "%v", err)
}

// fuzzFrames decodes frames, a second apart, as they are and cut by the
// capture: no panic, and every packet is in a row, waits, or is counted as
// skipped.
func fuzzFrames(t *testing.T, link linkType, ignoreChecksums bool, frames ...[]byte) {
	pcap := pcapFileHeader(link)
	for i, b := range frames {
		b = b[:min(len(b), 1<<16)]
		pcap = appendRecord(pcap, (epoch+conn.Micros(i))*second, uint32(len(b)), b)
		pcap = appendRecord(pcap, (epoch+conn.Micros(i))*second, uint32(len(b)), b[:len(b)/2])
	}
	r, err := NewReader(bytes.NewReader(pcap), Options{IgnoreChecksums: ignoreChecksums})
	require.NoError(t, err)
	var row conn.Conn
	var packets uint64
	for err == nil {
		if err = r.Read(&row); err == nil {
			packets += row.OrigPkts + row.RespPkts
		}
	}
	require.Equal(t, io.EOF, err)
	s := r.Stats()
	require.Zero(t, s.Panics, s.FirstPanic)
	require.LessOrEqual(t, s.TotalSkipped(), s.Packets)
	if s.Connections == 0 && s.Fragments == 0 {
		require.Equal(t, s.Packets, s.TotalSkipped())
	}
	require.LessOrEqual(t, len(r.decoder.layers), 2+tunnelMaxDepth)
}

func FuzzLink(f *testing.F) {
	for i, link := range onionLinks {
		o := &onion{Rand: rand.New(rand.NewPCG(7, uint64(i)))}
		for _, b := range o.frames(link, 3) {
			f.Add(uint16(link), true, b)
		}
	}
	sharedFrames(func(fr frame) { f.Add(uint16(fr.link), false, bytes.Clone(fr.data)) })
	f.Fuzz(func(t *testing.T, link uint16, ignoreChecksums bool, b []byte) {
		fuzzFrames(t, linkType(link), ignoreChecksums, b)
	})
}

// FuzzIP has three datagrams, so that fragments can meet.
func FuzzIP(f *testing.F) {
	o := &onion{Rand: rand.New(rand.NewPCG(8, 8))}
	for i := range 40 {
		src, dst := o.ends(i%2 == 0)
		proto, payload := o.transport(src, dst)
		parts := append(o.fragments(src, dst, i%2 == 0, proto, concat(payload, payload, payload, payload)), nil, nil, nil)
		f.Add(true, parts[0], parts[1], parts[2])
	}
	f.Fuzz(func(t *testing.T, ignoreChecksums bool, a, b, c []byte) {
		fuzzFrames(t, linkRaw, ignoreChecksums, a, b, c)
	})
}

// FuzzTunnel has the payload of two datagrams of one connection, one in each
// direction.
func FuzzTunnel(f *testing.F) {
	o := &onion{Rand: rand.New(rand.NewPCG(9, 9))}
	for range 40 {
		port, payloads := o.udpTunnel(3)
		payloads = append(payloads, nil, nil)
		f.Add(uint16(port), payloads[0], payloads[1])
	}
	f.Fuzz(func(t *testing.T, port uint16, a, b []byte) {
		o := &onion{Rand: rand.New(rand.NewPCG(1, 1))}
		src, dst := o.ends(false)
		var in [][]byte
		for i, data := range [][]byte{a, b} {
			data = data[:min(len(data), 60000)]
			from, to := 4000, int(port)
			if i == 1 {
				src, dst, from, to = dst, src, to, from
			}
			in = append(in, o.ip4(src, dst, protoUDP, o.udp(src, dst, from, to, data), 0, 0))
		}
		fuzzFrames(t, linkRaw, true, in...)
	})
}

// BenchmarkFile is the reading of records alone, by File and by pcapgo.
func BenchmarkFile(b *testing.B) {
	day, err := os.ReadFile(filepath.Join(testenv.Root(b), "testdata", "pcaps", "office-day.pcap"))
	require.NoError(b, err)
	read := func(b *testing.B, open func() (*packets, error)) {
		n := 0
		for b.Loop() {
			file, err := open()
			require.NoError(b, err)
			var fr frame
			for file.next(&fr) == nil {
				n++
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
	}
	b.Run("File", func(b *testing.B) {
		read(b, func() (*packets, error) { return openPcap(bytes.NewReader(day), &Stats{}) })
	})
	b.Run("pcapgo", func(b *testing.B) {
		read(b, func() (*packets, error) {
			r, err := pcapgo.NewReader(bytes.NewReader(day))
			if err != nil {
				return nil, err
			}
			return newPackets(r, r.LinkType(), &Stats{}), nil
		})
	})
}
