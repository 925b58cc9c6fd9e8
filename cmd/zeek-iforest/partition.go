package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// respFailures is the column that a pass by responder adds and one by originator
// reads: what all originators of a responder have to say.
var respFailures = zeeklog.Column{Name: "anomaly_resp_failures", Type: "count"}

// lake says what part of a log the rows are, and how their order is known.
type lake struct {
	by      string // "originator", "responder", or "" for a whole log
	orderBy string // the column that holds the log's order
	begin   conn.Micros
	begins  bool

	hosts      *feature.Hosts
	responders *feature.Responders // only by responder
	order      *feature.Order      // with orderBy
	broken     bool                // a row was not what the options say: nothing more is scored
}

// lakeFlags defines --partition-by, --order-by and --log-start, for so many
// hosts.
func lakeFlags(flags *pflag.FlagSet) func(hosts int) (*lake, error) {
	by := flags.String("partition-by", "", "the rows are a part of a log: all rows of each of its `HOSTS`, originator or responder, one host after the other or mixed, in the log's order")
	usage.Choices(flags, "partition-by", "originator", "responder")
	orderBy := flags.String("order-by", "", "`COLUMN` of whole numbers that grow in the log's order, or ts: stop where they do not (with --partition-by: within a host)")
	begin := flags.String("log-start", "", "when the whole log began, `TIME` as in ts: scores of the five minutes after it are marked as uncertain")
	return func(hosts int) (*lake, error) {
		k := &lake{by: *by, orderBy: *orderBy, begins: *begin != ""}
		var err error
		if k.begins {
			if k.begin, err = zeeklog.ParseTime(*begin); err != nil {
				return nil, fmt.Errorf("--log-start: %w", err)
			}
		}
		switch k.by {
		case "":
			k.hosts = feature.NewHosts(hosts)
		case "originator":
			k.hosts = feature.NewPartition(hosts)
		case "responder":
			k.responders = feature.NewResponders(hosts)
		default:
			return nil, invalid("partition-by", k.by, errors.New("want originator or responder"))
		}
		if k.begins && k.hosts != nil {
			k.hosts.BeginAt(k.begin)
		}
		if k.orderBy != "" {
			k.order = feature.NewOrder(hosts)
		}
		return k, nil
	}
}

// rowValues gives the text of a row's column, or false if it has none.
type rowValues interface {
	Value(column string) (string, bool)
}

// blockRow is a row of a log that is text.
type blockRow struct {
	blk *zeeklog.Block
	row *zeeklog.Row
}

func (r *blockRow) Value(column string) (string, bool) { return r.blk.Value(r.row, column) }

// inOrder says what is wrong with a row's place in the log's order.
func (k *lake) inOrder(c *conn.Conn, row rowValues) error {
	if k.order == nil {
		return nil
	}
	n := int64(c.TS)
	if k.orderBy != "ts" {
		text, ok := row.Value(k.orderBy)
		if !ok {
			return fmt.Errorf("no value in the column %s of --order-by", k.orderBy)
		}
		var err error
		if n, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("--order-by %s: %q is not a whole number", k.orderBy, text)
		}
	}
	before, ok := k.order.Follows(k.key(c), n)
	if ok {
		return nil
	}
	return hinted(fmt.Errorf("%s %d comes after %d%s", k.orderBy, n, before, map[string]string{"originator": " of the same originator", "responder": " of the same responder"}[k.by]),
		"scores are those of the log only in its order: sort by "+k.orderBy+", each row once")
}

// reads returns the columns that are read beside those of conn.log.
func (k *lake) reads() (names []string) {
	if k.orderBy != "" && k.orderBy != "ts" {
		names = append(names, k.orderBy)
	}
	if k.by == "originator" {
		names = append(names, respFailures.Name)
	}
	return names
}

// key returns the host whose rows are in order.
func (k *lake) key(c *conn.Conn) [16]byte {
	switch k.by {
	case "originator":
		return feature.HostKey(c.OrigHost())
	case "responder":
		return feature.HostKey(c.RespHost())
	}
	return netip.IPv6Unspecified().As16()
}

// observe counts the next row, if it is that; by responder only its RespFailures.
func (k *lake) observe(c *stream.Conn, row rowValues) (err error) {
	if err = k.inOrder(c.Conn, row); err == nil {
		err = k.count(c, row)
	}
	k.broken = err != nil
	return err
}

func (k *lake) count(c *stream.Conn, row rowValues) error {
	if k.responders != nil {
		c.Window = feature.Window{Memory: feature.Memory{RespFailures: k.responders.Observe(c.Conn)}}
		return nil
	}
	c.Hosts = k.hosts
	c.Observe()
	if k.by == "" {
		return nil
	}
	if text, ok := row.Value(respFailures.Name); ok {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return fmt.Errorf("%s: %q is not a count", respFailures.Name, text)
		}
		c.Window.RespFailures = uint32(n)
	}
	return nil
}

// sayCold says how many rows have windows that may lack connections, and why.
func (k *lake) sayCold(s *session, cold, rows uint64) {
	switch {
	case cold == 0:
	case k.by == "originator" && !k.begins:
		s.say("%s of %d come from the first five minutes of their originators: what these did before is not known; --log-start TIME says when the log began",
			plural(cold, "row"), rows)
	default:
		s.say("%s of %d come from the first five minutes of the first log or after a gap: what their hosts did before is not known, so the sensor's own score may differ",
			plural(cold, "row"), rows)
	}
}
