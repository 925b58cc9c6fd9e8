// Package clickhouse_test scores in the real ClickHouse, as chdb brings it.
package clickhouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/lakerows"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

func TestClickHouseScoresAsScoreDoes(t *testing.T) {
	if testing.Short() {
		testenv.Skip(t, "time", "-short")
	}
	python := testenv.Python(t, "chdb")
	lake := lakerows.ThreeDays(t)
	// All at once, in a view that refreshes itself after more rows came, and on two shards.
	for _, way := range []string{"once", "view", "shards"} {
		t.Run(way, func(t *testing.T) {
			got := lakerows.Check(t, python, "check.py", way, lake.Binary, lake.Model, lakerows.LogStart, lake.Parquet)
			t.Logf("ClickHouse %s, %s: of %d rows %d have the score of zeek-iforest score, %.1f s", got.Version, way, got.Rows, got.Equal, got.Seconds)
			require.Equal(t, lake.Rows, got.Rows)
			require.Equal(t, lake.Rows, got.Equal)
		})
	}
}
