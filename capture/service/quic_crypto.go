package service

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// quicVersion2 is QUIC version 2 (RFC 9369), which numbers packet types and
// labels its keys differently.
const quicVersion2 = 0x6b3343cf

// quicSalt returns the salt from which a version's Initial keys derive (RFC 9001
// §5.2, RFC 9369 §3.3.1 and the drafts); false for a version that Zeek does not
// know.
func quicSalt(version uint32) (string, bool) {
	const (
		salt1       = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
		salt2       = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
		saltDraft22 = "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a"
		saltDraft23 = "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02"
		saltDraft29 = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"
	)
	const draft = 0xff000000
	switch {
	case version == 1, version == draft+33, version == draft+34:
		return salt1, true
	case version == quicVersion2:
		return salt2, true
	case version == draft+22:
		return saltDraft22, true
	case version >= draft+23 && version <= draft+28:
		return saltDraft23, true
	case version >= draft+29 && version <= draft+32:
		return saltDraft29, true
	}
	switch version { // mvfst
	case 0xfaceb001:
		return saltDraft22, true
	case 0xfaceb002, 0xfaceb00e, 0xfaceb011, 0xfaceb012, 0xfaceb013:
		return saltDraft23, true
	}
	return "", false
}

// quicKeys opens the Initial packets of one side.
type quicKeys struct {
	version    uint32
	protection cipher.Block
	seal       cipher.AEAD
	iv         [12]byte
}

// newQUICKeys derives the keys from the connection id that the client chose for
// the server.
func newQUICKeys(version uint32, id []byte, fromClient bool) (*quicKeys, error) {
	salt, _ := quicSalt(version)
	initial, err := hkdf.Extract(sha256.New, id, []byte(salt))
	if err != nil {
		return nil, err
	}
	side, prefix := "server in", "quic "
	if fromClient {
		side = "client in"
	}
	if version == quicVersion2 {
		prefix = "quicv2 "
	}
	secret, err := quicExpand(initial, side, sha256.Size)
	if err != nil {
		return nil, err
	}
	k := &quicKeys{version: version}
	key, err := quicExpand(secret, prefix+"key", 16)
	if err != nil {
		return nil, err
	}
	iv, err := quicExpand(secret, prefix+"iv", len(k.iv))
	if err != nil {
		return nil, err
	}
	copy(k.iv[:], iv)
	protection, err := quicExpand(secret, prefix+"hp", 16)
	if err != nil {
		return nil, err
	}
	if k.protection, err = aes.NewCipher(protection); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	k.seal, err = cipher.NewGCM(block)
	return k, err
}

// quicExpand is HKDF-Expand-Label of TLS 1.3 without context (RFC 8446 §7.1).
func quicExpand(secret []byte, label string, n int) ([]byte, error) {
	var info strings.Builder
	info.Write([]byte{byte(n >> 8), byte(n), byte(len("tls13 ") + len(label))})
	info.WriteString("tls13 ")
	info.WriteString(label)
	info.WriteByte(0)
	return hkdf.Expand(sha256.New, secret, info.String(), n)
}

const (
	quicSample      = 16
	quicTag         = 16
	quicMaxNumber   = 4
	quicLeastLength = quicMaxNumber + quicSample
)

// open decrypts an Initial packet whose packet number begins at offset number
// and which ends with b. The number is taken as it stands, as Zeek does, not
// completed from the ones before.
func (k *quicKeys) open(b []byte, number int) ([]byte, bool) {
	if len(b) < number+quicLeastLength {
		return nil, false
	}
	var mask [aes.BlockSize]byte
	k.protection.Encrypt(mask[:], b[number+quicMaxNumber:][:quicSample])
	first := b[0] ^ mask[0]&0x0f
	n := int(first&0x03) + 1
	head := append([]byte(nil), b[:number+n]...)
	head[0] = first
	var value [8]byte
	for i := range n {
		head[number+i] ^= mask[1+i]
		value[8-n+i] = head[number+i]
	}
	nonce := k.iv
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^binary.BigEndian.Uint64(value[:]))
	plain, err := k.seal.Open(nil, nonce[:], b[number+n:], head)
	return plain, err == nil
}
