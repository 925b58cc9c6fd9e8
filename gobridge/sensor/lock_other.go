//go:build !unix

package sensor

import "os"

// lock opens the lock file: Zeek runs on Unix, where it is also taken.
func lock(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }
