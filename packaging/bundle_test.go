package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// The workflow makes a bundle for each line of Zeek and each processor, tries it in
// an image without compiler, and only then adds it; what the containers are called
// with is there, and no token goes into them.
func TestReleaseMakesBundles(t *testing.T) {
	var w struct {
		Jobs map[string]struct {
			Needs    string
			Strategy struct {
				Matrix struct{ Zeek, Runner []string }
			}
			Env   map[string]string
			Steps []struct {
				Run string
				Env map[string]string
			}
		}
	}
	root := testenv.Root(t)
	read(t, filepath.Join(root, ".github/workflows/release.yml"), &w)
	job := w.Jobs["bundles"]
	require.Contains(t, w.Jobs, job.Needs, "the draft that they are added to")
	require.Equal(t, []string{"ubuntu-24.04", "ubuntu-24.04-arm"}, job.Strategy.Matrix.Runner)
	var lines []string
	for _, zeek := range job.Strategy.Matrix.Zeek {
		line := regexp.MustCompile(`^(\d+\.\d+)\.\d+(-rc\d+)?$`).FindStringSubmatch(zeek)
		require.NotNil(t, line, "%s: a plugin fits one version, not a line of them", zeek)
		lines = append(lines, line[1])
	}
	require.Equal(t, []string{"8.0", "8.2", "9.0"}, lines)
	require.Equal(t, "docker.io/zeek/zeek:${{ matrix.zeek }}", job.Env["IMAGE"])
	require.NotContains(t, job.Env, "GH_TOKEN")

	script, err := os.ReadFile(filepath.Join(root, ".ci/bundle"))
	require.NoError(t, err)
	var did []string
	for _, step := range job.Steps {
		for line := range strings.Lines(step.Run) {
			switch {
			case strings.HasPrefix(line, "docker run "):
				require.Empty(t, step.Env, "a container gets no token")
				require.Contains(t, line, `-v "$PWD:/src:ro"`, "a container does not change what is published next")
				_, command, found := strings.Cut(strings.TrimSpace(line), `"$IMAGE" /src/`)
				require.True(t, found, line)
				words := strings.Fields(command)
				require.Len(t, words, 3, line)
				info, err := os.Stat(filepath.Join(root, words[0]))
				require.NoError(t, err)
				require.NotZero(t, info.Mode()&0o111, "%s can be run", words[0])
				require.Equal(t, ".ci/bundle", words[0])
				require.Contains(t, string(script), "\n"+words[1]+")\n", "a verb of .ci/bundle")
				require.Contains(t, line, `-v "$RUNNER_TEMP`+words[2]+":"+words[2], "the folder is a mounted one")
				did = append(did, words[1])
			case strings.HasPrefix(line, "gh release upload "):
				did = append(did, "upload")
			}
		}
	}
	require.Equal(t, []string{"make", "try", "upload"}, did)
}

// .ci/bundle try refuses a machine with a compiler. A bundle passes if each
// connection has the score that the command line gives it.
func TestTryBundle(t *testing.T) {
	testenv.OS(t, "linux")
	for name, tc := range map[string]struct {
		sensor, offline string // scores, by Zeek and by the command line
		compiler        string
		want            string
		passes          bool
	}{
		"scored":         {sensor: "0.5\n0.25\n", offline: "0.5\n0.25\n", want: "2 connections have their score, the first 0.5\n", passes: true},
		"a compiler":     {sensor: "0.5\n", offline: "0.5\n", compiler: "g++", want: "error: here is a compiler, g++"},
		"no row":         {want: "error: connections have no score"},
		"not all scored": {sensor: "-\n0.25\n", offline: "-\n0.25\n", want: "error: connections have no score"},
		"other scores":   {sensor: "0.5\n0.25\n", offline: "0.5\n0.26\n", want: "error: the command line's scores are others"},
	} {
		t.Run(name, func(t *testing.T) {
			bin, bundles, tmp := t.TempDir(), t.TempDir(), t.TempDir()
			for _, program := range []string{"sh", "dirname", "cat", "cmp", "grep", "head", "wc", "mkdir", "mktemp", "rm", "tar", "test", "uname"} {
				require.NoError(t, os.Symlink(testenv.Program(t, program), filepath.Join(bin, program)))
			}
			has := func(program, script string) {
				require.NoError(t, os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
			}
			has("git", "echo 0123abc")
			has("zkg", `test "$IFOREST_BUNDLE" = `+bundles+` && test -f "$5/zkg.meta" && echo "zkg $1 $2 $3 $4"`)
			has("zeek", `test "$1" != -r || { test -f "$2" && printf %b '`+tc.sensor+`' >conn.log; }`)
			has("zeek-cut", "cat")
			has("zeek-iforest", `printf %b '`+tc.offline+`'`)
			if tc.compiler != "" {
				has(tc.compiler, "exit 0")
			}
			cmd := exec.Command(filepath.Join(testenv.Root(t), ".ci/bundle"), "try", bundles)
			cmd.Env = []string{"PATH=" + bin, "TMPDIR=" + tmp}
			out, err := cmd.CombinedOutput()
			require.Equal(t, tc.passes, err == nil, "%s", out)
			require.Contains(t, string(out), tc.want)
			if tc.compiler == "" {
				require.Contains(t, string(out), "zkg install --force --version 0123abc\n")
			}
			left, err := os.ReadDir(tmp)
			require.NoError(t, err)
			require.Empty(t, left, "what it worked on is removed")
		})
	}
}
