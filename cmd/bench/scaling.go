//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture"
	plots "github.com/zeek-iforest/zeek-iforest/internal/report"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// curve is how the time for one unit of work depends on a size.
type curve struct {
	name   string  // of the file: scaling-NAME.svg
	of     string  // the size: "rows"
	series []serie // what is measured
}

type serie struct {
	name  string // "training, for a row"
	sizes []int
	// measure does the work for a size so and so often and says for how many
	// units; what it prepares is not counted.
	measure func(size int) (work func(), units int)
	// grows says whether units do not grow with the size: then the exponent is
	// that of the time for a unit, else that of the whole.
	constantUnits bool
}

// scaling measures how times grow, draws them, and says the growth in words.
func (b *bench) scaling(folder string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "| what | from … to | time for a unit, CPU | growth of the whole with the size |\n|---|---|---|---|\n")
	var drawn []string
	for _, c := range curves() {
		var lines []plots.Line
		for _, s := range c.series {
			line := plots.Line{Name: s.name}
			for _, size := range s.sizes {
				if err := b.ctx.Err(); err != nil {
					return err
				}
				work, units := s.measure(size)
				best := math.Inf(1)
				for range 3 {
					best = min(best, timed(work).cpu.Seconds())
				}
				line.X, line.Y = append(line.X, float64(size)), append(line.Y, best/float64(units)*1e9)
			}
			power := exponent(line.X, line.Y)
			if !s.constantUnits {
				power++
			}
			last := len(line.Y) - 1
			fmt.Fprintf(&text, "| %s | %d … %d %s | %s … %s | %s |\n", s.name, s.sizes[0], s.sizes[last], c.of,
				duration(line.Y[0]/1e9), duration(line.Y[last]/1e9), words(power))
			b.say("%s over %s: exponent %.2f", s.name, c.of, power)
			lines = append(lines, line)
		}
		name := "scaling-" + c.name + ".svg"
		err := writeFile(filepath.Join(folder, name), func(w io.Writer) error {
			return plots.Lines(w, "time over "+c.of, c.of, "ns of CPU", true, lines...)
		})
		if err != nil {
			return err
		}
		drawn = append(drawn, fmt.Sprintf("![time over %s](%s)", c.of, name))
	}
	b.report.text = text.String() + "\nThe exponent is the slope of a straight line through the logarithms (least squares).\n\n" + strings.Join(drawn, "\n") + "\n"
	return nil
}

// exponent returns the slope of log y over log x.
func exponent(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// words says what an exponent means.
func words(power float64) string {
	name := "a power of it"
	switch {
	case power < 0.15:
		name = "hardly at all"
	case power < 0.85:
		name = "slower than in proportion"
	case power <= 1.15:
		name = "in proportion"
	case power <= 1.4:
		name = "a little faster than in proportion (caches)"
	}
	return fmt.Sprintf("%s (exponent %.2f)", name, power)
}

func decades(from, to int) (sizes []int) {
	for n := from; n <= to; n *= 10 {
		sizes = append(sizes, n)
		if 3*n < to {
			sizes = append(sizes, 3*n)
		}
	}
	return sizes
}

func curves() []curve {
	const rows, dim = 50_000, 16
	grown := func(o forest.Options, dim int, rows []float32) *forest.Forest {
		f, err := forest.Grow(rows, dim, o)
		if err != nil {
			panic(err) // the rows are finite and enough
		}
		return f
	}
	scoring := func(o forest.Options, dim, n int) (func(), int) {
		x := heavyTailed(n, dim)
		f, paths := grown(o, dim, x), make([]float64, n)
		return func() { f.MeanPaths(paths, x, 1) }, n
	}
	oneByOne := func(o forest.Options, dim, n int) (func(), int) {
		x := heavyTailed(n, dim)
		f := grown(o, dim, x)
		return func() {
			for i := range n {
				f.MeanPath(x[i*dim : (i+1)*dim])
			}
		}, n
	}
	trees := func(n int) forest.Options { o := paperOptions; o.Trees = n; return o }
	return []curve{
		{"rows", "rows", []serie{
			{name: "scoring a batch, for a row", sizes: decades(1000, 1_000_000), measure: func(n int) (func(), int) { return scoring(paperOptions, dim, n) }},
			{name: "training, for a row", sizes: decades(1000, 1_000_000), measure: func(n int) (func(), int) {
				return func() {
					next := office(n, 1000)
					if _, _, err := learn.Fit(next, learn.Options{}); err != nil {
						panic(err) // rows of our own making
					}
				}, n
			}},
		}},
		{"features", "features", []serie{
			{name: "scoring a batch, for a row", sizes: []int{2, 4, 8, 16, 32, 64, 128}, constantUnits: true, measure: func(n int) (func(), int) { return scoring(paperOptions, n, rows/2) }},
			{name: "scoring one by one, for a row", sizes: []int{2, 4, 8, 16, 32, 64, 128}, constantUnits: true, measure: func(n int) (func(), int) { return oneByOne(paperOptions, n, rows/2) }},
		}},
		{"trees", "trees", []serie{
			{name: "scoring a batch, for a row", sizes: []int{10, 20, 50, 100, 200, 500, 1000}, constantUnits: true, measure: func(n int) (func(), int) { return scoring(trees(n), dim, rows/2) }},
			{name: "scoring one by one, for a row", sizes: []int{10, 20, 50, 100, 200, 500, 1000}, constantUnits: true, measure: func(n int) (func(), int) { return oneByOne(trees(n), dim, rows/2) }},
		}},
		{"hosts", "hosts", []serie{
			{name: "the windows of a row, its originator being one of them", sizes: decades(10, 3_000_000), constantUnits: true, measure: func(n int) (func(), int) {
				const passes = 300_000
				hosts := feature.NewHosts(model.DefaultHosts)
				random := rand.New(rand.NewPCG(1, 1))
				c := conn.Conn{Proto: conn.TCP, State: conn.SF, Resp: netip.AddrPortFrom(address(192, 1), 443)}
				return func() {
					for range passes {
						c.TS += 1000
						c.Orig = netip.AddrPortFrom(address(10, uint32(random.IntN(n))), 40000)
						hosts.Observe(&c)
					}
				}, passes
			}},
		}},
		{"connections", "connections at once", []serie{
			{name: "capture, for a packet", sizes: decades(10, 300_000), constantUnits: true, measure: func(n int) (func(), int) {
				const packets = 1_000_000
				pcap := interleaved(n, packets)
				return func() {
					r, err := capture.NewReader(bytes.NewReader(pcap), capture.Options{IgnoreChecksums: true})
					var row conn.Conn
					for err == nil {
						err = r.Read(&row)
					}
					if !errors.Is(err, io.EOF) {
						panic(err) // a capture of our own making
					}
				}, packets
			}},
		}},
	}
}

// address returns a host of a network of 2^24.
func address(network byte, host uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{network, byte(host >> 16), byte(host >> 8), byte(host)})
}

// office yields n connections of ordinary hosts: for training and the soak.
func office(n, hosts int) func(*conn.Conn) error {
	r := rand.New(rand.NewPCG(11, 7))
	services := []string{"dns", "ssl", "http", "ssh", "smtp", "ntp"}
	ports := []uint16{53, 443, 80, 22, 25, 123}
	now := conn.Micros(1_700_000_000e6)
	return func(c *conn.Conn) error {
		if n--; n < 0 {
			return io.EOF
		}
		now += conn.Micros(r.Int64N(20e3)) // a hundred a second
		k := min(r.IntN(len(services)), r.IntN(len(services)))
		c.Reset()
		c.Proto, c.State, c.Service = conn.TCP, conn.SF, services[k]
		if k == 0 || k == 5 {
			c.Proto = conn.UDP
		}
		if r.IntN(20) == 0 {
			c.State = conn.State(1 + r.IntN(int(conn.NumState)-1))
		}
		c.Orig = netip.AddrPortFrom(address(10, uint32(r.IntN(hosts))), uint16(1024+r.IntN(60000)))
		c.Resp = netip.AddrPortFrom(address(192, r.Uint32N(4000)), ports[k])
		if r.IntN(500) == 0 {
			c.Resp = netip.AddrPortFrom(c.Resp.Addr(), uint16(r.Uint32()))
		}
		c.Duration, c.OrigBytes, c.RespBytes = conn.Micros(r.Int64N(1<<r.IntN(27))), r.Uint64N(1<<r.IntN(20)), r.Uint64N(1<<r.IntN(24))
		c.OrigPkts, c.RespPkts = c.OrigBytes/1000+1, c.RespBytes/1400+1
		c.OrigIPBytes, c.RespIPBytes = c.OrigBytes+40*c.OrigPkts, c.RespBytes+40*c.RespPkts
		c.TS = now - c.Duration
		c.Set = conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes
		return nil
	}
}

// interleaved returns a capture of that many packets: so many UDP connections take
// turns, a packet each.
func interleaved(connections, packets int) []byte {
	out := make([]byte, 0, 24+packets*(16+46))
	out = binary.LittleEndian.AppendUint32(out, pcapMagic)
	out = append(out, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, ethernet, 0, 0, 0)
	for i := range packets {
		id := i % connections
		at := uint64(1_700_000_000e6) + uint64(i)*20 // all of them within any timeout
		out = binary.LittleEndian.AppendUint32(out, uint32(at/1e6))
		out = binary.LittleEndian.AppendUint32(out, uint32(at%1e6))
		const size = 14 + 20 + 8 + 4
		out = binary.LittleEndian.AppendUint32(out, size)
		out = binary.LittleEndian.AppendUint32(out, size)
		out = append(out, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0)
		out = append(out, 0x45, 0, 0, size-14, 0, 0, 0, 0, 64, 17, 0, 0, 10, byte(id>>16), byte(id>>8), byte(id), 192, 0, 2, 1)
		out = append(out, 0x9c, 0x40, 0x27, 0x0f, 0, 12, 0, 0, 'd', 'a', 't', 'a')
	}
	return out
}
