package capture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// openGopacket reads a file with gopacket's own reader.
func openGopacket(b []byte, o Options) (*Reader, error) {
	classic, err := pcapgo.NewReader(bytes.NewReader(b))
	if err == nil {
		return NewSourceReader(classic, classic.LinkType(), o), nil
	}
	if len(b) >= 4 && binary.LittleEndian.Uint32(b) == magicSection {
		ng, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			return nil, err
		}
		return NewSourceReader(ng, ng.LinkType(), o), nil
	}
	return nil, err
}

// rowsOf reads all rows, uid and all.
func rowsOf(r *Reader, err error) ([]conn.Conn, error) {
	var rows []conn.Conn
	for err == nil {
		var c conn.Conn
		if err = r.Read(&c); err == nil {
			rows = append(rows, c)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return rows, err
}

// gopacketDiffers are the shared traces that gopacket's readers do not read as
// libpcap does, and why.
var gopacketDiffers = map[string]string{
	"nfsv3.pcap":    "version 2.1 is refused",
	"smb2_krb.pcap": "a packet longer than the snapshot length ends the file",
	"t2038.pcap":    "seconds beyond 2038 have no sign for gopacket",
}

// Each capture gives the same rows through gopacket's readers.
func TestGopacketsReadersGiveTheSameRows(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(testenv.Root(t), "testdata", "pcaps", "*.pcap*"))
	require.NoError(t, err)
	for _, folder := range []string{"zeek-traces", "ndpi-traces", "handmade-traces"} {
		require.NoError(t, filepath.WalkDir(testenv.Shared(t, folder, "pcaps"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				paths = append(paths, path)
			}
			return err
		}))
	}
	var differ []string
	read := 0
	for i, path := range paths {
		if testing.Short() && i%4 != 0 {
			continue
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		if bytes.HasPrefix(b, []byte("#")) { // a log beside its capture
			continue
		}
		read++
		for _, o := range []Options{{}, {IgnoreChecksums: true}} {
			ours, err := rowsOf(NewReader(bytes.NewReader(b), o))
			theirs, theirErr := rowsOf(openGopacket(b, o))
			if (err == nil) != (theirErr == nil) || !assert.ObjectsAreEqual(ours, theirs) {
				differ = append(differ, filepath.Base(path))
				assert.Contains(t, gopacketDiffers, filepath.Base(path), "%d rows, %v; through gopacket %d, %v", len(ours), err, len(theirs), theirErr)
			}
		}
	}
	slices.Sort(differ)
	differ = slices.Compact(differ)
	t.Logf("%d captures in two modes; other rows or an error: %v", read, differ)
	if !testing.Short() {
		assert.Len(t, differ, len(gopacketDiffers), "a gopacket that reads what our File reads: may File go?")
	}
}

// Files that libpcap reads, Zeek with it, and gopacket does not, or otherwise.
// This is why File is ours: if a line fails, that reason is gone.
func TestWhatFileReadsAndGopacketDoesNot(t *testing.T) {
	classic := func(change func(*pcapWriter)) []byte {
		w := newPcapWriter()
		change(w)
		return w.b
	}
	ng := func(order binary.AppendByteOrder, write func(*ngWriter)) []byte {
		w := &ngWriter{order: order}
		w.section()
		write(w)
		return w.b
	}
	const second1, micro = 1_700_000_001, 2
	for _, tt := range []struct {
		name   string
		file   []byte
		theirs string // how gopacket's error begins; "" if it reads another packet
	}{
		{"version 2.2", classic(func(w *pcapWriter) { w.minor = 2; w.record(second1, micro, 60, 3, "abc") }), "Unknown minor version"},
		{"patched kernels", classic(func(w *pcapWriter) { w.magic = magicPatched; w.record(second1, micro, 3, 60, "abc") }), "Unknown magic"},
		{"snapshot length 0", classic(func(w *pcapWriter) { w.snapshot = 0; w.record(second1, micro, 3, 60, "abc") }), "packet 1: capture length exceeds snap length"},
		{"more than the snapshot length", classic(func(w *pcapWriter) { w.snapshot = 2; w.record(second1, micro, 3, 60, "abc") }), "packet 1: capture length exceeds snap length"},
		{"more captured than on the wire", classic(func(w *pcapWriter) { w.record(second1, micro, 3, 2, "abc") }), "packet 1: capture length exceeds original packet length"},
		{"seconds before 1970", classic(func(w *pcapWriter) { w.record(0xffffffff, 0, 1, 1, "a"); w.record(1, 0, 1, 1, "b") }), ""},
		{"microseconds beyond a second", classic(func(w *pcapWriter) { w.record(1, 5_000_000, 1, 1, "a") }), ""},
		{"pcapng cut in a packet", ng(binary.LittleEndian, func(w *ngWriter) {
			w.iface(1, 0)
			w.packet(0, 5, 1, "a")
			w.b = w.b[:len(w.b)-8]
		}), ""},
		{"a packet longer than its block", ng(binary.LittleEndian, func(w *ngWriter) {
			w.iface(1, 0)
			w.block(blockEnhancedPacket, w.words(0, 0, 5, 400, 400))
			w.packet(0, 5, 1, "a")
		}), ""},
		{"a link type of more than eight bits", ng(binary.LittleEndian, func(w *ngWriter) { w.iface(uint16(linkDBus)+256, 0); w.packet(0, 5, 1, "a") }), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ours, _, err := readFrames(tt.file)
			theirs, theirErr := gopacketFrames(tt.file)
			if tt.theirs != "" {
				require.ErrorContains(t, theirErr, tt.theirs)
				require.Equal(t, io.EOF, err)
				require.NotEmpty(t, ours)
				return
			}
			require.NotEqual(t, fmt.Sprint(ours, err), fmt.Sprint(theirs, theirErr))
		})
	}
}

// gopacketFrames reads with gopacket's readers what readFrames reads with File.
func gopacketFrames(b []byte) (out []readFrame, err error) {
	r, err := openGopacket(b, Options{})
	if err != nil {
		return nil, err
	}
	for {
		var fr frame
		if err := r.packets.next(&fr); err != nil {
			return out, err
		}
		out = append(out, readFrame{fr.time, fr.wireLen, string(fr.data), fr.link})
	}
}

// source is a source of gopacket's made of what it is to say.
type source struct {
	packets [][]byte
	info    gopacket.CaptureInfo
	err     error
}

func (s *source) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	if len(s.packets) == 0 {
		return nil, gopacket.CaptureInfo{}, s.err
	}
	b := s.packets[0]
	s.packets = s.packets[1:]
	info := s.info
	info.CaptureLength, info.Length = len(b), len(b)
	return b, info, nil
}

// What a source cannot read ends the capture behind all rows before it.
func TestSourceThatFails(t *testing.T) {
	broken := errors.New("ring lost")
	s := &source{packets: [][]byte{udp4(t)}, err: broken}
	rows, err := rowsOf(NewSourceReader(s, layers.LinkTypeRaw, Options{}), nil)
	require.Len(t, rows, 1)
	require.ErrorIs(t, err, broken)
	require.EqualError(t, err, "capture: packet 2: ring lost")
}

// File lends what it read, or copies it.
func TestFileIsASource(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(testenv.Root(t), "testdata", "pcaps", "office-day.pcap"))
	require.NoError(t, err)
	lent, err := NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	copied, err := NewFile(bufio.NewReader(bytes.NewReader(b)))
	require.NoError(t, err)
	theirs, err := pcapgo.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	require.Equal(t, theirs.LinkType(), lent.LinkType())
	var first []byte
	var kept string
	for n := 0; ; n++ {
		want, wantInfo, wantErr := theirs.ReadPacketData()
		data, info, err := lent.ZeroCopyReadPacketData()
		require.Equal(t, wantErr, err)
		again, againInfo, err := copied.ReadPacketData()
		require.Equal(t, wantErr, err)
		if err != nil {
			require.Equal(t, io.EOF, err)
			break
		}
		require.Equal(t, want, data)
		require.Equal(t, want, again)
		require.Equal(t, info, againInfo)
		require.True(t, wantInfo.Timestamp.Equal(info.Timestamp))
		info.AncillaryData, info.Timestamp = nil, wantInfo.Timestamp
		require.Equal(t, wantInfo, info)
		if n == 0 {
			first, kept = again, string(again)
		}
	}
	require.Equal(t, kept, string(first))
}
