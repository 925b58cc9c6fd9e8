package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

// whatToDo returns the hint for what the system says of a file, or "" if that says
// enough: errors with a hint of their own know better.
func whatToDo(err error) string {
	var file *fs.PathError
	path := ""
	if errors.As(err, &file) {
		path = file.Path
	}
	switch {
	case errors.Is(err, zeeklog.ErrNotALog):
		return "name a conn.log of Zeek, TSV or JSON, or CSV with its columns; replay makes one of a pcap"
	case errors.Is(err, syscall.EROFS):
		return "it lies on a file system that is mounted read-only: name a place that can be written, such as " + filepath.Join(os.TempDir(), filepath.Base(path))
	case errors.Is(err, syscall.ENOSPC):
		return "make room there, or write to another place"
	case errors.Is(err, fs.ErrPermission):
		return "run this as a user who may: what belongs to a sensor is Zeek's (sudo -u zeek zeek-iforest …)"
	case errors.Is(err, fs.ErrNotExist) && path != "":
		if dir := filepath.Dir(path); !isDir(dir) {
			return fmt.Sprintf("there is no folder %s: check the name, or make it first (mkdir -p %s)", dir, dir)
		} else if strings.ContainsAny(path, "*?[") {
			return fmt.Sprintf("no file in %s fits the pattern, so the shell left it as it is: ls %s", dir, dir)
		} else if dir == "." {
			return "check the name: ls lists what is in this folder"
		} else {
			return "check the name: ls " + dir
		}
	}
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
