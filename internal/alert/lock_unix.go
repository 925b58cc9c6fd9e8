//go:build unix

package alert

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the lock or fails at once; it ends with the process.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
