// Package version holds the product's version, from the file VERSION, and what
// the Go tools stamped into the program.
package version

import (
	_ "embed"
	"runtime/debug"
	"strings"
)

//go:embed VERSION
var text string

// String returns the version, "0.1.0".
func String() string { return strings.TrimSpace(text) }

// Build returns the version with the commit, where the program knows it, and with
// the Go that compiled it: "0.1.0 (commit 84b1243c9d2e, go1.26.8)".
func Build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return String()
	}
	return String() + " (" + describe(info) + ")"
}

// describe names the commit and the Go version. A build from a clone has the
// commit as a setting; "go install module@version" has the module's version
// instead; a build with -buildvcs=false has neither.
func describe(info *debug.BuildInfo) string {
	var parts []string
	set := make(map[string]string)
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	switch commit := set["vcs.revision"]; {
	case commit != "":
		parts = append(parts, "commit "+commit[:min(12, len(commit))])
		if set["vcs.modified"] == "true" {
			parts = append(parts, "with uncommitted changes")
		}
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		parts = append(parts, "module "+info.Main.Version)
	}
	return strings.Join(append(parts, info.GoVersion), ", ")
}
