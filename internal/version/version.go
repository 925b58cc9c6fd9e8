// Package version holds the product's version, from the file VERSION.
package version

import (
	_ "embed"
	"strings"
)

//go:embed VERSION
var text string

// String is the version, "0.1.0".
func String() string { return strings.TrimSpace(text) }
