// Traffic writes captures that nobody wants to keep: large ones, for measuring
// what the package costs a Zeek, and for its bad days.
//
//	traffic syns N HOSTS > x.pcap        N connections of one SYN each, from HOSTS originators
//	traffic beacon N SECONDS > x.pcap    N SYNs of one host to a port outside, one each SECONDS
//	traffic scan N HOSTS > x.pcap        N minutes of HOSTS that knock in vain; in the last five 10.0.0.7 scans 198.51.100.0/24
//	traffic long N MINUTES > x.pcap      N connections of as many hosts that go on for MINUTES, a packet each four minutes
//	traffic repeat N capture.pcap [FIRST] > x.pcap   N copies of a capture, one day after the other, the first FIRST days later
//	traffic without N capture.pcap TO > x.pcap   a capture without its packets from second N to second TO
//	traffic idle N capture.pcap [DAY.pcap] > x.pcap   a capture whose second half comes one packet each N seconds, over copies of a day
//	traffic offices N capture.pcap [FIRST] > x.pcap   N offices at once whose day is the capture's, number FIRST the first (zeek -C)
//	traffic vlans N capture.pcap > x.pcap   the same in the VLANs 1 to N, each packet in all of them
package main

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
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
	if len(args) != 3 && (len(args) != 4 || args[0] == "syns" || args[0] == "beacon" || args[0] == "scan" || args[0] == "long") {
		return fmt.Errorf("usage: traffic syns N HOSTS, traffic beacon N SECONDS, traffic scan N HOSTS, traffic long N MINUTES, traffic vlans N capture.pcap, traffic idle N capture.pcap [DAY.pcap], or traffic repeat|offices N capture.pcap [FIRST]")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	switch args[0] {
	case "syns", "beacon", "scan", "long":
		by, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		if args[0] == "beacon" {
			return beacon(out, n, by)
		}
		if args[0] == "scan" {
			return scan(out, n, by)
		}
		if args[0] == "long" {
			return long(out, n, by)
		}
		return syns(out, n, by)
	case "without":
		if len(args) != 4 {
			return fmt.Errorf("usage: traffic without N capture.pcap TO")
		}
		to, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return without(out, uint64(n)*1e6, uint64(to)*1e6, args[2])
	case "idle":
		return idle(out, n, args[2], args[3:])
	case "vlans":
		return vlans(out, n, args[2])
	case "repeat", "offices":
		first := 0
		if len(args) == 4 {
			if first, err = strconv.Atoi(args[3]); err != nil {
				return err
			}
		}
		if args[0] == "offices" {
			return offices(out, first, n, args[2])
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
	return writeSyns(out, n, func(i int, s *syn) {
		host, round := uint32(i%hosts), uint32(i/hosts)
		s.at, s.orig, s.resp = uint64(i)*100, 10<<24|host, 192<<24|88<<16|99<<8|uint32(i)%251
		s.origPort, s.respPort = uint16(1024+round%60000), uint16(1+i%1000)
	})
}

// beacon writes n SYNs from 10.0.0.7 to port 1337 of 192.88.99.9.
func beacon(out io.Writer, n, seconds int) error {
	return writeSyns(out, n, func(i int, s *syn) {
		s.at, s.orig, s.resp = uint64(i*seconds)*1e6, 10<<24|7, 192<<24|88<<16|99<<8|9
		s.origPort, s.respPort = uint16(1024+i), 1337
	})
}

// scan writes n minutes of SYNs: each host's to a few others, one every twelve
// seconds, and in the last five minutes 75 of one host, each to another address.
func scan(out io.Writer, n, hosts int) error {
	each := n * 5 // of a host
	calm, knocks := each*hosts, 75
	next, begin := 0, uint64(n-5)*60e6
	return writeSyns(out, calm+knocks, func(i int, s *syn) {
		if at := begin + uint64(next)*4e6; next < knocks && (i-next)*12e6/hosts >= int(at) {
			s.at, s.orig, s.resp = at, 10<<24|7, 198<<24|51<<16|100<<8|uint32(next)
			s.origPort, s.respPort = uint16(40000+next), 445
			next++
			return
		}
		k := i - next
		host, round := k%hosts, k/hosts
		s.at, s.orig = uint64(k)*12e6/uint64(hosts), 10<<24|uint32(host)
		s.resp = 192<<24 | 88<<16 | 99<<8 | uint32(host*3+round*7%5)
		s.origPort, s.respPort = uint16(1024+k%60000), uint16(80+round%3)
	})
}

// long writes an ACK of each of n hosts every four minutes, one host after the
// other within a second.
func long(out io.Writer, n, minutes int) error {
	return writeSyns(out, n*(minutes/4+1), func(i int, s *syn) {
		host, round := uint32(i%n), uint64(i/n)
		s.at, s.orig, s.resp = round*240e6+uint64(host)*1e6/uint64(n), 10<<24|host, 192<<24|88<<16|99<<8|host%251
		s.origPort, s.respPort, s.ack = 40000, 443, true
	})
}

// syn is a packet of that kind; at is in microseconds from the capture's begin.
type syn struct {
	at                 uint64
	orig, resp         uint32
	origPort, respPort uint16
	ack                bool // it is an ACK instead
}

// writeSyns writes n of them, as fill says.
func writeSyns(out io.Writer, n int, fill func(i int, s *syn)) error {
	if err := fileHeader(out, ethernet); err != nil {
		return err
	}
	frame := make([]byte, 14+20+20)
	copy(frame[12:], []byte{0x08, 0x00})
	ip, tcp := frame[14:34], frame[34:]
	ip[0], ip[3], ip[8], ip[9] = 0x45, 40, 64, 6
	tcp[12] = 5 << 4
	tcp[14] = 0xff
	var s syn
	for i := range n {
		fill(i, &s)
		if tcp[13] = 0x02; s.ack {
			tcp[13] = 0x10
		}
		binary.BigEndian.PutUint32(ip[12:], s.orig)
		binary.BigEndian.PutUint32(ip[16:], s.resp)
		binary.BigEndian.PutUint16(tcp[0:], s.origPort)
		binary.BigEndian.PutUint16(tcp[2:], s.respPort)
		binary.BigEndian.PutUint32(tcp[4:], uint32(i))
		binary.BigEndian.PutUint16(ip[10:], 0)
		binary.BigEndian.PutUint16(ip[10:], checksum(0, ip))
		binary.BigEndian.PutUint16(tcp[16:], 0)
		binary.BigEndian.PutUint16(tcp[16:], checksum(6+20, ip[12:20], tcp))
		if err := packet(out, 1_700_000_000_000_000+s.at, frame); err != nil {
			return err
		}
	}
	return nil
}

// checksum returns the Internet checksum (RFC 1071) of the parts, each of even length.
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

// repeat writes n copies of a capture, the first of them that many days later.
// without leaves a time of a capture out.
func without(out io.Writer, from, to uint64, name string) error {
	link, frames, err := read(name)
	if err == nil {
		err = fileHeader(out, link)
	}
	for _, f := range frames {
		if at := f.micros - frames[0].micros; err == nil && (at < from || at >= to) {
			err = packet(out, f.micros, f.data)
		}
	}
	return err
}

func repeat(out io.Writer, first, n int, name string) error {
	link, frames, err := read(name)
	if err == nil {
		err = fileHeader(out, link)
	}
	for i := first; i < first+n; i++ {
		for _, f := range frames {
			if err != nil {
				return err
			}
			err = packet(out, f.micros+uint64(i)*day*1e6, f.data)
		}
	}
	return err
}

// idle writes a capture with other times: from its second half on each packet
// comes that many seconds after the one before. With a day it begins an hour
// later than the first of so many copies of it, one each day, as there is room
// for.
func idle(out io.Writer, seconds int, name string, background []string) error {
	link, session, err := read(name)
	if err != nil {
		return err
	}
	for i := len(session) / 2; i < len(session); i++ {
		session[i].micros = session[i-1].micros + uint64(seconds)*1e6
	}
	frames := session
	if len(background) > 0 {
		if frames, err = over(session, background[0]); err != nil {
			return err
		}
	}
	if err := fileHeader(out, link); err != nil {
		return err
	}
	for _, f := range frames {
		if err := packet(out, f.micros, f.data); err != nil {
			return err
		}
	}
	return nil
}

// over lays a capture over copies of a day.
func over(session []frame, name string) (frames []frame, err error) {
	_, one, err := read(name)
	if err != nil {
		return nil, err
	}
	begin := one[0].micros + 3600e6
	last := begin + session[len(session)-1].micros - session[0].micros
	for i := uint64(0); one[0].micros+i*day*1e6 < last; i++ {
		for _, f := range one {
			f.micros += i * day * 1e6
			frames = append(frames, f)
		}
	}
	for _, f := range session {
		f.micros += begin - session[0].micros
		frames = append(frames, f)
	}
	slices.SortStableFunc(frames, func(a, b frame) int { return cmp.Compare(a.micros, b.micros) })
	return frames, nil
}

// offices writes a capture of Ethernet as n offices would make it that all do
// the same, each some seconds after the one before, in the order of time. An
// office has its own 10.20.x.0 and 10.21.x.0; the checksums stay as they were.
// What is not IPv4 is left out.
func offices(out io.Writer, first, n int, name string) error {
	const apart = 17e6
	link, frames, err := read(name)
	if err != nil {
		return err
	}
	if err := fileHeader(out, link); err != nil {
		return err
	}
	next := make([]int, n) // frame of each office
	for at := uint64(0); ; {
		soonest := uint64(math.MaxUint64)
		for i := range next {
			for ; next[i] < len(frames); next[i]++ {
				f := frames[next[i]]
				if f.micros+uint64(i)*apart > at {
					soonest = min(soonest, f.micros+uint64(i)*apart)
					break
				}
				if len(f.data) < 34 || f.data[12] != 0x08 || f.data[13] != 0 {
					continue
				}
				data := slices.Clone(f.data)
				for _, a := range [...][]byte{data[26:30], data[30:34]} {
					if office := first + i; a[0] == 10 && a[1] == 20 && a[2] == 0 {
						a[1], a[2] = byte(20+office>>8), byte(office)
					}
				}
				if err := packet(out, f.micros+uint64(i)*apart, data); err != nil {
					return err
				}
			}
		}
		if soonest == math.MaxUint64 {
			return nil
		}
		at = soonest
	}
}

// vlans writes each packet of a capture in n VLANs.
func vlans(out io.Writer, n int, name string) error {
	link, frames, err := read(name)
	if err != nil {
		return err
	}
	if err := fileHeader(out, link); err != nil {
		return err
	}
	for _, f := range frames {
		if len(f.data) < 14 {
			continue
		}
		for vlan := 1; vlan <= n; vlan++ {
			data := append(slices.Clone(f.data[:12]), 0x81, 0, byte(vlan>>8), byte(vlan)) // 802.1Q
			if err := packet(out, f.micros, append(data, f.data[12:]...)); err != nil {
				return err
			}
		}
	}
	return nil
}

// frame is a packet of a capture.
type frame struct {
	micros uint64
	data   []byte
}

// read reads a capture (pcap, microseconds, this machine's byte order).
func read(name string) (link uint32, frames []frame, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, nil, err
	}
	if len(data) < 24 || binary.LittleEndian.Uint32(data) != magic {
		return 0, nil, fmt.Errorf("%s is no little-endian pcap with microseconds", name)
	}
	for rest := data[24:]; len(rest) >= 16; {
		length := int(binary.LittleEndian.Uint32(rest[8:]))
		if len(rest) < 16+length {
			return 0, nil, fmt.Errorf("%s is cut off", name)
		}
		seconds, micros := binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
		frames = append(frames, frame{uint64(seconds)*1e6 + uint64(micros), rest[16 : 16+length]})
		rest = rest[16+length:]
	}
	return binary.LittleEndian.Uint32(data[20:]), frames, nil
}
