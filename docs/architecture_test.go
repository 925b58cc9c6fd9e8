package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// tracked are the repository's files, as git knows them, that match a pattern.
func tracked(t *testing.T, patterns ...string) []string {
	t.Helper()
	testenv.Program(t, "git")
	cmd := exec.Command("git", append([]string{"ls-files", "--cached", "--others", "--exclude-standard", "--"}, patterns...)...)
	cmd.Dir = testenv.Root(t)
	out, err := cmd.Output()
	require.NoError(t, err)
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(out)), "\n"), func(f string) bool {
		_, err := os.Stat(filepath.Join(cmd.Dir, f))
		return err != nil // removed, not yet committed
	})
}

// house is what a name in the map can stand for: files, folders, and tests.
type house struct {
	files, tests []string
	folders      map[string]bool
}

func newHouse(t *testing.T) *house {
	h := &house{files: tracked(t), folders: make(map[string]bool)}
	test := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, f := range h.files {
		for d := path.Dir(f); d != "."; d = path.Dir(d) {
			h.folders[d] = true
		}
		if strings.HasSuffix(f, "_test.go") {
			text, err := os.ReadFile(filepath.Join(testenv.Root(t), f))
			require.NoError(t, err)
			for _, m := range test.FindAllStringSubmatch(string(text), -1) {
				h.tests = append(h.tests, m[1])
			}
		}
	}
	return h
}

var (
	word     = regexp.MustCompile("`([^`\n]+)`")
	fileName = regexp.MustCompile(`^[\w./*-]+\.(go|h|cc|zeek|bif|md|txtar|sh|yml|meta|mod)$`)
	testName = regexp.MustCompile(`^Test[A-Z]\w+$`)
)

// check says what is wrong with a word in backquotes, or "" if it names nothing
// of the house or names it truly. A file may be named by the end of its path
// where there is one of that name only.
func (h *house) check(name string) string {
	first, _, _ := strings.Cut(name, "/")
	name = strings.TrimSuffix(name, "/…")
	switch {
	case testName.MatchString(name):
		if !slices.ContainsFunc(h.tests, func(test string) bool { return strings.HasPrefix(test, name) }) {
			return "no such test"
		}
	case fileName.MatchString(name) && strings.Contains(name, "*"):
		if !slices.ContainsFunc(h.files, func(f string) bool { ok, _ := path.Match(name, f); return ok }) {
			return "no file of that pattern"
		}
	case fileName.MatchString(name):
		if slices.Contains(h.files, name) {
			return ""
		}
		var ends []string
		for _, f := range h.files {
			if strings.HasSuffix(f, "/"+name) {
				ends = append(ends, f)
			}
		}
		if len(ends) == 0 {
			return "no such file"
		}
		if len(ends) > 1 {
			return fmt.Sprintf("one of %d files: %s", len(ends), strings.Join(ends, ", "))
		}
	case strings.Contains(name, "/") && h.folders[first] && !strings.ContainsAny(name, " …*"):
		if !h.folders[strings.TrimSuffix(name, "/")] && !slices.Contains(h.files, name) {
			return "no such folder"
		}
	}
	return ""
}

// Each file, folder and test that the map names is there.
func TestTheMapIsTrue(t *testing.T) {
	h := newHouse(t)
	for _, page := range []string{"docs/architecture.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join(testenv.Root(t), page))
		require.NoError(t, err)
		named := 0
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range word.FindAllStringSubmatch(line, -1) {
				assert.Empty(t, h.check(m[1]), "%s:%d names %s", page, i+1, m[1])
				if fileName.MatchString(m[1]) {
					named++
				}
			}
		}
		require.Greater(t, named, 5, page)
	}
}

// The check can say no.
func TestTheMapCanBeWrong(t *testing.T) {
	h := &house{files: []string{"model/encode.go", "model/feature/encode.go", "model/score.go"}, tests: []string{"TestScore"}, folders: map[string]bool{"model": true, "model/feature": true}}
	for name, want := range map[string]string{
		"model/score.go": "", "score.go": "", "model/feature": "", "TestScore": "", "orig_bytes": "", "a/b": "", "model/*.go": "",
		"encode.go":    "one of 2 files: model/encode.go, model/feature/encode.go",
		"scores.go":    "no such file",
		"model/forest": "no such folder",
		"TestScores":   "no such test",
		"model/*.md":   "no file of that pattern",
	} {
		assert.Equal(t, want, h.check(name), name)
	}
}

// Twelve questions of a newcomer are answered by a file, which holds what the
// answer says is in it.
func TestTwelveQuestions(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(text), "\n## Twelve questions\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	row := regexp.MustCompile("(?m)^\\| (.*\\?) \\| `([^`]+)` \\| `([^`]+)` \\|$")
	answers := row.FindAllStringSubmatch(section, -1)
	require.Len(t, answers, 12)
	for _, a := range answers {
		source, err := os.ReadFile(filepath.Join(testenv.Root(t), a[2]))
		if assert.NoError(t, err, a[1]) {
			assert.True(t, strings.Contains(string(source), a[3]), "%s %s has no %q", a[1], a[2], a[3])
		}
	}
}
