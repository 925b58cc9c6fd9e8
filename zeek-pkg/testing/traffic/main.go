// Traffic writes captures that nobody wants to keep: large ones, for measuring
// what the package costs a Zeek, and for its bad days.
//
//	traffic syns N HOSTS > x.pcap        N connections of one SYN each, from HOSTS originators
//	traffic repeat N capture.pcap [FIRST] > x.pcap   N copies of a capture, one day after the other, the first FIRST days later
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
)

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	err := write(out, os.Args[1:])
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "traffic:", err)
		os.Exit(2)
	}
}

func write(out io.Writer, args []string) error {
	if len(args) != 3 && (len(args) != 4 || args[0] != "repeat") {
		return fmt.Errorf("usage: traffic syns N HOSTS, or traffic repeat N capture.pcap [FIRST]")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	switch args[0] {
	case "syns":
		hosts, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return syns(out, n, hosts)
	case "repeat":
		first := 0
		if len(args) == 4 {
			if first, err = strconv.Atoi(args[3]); err != nil {
				return err
			}
		}
		return repeat(out, first, n, args[2])
	}
	return fmt.Errorf("unknown verb %q", args[0])
}

const (
	ethernet = 1
	magic    = 0xa1b2c3d4 // microseconds
	day      = 86400
)

func fileHeader(out io.Writer, link uint32) error {
	h := binary.LittleEndian.AppendUint32(nil, magic)
	h = binary.LittleEndian.AppendUint16(h, 2)
	h = binary.LittleEndian.AppendUint16(h, 4)
	for _, v := range []uint32{0, 0, 65535, link} {
		h = binary.LittleEndian.AppendUint32(h, v)
	}
	_, err := out.Write(h)
	return err
}

func packet(out io.Writer, micros uint64, data []byte) error {
	var h [16]byte
	binary.LittleEndian.PutUint32(h[0:], uint32(micros/1e6))
	binary.LittleEndian.PutUint32(h[4:], uint32(micros%1e6))
	binary.LittleEndian.PutUint32(h[8:], uint32(len(data)))
	binary.LittleEndian.PutUint32(h[12:], uint32(len(data)))
	if _, err := out.Write(h[:]); err != nil {
		return err
	}
	_, err := out.Write(data)
	return err
}

// syns writes n SYNs, ten thousand a second, from 10.x.y.z to one network.
func syns(out io.Writer, n, hosts int) error {
	if err := fileHeader(out, ethernet); err != nil {
		return err
	}
	frame := make([]byte, 14+20+20)
	copy(frame[12:], []byte{0x08, 0x00})
	ip, tcp := frame[14:34], frame[34:]
	ip[0], ip[3], ip[8], ip[9] = 0x45, 40, 64, 6
	tcp[12], tcp[13] = 5<<4, 0x02
	tcp[14] = 0xff
	for i := range n {
		host, round := uint32(i%hosts), uint32(i/hosts)
		binary.BigEndian.PutUint32(ip[12:], 10<<24|host)
		binary.BigEndian.PutUint32(ip[16:], 192<<24|88<<16|99<<8|uint32(i)%251)
		binary.BigEndian.PutUint16(tcp[0:], uint16(1024+round%60000))
		binary.BigEndian.PutUint16(tcp[2:], uint16(1+i%1000))
		binary.BigEndian.PutUint32(tcp[4:], uint32(i))
		binary.BigEndian.PutUint16(ip[10:], 0)
		binary.BigEndian.PutUint16(ip[10:], checksum(0, ip))
		binary.BigEndian.PutUint16(tcp[16:], 0)
		binary.BigEndian.PutUint16(tcp[16:], checksum(6+20, ip[12:20], tcp))
		if err := packet(out, 1_700_000_000_000_000+uint64(i)*100, frame); err != nil {
			return err
		}
	}
	return nil
}

// checksum is the Internet checksum (RFC 1071) of the parts, each of even length.
func checksum(sum uint32, parts ...[]byte) uint16 {
	for _, p := range parts {
		for i := 0; i < len(p); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(p[i:]))
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// repeat writes n copies of a capture (pcap, microseconds, this machine's byte
// order), the first of them that many days later.
func repeat(out io.Writer, first, n int, name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if len(data) < 24 || binary.LittleEndian.Uint32(data) != magic {
		return fmt.Errorf("%s is no little-endian pcap with microseconds", name)
	}
	if err := fileHeader(out, binary.LittleEndian.Uint32(data[20:])); err != nil {
		return err
	}
	for i := first; i < first+n; i++ {
		for rest := data[24:]; len(rest) >= 16; {
			length := int(binary.LittleEndian.Uint32(rest[8:]))
			if len(rest) < 16+length {
				return fmt.Errorf("%s is cut off", name)
			}
			seconds, micros := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
			if err := packet(out, (uint64(seconds)+uint64(i)*day)*1e6+uint64(micros), rest[16:16+length]); err != nil {
				return err
			}
			rest = rest[16+length:]
		}
	}
	return nil
}
