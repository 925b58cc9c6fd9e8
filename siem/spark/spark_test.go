// Package spark_test scores in a real Spark, as pyspark brings it.
package spark_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/lakerows"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

func TestSparkScoresAsScoreDoes(t *testing.T) {
	if testing.Short() {
		testenv.Skip(t, "time", "-short")
	}
	python := testenv.Python(t, "pyspark")
	testenv.Python(t, "pyarrow")
	testenv.Python(t, "pandas")
	testenv.Program(t, "java")
	lake := lakerows.ThreeDays(t)
	// One process with two threads, then two executors that get binary and model sent.
	for _, master := range []string{"local[2]", "local-cluster[2,1,1024]"} {
		t.Run(master, func(t *testing.T) {
			got := lakerows.Check(t, python, "check.py", master, lake.Binary, lake.Model, lakerows.LogStart, "4", lake.Parquet)
			t.Logf("Spark %s, %s: of %d rows %d have the score of zeek-iforest score, %.1f s", got.Version, master, got.Rows, got.Equal, got.Seconds)
			require.Equal(t, lake.Rows, got.Rows)
			require.Equal(t, lake.Rows, got.Equal)
			if master == "local[2]" {
				require.Equal(t, 2, got.Checks, "train gives the whole log's model, or one of some originators")
			}
			require.Zero(t, got.Failed)
			require.Equal(t, "anomaly_score", got.Columns[len(got.Columns)-1])
			require.NotContains(t, got.Columns, "anomaly_resp_failures", "it was not there before")
		})
	}
}
