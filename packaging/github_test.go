package packaging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

func read(t *testing.T, path string, into any) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), path)
	return string(text)
}

// Workflows do what the scripts of .ci do, with no rights and no secrets beyond
// what the job needs. actionlint checks the rest (.ci/run).
func TestWorkflows(t *testing.T) {
	type workflow struct {
		Permissions map[string]string
		Jobs        map[string]struct {
			Permissions map[string]string
			Steps       []struct {
				Run, Uses string
				With      map[string]any
			}
		}
	}
	for name, script := range map[string]string{"ci.yml": ".ci/run", "release.yml": ".ci/release"} {
		t.Run(name, func(t *testing.T) {
			var w workflow
			text := read(t, filepath.Join(testenv.Root(t), ".github/workflows", name), &w)
			require.Equal(t, map[string]string{"contents": "read"}, w.Permissions)
			require.NotContains(t, text, "secrets.", "no secret is needed")
			require.NotContains(t, text, "pull_request_target", "it would give strangers' code our rights")
			require.NotContains(t, text, "upload-artifact")
			runs := false
			for _, job := range w.Jobs {
				if name == "ci.yml" {
					require.Empty(t, job.Permissions)
				}
				for _, step := range job.Steps {
					runs = runs || strings.Contains(step.Run, script)
					if step.Uses != "" {
						require.Regexp(t, `^actions/[a-z-]+@v\d+$`, step.Uses, "GitHub's own actions, a major version of each")
					}
					if strings.HasPrefix(step.Uses, "actions/checkout@") {
						require.Equal(t, false, step.With["persist-credentials"])
					}
				}
			}
			require.True(t, runs, "%s runs %s", name, script)
		})
	}
}

// Issue forms hold to what GitHub documents of them: a form that does not is
// silently left out.
func TestIssueForms(t *testing.T) {
	type field struct {
		Type       string
		ID         string
		Attributes struct {
			Label, Value, Description string
			Options                   []string
		}
		Validations map[string]bool
	}
	dir := filepath.Join(testenv.Root(t), ".github/ISSUE_TEMPLATE")
	forms, err := filepath.Glob(filepath.Join(dir, "*.yml"))
	require.NoError(t, err)
	require.Greater(t, len(forms), 2)
	names := make(map[string]bool)
	for _, path := range forms {
		if filepath.Base(path) == "config.yml" {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			var form struct {
				Name, Description string
				Labels            []string
				Body              []field
			}
			read(t, path, &form)
			require.NotEmpty(t, form.Name)
			require.NotEmpty(t, form.Description)
			require.False(t, names[form.Name], "two forms of one name")
			names[form.Name] = true
			asked, seen := 0, make(map[string]bool)
			for _, f := range form.Body {
				require.Contains(t, []string{"markdown", "input", "textarea", "dropdown", "checkboxes"}, f.Type)
				if f.Type == "markdown" {
					require.NotEmpty(t, f.Attributes.Value)
					continue
				}
				asked++
				require.NotEmpty(t, f.Attributes.Label)
				require.Regexp(t, `^[a-z][a-z_-]*$`, f.ID)
				require.False(t, seen[f.ID], "two fields %s", f.ID)
				seen[f.ID] = true
				require.Equal(t, f.Type == "dropdown", len(f.Attributes.Options) > 0)
				for _, o := range f.Attributes.Options {
					require.NotContains(t, []string{"None", "none"}, o, "GitHub adds it")
				}
			}
			require.NotZero(t, asked, "a form asks something")
		})
	}
}
