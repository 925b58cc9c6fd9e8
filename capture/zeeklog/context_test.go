package zeeklog

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The context of a row is the same whatever way the log is written down, and
// whatever order its columns have.
func TestContext(t *testing.T) {
	const tail = "tcp\t-\t-\t-\t-\tS0"
	tsv := func(names, values string) string {
		return "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p" + names + "\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\n" +
			"1.5\tC1\t10.0.0.1\t1\t10.0.0.2\t2" + values + "\t" + tail + "\n"
	}
	json := func(context string) string {
		return `{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":2,` + context + `"proto":"tcp","conn_state":"S0"}` + "\n"
	}
	for name, test := range map[string]struct {
		log  string
		want string
	}{
		"no column":          {tsv("", ""), ""},
		"unset":              {tsv("\tid.ctx.vlan\tid.ctx.inner_vlan", "\t-\t-"), ""},
		"one":                {tsv("\tid.ctx.vlan\tid.ctx.inner_vlan", "\t10\t-"), "vlan=10"},
		"both":               {tsv("\tid.ctx.vlan\tid.ctx.inner_vlan", "\t10\t20"), "inner_vlan=20,vlan=10"},
		"the other order":    {tsv("\tid.ctx.inner_vlan\tid.ctx.vlan", "\t20\t10"), "inner_vlan=20,vlan=10"},
		"another separator":  {tsv("\tid_ctx_vlan\tid_ctx_inner_vlan", "\t10\t20"), "inner_vlan=20,vlan=10"},
		"of a text":          {tsv("\tid.ctx.site", "\tnorth\\x09wing"), "site=north\twing"},
		"twice":              {tsv("\tid.ctx.vlan\tid.ctx.vlan", "\t10\t11"), "vlan=10"},
		"not of id":          {tsv("\tctx.vlan\tidctx.vlan\tid.ctx.", "\t1\t2\t3"), ""},
		"JSON, none":         {json(""), ""},
		"JSON":               {json(`"id.ctx.vlan":10,`), "vlan=10"},
		"JSON, both":         {json(`"id.ctx.vlan":10,"id.ctx.inner_vlan":20,`), "inner_vlan=20,vlan=10"},
		"JSON, null":         {json(`"id.ctx.vlan":null,"id.ctx.inner_vlan":20,`), "inner_vlan=20"},
		"JSON, of a text":    {json(`"id.ctx.site":"north\twing","id.ctx.tagged":true,`), "site=north\twing,tagged=T"},
		"JSON, nested":       {`{"ts":1.5,"id":{"orig_h":"10.0.0.1","orig_p":1,"resp_h":"10.0.0.2","resp_p":2,"ctx":{"vlan":10,"inner_vlan":20}},"proto":"tcp","conn_state":"S0"}` + "\n", "inner_vlan=20,vlan=10"},
		"CSV":                {"ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,conn_state,id.ctx.vlan,id.ctx.inner_vlan\n1.5,10.0.0.1,1,10.0.0.2,2,tcp,S0,\"10\",\n", "vlan=10"},
		"longer than counts": {tsv("\tid.ctx.site", "\t"+strings.Repeat("x", 300)), "site=" + strings.Repeat("x", 251)},
	} {
		r := NewReader(strings.NewReader(test.log), "conn.log")
		var row Row
		require.NoError(t, r.Read(&row), name)
		require.NoError(t, row.Err, name)
		require.Equal(t, test.want, row.Conn.Context, name)
		require.ErrorIs(t, r.Read(&row), io.EOF, name)
	}
}

// So is that of a log that is not conn.log.
func TestContextOfOtherLogs(t *testing.T) {
	schema := &Schema{Log: "dns", Columns: []string{"ts", "id.orig_h", "query"}, Required: []string{"ts", "id.orig_h"}, Telling: []string{"query"}}
	for name, test := range map[string]struct {
		log  string
		want string
	}{
		"no column": {"#fields\tts\tid.orig_h\tquery\n1.5\t10.0.0.1\tx.org\n", ""},
		"TSV":       {"#fields\tts\tid.orig_h\tid.ctx.vlan\tquery\n1.5\t10.0.0.1\t10\tx.org\n", "vlan=10"},
		"CSV":       {"ts,id.orig_h,id.ctx.vlan,query\n1.5,10.0.0.1,10,x.org\n", "vlan=10"},
		"JSON":      {`{"ts":1.5,"id.orig_h":"10.0.0.1","id.ctx.vlan":10,"query":"x.org"}` + "\n", "vlan=10"},
		"nested":    {`{"ts":1.5,"id":{"orig_h":"10.0.0.1","ctx":{"vlan":10}},"query":"x.org"}` + "\n", "vlan=10"},
	} {
		r := NewReader(strings.NewReader(test.log), "dns.log").Of(schema)
		var row Row
		require.NoError(t, r.Read(&row), name)
		require.NoError(t, row.Err, name)
		require.Equal(t, test.want, Context(r.Fields()), name)
	}
}

// It costs no memory, once it was met.
func TestContextDoesNotAllocate(t *testing.T) {
	for name, log := range map[string]string{
		"TSV":  "#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\tconn_state\tid.ctx.vlan\tid.ctx.inner_vlan\n" + strings.Repeat("1.5\t10.0.0.1\t10.0.0.2\t80\ttcp\tSF\t10\t20\n", 50),
		"JSON": strings.Repeat(`{"ts":1.5,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","id.resp_p":80,"id.ctx.vlan":10,"id.ctx.inner_vlan":20,"proto":"tcp","conn_state":"SF"}`+"\n", 50),
	} {
		blk := new(Block)
		require.NoError(t, NewBlocks(strings.NewReader(log), "x").Next(blk), name)
		p := NewParser()
		p.Parse(blk)
		require.Equal(t, "inner_vlan=20,vlan=10", blk.Rows[49].Conn.Context, name)
		require.Zero(t, testing.AllocsPerRun(10, func() { p.Parse(blk) }), name)
	}
}
