package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// TestNoRowStandsTwice finds list items and rows of tables that a merge left
// behind a second time. A table may follow another with the same heading.
func TestNoRowStandsTwice(t *testing.T) {
	for _, page := range tracked(t, "*.md") {
		text, err := os.ReadFile(filepath.Join(testenv.Root(t), page))
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		seen := make(map[string]bool)
		for i, line := range lines {
			heading := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
			if heading || !strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "* ") && !strings.HasPrefix(line, "- ") {
				continue
			}
			assert.False(t, seen[line], "%s:%d stands twice: %.60s…", page, i+1, line)
			seen[line] = true
		}
	}
}
