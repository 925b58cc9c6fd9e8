package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

func TestBatchScoresAsOneAfterTheOther(t *testing.T) {
	m, rows := goldenModel(t), goldenConns()
	hosts := feature.NewHosts(100)
	var b model.Batch
	for _, n := range []int{len(rows), 0, 1, 70} {
		b.Reset()
		var want []model.Score
		for i := range rows[:n] {
			w := hosts.Observe(&rows[i])
			want = append(want, m.Score(&rows[i], w))
			b.Add(m, &rows[i], w)
		}
		got := b.Scores(m)
		require.Len(t, got, n)
		for i := range got {
			require.Equal(t, want[i], got[i], "connection %d of %d", i, n)
		}
	}
}
