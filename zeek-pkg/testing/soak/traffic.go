//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The two ends of the link: traffic goes in at one, Zeek listens at the other.
const (
	sender   = "soak0"
	listener = "soak1"
)

func makeLink() error {
	// Nothing but what is sent here may be on the link.
	for _, which := range []string{"all", "default"} {
		name := "/proc/sys/net/ipv6/conf/" + which + "/disable_ipv6"
		if err := os.WriteFile(name, []byte("1"), 0); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for _, command := range []string{
		"ip link add " + sender + " type veth peer name " + listener,
		"ip link set " + sender + " mtu 2000 up",
		"ip link set " + listener + " mtu 2000 up",
	} {
		words := strings.Fields(command)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", command, err, out)
		}
	}
	return nil
}

// readCaptures returns the frames of each Ethernet capture in a folder.
func readCaptures(folder string) (captures [][][]byte, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.pcap"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		const magic, ethernet = 0xa1b2c3d4, 1
		if len(data) < 24 || binary.LittleEndian.Uint32(data) != magic || binary.LittleEndian.Uint32(data[20:]) != ethernet {
			continue
		}
		var frames [][]byte
		for rest := data[24:]; len(rest) >= 16; {
			size := int(binary.LittleEndian.Uint32(rest[8:]))
			if len(rest) < 16+size {
				return nil, fmt.Errorf("%s is cut off", name)
			}
			frames = append(frames, rest[16:16+size])
			rest = rest[16+size:]
		}
		captures = append(captures, frames)
	}
	if len(captures) == 0 {
		return nil, fmt.Errorf("no captures in %s", folder)
	}
	return captures, nil
}

// sending is what was sent.
type sending struct {
	packets, offices, strangers int
	err                         error
}

// strangerEvery is how many packets there are for one SYN of a host that was
// never seen before: the noise of the Internet, and what fills tables.
const strangerEvery = 10

// send plays the captures again and again at a rate, each time from another
// office, until the context ends.
func send(ctx context.Context, captures [][][]byte, rate int) (s sending) {
	link, err := net.InterfaceByName(sender)
	if err != nil {
		s.err = err
		return s
	}
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0)
	if err != nil {
		s.err = err
		return s
	}
	defer syscall.Close(socket)
	to := &syscall.SockaddrLinklayer{Ifindex: link.Index}
	begin := time.Now()
	put := func(frame []byte) bool {
		due := begin.Add(time.Duration(float64(s.packets) / float64(rate) * float64(time.Second)))
		if wait := time.Until(due); wait > time.Millisecond {
			time.Sleep(wait)
		}
		if ctx.Err() != nil {
			return false
		}
		if err := syscall.Sendto(socket, frame, 0, to); err != nil && err != syscall.ENOBUFS {
			s.err = err
			return false
		}
		s.packets++
		return true
	}
	frame := make([]byte, 0, 2000)
	for {
		for _, frames := range captures {
			s.offices++
			for _, original := range frames {
				frame = append(frame[:0], original...)
				renumber(frame, uint16(s.offices))
				if !put(frame) {
					return s
				}
				if s.packets%strangerEvery == 0 {
					if !put(stranger(s.strangers)) {
						return s
					}
					s.strangers++
				}
			}
		}
	}
}

// renumber moves the hosts of the captures, 10.20.0.x and fd20::x, to another
// office: 10.o.o.x and fd20:o::x. Addresses in payload stay.
func renumber(frame []byte, office uint16) {
	at := 12
	if binary.BigEndian.Uint16(frame[at:]) == 0x8100 {
		at += 4
	}
	ip := frame[at+2:]
	switch binary.BigEndian.Uint16(frame[at:]) {
	case 0x0800:
		header := int(ip[0]&15) * 4
		fragment := binary.BigEndian.Uint16(ip[6:])&0x1fff != 0
		for _, address := range [][]byte{ip[12:16], ip[16:20]} {
			if address[0] != 10 {
				continue
			}
			sums := [][]byte{ip[10:12]}
			if sum := transportSum(ip[9], ip[header:]); !fragment && ip[9] != icmp && sum != nil {
				sums = append(sums, sum)
			}
			replace(address[1:3], office, sums, true)
		}
	case 0x86dd:
		for _, address := range [][]byte{ip[8:24], ip[24:40]} {
			if address[0] != 0xfd {
				continue
			}
			var sums [][]byte
			// Behind extension headers none is found: Zeek says weird.log of it.
			if sum := transportSum(ip[6], ip[40:]); sum != nil {
				sums = append(sums, sum)
			}
			replace(address[2:4], office, sums, false)
		}
	}
}

const icmp, tcp, udp, icmp6 = 1, 6, 17, 58

// transportSum returns where a segment has its checksum, or nil if it has none.
func transportSum(protocol byte, segment []byte) []byte {
	at, ok := map[byte]int{tcp: 16, udp: 6, icmp6: 2}[protocol]
	if !ok || len(segment) < at+2 || (protocol == udp && segment[at] == 0 && segment[at+1] == 0) {
		return nil
	}
	return segment[at : at+2]
}

// replace puts a word in place of another and mends the checksums that cover it
// (RFC 1624). odd: the word begins at an odd byte.
func replace(word []byte, by uint16, sums [][]byte, odd bool) {
	before := uint32(binary.BigEndian.Uint16(word))
	binary.BigEndian.PutUint16(word, by)
	after := uint32(by)
	if odd { // as two words, of which it is the middle: the same as with its bytes swapped
		before, after = before>>8|before<<8&0xff00, after>>8|after<<8&0xff00
	}
	for _, sum := range sums {
		s := uint32(^binary.BigEndian.Uint16(sum)) + (^before & 0xffff) + after
		s = s>>16 + s&0xffff
		s = s>>16 + s&0xffff
		binary.BigEndian.PutUint16(sum, ^uint16(s))
	}
}

// stranger returns a SYN of the nth of four million hosts.
func stranger(n int) []byte {
	frame := make([]byte, 14+20+20)
	copy(frame[12:], []byte{0x08, 0x00})
	ip, segment := frame[14:34], frame[34:]
	ip[0], ip[3], ip[8], ip[9] = 0x45, 40, 64, tcp
	binary.BigEndian.PutUint32(ip[12:], 100<<24|64<<16|uint32(n)&0x3fffff)
	binary.BigEndian.PutUint32(ip[16:], 192<<24|88<<16|99<<8|uint32(n)%251)
	binary.BigEndian.PutUint16(ip[10:], ^fold(sum(0, ip)))
	binary.BigEndian.PutUint16(segment[0:], uint16(1024+n%60000))
	binary.BigEndian.PutUint16(segment[2:], uint16(1+n%1000))
	binary.BigEndian.PutUint32(segment[4:], uint32(n))
	segment[12], segment[13], segment[14] = 5<<4, 0x02, 0xff
	binary.BigEndian.PutUint16(segment[16:], ^fold(sum(sum(tcp+20, ip[12:20]), segment)))
	return frame
}

func sum(s uint32, data []byte) uint32 {
	for i := 0; i < len(data); i += 2 {
		s += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
