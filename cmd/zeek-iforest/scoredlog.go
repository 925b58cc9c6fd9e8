package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/browse"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// scoredLog reads logs whole. A row that has anomaly_score keeps it; others get
// the model's, and where none is named, that of a model that learns from these
// logs, or of the seed where they are few. Without explained there is such a model only where a row needs it.
func (s *session) scoredLog(modelPath string, files []string, explained bool) (*browse.Log, error) {
	files, err := logsOf(files, nil)
	if err != nil {
		return nil, err
	}
	log := &browse.Log{}
	if modelPath != "" {
		if log.Model, err = readModel(modelPath); err != nil {
			return nil, err
		}
	}
	in := s.rows(files, false)
	defer in.close()
	names, missing := map[string]string{}, false
	for {
		var r browse.Row
		if err := in.next(&r.Conn); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if err := feature.Check(&r.Conn); err != nil {
			s.unused(fmt.Errorf("%s: %w", at(&r.Conn), err))
			continue
		}
		c := &r.Conn
		keep(c)
		c.Service, c.History = intern(names, c.Service), intern(names, c.History)
		logged, ok, err := stream.ReadLogged(in.Value)
		if err != nil {
			s.unused(fmt.Errorf("%s: %w", at(c), err))
			continue
		}
		r.Score, r.Model, r.Logged = logged.Score, intern(names, logged.By), ok
		missing = missing || !ok
		log.Rows = append(log.Rows, r)
	}
	if len(log.Rows) == 0 {
		return nil, errors.New("there is no connection in these logs")
	}
	if log.Model == nil && (missing || explained) {
		if log.Model, err = s.learnFrom(log); err != nil {
			return nil, err
		}
		log.Learnt = !seed.Is(log.Model)
	}
	log.Finish()
	return log, nil
}

func (s *session) learnFrom(log *browse.Log) (*model.Model, error) {
	i := 0
	m, report, err := learn.Fit(func(c *conn.Conn) error {
		if i == len(log.Rows) {
			return io.EOF
		}
		*c = log.Rows[i].Conn
		i++
		return nil
	}, learn.Options{Seed: model.DefaultSeed})
	return noModel{input: "these logs"}.choose(s, m, report, err)
}

// intern keeps one copy of a text that many rows have.
func intern(names map[string]string, text string) string {
	kept, ok := names[text]
	if !ok {
		kept = strings.Clone(text)
		names[kept] = kept
	}
	return kept
}

// logsOf returns the logs that the user means: those named, or of one folder
// conn.log and all that was rotated, in the order of time.
func logsOf(files, archives []string) ([]string, error) {
	if len(files) != 1 {
		return files, nil
	}
	if info, err := os.Stat(files[0]); err != nil || !info.IsDir() {
		return files, nil
	}
	log, err := findLog(files[0])
	if err != nil {
		return nil, err
	}
	all := allOf(log, archives)
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no conn.log in it, nor a rotated one", files[0])
	}
	return all, nil
}

// readAllow reads the allow-list of a file; one that is not there is empty
// where that may be.
func (s *session) readAllow(file string, mayLack bool) ([]alert.AllowLine, error) {
	text, err := os.ReadFile(file)
	if err != nil && !(mayLack && os.IsNotExist(err)) {
		return nil, err
	}
	lines, err := alert.ParseAllow(text, file)
	if err != nil {
		return nil, err
	}
	lines, err = alert.Narrow(lines, file)
	if err != nil {
		s.warn("the other entries of the allow-list are used: %v", err)
	}
	return lines, nil
}
