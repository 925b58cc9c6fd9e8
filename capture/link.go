package capture

import "github.com/google/gopacket/layers"

// linkType is the kind of a capture's frames: LINKTYPE_ of a capture file.
// The numbers are gopacket's where it has them. Its own type is a byte, too
// small for LINUX_SLL2.
type linkType uint16

const (
	linkNull      = linkType(layers.LinkTypeNull)
	linkEthernet  = linkType(layers.LinkTypeEthernet)
	linkPPP       = linkType(layers.LinkTypePPP)
	linkFDDI      = linkType(layers.LinkTypeFDDI)
	linkPPPSerial = linkType(layers.LinkTypePPP_HDLC)
	linkRaw       = linkType(layers.LinkTypeRaw)
	link80211     = linkType(layers.LinkTypeIEEE802_11)
	linkSLL       = linkType(layers.LinkTypeLinuxSLL)
	linkRadiotap  = linkType(layers.LinkTypeIEEE80211Radio)
	linkIPv4      = linkType(layers.LinkTypeIPv4)
	linkIPv6      = linkType(layers.LinkTypeIPv6)

	linkDBus    linkType = 231
	linkNFLOG   linkType = 239
	linkUSBPcap linkType = 249
	linkSLL2    linkType = 276
	linkEBHSCR  linkType = 279
)

// fromGopacket returns the link type that a source of gopacket's means. They keep
// the lower byte of a file's number: that of LINUX_SLL2 no other link has.
func fromGopacket(link layers.LinkType) linkType {
	if link == layers.LinkType(linkSLL2&0xff) {
		return linkSLL2
	}
	return linkType(link)
}
