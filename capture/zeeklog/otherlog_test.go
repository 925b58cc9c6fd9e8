package zeeklog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Rows of another log are told from damaged ones, so that one warning does for
// all of them.
func TestErrOtherLog(t *testing.T) {
	const dns = `{"ts":1.0,"uid":"C","id.orig_h":"1.1.1.1","id.orig_p":1,"id.resp_h":"1.1.1.1","id.resp_p":2,"proto":"udp","query":"x"}` + "\n"
	_, bad := readText(t, webObject+dns+`{"ts":1.0,"msg":"x"}`+"\n"+webObject[:20]+"\n")
	require.Len(t, bad, 3)
	require.ErrorIs(t, bad[0], ErrOtherLog)
	require.EqualError(t, bad[0], "conn.log:2: not a row of conn.log: no conn_state")
	require.ErrorIs(t, bad[1], ErrOtherLog)
	require.EqualError(t, bad[1], "conn.log:3: id.orig_h: is missing")
	require.NotErrorIs(t, bad[2], ErrOtherLog)
}
