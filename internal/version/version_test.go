package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDescribe(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "84b1243c9d2e00112233445566778899aabbccdd"}
	for name, tc := range map[string]struct {
		info debug.BuildInfo
		want string
	}{
		"from a clean clone": {
			debug.BuildInfo{GoVersion: "go1.26.8", Settings: []debug.BuildSetting{commit, {Key: "vcs.modified", Value: "false"}}},
			"commit 84b1243c9d2e, go1.26.8",
		},
		"from a changed clone": {
			debug.BuildInfo{GoVersion: "go1.26.8", Settings: []debug.BuildSetting{commit, {Key: "vcs.modified", Value: "true"}}},
			"commit 84b1243c9d2e, with uncommitted changes, go1.26.8",
		},
		"go install …@v0.2.0": {debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.2.0"}}, "module v0.2.0, go1.26.8"},
		"no stamp":            {debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "(devel)"}}, "go1.26.8"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tc.want, describe(&tc.info)) })
	}
}

func TestBuildNamesTheGoVersion(t *testing.T) {
	require.Regexp(t, `^\d+\.\d+\.\d+ \(.*go1\..*\)$`, Build())
}
