package service

import (
	"crypto/aes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestQUICKeys holds keys to RFC 9001 appendix A.1 and RFC 9369 appendix A.1.
func TestQUICKeys(t *testing.T) {
	id, err := hex.DecodeString("8394c8f03e515708")
	require.NoError(t, err)
	for _, tt := range []struct {
		version    uint32
		fromClient bool
		iv         string
		key        string
	}{
		{1, true, "fa044b2f42a3fd3b46fb255c", "1f369613dd76d5467730efcbe3b1a22d"},
		{1, false, "0ac1493ca1905853b0bba03e", "cf3a5331653c364c88f0f379b6067e37"},
		{quicVersion2, true, "91f73e2351d8fa91660e909f", "8b1a0bc121284290a29e0971b5cd045d"},
	} {
		k, err := newQUICKeys(tt.version, id, tt.fromClient)
		require.NoError(t, err)
		assert.Equal(t, tt.iv, hex.EncodeToString(k.iv[:]))
		key, err := hex.DecodeString(tt.key)
		require.NoError(t, err)
		block, err := aes.NewCipher(key)
		require.NoError(t, err)
		nonce := make([]byte, 12)
		sealed := k.seal.Seal(nil, nonce, []byte("text"), nil)
		assert.NotContains(t, string(sealed), "text")
		var first [aes.BlockSize]byte // of the key stream: counter 2 of GCM
		first[15] = 2
		block.Encrypt(first[:], first[:])
		assert.Equal(t, "text"[0]^first[0], sealed[0], "key")
	}
}

// quicPacket describes an Initial packet under construction.
type quicPacket struct {
	version uint32 // 1 if 0
	to      string // connection ids
	from    string
	key     string // the id that the keys derive from; to if empty
	server  bool
	token   string
	frames  string
}

func (p quicPacket) seal() string {
	if p.version == 0 {
		p.version = 1
	}
	if p.key == "" {
		p.key = p.to
	}
	k, err := newQUICKeys(p.version, []byte(p.key), !p.server)
	if err != nil {
		panic(err)
	}
	first := byte(0xc3)
	if p.version == quicVersion2 {
		first = 0xd3
	}
	p.frames += zeros(max(0, 20-len(p.frames)))
	b := append([]byte{first}, binary.BigEndian.AppendUint32(nil, p.version)...)
	b = append(b, byte(len(p.to)))
	b = append(b, p.to...)
	b = append(b, byte(len(p.from)))
	b = append(b, p.from...)
	b = append(b, byte(len(p.token)))
	b = append(b, p.token...)
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(4+len(p.frames)+quicTag))
	number := len(b)
	b = append(b, 0, 0, 0, 9)
	nonce := k.iv
	nonce[11] ^= 9
	b = k.seal.Seal(b, nonce[:], []byte(p.frames), b)
	var mask [aes.BlockSize]byte
	k.protection.Encrypt(mask[:], b[number+4:][:16])
	b[0] ^= mask[0] & 0x0f
	for i := range 4 {
		b[number+i] ^= mask[1+i]
	}
	return string(b)
}

func quicCryptoFrame(offset int, data string) string {
	return "\x06" + be16(0x4000|offset) + be16(0x4000|len(data)) + data
}

func quicDetections() []detection {
	hello := tlsHello()[5:]
	initial := func(frames string) string { return quicPacket{to: "server12", from: "client", frames: frames}.seal() }
	reply := func(frames string) string {
		return quicPacket{to: "client", from: "srv", key: "server12", server: true, frames: frames}.seal()
	}
	good := initial(quicCryptoFrame(0, hello))
	damaged := []byte(good)
	damaged[len(damaged)-1] ^= 1
	version := func(v uint32) string {
		return quicPacket{version: v, to: "server12", from: "client", frames: quicCryptoFrame(0, hello)}.seal()
	}
	unknown := []byte(good)
	unknown[4] = 9
	retry := "\xf0\x00\x00\x00\x01\x06client\x04new!" + "token" + zeros(16)
	again := quicPacket{to: "new!", from: "client", token: "token", frames: quicCryptoFrame(0, hello)}.seal()
	handshake := "\xe0\x00\x00\x00\x01\x08server12\x06client" + be16(0x4000|30) + zeros(30)
	table := []detection{
		{name: "hello", turns: []turn{client(good)}, want: "quic,ssl"},
		{name: "another port", port: 8443, turns: []turn{client(good)}},
		{name: "ping", turns: []turn{client(initial("\x01"))}, want: "quic"},
		{name: "hello in two datagrams", turns: []turn{client(initial(quicCryptoFrame(0, hello[:20]))), client(initial(quicCryptoFrame(20, hello[20:])))}, want: "quic,ssl"},
		{name: "hello in two frames, the second first", turns: []turn{client(initial(quicCryptoFrame(20, hello[20:]) + quicCryptoFrame(0, hello[:20])))}, want: "quic,ssl"},
		{name: "half of the hello", turns: []turn{client(initial(quicCryptoFrame(0, hello[:20])))}, want: "quic"},
		{name: "hello too long for its frame", turns: []turn{client(initial(quicCryptoFrame(0, hello+"x")))}, want: "ssl"},
		{name: "damaged", turns: []turn{client(string(damaged)), client(good)}},
		{name: "unknown version", turns: []turn{client(string(unknown))}},
		{name: "version 2", turns: []turn{client(version(quicVersion2))}, want: "quic,ssl"},
		{name: "draft 22", turns: []turn{client(version(0xff000016))}, want: "quic,ssl"},
		{name: "draft 28", turns: []turn{client(version(0xff00001c))}, want: "quic,ssl"},
		{name: "draft 29", turns: []turn{client(version(0xff00001d))}, want: "quic,ssl"},
		{name: "draft 34", turns: []turn{client(version(0xff000022))}, want: "quic,ssl"},
		{name: "mvfst", turns: []turn{client(version(0xfaceb002))}, want: "quic,ssl"},
		{name: "close", turns: []turn{client(initial("\x1c\x0a\x00\x03bye"))}, want: "quic"},
		{name: "acknowledgement", turns: []turn{client(initial("\x02\x05\x00\x01\x00\x00\x00" + "\x03\x05\x00\x00\x00\x01\x01\x01" + quicCryptoFrame(0, hello)))}, want: "quic,ssl"},
		{name: "unknown frame", turns: []turn{client(initial("\x08\x00"))}},
		{name: "frame cut", turns: []turn{client(initial(zeros(20) + "\x06\x00\x10x"))}},
		{name: "server's answer", turns: []turn{client(initial("\x01")), server(reply("\x01"))}, want: "quic"},
		{name: "server first", turns: []turn{server(reply("\x01")), client(good)}, want: "quic,ssl"},
		{name: "server's answer damaged", turns: []turn{client(good), server(reply("\x08"))}, want: "ssl"},
		{name: "a damaged packet behind the hello", turns: []turn{client(good), client(string(damaged))}, want: "quic,ssl"},
		{name: "coalesced", turns: []turn{client(good + handshake)}, want: "quic,ssl"},
		{name: "coalesced, cut", turns: []turn{client(good + handshake[:40])}, want: "ssl"},
		{name: "short header", turns: []turn{client(good), client("\x40" + zeros(20)), server("\x40" + zeros(6))}, want: "quic,ssl"},
		{name: "short header, cut", turns: []turn{client(good), server("\x40" + zeros(5))}, want: "ssl"},
		{name: "no fixed bit", turns: []turn{client("\x80\x00\x00\x00\x00garbage"), client(good)}, want: "quic,ssl"},
		{name: "garbage", turns: []turn{client("\xc0garbage"), client(good)}},
		{name: "retry", turns: []turn{client(initial(quicCryptoFrame(0, hello[:20]))), server(retry), client(again)}, want: "quic,ssl"},
		{name: "no retry, another id", turns: []turn{client(initial(quicCryptoFrame(0, hello[:20]))), client(again)}},
	}
	for i := range table {
		table[i].udp = true
		table[i].damage = quicDamage
		if table[i].port == 0 {
			table[i].port = 443
		}
	}
	return table
}

// quicDamage makes packets that decrypt but may hold anything.
func quicDamage(r *rand.Rand) (turns []turn) {
	hello := tlsHello()[5:]
	key := ""
	for range 1 + r.IntN(4) {
		var frames string
		for range r.IntN(5) {
			at := r.IntN(len(hello))
			end := at + r.IntN(len(hello)-at+1)
			frames += []string{
				"\x00", "\x01", "\x02\x05\x00\x01\x00\x00\x00", "\x03\x05\x00\x00\x00\x01\x01\x01", "\x1c\x0a\x00\x03bye",
				quicCryptoFrame(0, hello), quicCryptoFrame(at, hello[at:end]), quicCryptoFrame(at, hello[at:]), quicCryptoFrame(0, hello[:end]),
				quicCryptoFrame(r.IntN(9000), hello[:end]), string([]byte{byte(r.Uint32())}),
			}[r.IntN(11)]
		}
		b := []byte(frames)
		if len(b) > 0 && r.IntN(3) == 0 {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		p := quicPacket{version: []uint32{1, 1, quicVersion2, 0xff00001d}[r.IntN(4)], to: "server12", from: "client", key: key, frames: string(b)}
		if key != "" && r.IntN(3) == 0 {
			p.server, p.to, p.from = true, "client", "srv"
		}
		if key == "" {
			key = p.to
		}
		s := turn{fromOrig: !p.server, data: p.seal()}
		switch r.IntN(12) {
		case 0:
			s.data += "\x40" + zeros(r.IntN(12))
		case 1:
			s.data = s.data[:r.IntN(len(s.data))]
		case 2:
			turns = append(turns, server("\xf0\x00\x00\x00\x01\x06client\x04new!", zeros(10+r.IntN(10))))
		}
		turns = append(turns, s)
	}
	return turns
}

func TestQUIC(t *testing.T) { testDetections(t, quicDetections()) }

func FuzzQUIC(f *testing.F) { fuzzDetections(f, quicDetections()) }

// FuzzQUICFrames plays frames in packets that decrypt.
func FuzzQUICFrames(f *testing.F) {
	f.Add([]byte(quicCryptoFrame(0, tlsHello()[5:])), []byte("\x01\x02\x05\x00\x00\x00"))
	f.Add([]byte(quicCryptoFrame(9, tlsHello()[14:])), []byte(quicCryptoFrame(0, tlsHello()[5:14])))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		c := newConnection(NewTracker(), true, 443)
		for range 2 {
			for _, frames := range [][]byte{a, b} {
				p := quicPacket{to: "server12", from: "client", frames: string(frames[:min(len(frames), 9000)])}
				c.play(client(p.seal()))
				p.server, p.key, p.to = true, "server12", "client"
				c.play(server(p.seal()))
			}
		}
		c.detector.Done()
	})
}
