//go:build !unix

package alert

import "os"

// lockFile does nothing: sensors run Unix.
func lockFile(*os.File) error { return nil }
