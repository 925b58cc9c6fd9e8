package zeeklog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Once the parser and the block have been used, rows cost no memory; a block
// is one string.
func TestParseAllocations(t *testing.T) {
	tsv := tsvHeader + strings.Repeat(withField("tunnel_parents", "-")+udpRow, 200)
	object := strings.Replace(webObject, `"tunnel_parents":["Caaa","Cbbb"],`, "", 1)
	for name, text := range map[string]string{"TSV": tsv, "JSON": strings.Repeat(object+udpObject, 150), "CSV": csvHeader + strings.Repeat(csvUDP, 400)} {
		b, blk, p := NewBlocks(strings.NewReader(text), "conn.log"), new(Block), NewParser()
		require.NoError(t, b.Next(blk))
		p.Parse(blk)
		require.Greater(t, len(blk.Rows), 250)
		require.Zero(t, testing.AllocsPerRun(10, func() { p.Parse(blk) }), name)
		for i := range blk.Rows {
			require.NoError(t, blk.Rows[i].Err)
		}
	}
}

func TestInterner(t *testing.T) {
	var names interner
	for i := range 10000 {
		s := fmt.Sprintf("service-%d", i%3000)
		require.Equal(t, s, names.intern(s))
	}
	a := names.intern("http")
	require.Zero(t, testing.AllocsPerRun(100, func() { names.intern(a) }))
}
