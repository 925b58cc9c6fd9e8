package zeeklog

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// What no answered connection of a JSON log has, the log lacks, however its
// rows come in.
func TestJSONLacks(t *testing.T) {
	without := func(row string, keys ...string) string {
		for _, key := range keys {
			at := strings.Index(row, `"`+key+`":`)
			end := at + strings.IndexByte(row[at:], ',') + 1
			row = row[:at] + row[end:]
		}
		return row
	}
	bare := without(webObject, "duration", "orig_bytes", "resp_bytes")
	half := without(webObject, "orig_bytes")
	for _, tc := range []struct {
		name, text string
		want       conn.Fields
	}{
		{"all are there", strings.Repeat(webObject, 100), 0},
		{"none is there", strings.Repeat(bare, 30), conn.Duration | conn.OrigBytes | conn.RespBytes},
		{"one is missing", strings.Repeat(half+udpObject, 30), conn.OrigBytes},
		{"few rows", strings.Repeat(bare, answered-1), 0},
		{"nobody answers", strings.Repeat(udpObject, 200), 0},
		{"one row has all", strings.Repeat(bare, surveyed-1) + webObject + strings.Repeat(bare, 40), 0},
		{"a later row has all", strings.Repeat(bare, surveyed) + webObject, conn.Duration | conn.OrigBytes | conn.RespBytes},
		{"what Zeek always sets", strings.Repeat(without(webObject, "orig_pkts"), 2), conn.OrigPkts},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.TrimSuffix(tc.text, "\n")
			for _, r := range []io.Reader{strings.NewReader(text), iotest.HalfReader(strings.NewReader(text)), iotest.OneByteReader(strings.NewReader(text))} {
				conns, bad, err := readAll(r)
				require.NoError(t, err)
				require.Empty(t, bad)
				require.Len(t, conns, strings.Count(text, "\n")+1)
				for _, c := range conns {
					require.Equal(t, tc.want&^c.Set, c.Absent)
				}
			}
		})
	}
}
