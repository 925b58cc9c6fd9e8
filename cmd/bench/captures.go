//go:build unix

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// captures measures the way from packets to rows, beside other programs that
// make flows of the same file.
func (b *bench) captures(string) error {
	if err := b.makeLogs(); err != nil { // for the model
		return err
	}
	for _, c := range []struct {
		name, title string
		probes      int // of a scan, for each packet of an application
	}{
		{"merged.pcap", "a capture of many applications, to rows", 0},
		{"scanned.pcap", "the same and twice as many probes of scans, to rows", 2},
	} {
		packets, err := b.makeCapture(c.name, c.probes)
		if err != nil {
			return err
		}
		if err := b.contest(b.captureTask(c.title, b.path(c.name), packets)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) captureTask(title, pcap string, packets int) task {
	t := task{title: title, units: float64(packets), unit: "packet"}
	t.contenders = append(t.contenders,
		b.running("zeek-iforest replay, with scores", "", b.program, "replay", "-m", b.path("site.model"), "-o", "/dev/null", pcap),
		b.running("zeek-iforest replay, learning from the capture", "", b.program, "replay", "-o", "/dev/null", pcap),
		b.gopacketLoop(pcap))
	for _, rival := range []struct {
		name    string
		program string
		args    []string
	}{
		{"zeek -r, its default scripts", "zeek", []string{"-r", pcap}},
		{"zeek -b, conn.log only", "zeek", []string{"-b", "-r", pcap, "base/protocols/conn"}},
		{"ndpiReader", "ndpiReader", []string{"-q", "-i", pcap}},
		{"argus", "argus", []string{"-r", pcap, "-w", b.path("argus.out")}},
		{"tshark, conversations", "tshark", []string{"-n", "-q", "-z", "conv,ip", "-r", pcap}},
	} {
		if rival.program == "zeek" && len(t.absent) > 0 && t.absent[len(t.absent)-1] == "zeek" {
			continue
		}
		if path := t.installed(rival.program); path != "" {
			t.contenders = append(t.contenders, b.running(rival.name, "", append([]string{path}, rival.args...)...))
		}
	}
	return t
}

// makeCapture writes the Ethernet frames of captures one behind the other, again
// and again, each later than the one before, and behind each a scan of so many
// probes for each of its packets.
func (b *bench) makeCapture(name string, probes int) (packets int, err error) {
	source := filepath.Join(b.root, "testdata", "pcaps")
	from := "testdata/pcaps"
	if dir := b.shared("ndpi-traces", "pcaps"); dir != "" {
		source, from = dir, "../shared/ndpi-traces, captures of real applications"
	}
	var files [][]byte
	err = filepath.WalkDir(source, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if len(data) > 24 && binary.LittleEndian.Uint32(data) == pcapMagic && binary.LittleEndian.Uint32(data[20:]) == ethernet {
			files = append(files, data)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, errors.New("no captures in " + source)
	}
	err = writeFile(b.path(name), func(w io.Writer) error {
		if _, err := w.Write(files[0][:24]); err != nil {
			return err
		}
		for clock := uint64(1_700_000_000e6); packets < b.packets; {
			for _, data := range files {
				n, end, err := appendCapture(w, data[24:], clock)
				if err != nil {
					return err
				}
				scanned, end, err := appendScan(w, packets, n*probes, end)
				if err != nil {
					return err
				}
				packets += n + scanned
				clock = end + 10e6
			}
		}
		return nil
	})
	if info, statErr := os.Stat(b.path(name)); statErr == nil {
		b.report.inputs = append(b.report.inputs, fmt.Sprintf("Capture %s: %d packets, %d MB, merged from %s (%d files)%s.",
			name, packets, info.Size()>>20, from, len(files), map[bool]string{true: ", with scans"}[probes > 0]))
	}
	return packets, err
}

const (
	pcapMagic = 0xa1b2c3d4 // microseconds, little-endian
	ethernet  = 1
)

// appendCapture writes the records of a capture, the first at a time; end is
// that of the last. What is more than an hour behind the first stays out.
func appendCapture(w io.Writer, records []byte, at uint64) (packets int, end uint64, err error) {
	var first uint64
	end = at
	for len(records) >= 16 {
		size := int(binary.LittleEndian.Uint32(records[8:]))
		if size > len(records)-16 {
			break
		}
		time := uint64(binary.LittleEndian.Uint32(records))*1e6 + uint64(binary.LittleEndian.Uint32(records[4:]))
		if first == 0 {
			first = time
		}
		if time >= first && time < first+3600e6 {
			now := at + time - first
			var header [16]byte
			copy(header[8:], records[8:16])
			binary.LittleEndian.PutUint32(header[0:], uint32(now/1e6))
			binary.LittleEndian.PutUint32(header[4:], uint32(now%1e6))
			if _, err := w.Write(header[:]); err != nil {
				return packets, end, err
			}
			if _, err := w.Write(records[16 : 16+size]); err != nil {
				return packets, end, err
			}
			packets++
			end = max(end, now)
		}
		records = records[16+size:]
	}
	return packets, end, nil
}

// appendScan writes a scan of so many addresses and ports, 20,000 probes a
// second: one host in ten refuses. first makes its probes differ from those of
// other scans.
func appendScan(w io.Writer, first, probes int, at uint64) (packets int, end uint64, err error) {
	put := func(from, to [4]byte, fromPort, toPort uint16, flags byte, ack uint32) {
		if err != nil {
			return
		}
		end = at + uint64(packets)*50
		b := make([]byte, 16+14+20+20)
		binary.LittleEndian.PutUint32(b, uint32(end/1e6))
		binary.LittleEndian.PutUint32(b[4:], uint32(end%1e6))
		b[8], b[12] = 54, 54
		copy(b[28:], []byte{0x08, 0x00, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6})
		ip, tcp := b[30:50], b[50:]
		copy(ip[12:], from[:])
		copy(ip[16:], to[:])
		binary.BigEndian.PutUint16(ip[10:], checksum(ip, 0))
		binary.BigEndian.PutUint16(tcp, fromPort)
		binary.BigEndian.PutUint16(tcp[2:], toPort)
		binary.BigEndian.PutUint32(tcp[4:], ^ack)
		binary.BigEndian.PutUint32(tcp[8:], ack)
		tcp[12], tcp[13], tcp[14] = 5<<4, flags, 0x04
		binary.BigEndian.PutUint16(tcp[16:], checksum(append(ip[12:20:20], tcp...), 6+20))
		_, err = w.Write(b)
		packets++
	}
	const syn, refusal = 0x02, 0x14
	ports := [...]uint16{22, 23, 80, 443, 445, 1433, 3306, 3389, 5900, 8080}
	end = at
	for i := first; packets < probes; i++ {
		from := [4]byte{192, 88, 99, byte(1 + i>>16&7)}
		to := [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}
		fromPort, toPort := uint16(40000+i%20000), ports[i%len(ports)]
		put(from, to, fromPort, toPort, syn, 0)
		if i%10 == 9 {
			put(to, from, toPort, fromPort, refusal, uint32(i))
		}
	}
	return packets, end, err
}

// checksum returns the Internet checksum (RFC 1071) of an even number of bytes.
func checksum(b []byte, sum uint32) uint16 {
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
