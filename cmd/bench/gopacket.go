//go:build unix

package main

import (
	"bufio"
	"errors"
	"io"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// gopacketLoop returns the least that anything built on gopacket takes: read every
// packet, decode its layers, forget them.
func (b *bench) gopacketLoop(pcap string) contender {
	c := contender{name: "gopacket's decode loop alone", command: "pcapgo.Reader, gopacket.DecodingLayerParser"}
	c.run = func() (took cost, err error) {
		took = timed(func() { err = decodeLoop(pcap) })
		return took, err
	}
	return c
}

func decodeLoop(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(f, 1<<18))
	if err != nil {
		return err
	}
	var (
		ethernet layers.Ethernet
		vlan     layers.Dot1Q
		ip4      layers.IPv4
		ip6      layers.IPv6
		tcp      layers.TCP
		udp      layers.UDP
		icmp4    layers.ICMPv4
		icmp6    layers.ICMPv6
		payload  gopacket.Payload
	)
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ethernet, &vlan, &ip4, &ip6, &tcp, &udp, &icmp4, &icmp6, &payload)
	parser.IgnoreUnsupported = true
	var found []gopacket.LayerType
	for {
		data, _, err := r.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		_ = parser.DecodeLayers(data, &found) // what it cannot decode is not its fault
	}
}
