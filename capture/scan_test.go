package capture

import (
	"fmt"
	"testing"
)

// BenchmarkScan is a capture of connections that hardly begin: a third are UDP
// datagrams, the others SYNs, half of them refused.
func BenchmarkScan(b *testing.B) {
	w := newWire()
	for i := range 300_000 {
		at := float64(i) / 20_000
		from := fmt.Sprintf("10.%d.%d.%d:%d", i>>16, i>>8&255, i&255, 1024+i%60_000)
		to := fmt.Sprintf("192.0.2.9:%d", 1+i%5000)
		if i%3 == 0 {
			w.udp(dgram{at: at, from: from, to: to, data: "hello world"})
			continue
		}
		w.tcp(seg{at: at, flags: "S", seq: 1, from: from, to: to})
		if i%2 == 0 {
			w.tcp(seg{at: at + 0.0001, flags: "<RA", seq: 1, ack: 2, from: from, to: to})
		}
	}
	benchmarkReader(b, w.buf.Bytes(), Options{})
}
