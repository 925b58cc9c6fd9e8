package zeeklog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReaderValue(t *testing.T) {
	const fields = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\t"
	const row = "1.0\tC1\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t"
	for name, log := range map[string]string{
		"a column of its own": fields + "label\tdetailed\n" + row + "Malicious\tC&C\n",
		"names with spaces":   fields + "tunnel_parents   label   detailed\n" + row + "(empty)   Malicious   C&C\n",
		"JSON":                `{"ts":1.0,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":2,"proto":"tcp","conn_state":"SF","label":"Malicious","detailed":"C&C"}` + "\n",
		"CSV":                 "ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,conn_state,label,detailed\n1.0,C1,10.0.0.1,1,10.0.0.2,2,tcp,SF,\"Malicious\",C&C\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(strings.NewReader(log), "log")
			var row Row
			require.NoError(t, r.Read(&row))
			for column, want := range map[string]string{"label": "Malicious", "detailed": "C&C"} {
				got, ok := r.Value(&row, column)
				require.True(t, ok, column)
				require.Equal(t, want, got)
			}
			_, ok := r.Value(&row, "absent")
			require.False(t, ok)
		})
	}
}
