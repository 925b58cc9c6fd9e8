package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture"
)

// captures are the files of one replay, read as one capture in order of time.
type captures struct {
	*session
	paths  []string // of those that are open
	inputs []*input
	files  []*capture.File
}

// openCaptures opens files, and in folders all that are captures.
func openCaptures(s *session, paths []string) (c *captures, err error) {
	c = &captures{session: s}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	for _, path := range paths {
		if slices.Contains(c.paths, path) {
			return c, hinted(fmt.Errorf("%s is named twice", displayName(path)), "its packets would count twice")
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			err = c.openFolder(path)
			if err != nil {
				return c, err
			}
			continue
		}
		if err := c.open(path); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *captures) open(path string) error {
	in, err := openInput(path, c.stdin)
	if err != nil {
		return err
	}
	file, err := capture.NewFile(in)
	if err != nil {
		in.Close()
		return notCapture(fmt.Errorf("%s: %w", displayName(path), err), in.start)
	}
	c.paths, c.inputs, c.files = append(c.paths, path), append(c.inputs, in), append(c.files, file)
	return nil
}

// openFolder opens the captures of a folder, but not of those within it. What
// is not a capture is left out and said; what cannot be opened counts as unusable.
func (c *captures) openFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var others []string
	before := len(c.files)
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		switch err := c.open(path); {
		case errors.Is(err, capture.ErrNoCapture):
			others = append(others, e.Name())
		case err != nil: // packed in another way, say, or not readable
			c.unused(err)
		}
	}
	if len(c.files) == before {
		return hinted(fmt.Errorf("%s: no capture is in this folder", folder), "replay reads pcap and pcapng, plain, gzip or zstd")
	}
	if len(others) > 0 {
		c.say("%s: left out %s that no capture begins like, such as %s", folder, plural(uint64(len(others)), "file"), others[0])
	}
	return nil
}

// reader reads all files.
func (c *captures) reader(o capture.Options) *capture.Reader {
	if len(c.files) == 1 {
		return capture.NewSourceReader(c.files[0], c.files[0].LinkType(), o)
	}
	merge := new(capture.Merge)
	for i, file := range c.files {
		merge.Add(displayName(c.paths[i]), file)
	}
	return capture.NewSourceReader(merge, merge.LinkType(), o)
}

// name returns that of the capture in messages.
func (c *captures) name() string {
	if len(c.paths) == 1 {
		return displayName(c.paths[0])
	}
	return plural(uint64(len(c.paths)), "capture")
}

func (c *captures) close() {
	for _, in := range c.inputs {
		in.Close()
	}
}
