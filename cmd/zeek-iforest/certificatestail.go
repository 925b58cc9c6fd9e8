package main

import (
	"io"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// watch follows ssl.log for months, and x509.log grows beside it. What it has not
// told yet is read when a row of ssl.log needs it.

// mostCertificates bounds those that are remembered of files that are followed: when
// there are so many, those from before the last so many are forgotten.
const mostCertificates = 1 << 17

// followCertificates follows the files of --x509 behind what was read of them. What it
// returns ends that.
func (s *session) followCertificates(archives []string) (end func()) {
	c := s.certificates
	if c == nil {
		return func() {}
	}
	for _, file := range c.files {
		if !strings.HasSuffix(file, ".log") {
			continue // what is compressed grows no more
		}
		c.follow = append(c.follow, zeeklog.Log{
			Path: file, Names: x509Schema.Names(), Warn: func(err error) { s.warn("%v", err) },
			Archive: func() []string { return rotatedLogs(file, archives) },
			Open:    func(path string) (io.ReadCloser, error) { return openInput(path, nil) },
		}.Follow(nil))
	}
	c.most = mostCertificates
	c.more() // what was read before, and its faults were said
	c.bad = s.unused
	return func() {
		for _, t := range c.follow {
			t.Close()
		}
	}
}

// more reads what the files that are followed have more by now.
func (c *certificates) more() {
	var blk zeeklog.Block
	for i, t := range c.follow {
		for t.Next(&blk) == nil { // else it is ErrIdle: what is wrong with a file, Warn was told
			for row := range blk.Rows {
				err := blk.Rows[row].Err
				if err == nil {
					if err = c.add(blk.Fields(row)); err != nil {
						err = placed(err, c.files[i], blk.Rows[row].Line)
					}
				}
				if err != nil && c.bad != nil {
					c.bad(err)
				}
				if len(c.by) >= c.most {
					c.before, c.by = c.by, map[string]ssllog.Certificate{}
				}
			}
		}
	}
}
