package capture_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/zeek-iforest/zeek-iforest/capture"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Any source of gopacket's will do: here a file that pcapgo reads. A live one
// takes its place in one line; its connections come as they end:
//
//	handle, err := pcapgo.NewEthernetHandle("eth0")      // pure Go, Linux
//	handle, err := afpacket.NewTPacket(afpacket.OptInterface("eth0"))
//	handle, err := pcap.OpenLive("eth0", 65536, true, pcap.BlockForever)
//
//	reader := capture.NewSourceReader(handle, layers.LinkTypeEthernet, capture.Options{})
func ExampleNewSourceReader() {
	file, err := os.Open("../testdata/pcaps/files.pcap")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	packets, err := pcapgo.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	reader := capture.NewSourceReader(packets, packets.LinkType(), capture.Options{})
	var c conn.Conn
	for n := 0; ; n++ {
		err := reader.Read(&c)
		if errors.Is(err, io.EOF) {
			fmt.Println(n, "connections")
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if n < 3 {
			fmt.Println(c.Orig, c.Resp, c.Proto, c.Service, c.State, c.History)
		}
	}
	// Output:
	// 10.20.0.10:54808 10.20.0.2:21 tcp ftp SF ShAdDafF
	// 10.20.0.10:58412 10.20.0.2:20084 tcp ftp-data SF ShAdfFa
	// 10.20.0.11:38004 10.20.0.2:1883 tcp mqtt SF ShADadFf
	// 4 connections
}

// A pcapng may have interfaces of several link types. pcapgo tells them with
// each packet if it is asked to.
func ExampleNewSourceReader_pcapng() {
	file, err := os.Open("../testdata/pcaps/dns.pcapng")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	packets, err := pcapgo.NewNgReader(file, pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		log.Fatal(err)
	}
	reader := capture.NewSourceReader(packets, layers.LinkTypeEthernet, capture.Options{})
	var c conn.Conn
	if err := reader.Read(&c); err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Orig, c.Resp, c.Proto, c.State)
	// Output: 10.20.0.10:32990 10.20.0.2:53 udp SF
}
