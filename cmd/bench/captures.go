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
	"strings"
)

// captures measures the way from packets to rows, beside other programs that
// make flows of the same file.
func (b *bench) captures(string) error {
	if err := b.makeLogs(); err != nil { // for the model
		return err
	}
	packets, err := b.makeCapture()
	if err != nil {
		return err
	}
	pcap := b.path("merged.pcap")
	t := task{title: "a capture of many applications, to rows", units: float64(packets), unit: "packet"}
	t.contenders = append(t.contenders,
		b.running("zeek-iforest replay, with scores", "", b.program, "replay", "-m", b.path("site.model"), "-o", "/dev/null", pcap))
	for _, rival := range []struct {
		name    string
		program string
		args    []string
	}{
		{"zeek -r, its default scripts", "zeek", []string{"-r", pcap}},
		{"zeek -b, conn.log only", "zeek", []string{"-b", "-r", pcap, "base/protocols/conn"}},
		{"ndpiReader", "ndpiReader", []string{"-q", "-i", pcap}},
		{"argus", "argus", []string{"-r", pcap, "-w", b.path("argus.out")}},
		{"tshark, conversations", "tshark", []string{"-n", "-q", "-z", "conv,tcp", "-z", "conv,udp", "-r", pcap}},
	} {
		if rival.program == "zeek" && len(t.absent) > 0 && t.absent[len(t.absent)-1] == "zeek" {
			continue
		}
		if path := t.installed(rival.program); path != "" {
			t.contenders = append(t.contenders, b.running(rival.name, "", append([]string{path}, rival.args...)...))
		}
	}
	return b.contest(t)
}

// makeCapture writes merged.pcap: the Ethernet frames of captures one behind
// the other, again and again, each later than the one before.
func (b *bench) makeCapture() (packets int, err error) {
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
	err = writeFile(b.path("merged.pcap"), func(w io.Writer) error {
		if _, err := w.Write(files[0][:24]); err != nil {
			return err
		}
		for clock := uint64(1_700_000_000e6); packets < b.packets; {
			for _, data := range files {
				n, end, err := appendCapture(w, data[24:], clock)
				if err != nil {
					return err
				}
				packets += n
				clock = end + 10e6
			}
		}
		return nil
	})
	if info, statErr := os.Stat(b.path("merged.pcap")); statErr == nil {
		b.report.inputs = append(b.report.inputs, fmt.Sprintf("Capture: %d packets, %d MB, merged from %s (%d files).", packets, info.Size()>>20, from, len(files)))
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

// sensor lets zeek-pkg/testing/cost measure what the package costs a Zeek, and
// keeps its lines.
func (b *bench) sensor(string) error {
	var t task
	if t.installed("zeek") == "" {
		b.report.absent = append(b.report.absent, "zeek (what the package costs a sensor)")
		return nil
	}
	if err := b.makeLogs(); err != nil {
		return err
	}
	out, err := b.do(b.root, filepath.Join(b.root, "zeek-pkg", "testing", "cost"), b.path("site.model"), fmt.Sprint(b.runs))
	if err != nil {
		return err
	}
	b.report.text = "    " + strings.ReplaceAll(strings.TrimSpace(out), "\n", "\n    ") + "\n"
	return nil
}
