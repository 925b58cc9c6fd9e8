package alert

import (
	"errors"
	"fmt"
	"net/netip"
)

// An allow-list that allows everything silences the sensor, whether by one entry
// or by many. So networks are only counted as a limit from /8 on, and all
// entries that name nothing but a network, or nothing but a port, may together
// name no more than a quarter of what there is. Sizes are added up in the order
// of the file; what is named twice counts twice, and what is over counts, too.
// scripts/allow.zeek has the same rule and must agree.
const (
	shortestNetwork = 8
	mostIPv4        = 1 << 30 // addresses: a quarter of them
	mostIPv6        = 1 << 27 // networks of /32: a quarter of 2000::/3
	mostPorts       = 1 << 14
)

// mapped is where Zeek keeps IPv4 addresses: a network of IPv6 around it
// contains them all there.
var mapped = netip.MustParseAddr("::ffff:0.0.0.0")

// limits adds up what the entries of a list name.
type limits struct{ ipv4, ipv6, ports uint64 }

// add says why an entry cannot be taken; what it names counts only if it can.
func (l *limits) add(e *Entry) error {
	if e.Bad || e.Originator.IsValid() || e.Responder.IsValid() || e.Service != "" {
		return nil
	}
	network := e.Network
	bits := network.Bits()
	narrow := network.IsValid() && bits >= shortestNetwork &&
		(network.Addr().Is4() || bits >= 96 || !network.Contains(mapped))
	switch {
	case narrow && e.HasPort:
		return nil
	case e.HasPort:
		if l.ports == mostPorts {
			return fmt.Errorf("with this entry more than a quarter of all ports would be allowed: add originator, responder, network or service")
		}
		l.ports++
		return nil
	case narrow:
		sum, most, family := &l.ipv4, uint64(mostIPv4), "IPv4"
		if !network.Addr().Is4() {
			sum, most, family = &l.ipv6, mostIPv6, "IPv6"
		}
		var size uint64
		if bits <= 32 {
			size = 1 << (32 - bits)
		}
		if *sum+size > most {
			return fmt.Errorf("with network %v more than a quarter of all %s addresses would be allowed: add originator, responder, port or service", network, family)
		}
		*sum += size
		return nil
	case network.IsValid():
		return fmt.Errorf("network %v would allow everything: want /%d or longer, or add originator, responder, port or service", network, shortestNetwork)
	}
	return errors.New("the entry would allow everything: set originator, responder, network, port or service")
}

// Check says whether an entry would allow everything by itself.
func (e *Entry) Check() error { return new(limits).add(e) }

// Narrow takes out of a list the entries with which it would allow everything.
// The error says which.
func Narrow(lines []AllowLine, file string) ([]AllowLine, error) {
	var l limits
	var refused []error
	kept := make([]AllowLine, 0, len(lines))
	for i := range lines {
		if err := l.add(&lines[i].Entry); err != nil { // a bad label allows nothing
			refused = append(refused, fmt.Errorf("%s:%d: %w", file, lines[i].Number, err))
			continue
		}
		kept = append(kept, lines[i])
	}
	switch n := len(refused); n {
	case 0:
		return kept, nil
	case 1:
		return kept, refused[0]
	default:
		return kept, fmt.Errorf("%w (and %d more)", refused[0], n-1)
	}
}
