package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture"
	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var replayVerb = verb{
	name:     "replay",
	synopsis: "[OPTION …] CAPTURE …",
	short:    "write the conn.log of a pcap, with anomaly_score",
	about: `Rebuilds the connections as Zeek ` + capture.ZeekVersion + ` would log them and scores each. Without
-m it first learns from the capture itself, as the paper does, and then scores
it; a capture of fewer than 256 connections is scored by the seed model.
The capture is a pcap or pcapng file, plain, gzip or zstd, or - for standard input.
Several captures, or a folder of them, are read as one, in order of time.

With --with-zeek the Zeek that is on PATH reads the capture instead, with its
default scripts, and writes its logs into DIR; rows of conn.log, dns.log,
http.log and ssl.log get their scores there. -m then names a model of each log,
one after the other; a log without one is learnt from.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		r := replay{}
		models := modelsFlag(flags)
		out := outputFlag(flags)
		zeekDir := flags.String("with-zeek", "", "have Zeek read the capture and write its logs into `DIR`, and score conn.log, dns.log, http.log and ssl.log there")
		flags.BoolVarP(&r.capture.IgnoreChecksums, "ignore-checksums", "C", false, "take packets whatever their checksums, as zeek -C")
		nets := flags.String("local-nets", "", "`NETS` that are local besides the private ones, comma-separated, as Site::local_nets")
		format := flags.String("format", "tsv", "write the log as `FORMAT`, tsv or json")
		usage.Choices(flags, "format", "tsv", "json")
		flags.StringVar(&r.longPath, "long", "", "also write connections that go on for long to `FILE`, scored after 10 and 30 minutes and each hour, as a sensor writes iforest_long.log")
		columns, limits, options := columnsFlag(flags), limitFlags(flags), learningFlags(flags)
		without := noModelFlag(flags, "the capture itself")
		return func(s *session, files []string) (err error) {
			r.session = s
			if len(files) == 0 {
				return hinted(errors.New("a capture wanted"), "zeek-iforest replay FILE.pcap, or - for standard input")
			}
			if r.capture.LocalNets, err = parseNets(*nets); err != nil {
				return err
			}
			if r.format, err = parseFormat(*format); err != nil {
				return fmt.Errorf("--format: %w", err)
			}
			if r.columns, err = columns(); err != nil {
				return err
			}
			if *zeekDir != "" {
				return r.withZeek(files, *zeekDir, *models, limits, without())
			}
			r.strangest, r.top = limits()
			if r.learning, err = options(feature.Conn); err != nil {
				return err
			}
			r.noModel = without()
			if len(*models) > 1 {
				return errors.New("-m is given twice: several models are for --with-zeek")
			}
			if len(*models) > 0 {
				if r.model, err = readModel((*models)[0]); err != nil {
					return err
				}
			}
			return r.run(files, *out)
		}
	},
}

// replay scores the connections of a capture.
type replay struct {
	*session
	*strangest
	capture  capture.Options
	format   zeeklog.Format
	columns  chosenColumns
	learning learn.Options
	top      int
	longPath string
	long     *longLog // nil: nobody looks
	noModel  noModel
	model    *model.Model // nil: as noModel says
}

// withZeek is run by a Zeek that is installed.
func (r *replay) withZeek(files []string, dir string, models []string, limits func() (*strangest, int), without noModel) error {
	if len(files) > 1 {
		return hinted(errors.New("--with-zeek reads one capture"), "mergecap -w one.pcap puts several together")
	}
	by, err := readModels(models)
	if err != nil {
		return err
	}
	w := withZeek{session: r.session, dir: dir, models: by, columns: r.columns, noModel: without, limits: limits}
	return w.run(files[0], r.capture.IgnoreChecksums, r.capture.LocalNets, r.format == zeeklog.JSON)
}

func (r *replay) run(paths []string, out string) error {
	files, err := openCaptures(r.session, paths)
	if err != nil {
		return err
	}
	defer files.close()
	o, err := r.output(out)
	if err != nil {
		return err
	}
	defer o.discard()
	if r.longPath != "" {
		r.capture.Looks = conn.DefaultLooks
		if r.long, err = r.newLongLog(r.longPath, r.format, r.columns); err != nil {
			return err
		}
		defer r.long.discard()
	}

	source := readAhead(r.session, files.reader(r.capture), files.name())
	defer source.stop()
	if r.model == nil {
		err = r.withoutModel(source, o)
	} else {
		err = r.score(source.rows, o)
	}
	source.remark()
	if err != nil {
		return err
	}
	if err := r.looked(files.name(), &source.batch.stats); err != nil {
		return err
	}
	if r.top > 0 {
		if err := r.table(o, r.top); err != nil {
			return err
		}
	}
	if err := errors.Join(o.commit(), r.long.commit(), r.draw(r.session, "scores of "+filepath.Base(files.name()))); err != nil {
		return err
	}
	return r.passed()
}

// looked counts packets that could not be used where that matters: a limit that
// looked at a part was not passed by that part only, and one that looked at
// nothing says nothing.
func (r *replay) looked(name string, stats *capture.Stats) error {
	switch {
	case r.limit > 0 && stats.Counted == 0:
		return r.lookedAtNothing(fmt.Sprintf("%s: no connection has a packet of the %d in it", name, stats.Packets))
	case r.limit > 0 && r.offered == 0:
		return r.lookedAtNothing(name + ": no connection has a score")
	case r.limit > 0, stats.Counted == 0:
		r.unusable += stats.Unusable()
	}
	return nil
}

// withoutModel learns from all connections, or takes the seed, and then scores
// them.
func (r *replay) withoutModel(source *captured, w io.Writer) error {
	source.keep = true
	m, report, err := learn.Fit(source.next, r.learning)
	if r.model, err = r.noModel.choose(r.session, m, report, err); err != nil {
		return err
	}
	return r.score(source.again(), w)
}

// score writes the connections with their scores, or only keeps the strangest.
func (r *replay) score(rows func() ([]conn.Conn, error), w io.Writer) error {
	log, err := zeeklog.NewWriter(w, r.format, time.Time{}, r.columns.columns()...)
	if err != nil {
		return err
	}
	hosts, texts := feature.NewHosts(model.DefaultHosts), feature.NewTexts()
	values := make([]zeeklog.Value, len(r.columns))
	batch := stream.Batch{Reasons: r.columns.reasons()}
	var conns []stream.Conn
	var usable []bool
	place := uint64(0)
	for {
		block, err := rows()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		batch.Reset(r.model)
		for len(conns) < len(block) {
			conns = append(conns, stream.Conn{Hosts: hosts, Texts: texts})
		}
		usable = usable[:0]
		for i := range block {
			c := conns[i].Of(&block[i])
			err := stream.Observe(c)
			usable = append(usable, err == nil)
			if err != nil {
				r.unused(fmt.Errorf("%s: %w", at(&block[i]), err))
				continue
			}
			batch.Add(c)
		}
		used := 0
		for i := range block {
			clear(values)
			if usable[i] {
				row := batch.Scored(used)
				used++
				r.columns.fill(values, row)
				if block[i].Look == 0 {
					r.offer(place, row)
				}
			}
			if is, err := r.long.take(&block[i], values); err != nil {
				return err
			} else if is {
				continue
			}
			place++
			if r.top > 0 {
				continue
			}
			if err := log.Write(&block[i], values...); err != nil {
				return err
			}
		}
	}
	if r.top > 0 {
		return nil
	}
	return log.Close(time.Time{})
}

// parseNets reads a comma-separated list of prefixes or addresses.
func parseNets(text string) (nets []netip.Prefix, err error) {
	for _, part := range commaList(text) {
		part = strings.TrimSpace(part)
		net, err := netip.ParsePrefix(part)
		if err != nil {
			addr, err := netip.ParseAddr(part)
			if err != nil {
				return nil, invalid("local-nets", part, errors.New("not a network such as 10.0.0.0/8"))
			}
			net = netip.PrefixFrom(addr, addr.BitLen())
		}
		nets = append(nets, net)
	}
	return nets, nil
}

func parseFormat(name string) (zeeklog.Format, error) {
	for _, f := range []zeeklog.Format{zeeklog.TSV, zeeklog.JSON} {
		if strings.EqualFold(f.String(), name) {
			return f, nil
		}
	}
	return 0, fmt.Errorf("there is no format %q, want tsv or json", name)
}
