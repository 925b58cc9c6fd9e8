package feature

import (
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// oneWay reports whether no answer belongs to a connection: an ICMP message
// that is none itself (an error, a redirect, neighbour discovery), or UDP to
// many hosts at once (DHCP, mDNS, SSDP, NetBIOS). Zeek writes OTH or S0 there,
// as it does for a failed attempt; here it is how the protocol works.
func oneWay(c *conn.Conn) bool {
	switch c.Proto {
	case conn.ICMP:
		return oneWayICMP(c)
	case conn.UDP:
		return manyHosts(c.Resp.Addr().Unmap()) || oneWayPort(c.Resp.Port())
	}
	return false
}

// oneWayICMP tells messages by their type, which conn.log has as id.orig_p.
func oneWayICMP(c *conn.Conn) bool {
	kind := c.Orig.Port()
	if c.Orig.Addr().Unmap().Is4() {
		switch kind { // RFC 792, RFC 1256
		case 3, 4, 5, 9, 11, 12: // unreachable, quench, redirect, router advertisement, time exceeded, parameter
			return true
		}
		return false
	}
	switch kind { // RFC 4443, RFC 4861, RFC 3810
	case 1, 2, 3, 4, // unreachable, too big, time exceeded, parameter
		130, 131, 132, 143, // multicast listeners
		133, 134, 135, 136, 137: // router and neighbour discovery
		return true
	}
	return false
}

// oneWayPort reports whether what is sent to a UDP port is not answered from
// there: DHCP asks all and is answered as another connection, datagrams of
// NetBIOS, traps of SNMP and syslog are not answered at all.
func oneWayPort(port uint16) bool {
	switch port {
	case 67, 68, 138, 162, 514, 546, 547:
		return true
	}
	return false
}

// manyHosts reports whether an address is a group's: multicast, broadcast, or,
// since conn.log has no netmask, an IPv4 address that ends in 255.
func manyHosts(a netip.Addr) bool {
	return a.IsMulticast() || a.Is4() && a.As4()[3] == 255
}
