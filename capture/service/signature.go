package service

// signature is a rule that attaches an analyzer wherever the beginning of the
// payload looks like its protocol, on any port. Patterns stand at the first
// byte of a direction (TCP: of the stream; UDP: of each datagram). A rule
// fires once per connection (src/RuleMatcher.cc).
type signature struct {
	pattern  pattern
	from     sender
	tcp, udp bool
	// behind says that the pattern stands behind so many bytes of any value (UDP
	// only); the automaton would take a state for each.
	behind int
	// needs is another rule that the other direction must have matched.
	needs ruleID
	// minSize and maxSize bound the size of the datagram; 0 for no bound.
	minSize, maxSize int
	attach           protocolID
}

// sender says whose bytes a rule looks at.
type sender uint8

const (
	anyone sender = iota
	originator
	responder
)

// ruleID is a row of the table. The order is that in which Zeek loads its
// rules: of several that match in one block the first attaches first.
type ruleID uint8

const (
	sigDCERPC ruleID = iota
	sigDHCP
	sigDNP3TCP
	sigDNP3UDP
	sigSSLServer
	sigSSLClient
	sigDTLS
	sigFTPClient
	sigFTPServer
	sigHTTPClient
	sigHTTPServer
	sigIRCUserNick
	sigIRCNickUser
	sigIRCReply
	sigIRCServer
	sigIRCServers
	sigKRBRequest
	sigKRBReply
	sigKRBTCPRequest
	sigKRBTCPReply
	sigLDAPClientUDP
	sigLDAPServerUDP
	sigLDAPClientTCP
	sigLDAPServerTCP
	sigMQTT
	sigPOP3Server
	sigPOP3Client
	sigPostgresSSL
	sigPostgresSSLReply
	sigPostgresStartup
	sigPostgresReply
	sigRDPClient
	sigRDPServer
	sigRDPEUDP
	sigRedisClient
	sigRedisServer
	sigRFBServer
	sigRFBClient
	sigSIPRequest
	sigSIPReply
	sigSMB
	sigSMTPClient
	sigSMTPServer
	sigSOCKS4Client
	sigSOCKS4Server
	sigSOCKS4ReverseClient
	sigSOCKS4ReverseServer
	sigSOCKS5Client
	sigSOCKS5Server
	sigSSHClient
	sigSSHServer
	sigXMPP
	numRules
	noRule ruleID = 255
)

var (
	digit    = span('0', '9')
	space    = chars(" \t\r\n\v\f")
	lineEnds = chars("\r\n")
	blanks   = many(chars(" "))
	// lineStart matches nothing, or everything up to and with an end of line.
	lineStart = optional(in(many(anyByte), lineEnds))
)

// ircServer is the introduction of one IRC server to another.
var ircServer = in(lineStart, blanks, letters("server"), some(chars(" ")), some(except(" ")), some(chars(" ")),
	some(digit), some(chars(" ")), text(":"), some(anyByte), lineEnds)

// kerberos matches an application tag, a sequence, and the fields pvno 5 and
// message type under context tags first and first + 1.
func kerberos(tags string, first byte) pattern {
	length := times(anyByte, 1, 4)
	return in(chars(tags), length, text("\x30"), length,
		text(string([]byte{first, 3, 2, 1, 5, first + 1, 3, 2, 1})))
}

const socks5Methods = "\x00\x01\x02\x03\x05\x06\x07\x08\x09"

// httpMethods are those that the rule knows; each as a prefix, in capitals.
var httpMethods = [...]string{
	"ACL", "BASELINE-CONTROL", "BCOPY", "BDELETE", "BMOVE", "BPROPFIND", "BPROPPATCH", "CHECKIN", "CHECKOUT",
	"CONNECT", "COPY", "DELETE", "GET", "HEAD", "LABEL", "LOCK", "MERGE", "MKACTIVITY", "MKCOL", "MKWORKSPACE",
	"MOVE", "NOTIFY", "OPTIONS", "ORDERPATCH", "PATCH", "POLL", "POST", "PROPFIND", "PROPPATCH", "PUT", "REPORT",
	"RPC_IN_DATA", "RPC_OUT_DATA", "SEARCH", "SUBSCRIBE", "TRACE", "UNCHECKOUT", "UNLOCK", "UNSUBSCRIBE",
	"UPDATE", "VERSION-CONTROL", "X-MS-ENUMATTS",
}

func httpMethod() pattern {
	var p []pattern
	for _, m := range httpMethods {
		p = append(p, text(m))
	}
	return either(p...)
}

// signatures follow scripts/base/protocols/*/dpd.sig.
var signatures = [numRules]signature{
	sigDCERPC: {tcp: true, needs: noRule, attach: dceRPC,
		pattern: in(text("\x05"), span(0, 1), span(0, 0x13))},
	sigDHCP: {udp: true, needs: noRule, attach: dhcp,
		behind: 236, pattern: text("\x63\x82\x53\x63")},
	sigDNP3TCP: {tcp: true, from: responder, needs: noRule, attach: dnp3TCP, pattern: text("\x05\x64")},
	sigDNP3UDP: {udp: true, needs: noRule, attach: dnp3UDP, pattern: text("\x05\x64")},
	sigSSLServer: {tcp: true, from: responder, needs: noRule, attach: ssl,
		pattern: in(optional(in(text("\x15\x03"), span(0, 3), bytesAny(4))),
			text("\x16\x03"), span(0, 3), bytesAny(2), text("\x02"), bytesAny(3),
			either(in(text("\x03"), span(0, 4)), in(text("\x7f"), span(0, 0x50))))},
	sigSSLClient: {tcp: true, from: originator, needs: noRule, attach: ssl,
		pattern: in(text("\x16\x03"), span(0, 3), bytesAny(2), text("\x01"), bytesAny(3), text("\x03"), span(0, 3))},
	sigDTLS: {udp: true, needs: noRule, attach: dtls,
		pattern: in(text("\x16\xfe"), chars("\xff\xfd"), times(text("\x00"), 7, 7), bytesAny(3), text("\x01"),
			bytesAny(11), text("\xfe"), chars("\xff\xfd"))},
	sigFTPClient: {tcp: true, from: originator, needs: noRule,
		pattern: in(lineStart, blanks, letters("user ")),
	},
	sigFTPServer: {tcp: true, from: responder, needs: sigFTPClient, attach: ftp,
		pattern: in(many(chars("\r\n ")), either(text("120"), text("220")), except("0123456789"), many(anyByte),
			lineEnds, blanks, either(text("230"), text("331")), except("0123456789"))},
	sigHTTPClient: {tcp: true, from: originator, needs: noRule, attach: http,
		pattern: in(many(space), httpMethod())},
	sigHTTPServer: {tcp: true, from: responder, needs: noRule, attach: http,
		pattern: in(letters("http/"), digit)},
	sigIRCUserNick: {tcp: true, from: originator, needs: sigIRCReply, attach: irc,
		pattern: in(lineStart, blanks, letters("user"), some(chars(" ")), some(anyByte), some(lineEnds),
			blanks, letters("nick"), some(chars(" ")), many(anyByte), lineEnds)},
	sigIRCNickUser: {tcp: true, from: originator, needs: sigIRCReply, attach: irc,
		pattern: in(lineStart, blanks, letters("nick"), some(chars(" ")), some(anyByte), some(lineEnds),
			blanks, letters("user"), some(chars(" ")), some(anyByte), lineEnds)},
	sigIRCReply: {tcp: true, from: responder, needs: noRule,
		pattern: in(lineStart, optional(in(text(":"), some(except(" \r\n")), text(" "))), digit, digit, digit, text(" "))},
	sigIRCServer:     {tcp: true, needs: noRule, pattern: ircServer},
	sigIRCServers:    {tcp: true, needs: sigIRCServer, attach: irc, pattern: ircServer},
	sigKRBRequest:    {udp: true, needs: noRule, attach: krb, pattern: kerberos("\x6a\x6c", 0xa1)},
	sigKRBReply:      {udp: true, needs: noRule, attach: krb, pattern: kerberos("\x6b\x6d\x7e", 0xa0)},
	sigKRBTCPRequest: {tcp: true, needs: noRule, attach: krbTCP, pattern: in(bytesAny(4), kerberos("\x6a\x6c", 0xa1))},
	sigKRBTCPReply:   {tcp: true, needs: noRule, attach: krbTCP, pattern: in(bytesAny(4), kerberos("\x6b\x6d\x7e", 0xa0))},
	sigLDAPClientUDP: {udp: true, needs: noRule, pattern: in(text("\x30"), anyByte, text("\x02\x01"), anyByte, text("\x60"))},
	sigLDAPServerUDP: {udp: true, needs: sigLDAPClientUDP, attach: ldapUDP, pattern: text("\x30")},
	sigLDAPClientTCP: {tcp: true, needs: noRule, pattern: in(text("\x30"), anyByte, text("\x02\x01"), anyByte, text("\x60"))},
	sigLDAPServerTCP: {tcp: true, needs: sigLDAPClientTCP, attach: ldapTCP, pattern: text("\x30")},
	sigMQTT:          {tcp: true, needs: noRule, attach: mqtt, pattern: in(times(anyByte, 4, 7), text("MQ"))},
	sigPOP3Server:    {tcp: true, from: responder, needs: sigPOP3Client, attach: pop3, pattern: text("+OK")},
	sigPOP3Client: {tcp: true, from: originator, needs: noRule,
		pattern: in(lineStart, many(space), either(in(letters("user"), space), in(letters("apop"), space),
			letters("capa"), letters("auth"), letters("stls")))},
	sigPostgresSSL:      {tcp: true, needs: noRule, pattern: text("\x00\x00\x00\x08\x04\xd2\x16\x2f")},
	sigPostgresSSLReply: {tcp: true, needs: sigPostgresSSL, attach: postgresql, pattern: chars("SN")},
	sigPostgresStartup: {tcp: true, needs: noRule,
		pattern: in(bytesAny(4), text("\x00\x03\x00"), times(anyByte, 0, 256), text("user\x00"))},
	sigPostgresReply: {tcp: true, needs: sigPostgresStartup, attach: postgresql,
		pattern: in(either(span('a', 'z'), span('A', 'Z'), digit), text("\x00\x00"), bytesAny(2))},
	sigRDPClient: {tcp: true, needs: sigRDPServer, attach: rdp,
		pattern: anywhere(either(text("Cookie: mstshash="), in(text("Duca"), many(anyByte),
			either(text("rdpdr"), text("rdpsnd"), text("drdynvc"), text("cliprdr")))))},
	sigRDPServer: {tcp: true, needs: noRule,
		pattern: either(in(bytesAny(5), text("\xd0")), anywhere(text("McDn")))},
	sigRDPEUDP: {udp: true, needs: noRule, attach: rdpeudp, minSize: 1132, maxSize: 1232,
		pattern: in(text("\xff\xff\xff\xff"), bytesAny(3), text("\x01"))},
	sigRedisClient: {tcp: true, from: originator, needs: sigRedisServer, attach: redis, pattern: anywhere(text("\r\n"))},
	sigRedisServer: {tcp: true, from: responder, needs: noRule, attach: redis,
		pattern: either(in(chars("-+_,"), many(anyByte), text("\r\n")),
			in(chars(":$*#(!=%`~>"), optional(chars("+-")), some(digit), optional(in(text("."), many(digit))), text("\r\n")))},
	sigRFBServer:           {tcp: true, from: responder, needs: sigRFBClient, attach: rfb, pattern: text("RFB")},
	sigRFBClient:           {tcp: true, from: originator, needs: noRule, pattern: text("RFB")},
	sigSIPRequest:          {udp: true, needs: noRule, attach: sip, pattern: anywhere(in(text(" SIP/"), digit, text("."), digit, text("\r\n")))},
	sigSIPReply:            {udp: true, needs: noRule, attach: sip, pattern: in(optional(text(" ")), text("SIP/"), digit, text("."), digit, either(text("\r\n"), in(text(" "), digit, digit, digit, text(" "))))},
	sigSMB:                 {tcp: true, needs: noRule, attach: smb, pattern: in(bytesAny(4), chars("\xfe\xff"), text("SMB"))},
	sigSMTPClient:          {tcp: true, from: originator, needs: sigSMTPServer, attach: smtp, pattern: in(lineStart, many(space), either(letters("helo"), letters("ehlo")))},
	sigSMTPServer:          {tcp: true, from: responder, needs: noRule, pattern: in(many(space), text("220"), either(space, text("-")))},
	sigSOCKS4Client:        {tcp: true, from: originator, needs: noRule, pattern: socks4Request},
	sigSOCKS4Server:        {tcp: true, from: responder, needs: sigSOCKS4Client, attach: socks, pattern: socks4Reply},
	sigSOCKS4ReverseClient: {tcp: true, from: responder, needs: noRule, pattern: socks4Request},
	sigSOCKS4ReverseServer: {tcp: true, from: originator, needs: sigSOCKS4ReverseClient, attach: socks, pattern: socks4Reply},
	sigSOCKS5Client:        {tcp: true, from: originator, needs: noRule, pattern: in(text("\x05"), anyByte, chars(socks5Methods))},
	sigSOCKS5Server:        {tcp: true, from: responder, needs: sigSOCKS5Client, attach: socks, pattern: in(text("\x05"), chars(socks5Methods+"\xff"))},
	sigSSHClient:           {tcp: true, from: originator, needs: sigSSHServer, attach: ssh, pattern: sshBanner},
	sigSSHServer:           {tcp: true, from: responder, needs: noRule, pattern: sshBanner},
	sigXMPP: {tcp: true, needs: noRule, attach: xmpp,
		pattern: in(optional(in(text("<?xml"), many(except("?>")), text("?>"))), many(chars("\n\r ")),
			text("<stream:stream "), many(except(">")), text("xmlns='jabber:"))},
}

var (
	socks4Request = in(text("\x04"), span(1, 2), times(anyByte, 0, 32), text("\x00"))
	socks4Reply   = in(text("\x00"), span(0x5a, 0x5d))
	sshBanner     = in(letters("ssh-"), span('1', '2'), text("."))
)

// portless are the rules without a condition on the transport: they are all
// that is matched on a side whose first packet Zeek's matcher never saw.
var portless = ruleSet(1<<sigDCERPC | 1<<sigMQTT | 1<<sigPostgresSSLReply | 1<<sigPostgresReply)

// dependents are the rules that wait for another one.
var dependents = func() (d [numRules][]ruleID) {
	for i := range signatures {
		if n := signatures[i].needs; n != noRule {
			d[n] = append(d[n], ruleID(i))
		}
	}
	return d
}()

// matchTables are a transport's automata, one for each side; made when first
// used.
type matchTables struct {
	sides  [2]*automaton // originator, responder
	bare   *automaton
	behind []*automaton // a rule's, in the order of the table
}

// behindRules are the rules whose pattern does not stand at the beginning.
var behindRules = func() (ids []ruleID) {
	for i := range signatures {
		if signatures[i].behind > 0 {
			ids = append(ids, ruleID(i))
		}
	}
	return ids
}()

// further matches a datagram's patterns that stand behind its beginning.
func (t *matchTables) further(b []byte) (rules ruleSet) {
	if t.behind == nil {
		for _, id := range behindRules {
			t.behind = append(t.behind, newAutomaton([]pattern{signatures[id].pattern}, []uint8{uint8(id)}))
		}
	}
	for i, id := range behindRules {
		if at := signatures[id].behind; len(b) > at {
			_, r := t.behind[i].run(nil, b[at:])
			rules |= r
		}
	}
	return rules
}

func (t *matchTables) side(stream, fromOrig, bare bool) *automaton {
	if bare {
		if t.bare == nil {
			t.bare = buildAutomaton(func(id ruleID, s *signature) bool { return stream && portless>>id&1 == 1 })
		}
		return t.bare
	}
	if !stream {
		fromOrig = true // datagrams: the same rules for both sides
	}
	i, other := 0, responder
	if !fromOrig {
		i, other = 1, originator
	}
	if t.sides[i] == nil {
		t.sides[i] = buildAutomaton(func(_ ruleID, s *signature) bool {
			if stream {
				return s.tcp && s.from != other
			}
			return s.udp && s.behind == 0
		})
	}
	return t.sides[i]
}

func buildAutomaton(include func(ruleID, *signature) bool) *automaton {
	var patterns []pattern
	var rules []uint8
	for i := range signatures {
		if include(ruleID(i), &signatures[i]) {
			patterns = append(patterns, signatures[i].pattern)
			rules = append(rules, uint8(i))
		}
	}
	return newAutomaton(patterns, rules)
}
