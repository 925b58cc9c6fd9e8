package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the places of a page that a link can name.
func anchors(text string) map[string]bool {
	found := make(map[string]bool)
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		title := strings.ToLower(link.ReplaceAllString(h[1], "]"))
		found[strings.ReplaceAll(noAnchor.ReplaceAllString(title, ""), " ", "-")] = true
	}
	return found
}

// Each link from a page to a file or a heading of this repository leads there.
func TestLinks(t *testing.T) {
	root := testenv.Root(t)
	pages := tracked(t, "*.md")
	require.Greater(t, len(pages), 20)
	for _, page := range pages {
		text, err := os.ReadFile(filepath.Join(root, page))
		require.NoError(t, err)
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			target, anchor, _ := strings.Cut(l[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			path := filepath.Join(root, page)
			if target != "" {
				path = filepath.Join(filepath.Dir(path), target)
			}
			if !assert.FileExists(t, path, "%s links to %s", page, l[1]) || anchor == "" {
				continue
			}
			there, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.True(t, anchors(string(there))[anchor], "%s links to %s, but there is no such heading", page, l[1])
		}
	}
}
