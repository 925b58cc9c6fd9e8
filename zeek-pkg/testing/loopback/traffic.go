//go:build linux

package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// scanner is the host that scans, in the last part of the trace.
const scanner = "10.0.0.7"

const (
	hosts      = 200
	scanShare  = 6 // one part in so many of the trace, at its end
	scanPerSec = 5
	unanswered = 2000 // one connection in so many, of other hosts than the scanner
)

// flow is a connection: from host to peer, answered unless it scans.
type flow struct {
	at         time.Duration
	orig, resp [4]byte
	port       uint16
	answered   bool
}

// flows returns those of a network of so many hosts: a handful of peers each, most
// answered. The last are in the order of time, too.
func flows(perSecond, seconds int) (all []flow) {
	r := rand.New(rand.NewPCG(7, 7))
	scans := seconds - seconds/scanShare
	every := time.Second / time.Duration(perSecond)
	knock := 0
	for i := range perSecond * seconds {
		at := time.Duration(i) * every
		if second := int(at / time.Second); second >= scans && knock <= (int(at/time.Millisecond)-scans*1000)*scanPerSec/1000 && second < seconds-6 {
			all = append(all, flow{at: at, orig: [4]byte{10, 0, 0, 7}, resp: [4]byte{198, 51, byte(100 + knock/250), byte(1 + knock%250)}, port: 445})
			knock++
		}
		host, peer := r.IntN(hosts), r.IntN(8)
		all = append(all, flow{
			at: at, orig: [4]byte{10, 1, byte(host >> 8), byte(host)}, resp: [4]byte{192, 0, 2, byte(host*3 + peer)},
			port: [...]uint16{443, 443, 443, 80, 53, 22, 25, 993}[peer], answered: r.IntN(unanswered) > 0,
		})
	}
	return all
}

// writeTraces writes what each worker sees, balanced by addresses and ports, and
// all of it, with and without the scan. It returns how many connections each
// worker has.
func writeTraces(dir string, all []flow, workers int) (counts []int, err error) {
	counts = make([]int, workers)
	var files []*os.File
	var buffers []*bufio.Writer
	var out []*pcapgo.Writer
	for i := range workers + 2 {
		f, err := os.Create(filepath.Join(dir, traceName(i, workers)))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		b := bufio.NewWriterSize(f, 1<<18)
		w := pcapgo.NewWriter(b)
		if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
			return nil, err
		}
		files, buffers, out = append(files, f), append(buffers, b), append(out, w)
	}
	var waiting []frame // of connections that go on, in the order of time
	begin := time.Now() // as the clocks of those who read no trace have it
	write := func(until time.Duration) error {
		for len(waiting) > 0 && waiting[0].at <= until {
			f := waiting[0]
			waiting = waiting[1:]
			ci := gopacket.CaptureInfo{Timestamp: begin.Add(f.at), CaptureLength: len(f.data), Length: len(f.data)}
			for _, i := range [...]int{f.worker, workers, workers + 1} {
				if i == workers+1 && f.scans {
					continue
				}
				if err := out[i].WritePacket(ci, f.data); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for i, c := range all {
		if err := write(c.at); err != nil {
			return nil, err
		}
		worker := int(rand.New(rand.NewPCG(uint64(i), 1)).Uint64() % uint64(workers))
		if !c.answered && c.orig == [4]byte{10, 0, 0, 7} { // evenly
			worker = int(c.resp[3]) % workers
		}
		counts[worker]++
		frames, err := c.frames(uint16(1024 + i%60000))
		if err != nil {
			return nil, err
		}
		for n, data := range frames {
			f := frame{c.at + time.Duration(n)*time.Millisecond, worker, c.orig == [4]byte{10, 0, 0, 7}, data}
			at := len(waiting)
			for at > 0 && waiting[at-1].at > f.at {
				at--
			}
			waiting = append(waiting, frame{})
			copy(waiting[at+1:], waiting[at:])
			waiting[at] = f
		}
	}
	if err := write(1 << 62); err != nil {
		return nil, err
	}
	for i, b := range buffers {
		if err := b.Flush(); err != nil {
			return nil, fmt.Errorf("%s: %w", files[i].Name(), err)
		}
	}
	return counts, nil
}

func traceName(i, workers int) string {
	switch i {
	case workers:
		return "all.pcap"
	case workers + 1:
		return "calm.pcap"
	}
	return workerName(i) + ".pcap"
}

type frame struct {
	at     time.Duration
	worker int
	scans  bool
	data   []byte
}

// frames returns a SYN, or a whole connection of TCP.
func (c *flow) frames(port uint16) (all [][]byte, err error) {
	segments := []struct {
		back               bool
		syn, ack, fin, psh bool
		data               int
	}{{syn: true}}
	if c.answered {
		segments = append(segments, []struct {
			back               bool
			syn, ack, fin, psh bool
			data               int
		}{
			{back: true, syn: true, ack: true}, {ack: true}, {ack: true, psh: true, data: 200}, {back: true, ack: true, psh: true, data: 1200},
			{ack: true, fin: true}, {back: true, ack: true, fin: true}, {ack: true},
		}...)
	}
	seq := [2]uint32{1000, 2000}
	for _, s := range segments {
		from := 0
		src, dst, sport, dport := c.orig, c.resp, port, c.port
		if s.back {
			from, src, dst, sport, dport = 1, dst, src, dport, sport
		}
		ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP(src[:]), DstIP: net.IP(dst[:])}
		tcp := layers.TCP{
			SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), Seq: seq[from], Window: 65000,
			SYN: s.syn, ACK: s.ack, FIN: s.fin, PSH: s.psh,
		}
		if s.ack {
			tcp.Ack = seq[1-from]
		}
		if err := tcp.SetNetworkLayerForChecksum(&ip); err != nil {
			return nil, err
		}
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
			&layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4},
			&ip, &tcp, gopacket.Payload(make([]byte, s.data))); err != nil {
			return nil, err
		}
		all = append(all, b.Bytes())
		seq[from] += uint32(s.data)
		if s.syn || s.fin {
			seq[from]++
		}
	}
	return all, nil
}
