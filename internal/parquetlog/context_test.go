package parquetlog

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// contextRow has columns of id.ctx, one of them with points in its name.
type contextRow struct {
	TS float64 `parquet:"ts"`
	ID struct {
		OrigH string `parquet:"orig_h"`
		RespH string `parquet:"resp_h"`
		RespP int32  `parquet:"resp_p"`
		Ctx   struct {
			VLAN *int64  `parquet:"vlan,optional"`
			Site *string `parquet:"site,optional"`
		} `parquet:"ctx"`
	} `parquet:"id"`
	Inner  *int32 `parquet:"id.ctx.inner_vlan,optional"`
	Tagged *bool  `parquet:"id_ctx_tagged,optional"`
	Proto  string `parquet:"proto"`
	State  string `parquet:"conn_state"`
}

func TestContext(t *testing.T) {
	vlan, inner, site, tagged := int64(10), int32(20), "north", true
	rows := make([]contextRow, 4)
	for i := range rows {
		r := &rows[i]
		r.TS, r.ID.OrigH, r.ID.RespH, r.Proto, r.State = 1.5, "10.0.0.1", "10.0.0.2", "tcp", "SF"
		if i > 0 {
			r.ID.Ctx.VLAN = &vlan
		}
		if i > 1 {
			r.Inner = &inner
		}
		if i > 2 {
			r.ID.Ctx.Site, r.Tagged = &site, &tagged
		}
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[contextRow](&file)
	_, err := w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	l, err := open(bytes.NewReader(file.Bytes()), int64(file.Len()), "x", Scored)
	require.NoError(t, err)
	var g Group
	require.NoError(t, l.Read(0, &g))
	for i, want := range []string{"", "vlan=10", "inner_vlan=20,vlan=10", "inner_vlan=20,site=north,tagged=T,vlan=10"} {
		require.NoError(t, g.Rows[i].Err)
		require.Equal(t, want, g.Rows[i].Conn.Context)
	}
}
