package httplog

import (
	"bytes"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// appendText appends a text as it counts.
func appendText(dst []byte, text string) []byte { return feature.AppendText(dst, text, MaxText) }

// appendHost appends a host as it counts: small letters, without the port and
// the dot at its end.
func appendHost(dst []byte, host string) []byte {
	from := len(dst)
	dst = appendText(dst, host)
	name := dst[from:]
	feature.Lower(name)
	return dst[:from+hostEnd(name)]
}

// hostEnd returns where the host ends, and its port begins. An IPv6 address without
// brackets has none.
func hostEnd(name []byte) int {
	end := len(name)
	for end > 0 && isDigit(name[end-1]) {
		end--
	}
	if end == 0 || name[end-1] != ':' || end > 1 && name[end-2] != ']' && bytes.IndexByte(name[:end-1], ':') >= 0 {
		end = len(name)
	} else {
		end--
	}
	if end > 0 && name[end-1] == '.' {
		end--
	}
	return end
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// hostIsAddress reports whether a host as it counts is an IPv4 address, or an
// IPv6 one. No top level of a name ends with a digit.
func hostIsAddress(host string) bool {
	return host != "" && (isDigit(host[len(host)-1]) || strings.IndexByte(host, ':') >= 0)
}

// appendAgent appends a user agent as it counts: each number is 0, whether it has
// points or underscores in it or not.
func appendAgent(dst []byte, agent string) []byte {
	number := false
	for end := len(dst) + maxCoded; len(agent) > 0 && len(dst) < end; {
		b, n := feature.NextByte(agent)
		agent = agent[n:]
		switch {
		case !isDigit(b):
			if number && (b == '.' || b == '_') && len(agent) > 0 && isDigit(agent[0]) {
				continue
			}
			number = false
			dst = append(dst, b)
		case !number:
			number = true
			dst = append(dst, '0')
		}
	}
	return dst
}

// extensionOf returns what stands behind the last dot of the uri's path, or "" if that
// is no extension.
func extensionOf(uri string) string {
	if i := strings.IndexByte(uri, '?'); i >= 0 {
		uri = uri[:i]
	}
	for i := len(uri) - 1; i >= 0 && i >= len(uri)-1-maxExtension; i-- {
		c := uri[i]
		switch {
		case c == '.':
			return uri[i+1:]
		case !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z'):
			return ""
		}
	}
	return ""
}

// depthOf returns how many slashes the uri's path has.
func depthOf(uri string) int {
	if i := strings.IndexByte(uri, '?'); i >= 0 {
		uri = uri[:i]
	}
	return strings.Count(uri, "/")
}

// endOf returns the part of a uri whose surprise counts. Its beginning is the path,
// which a site has in common.
func endOf(uri string) string { return uri[max(0, len(uri)-(feature.TextSize-1)):] }
