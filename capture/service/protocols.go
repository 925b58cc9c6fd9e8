package service

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// protocolID is a row of the table of protocols. The order is that of Zeek's
// analyzer tags: where two analyzers share a port, the lower one sees the data
// first.
type protocolID uint8

const (
	noProtocol protocolID = iota
	signatureMatcher
	dceRPC
	dhcp
	dnp3TCP
	dnp3UDP
	dns
	ftp
	ftpData
	gssapi
	http
	imap
	irc
	ircData
	krb
	krbTCP
	modbus
	mqtt
	mysql
	ntlm
	ntp
	pop3
	radius
	rdp
	rdpeudp
	rfb
	sip
	smb
	smtp
	snmp
	socks
	ssh
	dtls
	ssl
	websocket
	xmpp
	finger
	ldapTCP
	ldapUDP
	postgresql
	quic
	redis
	syslog
	numProtocols
)

// protocol is what the room knows of one protocol.
type protocol struct {
	// name in the service field, lower case.
	name string
	// make returns a fresh analyzer.
	make func() analyzer
	// tcp and udp are the responder's ports that attach it from the first packet.
	tcp, udp []uint16
	// leaf: once confirmed it can only violate; it attaches and announces nothing.
	leaf bool
	// plain: raises violations on partial TCP connections and after gaps too
	// (in Zeek it is not a TCP_ApplicationAnalyzer).
	plain bool
	// ignores: its violations do not count (scripts/base/protocols/{dce-rpc,ntlm}/
	// main.zeek add it to DPD::ignore_violations).
	ignores bool
	// timeout, when set, replaces the connection's inactivity timeout on
	// confirmation (scripts/base/protocols/conn/inactivity.zeek).
	timeout conn.Micros
}

const hour conn.Micros = 60 * 60 * 1000000

// protocols is the table: one line per protocol. Ports are those of
// scripts/base/protocols/*/main.zeek.
var protocols [numProtocols]protocol

func init() {
	protocols = [numProtocols]protocol{
		signatureMatcher: {name: "pia"},
		dns:              {name: "dns", make: newDNS, tcp: []uint16{53}, udp: []uint16{53, 137, 5353, 5355}},
		http:             {name: "http", make: newHTTP, tcp: []uint16{80, 81, 631, 1080, 3128, 8000, 8080, 8888}},
		websocket:        {name: "websocket", make: newWebSocket},
		ftp:              {name: "ftp", make: newFTP, tcp: []uint16{21, 2811}, timeout: hour},
		ntp:              {name: "ntp", make: newNTP, udp: []uint16{123}, leaf: true},
		ssh:              {name: "ssh", make: newSSH, tcp: []uint16{22}, timeout: hour},
		ssl:              {name: "ssl", make: newTLS, tcp: []uint16{443, 563, 585, 614, 636, 989, 990, 992, 993, 995, 5223}, leaf: true},
		dtls:             {name: "dtls", make: newDTLS, udp: []uint16{443}, leaf: true, plain: true},
		ftpData:          {name: "ftp-data", make: newQuiet},
		dceRPC:           {name: "dce_rpc", make: newDCERPC, tcp: []uint16{135}, ignores: true},
		dhcp:             {name: "dhcp", make: newDHCP, udp: []uint16{67, 68, 4011}, leaf: true},
		dnp3TCP:          {name: "dnp3_tcp", make: newDNP3, tcp: []uint16{20000}, leaf: true},
		dnp3UDP:          {name: "dnp3_udp", make: newDNP3, leaf: true},
		gssapi:           {name: "gssapi", make: newGSSAPI},
		imap:             {name: "imap", make: newIMAP, tcp: []uint16{143}},
		xmpp:             {name: "xmpp", make: newXMPP, tcp: []uint16{5222, 5269}},
		irc:              {name: "irc", make: newIRC, tcp: []uint16{6666, 6667, 6668, 6669}},
		ircData:          {name: "irc-dcc-data", make: newQuiet},
		krb:              {name: "krb", make: newKRB, udp: []uint16{88}, plain: true, leaf: true},
		krbTCP:           {name: "krb_tcp", make: newKRBTCP, tcp: []uint16{88}, leaf: true},
		modbus:           {name: "modbus", make: newModbus, tcp: []uint16{502}, leaf: true},
		mqtt:             {name: "mqtt", make: newMQTT, tcp: []uint16{1883}, leaf: true},
		ntlm:             {name: "ntlm", make: newNTLM, ignores: true},
		pop3:             {name: "pop3", make: newPOP3},
		radius:           {name: "radius", make: newRADIUS, udp: []uint16{1812}, leaf: true},
		ldapTCP:          {name: "ldap_tcp", make: newLDAP, tcp: []uint16{389, 3268}},
		ldapUDP:          {name: "ldap_udp", make: newLDAP, udp: []uint16{389}},
		postgresql:       {name: "postgresql", make: newPostgreSQL, tcp: []uint16{5432}},
		quic:             {name: "quic", make: newQUIC, udp: []uint16{443, 784, 853}},
		rdp:              {name: "rdp", make: newRDP, tcp: []uint16{3389}},
		rdpeudp:          {name: "rdpeudp", make: newRDPEUDP, udp: []uint16{3389}, leaf: true},
		rfb:              {name: "rfb", make: newRFB, leaf: true},
		sip:              {name: "sip", make: newSIP, udp: []uint16{5060}, leaf: true},
		smb:              {name: "smb", make: newSMB, tcp: []uint16{139, 445}},
		smtp:             {name: "smtp", make: newSMTP, tcp: []uint16{25, 587}},
		mysql:            {name: "mysql", make: newMySQL, tcp: []uint16{1434, 3306}},
		socks:            {name: "socks", make: newSOCKS, tcp: []uint16{1080}},
		finger:           {name: "finger", make: newFinger, tcp: []uint16{79}, leaf: true},
		redis:            {name: "redis", make: newRedis, tcp: []uint16{6379}, leaf: true},
		syslog:           {name: "syslog", make: newSyslog, udp: []uint16{514}, leaf: true, plain: true},
		snmp:             {name: "snmp", make: newSNMP, udp: []uint16{161, 162}, leaf: true},
	}
	indexPorts()
}

// byPort lists which protocols a responder port attaches.
type byPort struct {
	place [1 << 16]uint8 // in lists
	lists [][]protocolID // the first for all other ports
}

var tcpPorts, udpPorts = byPort{lists: [][]protocolID{nil}}, byPort{lists: [][]protocolID{nil}}

func (b *byPort) of(port uint16) []protocolID { return b.lists[b.place[port]] }

func (b *byPort) add(port uint16, id protocolID) {
	if b.place[port] == 0 {
		b.place[port] = uint8(len(b.lists))
		b.lists = append(b.lists, nil)
	}
	list := &b.lists[b.place[port]]
	*list = append(*list, id)
}

func indexPorts() {
	for id := range protocols {
		for _, p := range protocols[id].tcp {
			tcpPorts.add(p, protocolID(id))
		}
		for _, p := range protocols[id].udp {
			udpPorts.add(p, protocolID(id))
		}
	}
}
