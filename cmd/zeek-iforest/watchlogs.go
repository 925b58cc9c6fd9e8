package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/model"
)

// watchedLog is one of several logs that are watched together.
type watchedLog struct {
	log   string   // "conn", "dns" …
	path  string   // where it is written
	files []string // of a dry run
}

// kind returns the log's kind, nil for conn.log.
func (l *watchedLog) kind() *logKind { return kindOf(l.log) }

// severalLogs returns the logs that are to be watched together, or nil if it is one.
func (s *session) severalLogs(files, of []string, chosen, dry bool, archives []string) (logs []*watchedLog, err error) {
	for _, log := range of {
		if !slices.Contains(scoredLogs(), log) {
			return nil, fmt.Errorf("--logs: there are no scores of %q, want some of %s", log, strings.Join(scoredLogs(), ", "))
		}
	}
	if len(files) == 1 && isFolder(files[0]) {
		for _, log := range of {
			l := &watchedLog{log: log}
			if l.path, err = findLogOf(files[0], log); err != nil {
				return nil, err
			}
			if dry {
				l.files = allOf(l.path, archives)
			}
			logs = append(logs, l)
		}
		if len(logs) == 1 && logs[0].log == "conn" {
			return nil, nil
		}
		return logs, nil
	}
	if chosen {
		return nil, errors.New("--logs chooses among the logs of one LOGDIR: name it, or the logs themselves without --logs")
	}
	if len(files) < 2 {
		return nil, nil
	}
	for _, file := range files {
		if kafkalog.IsURL(file) {
			return nil, errors.New("a topic is watched alone")
		}
		log, err := s.logName(file)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(logs, func(l *watchedLog) bool { return l.log == log })
		switch {
		case at < 0:
			path, err := findLog(file)
			if err != nil {
				return nil, err
			}
			logs = append(logs, &watchedLog{log, path, []string{file}})
		case !dry:
			return nil, fmt.Errorf("%s and %s are both %s.log: one of each is watched", logs[at].path, file, log)
		default:
			logs[at].files = append(logs[at].files, file)
		}
	}
	if len(logs) == 1 {
		return nil, nil
	}
	return logs, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// allOf returns a log and its rotated parts, in the order of time.
func allOf(log string, archives []string) []string {
	all := inTime(withoutTwins(rotatedLogs(log, archives)))
	if exists(log) {
		all = append(all, log)
	}
	return all
}

// logName returns the log that a file is: by its content or, before Zeek has begun it,
// by its name.
func (s *session) logName(file string) (string, error) {
	if readOnce(file) {
		return "", fmt.Errorf("%s is watched alone: it cannot be read twice", displayName(file))
	}
	if exists(file) {
		k, err := s.log([]string{file})
		return setOf(k).Log, err
	}
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	if !slices.Contains(scoredLogs(), name) {
		return "", hinted(fmt.Errorf("%s is not there yet, and its name is that of none of %s.log", file, strings.Join(scoredLogs(), ".log, ")), "a log is told by its name until Zeek has begun it")
	}
	return name, nil
}

// followed returns the logs as a watcher reads them.
func (s *session) followed(logs []*watchedLog, models map[string]*model.Model) (all []alert.Followed, names []*zeeklog.Names, err error) {
	for log := range models {
		if !slices.ContainsFunc(logs, func(l *watchedLog) bool { return l.log == log }) {
			return nil, nil, fmt.Errorf("-m: there is a model of %s.log, which is not watched", log)
		}
	}
	for _, l := range logs {
		f := alert.Followed{Path: l.path, Model: models[l.log]}
		var of *zeeklog.Names
		if k := l.kind(); k != nil {
			f.Rows, of = s.alertRows(k), k.schema.Names()
		}
		all, names = append(all, f), append(names, of)
	}
	return all, names, nil
}

// watchLogs follows several logs.
func (s *session) watchLogs(w *alert.Watcher, logs []*watchedLog, models map[string]*model.Model, state string, archives []string) error {
	all, names, err := s.followed(logs, models)
	if err != nil {
		return err
	}
	var paths []string
	for _, l := range logs {
		paths = append(paths, l.path)
	}
	name := strings.Join(paths, ", ")
	if state, err = stateDir(state, filepath.Join(filepath.Dir(paths[0]), "several")); err != nil {
		return err
	}
	s.say("watching %s, state in %s", name, state)
	return w.RunLogs(s, state, name, all, func(i int, from *zeeklog.Position) *zeeklog.Tail {
		return zeeklog.Log{
			Path: paths[i], Names: names[i], Warn: w.Warn,
			Archive: func() []string { return rotatedLogs(paths[i], archives) },
			Open:    func(path string) (io.ReadCloser, error) { return openInput(path, nil) },
		}.Follow(from)
	})
}

// dryRunLogs prints what several logs would have sent.
func (s *session) dryRunLogs(c alert.Config, logs []*watchedLog, models map[string]*model.Model) error {
	logs = slices.DeleteFunc(logs, func(l *watchedLog) bool { return len(l.files) == 0 })
	if len(logs) == 0 {
		return errors.New("there is none of the logs in the folder")
	}
	all, names, err := s.followed(logs, models)
	if err != nil {
		return err
	}
	return s.rehearse(c, func(w *alert.Watcher, each func(*alert.Alert)) error {
		next := make([]int, len(logs))
		return w.DryRunLogs(s, all, func(i int) *zeeklog.Names { return names[i] }, func(i int) (io.ReadCloser, string, error) {
			if next[i] == len(logs[i].files) {
				return nil, "", io.EOF
			}
			file := logs[i].files[next[i]]
			next[i]++
			in, err := openInput(file, nil)
			return in, displayName(file), err
		}, each)
	})
}
