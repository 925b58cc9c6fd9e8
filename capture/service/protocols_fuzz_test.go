package service

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// The analyzers that have no table of conversations are fuzzed from what real
// programs said: the connections of the project's own captures, and of the
// traces beside the repository where they are there, in which Zeek found that
// service.

func FuzzHTTP(f *testing.F)      { fuzzAnalyzer(f, http, "http") }
func FuzzWebSocket(f *testing.F) { fuzzAnalyzer(f, websocket, "websocket") }
func FuzzFTP(f *testing.F)       { fuzzAnalyzer(f, ftp, "ftp", "gridftp") }
func FuzzSMTP(f *testing.F)      { fuzzAnalyzer(f, smtp, "smtp") }
func FuzzPOP3(f *testing.F)      { fuzzAnalyzer(f, pop3, "pop3") }
func FuzzIMAP(f *testing.F)      { fuzzAnalyzer(f, imap, "imap") }
func FuzzIRC(f *testing.F)       { fuzzAnalyzer(f, irc, "irc") }
func FuzzXMPP(f *testing.F)      { fuzzAnalyzer(f, xmpp, "xmpp") }
func FuzzSSH(f *testing.F)       { fuzzAnalyzer(f, ssh, "ssh") }
func FuzzTLS(f *testing.F)       { fuzzAnalyzer(f, ssl, "ssl") }
func FuzzDTLS(f *testing.F)      { fuzzAnalyzer(f, dtls, "dtls") }
func FuzzSIP(f *testing.F)       { fuzzAnalyzer(f, sip, "sip") }
func FuzzSOCKS(f *testing.F)     { fuzzAnalyzer(f, socks, "socks") }
func FuzzMySQL(f *testing.F)     { fuzzAnalyzer(f, mysql, "mysql") }
func FuzzRedis(f *testing.F)     { fuzzAnalyzer(f, redis, "redis") }
func FuzzRFB(f *testing.F)       { fuzzAnalyzer(f, rfb, "rfb") }
func FuzzGSSAPI(f *testing.F)    { fuzzAnalyzer(f, gssapi, "gssapi") }
func FuzzNTLM(f *testing.F)      { fuzzAnalyzer(f, ntlm, "ntlm") }
func FuzzDNP3UDP(f *testing.F)   { fuzzAnalyzer(f, dnp3UDP, "dnp3_udp", "dnp3_tcp") }

// FuzzSignatures has a port that no analyzer owns: what the payload looks like
// decides.
func FuzzSignatures(f *testing.F) {
	fuzzAnalyzer(f, noProtocol, "http", "ssl", "ssh", "smtp", "ftp", "dns", "sip", "socks", "quic", "mqtt", "rdp", "smb", "krb", "irc", "pop3")
}

// fuzzAnalyzer plays conversations, beginning with real ones of these services,
// to the analyzer alone on a connection (and to the signatures, which are always
// there).
func fuzzAnalyzer(f *testing.F, id protocolID, services ...string) {
	const (
		unusedPort = 59999
		each       = 6
	)
	for _, name := range services {
		said := recorded(name)
		for _, turns := range said[:min(each, len(said))] {
			f.Add(seedOf(turns), false)
			f.Add(seedOf(turns), true)
		}
	}
	f.Add(seedOf([]turn{client("\x00"), server("\x00")}), false)
	f.Fuzz(func(t *testing.T, b []byte, udp bool) {
		c := newConnection(NewTracker(), udp, unusedPort)
		if id != noProtocol {
			c.detector.root.attach(id)
		}
		c.playBytes(b, udp)
		c.namesAreKnown(t)
	})
}

// recorded are conversations of real captures in which Zeek found the service.
func recorded(name string) [][]turn {
	readCaptures.Do(func() {
		root := filepath.Join("..", "..")
		own, _ := filepath.Glob(filepath.Join(root, "testdata", "pcaps", "*.conn.log"))
		for _, log := range own {
			readCapture(strings.TrimSuffix(log, ".conn.log"), log)
		}
		for _, folder := range []string{"zeek-traces", "ndpi-traces"} {
			expected := filepath.Join(root, "..", "shared", folder, "expected", "default")
			_ = filepath.WalkDir(expected, func(log string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() { // seeds are welcome, not needed
					trace, _ := filepath.Rel(expected, strings.TrimSuffix(log, ".conn.log"))
					readCapture(filepath.Join(root, "..", "shared", folder, "pcaps", trace), log)
				}
				return nil
			})
		}
	})
	return conversations[name]
}

var (
	readCaptures  sync.Once
	conversations = map[string][][]turn{}
)

// readCapture adds a capture's conversations, as packets came, to those of the
// services that its conn.log names. A seed is better short: the beginning will do.
func readCapture(pcap, log string) {
	const (
		perService = 12
		mostBytes  = 4 << 10
		mostPcap   = 2 << 20
	)
	text, err := os.ReadFile(log)
	if err != nil {
		return
	}
	services := map[string][]string{} // originator's ends, as in the packets
	for line := range strings.Lines(string(text)) {
		v := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || len(v) < 8 || v[7] == "-" {
			continue
		}
		key := fmt.Sprint(v[2], " ", v[3], " ", v[4], " ", v[5])
		for _, name := range strings.Split(v[7], ",") {
			if len(conversations[name]) < perService {
				services[key] = append(services[key], name)
			}
		}
	}
	data, err := os.ReadFile(pcap)
	if err != nil || len(services) == 0 || len(data) > mostPcap {
		return
	}
	var r interface {
		gopacket.PacketDataSource
		LinkType() layers.LinkType
	}
	if r, err = pcapgo.NewReader(bytes.NewReader(data)); err != nil {
		if r, err = pcapgo.NewNgReader(bytes.NewReader(data), pcapgo.DefaultNgReaderOptions); err != nil {
			return
		}
	}
	said, size := map[string][]turn{}, map[string]int{}
	for {
		b, _, err := r.ReadPacketData()
		if err != nil {
			break
		}
		p := gopacket.NewPacket(b, r.LinkType(), gopacket.NoCopy)
		network, transport := p.NetworkLayer(), p.TransportLayer()
		if network == nil || transport == nil || len(transport.LayerPayload()) == 0 {
			continue
		}
		from, to := network.NetworkFlow().Endpoints()
		port, toPort := transport.TransportFlow().Endpoints()
		key, fromOrig := fmt.Sprint(from, " ", port, " ", to, " ", toPort), true
		if services[key] == nil {
			key, fromOrig = fmt.Sprint(to, " ", toPort, " ", from, " ", port), false
		}
		data := transport.LayerPayload()
		if services[key] != nil && size[key]+len(data) < mostBytes {
			size[key] += len(data)
			said[key] = append(said[key], turn{fromOrig: fromOrig, data: string(data)})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(said)) {
		for _, name := range services[key] {
			conversations[name] = append(conversations[name], said[key])
		}
	}
}
