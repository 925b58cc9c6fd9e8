package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

func TestBatchScoresAsOneAfterTheOther(t *testing.T) {
	m, rows := goldenModel(t), goldenConns()
	record := stream.NewConns(feature.NewHosts(100))
	for _, reasons := range []bool{false, true} {
		b := stream.Batch{Reasons: reasons}
		for _, n := range []int{len(rows), 0, 1, 70} {
			b.Reset(m)
			var want []model.Score
			var why []string
			for i := range rows[:n] {
				record.Of(&rows[i]).Observe()
				one := inWindow(m, &rows[i], record.Window)
				want, why = append(want, one.Score), append(why, string(one.AppendReason(nil)))
				kept := *record
				b.Add(&kept)
			}
			require.Equal(t, n, b.Len())
			for i := range want {
				got := b.Scored(i)
				require.Equal(t, want[i], got.Score, "connection %d of %d", i, n)
				require.Equal(t, why[i], string(got.AppendReason(nil)))
			}
		}
	}
}
