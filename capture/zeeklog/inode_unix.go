//go:build unix

package zeeklog

import (
	"io/fs"
	"syscall"
)

// inode returns where a file is on disk.
func inode(info fs.FileInfo) (device, number uint64) {
	if info == nil {
		return 0, 0
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino)
	}
	return 0, 0
}
