package zeeklog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// parseCount parses a count. Programs that keep every number as a double write
// 12.0 or 1.2e1 for 12: that is accepted while doubles are exact.
func parseCount(s string) (uint64, error) {
	if len(s) == 0 || len(s) > 19 { // 19 digits cannot overflow
		return parseLongCount(s)
	}
	var n uint64
	for i := 0; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return parseLongCount(s)
		}
		n = n*10 + uint64(d)
	}
	return n, nil
}

func parseLongCount(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is larger than a count can be", quote(s))
	}
	const exact = 1 << 53
	f, err := parseDouble(s)
	switch {
	case err != nil:
		return 0, err
	case f < 0:
		return 0, fmt.Errorf("%s is negative", quote(s))
	case f != math.Trunc(f) || f > exact:
		return 0, fmt.Errorf("%s is not a whole number", quote(s))
	}
	return uint64(f), nil
}

// parsePort parses a port.
func parsePort(s string) (uint16, error) {
	n, err := parseCount(s)
	if err == nil && n > math.MaxUint16 {
		err = fmt.Errorf("%s is not a port: 0 to 65535", quote(s))
	}
	return uint16(n), err
}

// parseDouble parses a finite decimal number.
func parseDouble(s string) (float64, error) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default: // also nan, inf, hexadecimal and _
			return 0, fmt.Errorf("%s is not a number", quote(s))
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is out of range", quote(s))
	case err != nil:
		return 0, fmt.Errorf("%s is not a number", quote(s))
	}
	return f, nil
}

func parseProto(s string) (conn.Proto, error) {
	p, ok := conn.ParseProto(s)
	if !ok {
		return p, fmt.Errorf("%s is not a transport protocol: tcp, udp, icmp or unknown_transport", quote(s))
	}
	return p, nil
}

func parseState(s string) (conn.State, error) {
	state, ok := conn.ParseState(s)
	if !ok {
		return state, fmt.Errorf("%s is not a conn_state of Zeek", quote(s))
	}
	return state, nil
}

func parseBool(s string) (bool, error) {
	switch s {
	case "T", "true", "True", "TRUE":
		return true, nil
	case "F", "false", "False", "FALSE":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither T nor F", quote(s))
}

// parseAddr parses an address; IPv4-mapped ones become IPv4.
func parseAddr(s string) (netip.Addr, error) {
	if a, ok := parseIPv4(s); ok {
		return a, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%s is not an IP address", quote(s))
	}
	return a.Unmap(), nil
}

// parseIPv4 parses dotted decimals without leading zeros.
func parseIPv4(s string) (netip.Addr, bool) {
	var a uint32 // as bytes they could not be loaded at once so soon
	i := 0
	for part := range 4 {
		if part > 0 {
			if i >= len(s) || s[i] != '.' {
				return netip.Addr{}, false
			}
			i++
		}
		if i >= len(s) || s[i]-'0' > 9 {
			return netip.Addr{}, false
		}
		n := uint(s[i] - '0')
		i++
		for n > 0 && n < 26 && i < len(s) && s[i]-'0' <= 9 {
			n = n*10 + uint(s[i]-'0')
			i++
		}
		if n > 255 {
			return netip.Addr{}, false
		}
		a = a<<8 | uint32(n)
	}
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], a)
	return netip.AddrFrom4(bytes), i == len(s)
}

// unescape resolves \xNN and \\ (src/util.cc, get_unescaped_string; ODesc
// writes a backslash as two). Text without a backslash is returned as it is.
func unescape(s string) string {
	first := strings.IndexByte(s, '\\')
	if first < 0 {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:first]...)
	for i := first; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if s[i+1] == '\\' {
				i++
			} else if s[i+1] == 'x' && i+3 < len(s) {
				if b, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
					out = append(out, byte(b))
					i += 3
					continue
				}
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}
