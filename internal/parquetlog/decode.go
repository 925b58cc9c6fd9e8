package parquetlog

import (
	"errors"
	"fmt"
	"math"
	"net/netip"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Row is one row.
type Row struct {
	Conn conn.Conn
	Err  error // why it cannot be used
}

// decoder sets a field of a connection.
type decoder func(*conn.Conn, parquet.Value, *texts) error

// texts keeps what the texts of a row group were parsed to: most come often.
type texts struct {
	addrs    map[string]netip.Addr
	services map[string]string
	contexts map[string]string
	context  []byte
}

var (
	errUnset  = errors.New("is unset")
	errNoType = errors.New("a type that it cannot have")
)

// unscored are columns that say nothing about a score: they are decoded for
// those who print connections.
var unscored = map[string]bool{"uid": true, "history": true, "local_orig": true, "local_resp": true}

// decoders give the decoder of a column for its type, by conn.log's name.
var decoders = map[string]func(parquet.Node) (decoder, error){
	"ts": required(seconds, func(c *conn.Conn, t conn.Micros) { c.TS = t }),
	"duration": optional(seconds, func(c *conn.Conn, t conn.Micros) {
		c.Duration = t
		c.Set |= conn.Duration
	}),
	"local_orig":    optional(boolean, func(c *conn.Conn, b bool) { c.LocalOrig = b; c.Set |= conn.LocalOrig }),
	"local_resp":    optional(boolean, func(c *conn.Conn, b bool) { c.LocalResp = b; c.Set |= conn.LocalResp }),
	"uid":           optional(plain, func(c *conn.Conn, s string) { c.UID = s }),
	"history":       optional(service, func(c *conn.Conn, s string) { c.History = s; c.Set |= conn.History }),
	"id.orig_h":     required(address, func(c *conn.Conn, a netip.Addr) { c.Orig = netip.AddrPortFrom(a, c.Orig.Port()) }),
	"id.resp_h":     required(address, func(c *conn.Conn, a netip.Addr) { c.Resp = netip.AddrPortFrom(a, c.Resp.Port()) }),
	"id.orig_p":     optional(port, func(c *conn.Conn, p uint16) { c.Orig = netip.AddrPortFrom(c.Orig.Addr(), p) }),
	"id.resp_p":     required(port, func(c *conn.Conn, p uint16) { c.Resp = netip.AddrPortFrom(c.Resp.Addr(), p) }),
	"proto":         required(proto, func(c *conn.Conn, p conn.Proto) { c.Proto = p }),
	"conn_state":    optional(state, func(c *conn.Conn, s conn.State) { c.State = s }),
	"service":       optional(service, func(c *conn.Conn, s string) { c.Service = s; c.Set |= conn.Service }),
	"orig_bytes":    optional(count, func(c *conn.Conn, n uint64) { c.OrigBytes = n; c.Set |= conn.OrigBytes }),
	"resp_bytes":    optional(count, func(c *conn.Conn, n uint64) { c.RespBytes = n; c.Set |= conn.RespBytes }),
	"missed_bytes":  always(conn.MissedBytes, func(c *conn.Conn, n uint64) { c.MissedBytes = n }),
	"orig_pkts":     always(conn.OrigPkts, func(c *conn.Conn, n uint64) { c.OrigPkts = n }),
	"orig_ip_bytes": always(conn.OrigIPBytes, func(c *conn.Conn, n uint64) { c.OrigIPBytes = n }),
	"resp_pkts":     always(conn.RespPkts, func(c *conn.Conn, n uint64) { c.RespPkts = n }),
	"resp_ip_bytes": always(conn.RespIPBytes, func(c *conn.Conn, n uint64) { c.RespIPBytes = n }),
}

// reader makes the function that reads values of a column's type.
type reader[T any] func(parquet.Node) (func(parquet.Value, *texts) (T, error), error)

func required[T any](r reader[T], set func(*conn.Conn, T)) func(parquet.Node) (decoder, error) {
	return decoding(r, set, errUnset)
}

func optional[T any](r reader[T], set func(*conn.Conn, T)) func(parquet.Node) (decoder, error) {
	return decoding(r, set, nil)
}

// always returns a count that Zeek always sets.
func always(bit conn.Fields, set func(*conn.Conn, uint64)) func(parquet.Node) (decoder, error) {
	return func(n parquet.Node) (decoder, error) {
		decode, err := optional(count, set)(n)
		return func(c *conn.Conn, v parquet.Value, t *texts) error {
			if v.IsNull() {
				c.Absent |= bit
			}
			return decode(c, v, t)
		}, err
	}
}

func decoding[T any](r reader[T], set func(*conn.Conn, T), whenUnset error) func(parquet.Node) (decoder, error) {
	return func(n parquet.Node) (decoder, error) {
		read, err := r(n)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", n.Type(), err)
		}
		if n.Repeated() {
			return nil, errors.New("several values in a row")
		}
		return func(c *conn.Conn, v parquet.Value, t *texts) error {
			if v.IsNull() {
				return whenUnset
			}
			x, err := read(v, t)
			if err == nil {
				set(c, x)
			}
			return err
		}, nil
	}
}

// maxMicros keeps the sum of two times from overflowing.
const maxMicros = math.MaxInt64 / 2

// seconds reads times and intervals: doubles as Zeek's, timestamps, texts.
func seconds(n parquet.Node) (func(parquet.Value, *texts) (conn.Micros, error), error) {
	switch n.Type().Kind() {
	case parquet.Double, parquet.Float:
		return func(v parquet.Value, _ *texts) (conn.Micros, error) {
			x := v.Double()
			if v.Kind() == parquet.Float {
				x = float64(v.Float())
			}
			if !(math.Abs(x) <= maxMicros/1e6) {
				return 0, fmt.Errorf("%v is not a time", x)
			}
			return conn.FromSeconds(x), nil
		}, nil
	case parquet.Int64, parquet.Int32:
		per, parts := int64(1e6), int64(1) // whole seconds
		if t := n.Type().LogicalType(); t != nil {
			if stamp, ok := t.Value.(*format.TimestampType); ok {
				switch stamp.Unit.Value.(type) {
				case *format.MilliSeconds:
					per = 1000
				case *format.MicroSeconds:
					per = 1
				default:
					per, parts = 1, 1000
				}
			}
		}
		return func(v parquet.Value, _ *texts) (conn.Micros, error) {
			x := wholeOf(v) / parts
			if x > maxMicros/per || x < -maxMicros/per {
				return 0, fmt.Errorf("%d is not a time", wholeOf(v))
			}
			return conn.Micros(x * per), nil
		}, nil
	case parquet.Int96: // Spark's and Impala's: nanoseconds of a Julian day
		return func(v parquet.Value, _ *texts) (conn.Micros, error) {
			x := v.Int96()
			const unixDay, day = 2440588, 86400e6
			return conn.Micros((int64(x[2])-unixDay)*day + int64(uint64(x[1])<<32|uint64(x[0]))/1000), nil
		}, nil
	case parquet.ByteArray:
		return func(v parquet.Value, _ *texts) (conn.Micros, error) { return zeeklog.ParseTime(string(v.ByteArray())) }, nil
	}
	return nil, errNoType
}

func wholeOf(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

// count reads whole numbers from 0.
func count(n parquet.Node) (func(parquet.Value, *texts) (uint64, error), error) {
	switch n.Type().Kind() {
	case parquet.Int64, parquet.Int32:
		return func(v parquet.Value, _ *texts) (uint64, error) {
			x := wholeOf(v)
			if x < 0 {
				return 0, fmt.Errorf("%d is negative", x)
			}
			return uint64(x), nil
		}, nil
	case parquet.Double:
		return func(v parquet.Value, _ *texts) (uint64, error) {
			x := v.Double()
			if !(x >= 0 && x <= 1<<53) || x != math.Trunc(x) {
				return 0, fmt.Errorf("%v is no count", x)
			}
			return uint64(x), nil
		}, nil
	}
	return nil, errNoType
}

func port(n parquet.Node) (func(parquet.Value, *texts) (uint16, error), error) {
	whole, err := count(n)
	return func(v parquet.Value, t *texts) (uint16, error) {
		x, err := whole(v, t)
		if err == nil && x > math.MaxUint16 {
			err = fmt.Errorf("%d is not a port: 0 to 65535", x)
		}
		return uint16(x), err
	}, err
}

func text[T any](parse func([]byte, *texts) (T, error)) reader[T] {
	return func(n parquet.Node) (func(parquet.Value, *texts) (T, error), error) {
		if n.Type().Kind() != parquet.ByteArray {
			return nil, errNoType
		}
		return func(v parquet.Value, t *texts) (T, error) { return parse(v.ByteArray(), t) }, nil
	}
}

// most is how many texts of a row group are remembered.
const most = 1 << 16

var address = text(func(b []byte, t *texts) (netip.Addr, error) {
	if a, ok := t.addrs[string(b)]; ok {
		return a, nil
	}
	s := string(b)
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return a, fmt.Errorf("%.40q is not an IP address", s)
	}
	if t.addrs == nil || len(t.addrs) >= most {
		t.addrs = map[string]netip.Addr{}
	}
	a = a.Unmap()
	t.addrs[s] = a
	return a, nil
})

var service = text(func(b []byte, t *texts) (string, error) {
	if s, ok := t.services[string(b)]; ok {
		return s, nil
	}
	if t.services == nil || len(t.services) >= most {
		t.services = map[string]string{}
	}
	s := string(b)
	t.services[s] = s
	return s, nil
})

var plain = text(func(b []byte, _ *texts) (string, error) { return string(b), nil })

func boolean(n parquet.Node) (func(parquet.Value, *texts) (bool, error), error) {
	switch n.Type().Kind() {
	case parquet.Boolean:
		return func(v parquet.Value, _ *texts) (bool, error) { return v.Boolean(), nil }, nil
	case parquet.ByteArray:
		return func(v parquet.Value, _ *texts) (bool, error) {
			switch s := string(v.ByteArray()); s {
			case "T", "true":
				return true, nil
			case "F", "false":
				return false, nil
			default:
				return false, fmt.Errorf("%.40q is neither T nor F", s)
			}
		}, nil
	}
	return nil, errNoType
}

var proto = text(func(b []byte, _ *texts) (conn.Proto, error) {
	p, ok := conn.ParseProto(string(b))
	if !ok {
		return p, fmt.Errorf("%.40q is not a transport protocol: tcp, udp, icmp or unknown_transport", b)
	}
	return p, nil
})

var state = text(func(b []byte, _ *texts) (conn.State, error) {
	s, ok := conn.ParseState(string(b))
	if !ok {
		return s, fmt.Errorf("%.40q is not a conn_state of Zeek", b)
	}
	return s, nil
})
