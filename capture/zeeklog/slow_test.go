package zeeklog

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// The slow, plain twins of the parsers, on the standard library.

var slowNumber = regexp.MustCompile(`^[-+0-9.eE]+$`)

func slowDouble(s string) (float64, error) {
	if !slowNumber.MatchString(s) {
		return 0, errors.New("no number")
	}
	return strconv.ParseFloat(s, 64)
}

func slowSeconds(s string) (conn.Micros, error) {
	f, err := slowDouble(s)
	if err == nil && math.Abs(f) > maxMicros/1e6 {
		err = errors.New("out of range")
	}
	return conn.FromSeconds(f), err
}

var slowUnits = regexp.MustCompile(`^\d{12,}(\.\d{0,6})?$`)

func slowTime(s string) (conn.Micros, error) {
	if strings.Count(s, "-") >= 2 && strings.Index(s, "-") == 4 {
		return parseISO8601(s) // is time.Parse already
	}
	if slowUnits.MatchString(s) {
		f, _ := new(big.Rat).SetString(s)
		if strings.Contains(s, ".") && f.Cmp(big.NewRat(5e12+1, 1)) >= 0 {
			return slowSeconds(s)
		}
		for _, unit := range []struct{ from, to, times, by int64 }{{1e11, 1e14, 1000, 1}, {1e14, 1e17, 1, 1}, {1e17, math.MaxInt64, 1, 1000}} {
			if whole := new(big.Int).Quo(f.Num(), f.Denom()); whole.Cmp(big.NewInt(unit.from)) >= 0 && whole.Cmp(big.NewInt(unit.to)) < 0 {
				if unit.by > 1 { // nanoseconds have no decimals that count
					f = new(big.Rat).SetInt(whole)
				}
				f.Mul(f, big.NewRat(unit.times, unit.by))
				f.Add(f, big.NewRat(1, 2))
				return conn.Micros(new(big.Int).Quo(f.Num(), f.Denom()).Int64()), nil
			}
		}
	}
	return slowSeconds(s)
}

func slowCount(s string) (uint64, error) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return n, err
	}
	f, err := slowDouble(s)
	if err == nil && (f < 0 || f > 1<<53 || f != math.Trunc(f)) {
		err = errors.New("no count")
	}
	return uint64(f), err
}

func slowSmall(s string) (uint16, error) {
	n, err := slowCount(s)
	if n > math.MaxUint16 {
		err = errors.New("out of range")
	}
	return uint16(n), err
}

func slowBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "t", "true":
		return true, nil
	case "f", "false":
		return false, nil
	}
	return false, errors.New("no bool")
}

func slowAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if a.Zone() != "" {
		err = errors.New("zone")
	}
	return a.Unmap(), err
}

func slowProto(s string) (conn.Proto, error) {
	p, ok := conn.ParseProto(s)
	if !ok {
		return p, errors.New("no proto")
	}
	return p, nil
}

func slowState(s string) (conn.State, error) {
	state, ok := conn.ParseState(s)
	if !ok {
		return state, errors.New("no state")
	}
	return state, nil
}

func slowString(s string) (string, error) { return s, nil }

// slowAlways are what Zeek always sets.
var slowAlways = map[string]conn.Fields{
	"missed_bytes": conn.MissedBytes, "orig_pkts": conn.OrigPkts, "orig_ip_bytes": conn.OrigIPBytes,
	"resp_pkts": conn.RespPkts, "resp_ip_bytes": conn.RespIPBytes,
}

// slowConn makes a connection of the values that are set.
func slowConn(values map[string]string, parents []string) (c conn.Conn, err error) {
	for _, name := range []string{"ts", "id.orig_h", "id.resp_h", "id.resp_p", "proto"} {
		if _, ok := values[name]; !ok {
			return c, fmt.Errorf("no %s", name)
		}
	}
	var origH, respH netip.Addr
	var origP, respP uint16
	err = errors.Join(
		slowSet(&c, values, "ts", &c.TS, slowTime, 0),
		slowSet(&c, values, "uid", &c.UID, slowString, 0),
		slowSet(&c, values, "id.orig_h", &origH, slowAddr, 0),
		slowSet(&c, values, "id.orig_p", &origP, slowSmall, 0),
		slowSet(&c, values, "id.resp_h", &respH, slowAddr, 0),
		slowSet(&c, values, "id.resp_p", &respP, slowSmall, 0),
		slowSet(&c, values, "proto", &c.Proto, slowProto, 0),
		slowSet(&c, values, "service", &c.Service, slowString, conn.Service),
		slowSet(&c, values, "duration", &c.Duration, slowSeconds, conn.Duration),
		slowSet(&c, values, "orig_bytes", &c.OrigBytes, slowCount, conn.OrigBytes),
		slowSet(&c, values, "resp_bytes", &c.RespBytes, slowCount, conn.RespBytes),
		slowSet(&c, values, "conn_state", &c.State, slowState, 0),
		slowSet(&c, values, "local_orig", &c.LocalOrig, slowBool, conn.LocalOrig),
		slowSet(&c, values, "local_resp", &c.LocalResp, slowBool, conn.LocalResp),
		slowSet(&c, values, "missed_bytes", &c.MissedBytes, slowCount, 0),
		slowSet(&c, values, "history", &c.History, slowString, conn.History),
		slowSet(&c, values, "orig_pkts", &c.OrigPkts, slowCount, 0),
		slowSet(&c, values, "orig_ip_bytes", &c.OrigIPBytes, slowCount, 0),
		slowSet(&c, values, "resp_pkts", &c.RespPkts, slowCount, 0),
		slowSet(&c, values, "resp_ip_bytes", &c.RespIPBytes, slowCount, 0),
		slowSet(&c, values, "ip_proto", &c.IPProto, slowSmall, conn.IPProto),
	)
	for name, bit := range slowAlways {
		if _, ok := values[name]; !ok {
			c.Absent |= bit
		}
	}
	if c.Duration < 0 {
		err = errors.New("negative duration")
	}
	c.Orig, c.Resp = netip.AddrPortFrom(origH, origP), netip.AddrPortFrom(respH, respP)
	if parents != nil {
		c.Set |= conn.TunnelParents
		c.TunnelParents = append([]string(nil), parents...)
	}
	return c, err
}

func slowSet[T any](c *conn.Conn, values map[string]string, name string, to *T, parse func(string) (T, error), bit conn.Fields) (err error) {
	if text, ok := values[name]; ok {
		*to, err = parse(text)
		c.Set |= bit
	}
	return err
}

// slowTSV parses a row under tsvHeader.
func slowTSV(line string) (conn.Conn, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != len(columns) {
		return conn.Conn{}, errors.New("columns")
	}
	values := make(map[string]string)
	var parents []string
	for i := range columns {
		name, text := columns[i].name, fields[i]
		switch {
		case text == "-":
		case name == "tunnel_parents" && text == "(empty)":
			parents = []string{}
		case name == "tunnel_parents":
			parents = slowSplit(text, slowUnescape)
		case text == "(empty)":
			values[name] = ""
		default:
			values[name] = slowUnescape(text)
		}
	}
	return slowConn(values, parents)
}

func slowSplit(set string, unescape func(string) string) (elements []string) {
	for _, s := range strings.Split(set, ",") {
		if s == "(empty)" {
			s = ""
		}
		elements = append(elements, unescape(s))
	}
	return elements
}

var slowEscape = regexp.MustCompile(`\\\\|\\x[0-9a-fA-F]{2}`)

func slowUnescape(s string) string {
	return slowEscape.ReplaceAllStringFunc(s, func(e string) string {
		if e == `\\` {
			return `\`
		}
		b, _ := strconv.ParseUint(e[2:], 16, 8)
		return string([]byte{byte(b)})
	})
}

var errTwice = errors.New("a key twice")

// slowJSON parses a row; errTwice when the object has a key twice.
func slowJSON(line string) (conn.Conn, error) {
	values := make(map[string]string)
	var parents []string
	known := make(map[string]bool)
	var walk func(text, prefix string) error
	walk = func(text, prefix string) error {
		members, err := slowMembers(text)
		if err != nil {
			return err
		}
		for _, m := range members {
			name, raw := prefix+m.key, string(m.value)
			if prefix == "" && m.key == "id" && raw[0] == '{' {
				if err := walk(raw, "id."); err != nil {
					return err
				}
			}
			f := fieldNamed(name)
			if f == noField {
				continue
			}
			name = columns[f].name
			if raw, err = slowExtended(name, raw); err != nil {
				return err
			}
			if known[name] {
				return errTwice
			}
			known[name] = true
			if name == "tunnel_parents" && raw[0] == '[' {
				parents = []string{}
				var elements []string
				if err := json.Unmarshal(m.value, &elements); err != nil {
					return err
				}
				parents = append(parents, elements...)
				continue
			}
			text := raw
			if raw[0] == '"' {
				_ = json.Unmarshal(m.value, &text)
			} else if raw[0] == '{' || raw[0] == '[' {
				return errors.New("no scalar")
			}
			switch {
			case raw == "null" || text == "-":
			case name == "tunnel_parents" && text == "(empty)":
				parents = []string{}
			case name == "tunnel_parents":
				parents = slowSplit(text, func(s string) string { return s })
			case text == "(empty)":
				values[name] = ""
			default:
				values[name] = text
			}
		}
		return nil
	}
	if err := walk(line, ""); err != nil {
		return conn.Conn{}, err
	}
	if !known["conn_state"] && !known["missed_bytes"] && !known["orig_pkts"] {
		return conn.Conn{}, errors.New("another log")
	}
	return slowConn(values, parents)
}

var slowWrapped = regexp.MustCompile(`^\{\s*"\$(date|numberLong|numberInt|numberDouble|numberDecimal)"\s*:\s*([^\s].*[^\s]|[^\s])\s*\}$`)

// slowExtended takes MongoDB's types off a value.
func slowExtended(name, raw string) (string, error) {
	m := slowWrapped.FindStringSubmatch(raw)
	if m == nil {
		return raw, nil
	}
	members, err := slowMembers(raw)
	if err != nil || len(members) != 1 {
		return "", errors.New("no wrapped value")
	}
	value := string(members[0].value)
	if m[1] != "date" {
		if value[0] == '{' || value[0] == '[' {
			return "", errors.New("no scalar")
		}
		return value, nil
	}
	if regexp.MustCompile(`^\{\s*"\$numberLong"`).MatchString(value) {
		if value, err = slowExtended("", value); err != nil || value[0] == '{' {
			return "", errors.New("no scalar")
		}
	}
	if digits := strings.Trim(value, `"`); name == "ts" && regexp.MustCompile(`^\d{1,11}$`).MatchString(digits) {
		return digits + "e-3", nil
	}
	return value, nil
}

type slowMember struct {
	key   string
	value json.RawMessage
}

// slowMembers lists the members of an object in their order.
func slowMembers(text string) (members []slowMember, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("no object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := slowMember{key: t.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}
