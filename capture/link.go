package capture

// linkType is the kind of a capture's frames: LINKTYPE_ of a capture file.
type linkType uint16

const (
	linkNull      linkType = 0
	linkEthernet  linkType = 1
	linkPPP       linkType = 9
	linkFDDI      linkType = 10
	linkPPPSerial linkType = 50
	linkRaw       linkType = 101
	link80211     linkType = 105
	linkSLL       linkType = 113
	linkRadiotap  linkType = 127
	linkDBus      linkType = 231
	linkNFLOG     linkType = 239
	linkUSBPcap   linkType = 249
	linkSLL2      linkType = 276
	linkEBHSCR    linkType = 279
)
