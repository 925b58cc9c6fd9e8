package service

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smb2 is an SMB2 message in its NetBIOS frame.
func smb2(command int, message int, tree int, status int, body string) string {
	pdu := smb2PDU(command, message, tree, status, 0, body)
	return be32(len(pdu)) + pdu
}

func smb2PDU(command, message, tree, status, next int, body string) string {
	return "\xfeSMB" + le16(64) + le16(0) + le32(status) + le16(command) + le16(1) + le32(0) + le32(next) +
		le32(message) + le32(0) + le32(0) + le32(tree) + zeros(8) + zeros(16) + body
}

func smb1(command byte, body string) string {
	pdu := "\xffSMB" + string(command) + zeros(4) + "\x18" + le16(0xc803) + zeros(12) + zeros(8) + body
	return be32(len(pdu)) + pdu
}

func smbDetections() []detection {
	negotiate := smb2(0, 0, 0, 0, le16(36)+le16(1)+zeros(32)+le16(0x0202))
	setup := func(blob string) string {
		return smb2(1, 1, 0, 0, le16(25)+zeros(10)+le16(64+24)+le16(len(blob))+zeros(8)+blob)
	}
	ntlm := "NTLMSSP\x00" + le32(1) + le32(0) + zeros(16)
	spnego := func(token string) string {
		return tlv(0x60, tlv(6, "\x2b\x06\x01\x05\x05\x02"), tlv(0xa0, tlv(0x30, tlv(0xa0, tlv(0x30, tlv(6, "\x2a"))), tlv(0xa2, tlv(4, token)))))
	}
	kerberos := tlv(0x60, tlv(6, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"), "\x01\x00", krbRequest(10, "", tlv(3, zeros(5))))
	echo := smb2(13, 9, 0, 0, le16(4)+le16(0))
	treeAnswer := func(share byte) string { return smb2(3, 2, 5, 0, le16(16)+string([]byte{share})+zeros(13)) }
	create := smb2(5, 3, 5, 0, le16(57)+zeros(42)+le16(64+56)+le16(12)+le32(0)+le32(0)+zeros(0)+"s\x00r\x00v\x00s\x00v\x00c\x00")
	write := func(data string) string {
		return smb2(9, 4, 5, 0, le16(49)+le16(64+48)+le32(len(data))+zeros(8)+le32(7)+zeros(12)+zeros(16)+data)
	}
	compound := func() string {
		first := smb2PDU(13, 1, 0, 0, 72, le16(4)+le16(0)+zeros(4))
		second := smb2PDU(13, 2, 0, 0, 0, le16(4)+le16(0))
		return be32(len(first+second)) + first + second
	}()
	tooMany := smb2(0, 0, 0, 0, le16(36)+le16(100)+zeros(32)+le16(0x0202))
	old := smb1(0x72, "\x00"+le16(12)+"\x02NT LM 0.12\x00")
	table := []detection{
		{name: "two messages", turns: []turn{client(negotiate), client(echo)}},
		{name: "three messages", turns: []turn{client(negotiate), client(echo), server(echo)}, want: "smb"},
		{name: "three messages in a segment", turns: []turn{client(negotiate, echo, echo)}},
		{name: "a message in three segments", turns: []turn{client(negotiate[:40]), client(negotiate[40:50]), client(negotiate[50:])}, want: "smb"},
		{name: "by signature", port: 4450, turns: []turn{client(negotiate), client(echo), server(echo)}, want: "smb"},
		{name: "other blocks first", port: 139, turns: []turn{client("\x81\x00\x00\x00"), server("\x82\x00\x00\x00"), client(negotiate), client(echo)}},
		{name: "SMB1", turns: []turn{client(old), client(old), client(old)}, want: "smb"},
		{name: "SMB1 locking", turns: []turn{client(old), client(old), client(smb1(0x24, "\x08"+zeros(18))), client(old)}},
		{name: "SMB1 negotiation, wrong answer", turns: []turn{client(old), client(old), client(old), server(smb1(0x72, "\x05"+le16(0)+zeros(10)))}},
		{name: "encrypted", turns: []turn{client(negotiate), client(echo), client(be32(60), "\xfdSMB", zeros(56))}, want: "smb"},
		{name: "encrypted, cut", turns: []turn{client(negotiate), client(echo), client(be32(40), "\xfdSMB", zeros(36))}},
		{name: "too many dialects", turns: []turn{client(tooMany), client(negotiate), client(echo)}},
		{name: "compound", turns: []turn{client(compound), client(compound), client(compound)}, want: "smb"},
		{name: "raw NTLM", turns: []turn{client(negotiate), client(setup(ntlm)), client(echo)}, want: "ntlm,smb"},
		{name: "NTLM in SPNEGO", turns: []turn{client(negotiate), client(setup(spnego(ntlm))), client(echo)}, want: "ntlm,gssapi,smb"},
		{name: "Kerberos in SPNEGO", turns: []turn{client(negotiate), client(setup(spnego(kerberos))), client(echo)}, want: "krb,gssapi,smb"},
		{name: "damaged Kerberos in SPNEGO", turns: []turn{client(negotiate), client(setup(spnego(kerberos[:len(kerberos)-40]))), client(echo)}, want: "gssapi,smb"},
		{name: "damaged SPNEGO", turns: []turn{client(negotiate), client(setup(spnego(ntlm)[:40])), client(echo)}, want: "smb"},
		{name: "SPNEGO, later damaged", turns: []turn{client(negotiate), client(setup(spnego(ntlm))), client(setup(spnego(ntlm)[:40]))}, want: "ntlm,smb"},
		{name: "blob beyond the message", turns: []turn{client(negotiate), client(echo), client(smb2(1, 1, 0, 0, le16(25)+zeros(10)+le16(64+24)+le16(500)+zeros(8)+ntlm))}},
		{name: "pipe by share", turns: []turn{client(negotiate), server(treeAnswer(2)), client(write(dceRPCBind()))}, want: "dce_rpc,smb"},
		{name: "disk share", turns: []turn{client(negotiate), server(treeAnswer(1)), client(write(dceRPCBind()))}, want: "smb"},
		{name: "pipe by name", turns: []turn{client(negotiate), client(create), client(write(dceRPCBind()))}, want: "dce_rpc,smb"},
		{name: "pipe, PDU in two writes", turns: []turn{client(negotiate), client(create), client(write(dceRPCBind()[:30])), client(write(dceRPCBind()[30:]))}, want: "smb,dce_rpc"},
		{name: "error response", turns: []turn{client(negotiate), client(echo), server(smb2(5, 3, 5, 0x40000034, le16(9)+le16(0)+le32(0)+"\x00"))}, want: "smb"},
		{name: "error response with too much", turns: []turn{client(negotiate), client(echo), server(smb2(5, 3, 5, 0x40000034, le16(9)+le16(0)+le32(9)+"\x00"))}},
		{name: "a gap makes the next blocks fail", turns: []turn{client(negotiate), server(echo), gap(true, 30), client(echo), server(echo)}},
		{name: "good blocks behind those", turns: []turn{client(negotiate), server(echo), gap(true, 30), client(echo), server(echo), client(echo)}, want: "smb"},
		{name: "garbage behind a gap", turns: []turn{client(negotiate), gap(true, 30), client("garbage, garbage"), client(echo), client(echo), client(echo)}, want: "smb"},
	}
	for i := range table {
		table[i].whole = true
		if table[i].port == 0 {
			table[i].port = 445
		}
	}
	return table
}

func TestSMB(t *testing.T) { testDetections(t, smbDetections()) }

func FuzzSMB(f *testing.F) { fuzzDetections(f, smbDetections()) }

// TestSMBPipesAreBounded writes the beginnings of PDUs to more and more pipes.
func TestSMBPipesAreBounded(t *testing.T) {
	before := heapInUse()
	c := newConnection(NewTracker(), false, 445)
	answer := smb2(3, 2, 5, 0, le16(16)+"\x02"+zeros(13))
	c.play(server(answer))
	head := "\x05\x00\x00\x03\x10\x00\x00\x00" + le16(0xffff) + zeros(6)
	for i := range 1500 {
		data := head + zeros(40000)
		c.play(client(smb2(9, 4, 5, 0, le16(49)+le16(64+48)+le32(len(data))+zeros(8)+le32(i)+zeros(12)+zeros(16)+data)))
	}
	require.Equal(t, "smb", c.detector.Name())
	assert.Less(t, heapInUse()-before, int64(2*smbMaxHeld))
	runtime.KeepAlive(c)
}
