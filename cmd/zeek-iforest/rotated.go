package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// rotatedLogs lists the rotated parts of a log: beside it (Zeek, logrotate), in
// log-queue there (Zeek's supervisor), in folders named by date below it or
// beside its folder when that is current (zeekctl, zeek-archiver), and in the
// archives. Other folders can be another sensor's.
func rotatedLogs(log string, archives []string) (found []string) {
	dir, base := filepath.Split(log)
	dir = filepath.Clean(dir)
	folders := []string{dir, filepath.Join(dir, "log-queue")}
	roots := slices.Concat([]string{dir}, archives)
	if filepath.Base(dir) == "current" {
		root := filepath.Dir(dir)
		folders = append(folders, root, filepath.Join(root, "log-queue"))
		roots = append(roots, root)
	}
	folders = append(folders, archives...)
	for _, root := range roots {
		folders = appendDated(folders, root, 3)
	}
	seen := map[string]bool{log: true}
	for _, dir := range folders {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if isRotated(e.Name(), base) && !seen[path] {
				seen[path] = true
				found = append(found, path)
			}
		}
	}
	return found
}

// appendDated appends the folders below root that are named by date, nested up
// to depth: 2026-11-20, 20261120, 2026/11/20.
func appendDated(folders []string, root string, depth int) []string {
	entries, _ := os.ReadDir(root)
	for _, e := range entries {
		if e.Type().IsRegular() || len(e.Name()) < 2 || strings.Trim(e.Name(), "0123456789-_") != "" || !isDigit(e.Name()[0]) {
			continue
		}
		path := filepath.Join(root, e.Name())
		if folders = append(folders, path); depth > 1 {
			folders = appendDated(folders, path, depth-1)
		}
	}
	return folders
}

// isRotated reports whether name is that of a rotated part of the log called
// base: conn.log.1, conn.log-20261120.gz, conn-26-11-20_09.00.00.log,
// conn.09:00:00-10:00:00.log.gz, conn__2026-11-20-09-00-00__2026-11-20-10-00-00__.log,
// conn_20261120_09:00:00-10:00:00.log.gz; not conn-summary.log, conn_long.log.
func isRotated(name, base string) bool {
	if rest, ok := strings.CutPrefix(name, base); ok {
		return rest != "" && strings.ContainsRune(".-_~", rune(rest[0]))
	}
	ext := filepath.Ext(base)
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(base, ext))
	if !ok || !strings.Contains(rest, ext) {
		return false
	}
	date := strings.TrimLeft(rest, "-._")
	return date != "" && len(date) < len(rest) && isDigit(date[0])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// withoutTwins leaves out what is there a second time because it is just being
// compressed.
func withoutTwins(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(f string) bool {
		ext := filepath.Ext(f)
		return (ext == ".gz" || ext == ".zst" || ext == ".bz2") && slices.Contains(files, strings.TrimSuffix(f, ext))
	})
}
