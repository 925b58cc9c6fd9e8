package zeeklog

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// texts are the values of a row as they stand in the log. The last one takes
// the columns that conn.log does not have.
type texts [numField + 1]string

var errUnset = errors.New("is unset")

// parse fills c, which is zero before. l says how unset and empty values look;
// escaped, that text can have \xNN.
//
// It is one field after the other, not a loop over columns: as fast as parsing
// gets, because every branch has its own history.
func (v *texts) parse(c *conn.Conn, l *layout, escaped bool) (err error) {
	for _, f := range [...]field{ts, origH, respH, respP, proto} {
		if same(v[f], l.unset) {
			return &fieldError{f, errUnset}
		}
	}
	c.Absent = l.lacks
	if c.TS, err = parseTime(v[ts]); err != nil {
		return &fieldError{ts, err}
	}
	if s := v[uid]; !same(s, l.unset) {
		c.UID = l.text(s, escaped)
	}
	if c.Orig, err = v.endpoint(origH, origP, l); err != nil {
		return err
	}
	if c.Resp, err = v.endpoint(respH, respP, l); err != nil {
		return err
	}
	if c.Proto, err = parseProto(v[proto]); err != nil {
		return &fieldError{proto, err}
	}
	if s := v[service]; !same(s, l.unset) {
		c.Service = l.text(s, escaped)
		c.Set |= conn.Service
	}
	if s := v[duration]; !same(s, l.unset) {
		if c.Duration, err = parseDuration(s); err != nil {
			return &fieldError{duration, err}
		}
		c.Set |= conn.Duration
	}
	if s := v[origBytes]; !same(s, l.unset) {
		if c.OrigBytes, err = parseCount(s); err != nil {
			return &fieldError{origBytes, err}
		}
		c.Set |= conn.OrigBytes
	}
	if s := v[respBytes]; !same(s, l.unset) {
		if c.RespBytes, err = parseCount(s); err != nil {
			return &fieldError{respBytes, err}
		}
		c.Set |= conn.RespBytes
	}
	if s := v[connState]; !same(s, l.unset) {
		if c.State, err = parseState(s); err != nil {
			return &fieldError{connState, err}
		}
	}
	if s := v[localOrig]; !same(s, l.unset) {
		if c.LocalOrig, err = parseBool(s); err != nil {
			return &fieldError{localOrig, err}
		}
		c.Set |= conn.LocalOrig
	}
	if s := v[localResp]; !same(s, l.unset) {
		if c.LocalResp, err = parseBool(s); err != nil {
			return &fieldError{localResp, err}
		}
		c.Set |= conn.LocalResp
	}
	if err = v.always(missedBytes, &c.MissedBytes, c, l); err != nil {
		return err
	}
	if s := v[history]; !same(s, l.unset) {
		c.History = l.text(s, escaped)
		c.Set |= conn.History
	}
	if err = v.always(origPkts, &c.OrigPkts, c, l); err != nil {
		return err
	}
	if err = v.always(origIPBytes, &c.OrigIPBytes, c, l); err != nil {
		return err
	}
	if err = v.always(respPkts, &c.RespPkts, c, l); err != nil {
		return err
	}
	if err = v.always(respIPBytes, &c.RespIPBytes, c, l); err != nil {
		return err
	}
	if s := v[tunnelParents]; !same(s, l.unset) {
		c.TunnelParents = l.elements(s, escaped)
		c.Set |= conn.TunnelParents
	}
	if s := v[ipProto]; !same(s, l.unset) {
		n, err := parseCount(s)
		if err == nil && n > math.MaxUint16 {
			err = fmt.Errorf("%s is not an IP protocol", quote(s))
		}
		if err != nil {
			return &fieldError{ipProto, err}
		}
		c.IPProto = uint16(n)
		c.Set |= conn.IPProto
	}
	return nil
}

// same returns a == b, decided by the first byte most often.
func same(a, b string) bool {
	return len(a) == len(b) && (len(a) == 0 || a[0] == b[0] && a == b)
}

// endpoint parses an address and its port.
func (v *texts) endpoint(host, port field, l *layout) (netip.AddrPort, error) {
	a, err := parseAddr(v[host])
	if err != nil {
		return netip.AddrPort{}, &fieldError{host, err}
	}
	if same(v[port], l.unset) { // zero
		return netip.AddrPortFrom(a, 0), nil
	}
	n, err := parsePort(v[port])
	if err != nil {
		return netip.AddrPort{}, &fieldError{port, err}
	}
	return netip.AddrPortFrom(a, n), nil
}

// always parses a count that Zeek always sets.
func (v *texts) always(f field, to *uint64, c *conn.Conn, l *layout) (err error) {
	if same(v[f], l.unset) {
		c.Absent |= absentBits[f]
		return nil
	}
	if *to, err = parseCount(v[f]); err != nil {
		return &fieldError{f, err}
	}
	return nil
}

// text returns the string that s stands for.
func (l *layout) text(s string, escaped bool) string {
	if same(s, l.empty) {
		return ""
	}
	if escaped {
		return unescape(s)
	}
	return s
}

// elements returns the elements of the set that s stands for.
func (l *layout) elements(s string, escaped bool) (elements []string) {
	if s == l.empty {
		return nil
	}
	for more := true; more; {
		var element string
		element, s, more = strings.Cut(s, l.setSep)
		elements = append(elements, l.text(element, escaped))
	}
	return elements
}
