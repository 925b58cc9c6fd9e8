package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

var watchVerb = verb{
	name:     "watch",
	synopsis: "[-m MODEL] [--to RECEIVER …] LOGDIR|LOG …|kafka://…",
	short:    "follow logs and send alerts",
	logs:     true,
	about: `The log is followed through rotation, truncation and restarts; LOGDIR is Zeek's,
with current/conn.log or conn.log in it. Rotated files are looked for beside it,
in log-queue there, and in folders named by date; name others with --archive.
Rows that have anomaly_score are taken as they are, others are scored with the
model.

Several logs, conn.log, dns.log, http.log and ssl.log, are followed together: name
them, or --logs of the LOGDIR. They share the budget, their rows are taken in the order
of their times, and rows of one connection are put together by their uid. -m then
names a model of each.

A RECEIVER is one of
  stdout                           a JSON object a line (the default)
  ecs:FILE                         a JSON object a line with Elastic's names, appended
  json:URL                         the JSON object, posted; also json:env:NAME, json:file:PATH
  slack:, mattermost:, teams:      followed by env:NAME or file:PATH, where the webhook's URL is
  syslog+udp://HOST[:514], syslog+tcp://HOST[:514], syslog+tls://HOST[:6514]
  smtp://[USER@]HOST[:25]?from=ADDRESS&to=ADDRESS,…[&password=env:NAME|file:PATH][&tls=starttls|none]
  smtps://                         the same over TLS from the start

` + aboutTopics + `
Offsets are committed when the alerts of the rows before them have left.

What a receiver does not take is kept and sent later. With --dry-run nothing is
sent and no state touched: the logs named (a LOGDIR with all that was rotated)
are read to their end, and what would have been sent is printed.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		models := modelsFlag(flags)
		logs := flags.StringSlice("logs", []string{"conn"}, "of a LOGDIR, follow these `LOGS`, comma-separated: conn, dns, http, ssl")
		usage.List(flags, "logs", scoredLogs()...)
		var c alert.Config
		var o alert.Options
		var to, archives []string
		var state string
		budgetVar(flags, &c.PerDay, alerts.DefaultPerDay, "raise at most `N` alerts a day")
		numberVar(flags, &c.PerHour, "alerts-per-hour", 0, between(0, 1_000_000), "raise at most `N` alerts an hour, the rest as one; 0 for a sixth of --alerts-per-day")
		flags.StringArrayVar(&to, "to", []string{"stdout"}, "send alerts to `RECEIVER`; can be repeated")
		flags.StringVar(&c.Allow, "allow", "", "leave out what the allow-list in `FILE` names; see zeek-iforest allow")
		flags.StringArrayVar(&archives, "archive", nil, "look for rotated logs in `DIR`, too, and in its folders named by date; can be repeated")
		flags.StringVar(&state, "state", "", "keep position and spool in `DIR` (default $STATE_DIRECTORY, else below ~/.local/state)")
		numberVar(flags, &c.Spool, "spool", 10000, positive, "keep up to `N` alerts for receivers that are away")
		flags.StringVar(&o.CA, "ca", "", "trust the certificates in `FILE` instead of the system's")
		flags.StringVar(&o.Token, "webhook-token", "", "bearer token for json: receivers, in env:NAME or file:PATH")
		flags.StringVar(&o.Template, "webhook-template", "", "make the body of json: receivers with the Go template in `FILE`, e.g. {\"text\": {{json .Title}}}")
		x509 := x509Flag(flags)
		dry := flags.Bool("dry-run", false, "print what the logs would have sent, and end")
		return func(s *session, files []string) error {
			by, err := readModels(*models)
			if err != nil {
				return err
			}
			c.Say = s.say
			c.Warn = func(err error) { s.warn("%v", err) }
			c.Names = s.names
			for _, dir := range archives {
				if _, err := os.ReadDir(dir); err != nil {
					return fmt.Errorf("--archive: %w", err)
				}
			}
			several, err := s.severalLogs(files, *logs, flags.Changed("logs"), *dry, archives)
			if err != nil {
				return err
			}
			if several == nil {
				if len(by) > 1 {
					return hinted(errors.New("-m is given twice, but one log is watched"), "name several logs, or --logs conn,dns,http,ssl")
				}
				for _, m := range by {
					c.Model = m
				}
			}
			var k *logKind
			if several == nil {
				if k, err = s.watchedKind(c.Model, files); err != nil {
					return err
				}
			}
			kinds := []*logKind{k}
			for _, l := range several {
				kinds = append(kinds, l.kind())
			}
			if err := x509(s, kinds...); err != nil {
				return err
			}
			if !*dry {
				defer s.followCertificates(archives)()
			}
			if k != nil {
				c.Rows, c.Names = s.alertRows(k), k.schema.Names()
			}
			if *dry && several != nil {
				return s.dryRunLogs(c, several, by)
			}
			if *dry {
				return s.dryRun(c, files, archives)
			}
			if several == nil && len(files) != 1 {
				return hinted(errors.New("name one log or folder to watch"), "zeek-iforest watch /opt/zeek/logs")
			}
			o.Stdout = s.stdout
			o.Host, _ = os.Hostname()
			var targets []alert.Target
			for _, text := range to {
				t, err := alert.ParseTarget(text, o)
				if err != nil {
					return err
				}
				if slices.ContainsFunc(targets, func(other alert.Target) bool { return other.Name == t.Name }) {
					return fmt.Errorf("the receiver %s is named twice", t.Name)
				}
				targets = append(targets, t)
			}
			w := alert.NewWatcher(c, targets)
			if several != nil {
				err := s.watchLogs(w, several, by, state, archives)
				return s.watchEnded(w, "the logs", err)
			}
			if kafkalog.IsURL(files[0]) {
				err := s.watchTopic(w, files[0], state)
				return s.watchEnded(w, files[0], err)
			}
			log, err := findLog(files[0])
			if err != nil {
				return err
			}
			if state, err = stateDir(state, log); err != nil {
				return err
			}
			yet := ""
			if !exists(log) {
				yet = " (not there yet)"
			}
			s.say("watching %s%s, state in %s", log, yet, state)
			err = w.Run(s, state, log, func(from *zeeklog.Position) *zeeklog.Tail {
				return zeeklog.Log{
					Path: log, Names: c.Names, Warn: c.Warn,
					Archive: func() []string { return rotatedLogs(log, archives) },
					Open:    func(path string) (io.ReadCloser, error) { return openInput(path, nil) },
				}.Follow(from)
			})
			return s.watchEnded(w, log, err)
		}
	},
}

// modelsFlag defines -m for several logs.
func modelsFlag(flags *pflag.FlagSet) *[]string {
	return flags.StringArrayP("model", "m", nil, "the model `FILE`, made by train; seed is the one that comes with this program; of several logs one each")
}

// watchedKind returns the kind of log that is watched: the model's, or what the first
// of the files is; nil is conn.log.
func (s *session) watchedKind(m *model.Model, files []string) (*logKind, error) {
	var k *logKind
	if m != nil {
		k = kindOf(m.Set().Log)
	} else if len(files) > 0 {
		if info, err := os.Stat(files[0]); err == nil && !info.IsDir() {
			if k, err = s.log(files); err != nil {
				return nil, err
			}
		}
	}
	if k != nil && slices.ContainsFunc(files, kafkalog.IsURL) {
		return nil, fmt.Errorf("%s.log cannot be read from a topic yet: a file is", k.set.Log)
	}
	return k, nil
}

// watchEnded says what was done until the end, and what to do about an error.
func (s *session) watchEnded(w *alert.Watcher, log string, err error) error {
	if c := w.Counts(); err == nil || c.Rows > 0 {
		s.watched(c)
	}
	if errors.Is(err, alert.ErrNoScores) {
		return hinted(fmt.Errorf("%s: %w", log, err), "-m FILE names a model; zeek-iforest train makes one")
	}
	return err
}

// watched says what was done, since the state began.
func (s *session) watched(c alert.Counts) {
	s.unusable += c.Bad + c.Unscored
	if c.BySeed > 0 {
		s.say("%s scored by the seed model, which never saw this network: no alert comes from them", plural(c.BySeed, "row"))
	}
	s.say("%s: %s, %d beyond the budget, %d allowed, %d unscored, %d bad; sent %d, refused %d, given up %d",
		plural(c.Rows, "row"), plural(c.Alerts, "alert"), c.Beyond, c.Allowed, c.Unscored, c.Bad, c.Sent, c.Refused, c.Dropped)
}

// dryRun prints what the logs would have sent.
func (s *session) dryRun(c alert.Config, files, archives []string) error {
	if slices.ContainsFunc(files, kafkalog.IsURL) {
		return errors.New("--dry-run reads files, not topics")
	}
	files, err := logsOf(files, archives)
	if err != nil {
		return err
	}
	return s.rehearse(c, func(w *alert.Watcher, each func(*alert.Alert)) error {
		for _, file := range orStdin(files) {
			in, err := openInput(file, s.stdin)
			if err != nil {
				return err
			}
			err = w.DryRun(s, in, displayName(file), each)
			in.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// rehearse prints the alerts of what read has a watcher read.
func (s *session) rehearse(c alert.Config, read func(*alert.Watcher, func(*alert.Alert)) error) error {
	out, err := alert.ParseTarget("stdout", alert.Options{Stdout: s.stdout})
	if err != nil {
		return err
	}
	days := map[string]int{}
	var writeErr error
	each := func(a *alert.Alert) {
		days[a.First.UTC().Format("2006-01-02")]++
		if err := out.Send(s, a); err != nil && writeErr == nil {
			writeErr = err
		}
	}
	w := alert.NewWatcher(c, nil)
	if err := read(w, each); cmp.Or(writeErr, err) != nil {
		return cmp.Or(writeErr, err)
	}
	w.EndDryRun(each)
	counts := w.Counts()
	if counts.Rows > 0 && counts.Unscored == counts.Rows {
		return hinted(alert.ErrNoScores, "-m FILE names a model; zeek-iforest train makes one")
	}
	for _, day := range slices.Sorted(keys(days)) {
		s.say("%s: %s", day, plural(uint64(days[day]), "alert"))
	}
	s.watched(counts)
	return writeErr
}

func keys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// findLog finds conn.log in what the user named: itself, or Zeek's log folder.
func findLog(path string) (string, error) { return findLogOf(path, "conn") }

// findLogOf finds the log of that name.
func findLogOf(path, name string) (string, error) {
	name += ".log"
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && exists(filepath.Dir(path)):
		return path, nil // Zeek has not begun it yet
	case err != nil:
		return "", err
	case !info.IsDir():
		return path, nil
	case exists(filepath.Join(path, "current")):
		return filepath.Join(path, "current", name), nil
	}
	return filepath.Join(path, name), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// inTime orders files by when they were last written.
func inTime(files []string) []string {
	when := func(f string) int64 {
		if info, err := os.Stat(f); err == nil {
			return info.ModTime().UnixNano()
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b string) int {
		// The folder's date first: files that were copied have lost their times.
		return cmp.Or(strings.Compare(filepath.Dir(a), filepath.Dir(b)), cmp.Compare(when(a)/1e9, when(b)/1e9), strings.Compare(a, b))
	})
	return files
}

// stateDir returns where the state is kept: one folder for each log.
func stateDir(dir, log string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	if dir = os.Getenv("STATE_DIRECTORY"); dir != "" { // systemd's
		return dir, nil
	}
	home := os.Getenv("XDG_STATE_HOME")
	if home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", hinted(errors.New("no folder for the state"), "name one with --state DIR")
		}
		home = filepath.Join(user, ".local", "state")
	}
	return filepath.Join(home, "zeek-iforest", "watch"+strings.ReplaceAll(filepath.ToSlash(log), "/", "-")), nil
}
