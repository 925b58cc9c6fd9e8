//go:build unix

package main

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// ownerOfState returns the user, not root, to whom the folder belongs, or the nearest
// one above it that is there, where this process is root's; else "".
func ownerOfState(dir string) string {
	if os.Geteuid() != 0 {
		return ""
	}
	for {
		info, err := os.Stat(dir)
		if err == nil {
			uid := info.Sys().(*syscall.Stat_t).Uid
			if uid == 0 {
				return ""
			}
			if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
				return u.Username
			}
			return "#" + strconv.FormatUint(uint64(uid), 10) // as sudo -u takes it
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return ""
	}
}
