package capture

import (
	"fmt"
	"strings"
)

// LinkCounts counts frames of kinds that cannot be read, by link type. Those of
// a fifth kind and more count with the fourth.
type LinkCounts [4]struct {
	Type    uint16 // LINKTYPE_
	Packets uint64
}

func (l *LinkCounts) add(link linkType) {
	for i := range l {
		if l[i].Packets == 0 {
			l[i].Type = uint16(link)
		}
		if l[i].Type == uint16(link) || i == len(l)-1 {
			l[i].Packets++
			return
		}
	}
}

// String names the link types, as "link type 242 (IP over InfiniBand)".
func (l *LinkCounts) String() string {
	var names []string
	for _, c := range l {
		if c.Packets == 0 {
			break
		}
		name := fmt.Sprintf("link type %d", c.Type)
		if known := unreadLinks[linkType(c.Type)]; known != "" {
			name += " (" + known + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " or ")
}

// isRead reports whether frames of that kind can be read. Raw IP can: root
// takes all it does not know for IP, as Zeek does.
func (l linkType) isRead() bool {
	switch l {
	case linkNull, linkEthernet, linkPPP, linkFDDI, linkPPPSerial, link80211, linkSLL, linkRadiotap, linkNFLOG, linkSLL2,
		linkRaw, linkIPv4, linkIPv6, 12, 14: // the last two: DLT_RAW of two kinds of host
		return true
	}
	return false
}

// unreadLinks names link types that captures have and that cannot be read here,
// nor by Zeek.
var unreadLinks = map[linkType]string{
	6: "Token Ring", 7: "ARCNET", 8: "SLIP", 51: "PPPoE", 100: "ATM", 104: "Cisco HDLC", 107: "Frame Relay", 108: "OpenBSD loopback",
	117: "OpenBSD pflog", 119: "Prism 802.11", 122: "IP over Fibre Channel", 123: "SunATM", 129: "ARCNET", 138: "IP over FireWire",
	143: "DOCSIS", 147: "user-defined", 163: "AVS 802.11", 166: "PPP with direction", 187: "Bluetooth", 189: "USB", 192: "PPI",
	195: "802.15.4", 201: "Bluetooth", 203: "LAPD", 204: "PPP with direction", 205: "Cisco HDLC with direction", 206: "Frame Relay with direction",
	220: "USB", 226: "Solaris IPNET", 227: "CAN", 230: "802.15.4", linkDBus: "D-Bus", 240: "netANALYZER", 242: "IP over InfiniBand",
	247: "InfiniBand", linkUSBPcap: "USB", 253: "Netlink", linkEBHSCR: "Elektrobit capture", 283: "802.15.4",
}
