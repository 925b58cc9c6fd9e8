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

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Each link and each tunnel has a target of its own, so that none is crowded
// out by the others of FuzzLink and FuzzTunnel.

func FuzzEthernet(f *testing.F)      { fuzzLink(f, linkEthernet) }
func FuzzNull(f *testing.F)          { fuzzLink(f, linkNull) }
func FuzzPPP(f *testing.F)           { fuzzLink(f, linkPPP) }
func FuzzPPPSerial(f *testing.F)     { fuzzLink(f, linkPPPSerial) }
func FuzzFDDI(f *testing.F)          { fuzzLink(f, linkFDDI) }
func Fuzz80211(f *testing.F)         { fuzzLink(f, link80211) }
func FuzzRadiotap(f *testing.F)      { fuzzLink(f, linkRadiotap) }
func FuzzLinuxCooked(f *testing.F)   { fuzzLink(f, linkSLL) }
func FuzzLinuxCookedV2(f *testing.F) { fuzzLink(f, linkSLL2) }
func FuzzNFLOG(f *testing.F)         { fuzzLink(f, linkNFLOG) }

func fuzzLink(f *testing.F, link linkType) {
	for seed := range uint64(8) {
		o := &onion{Rand: rand.New(rand.NewPCG(20, seed))}
		for _, b := range o.frames(link, 3) {
			f.Add(true, b)
		}
	}
	sharedFrames(func(fr frame) {
		if fr.link == link && len(fr.data) < 400 {
			f.Add(false, bytes.Clone(fr.data))
		}
	})
	f.Fuzz(func(t *testing.T, ignoreChecksums bool, b []byte) { fuzzFrames(t, link, ignoreChecksums, b) })
}

func FuzzVXLAN(f *testing.F)  { fuzzUDPTunnel(f, vxlanPort) }
func FuzzGeneve(f *testing.F) { fuzzUDPTunnel(f, genevePort) }
func FuzzGTP(f *testing.F)    { fuzzUDPTunnel(f, gtpUserPort) }
func FuzzTeredo(f *testing.F) { fuzzUDPTunnel(f, teredoPort) }
func FuzzAYIYA(f *testing.F)  { fuzzUDPTunnel(f, ayiyaPort) }

// fuzzUDPTunnel has the payload of a datagram to a tunnel's port, and of the
// answer.
func fuzzUDPTunnel(f *testing.F, port int) {
	for seed := range uint64(60) {
		o := &onion{Rand: rand.New(rand.NewPCG(21, seed))}
		if p, payloads := o.udpTunnel(3); p == port {
			payloads = append(payloads, nil, nil)
			f.Add(payloads[0], payloads[1])
		}
	}
	f.Fuzz(func(t *testing.T, there, back []byte) {
		o := &onion{Rand: rand.New(rand.NewPCG(1, 1))}
		src, dst := o.ends(false)
		there, back = there[:min(len(there), 60000)], back[:min(len(back), 60000)]
		fuzzFrames(t, linkRaw, true,
			o.ip4(src, dst, protoUDP, o.udp(src, dst, 4000, port, there), 0, 0),
			o.ip4(dst, src, protoUDP, o.udp(dst, src, port, 4000, back), 0, 0))
	})
}

// FuzzIPTunnel has what IP carries that is IP again, or GRE.
func FuzzIPTunnel(f *testing.F) {
	for seed := range uint64(30) {
		o := &onion{Rand: rand.New(rand.NewPCG(22, seed))}
		for _, b := range o.gre(3) {
			f.Add(byte(protoGRE), b)
		}
		for _, b := range o.datagrams(seed&1 == 0, 2) {
			f.Add([]byte{protoIPv4, protoIPv6}[(seed+1)&1], b)
		}
	}
	f.Fuzz(func(t *testing.T, proto byte, b []byte) {
		o := &onion{Rand: rand.New(rand.NewPCG(1, 1))}
		src, dst := o.ends(false)
		b = b[:min(len(b), 60000)]
		fuzzFrames(t, linkRaw, true, o.ip4(src, dst, proto, b, 0, 0), o.ip4(dst, src, proto, b, 0, 0))
	})
}

// FuzzCapture reads whole files, beginning with real ones: the rows are the same
// however the bytes come, and memory stays within its limits.
func FuzzCapture(f *testing.F) {
	const (
		longest = 16 << 10 // of a seed
		most    = 150
	)
	seeds := 0
	for _, root := range []string{filepath.Join("..", "testdata", "pcaps"), filepath.Join("..", "..", "shared", "zeek-traces", "pcaps")} {
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || seeds == most || filepath.Ext(path) == ".log" {
				return nil // seeds are welcome, not needed
			}
			if info, err := e.Info(); err != nil || info.Size() > longest {
				return nil
			}
			if b, err := os.ReadFile(path); err == nil {
				f.Add(b, seeds%2 == 0)
				seeds++
			}
			return nil
		})
	}
	f.Fuzz(func(t *testing.T, b []byte, ignoreChecksums bool) {
		o := Options{IgnoreChecksums: ignoreChecksums, MaxConnections: 20, MaxBuffered: 16 << 10}
		read := func(in io.Reader) (rows []conn.Conn, s Stats, err error) {
			r, err := NewReader(in, o)
			if err != nil {
				return nil, s, err
			}
			for {
				var row conn.Conn
				if err = r.Read(&row); err != nil {
					return rows, r.Stats(), err
				}
				require.LessOrEqual(t, r.table.buffers.held, o.MaxBuffered)
				require.LessOrEqual(t, r.table.live, o.MaxConnections+8)
				rows = append(rows, row)
			}
		}
		rows, stats, err := read(bytes.NewReader(b))
		slowRows, slowStats, slowErr := read(iotest.OneByteReader(bytes.NewReader(b)))
		require.Equal(t, err, slowErr)
		require.Equal(t, rows, slowRows)
		require.Equal(t, stats, slowStats)
		require.Zero(t, stats.Panics, stats.FirstPanic)

		// A file that cannot be read on ends like a damaged one, and says why,
		// unless it is damaged before.
		broken := errors.New("input/output error")
		_, _, brokenErr := read(io.MultiReader(bytes.NewReader(b[:len(b)/2]), iotest.ErrReader(broken)))
		require.True(t, errors.Is(brokenErr, broken) || err != io.EOF, "%v", brokenErr)
		require.NotEqual(t, io.EOF, brokenErr)
	})
}
