package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

var allowVerb = verb{
	name:     "allow",
	synopsis: "add|list|remove [OPTION …]",
	short:    "keep the list of connections that raise no alert",
	about: `allow add --originator A --port 443/tcp …   add an entry; all that is given must hold
allow add --from-uid UID --log CONN.LOG      add originator, responder and port of that row
allow list                                   show the entries with their lines
allow remove LINE                            take an entry out

The scores are still logged. watch and the sensor (IForest::allow_file) read the
file again when it changes. Its format is that of Zeek's input framework: tabs
between, "-" for what is unset.`,
	words: []string{"add", "list", "remove"},
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		file := flags.StringP("file", "f", "zeek-iforest-allow.tsv", "the allow-list `FILE`")
		for _, f := range [][2]string{
			{"originator", "address"}, {"responder", "address"}, {"network", "originator or responder in it, 10.0.0.0/8"},
			{"port", "of the responder, 443 or 443/tcp"}, {"service", "name as in conn.log"}, {"comment", "why"},
		} {
			flags.String(f[0], "", f[1])
		}
		expires := flags.String("expires", "", "end after a `TIME`: 12h, 30d or 2027-01-31 (UTC)")
		uid := flags.String("from-uid", "", "take the entry from the row with this `UID`")
		log := flags.String("log", "", "the `CONN.LOG` with that row")
		return func(s *session, args []string) error {
			if len(args) == 0 {
				return hinted(errors.New("say what to do with the allow-list"), "add, list or remove")
			}
			switch what, rest := args[0], args[1:]; {
			case what == "add" && len(rest) == 0:
				e := &alert.Entry{}
				if *uid != "" {
					if err := s.entryFrom(e, *uid, *log); err != nil {
						return err
					}
				}
				for _, name := range []string{"originator", "responder", "network", "port", "service", "comment"} {
					if value := flags.Lookup(name).Value.String(); value != "" {
						column := name
						if name == "port" {
							column = "resp_p"
						}
						if err := e.Set(column, value); err != nil {
							return fmt.Errorf("--%s: %w", name, err)
						}
					}
				}
				var err error
				now := time.Now()
				if e.Expires, err = parseExpiry(*expires, now); err != nil {
					return err
				}
				if !e.Expires.IsZero() && !e.Expires.After(now) {
					return fmt.Errorf("--expires: %s is over", *expires)
				}
				if err := e.Check(); err != nil {
					return err
				}
				if err := alert.AppendAllow(*file, e); err != nil {
					return err
				}
				fmt.Fprintln(s.stdout, e)
				return nil
			case what == "list" && len(rest) == 0:
				return s.listAllowed(*file)
			case what == "remove" && len(rest) == 1:
				line, err := strconv.Atoi(rest[0])
				if err != nil {
					return hinted(fmt.Errorf("%q is no line number", rest[0]), "zeek-iforest allow list shows them")
				}
				e, err := alert.RemoveAllow(*file, line)
				if err != nil {
					return err
				}
				fmt.Fprintln(s.stdout, e)
				return nil
			}
			return hinted(fmt.Errorf("cannot do %q with the allow-list", strings.Join(args, " ")), "add, list, or remove LINE")
		}
	},
}

// entryFrom fills an entry from the row with that uid.
func (s *session) entryFrom(e *alert.Entry, uid, log string) error {
	if log == "" {
		return hinted(errors.New("--from-uid needs --log"), "name the conn.log with that row")
	}
	r := s.rows([]string{log}, false)
	defer r.close()
	for {
		var c conn.Conn
		err := r.next(&c)
		if err == io.EOF {
			return fmt.Errorf("%s: no row with uid %s", log, uid)
		} else if err != nil {
			return err
		}
		if c.UID == uid {
			e.Originator, e.Responder = c.Orig.Addr(), c.Resp.Addr()
			e.Port, e.HasPort, e.Proto = c.Resp.Port(), true, c.Proto
			return nil
		}
	}
}

func (s *session) listAllowed(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines, err := alert.ParseAllow(text, file)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
	header := "line\toriginator\tresponder\tnetwork\tport\tservice\texpires (UTC)\tcomment"
	if labels := slices.ContainsFunc(lines, func(l alert.AllowLine) bool { return strings.Count(l.String(), "\t") > 6 }); labels {
		header += "\tverdict\tproto\tlocal\tstate\tbytes sent\treceived\tuid"
	}
	fmt.Fprintln(t, header)
	for _, l := range lines {
		fields := strings.Split(l.String(), "\t")
		if at := l.Expires; l.Bad {
			fields[5] = "-"
		} else if !at.IsZero() {
			fields[5] = at.UTC().Format("2006-01-02 15:04")
			if !time.Now().Before(at) {
				fields[5] += " (over)"
			}
		}
		fmt.Fprintf(t, "%d\t%s\n", l.Number, strings.Join(fields, "\t"))
	}
	if _, err := alert.Narrow(lines, file); err != nil {
		s.warn("only the other entries are used: %v", err)
	}
	return t.Flush()
}

// latestYear keeps the time in the list's range.
const latestYear = 5000

// parseExpiry reads a duration in hours or days from now, or a date.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		if at.Year() > latestYear {
			return time.Time{}, fmt.Errorf("--expires: %s is too far: leave it out for an entry without end", text)
		}
		return at, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil && n > 0 {
			return now.AddDate(0, 0, int(n)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= time.Second {
		return now.Add(d), nil
	}
	return time.Time{}, fmt.Errorf("--expires: %q is neither 12h nor 30d nor 2027-01-31", text)
}
