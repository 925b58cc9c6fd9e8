package evaluate

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// The strangest row is an ordinary one, so no threshold keeps to the rate.
func TestNoThresholdAsJSON(t *testing.T) {
	rows := []Row{{Conn: conn.Conn{State: conn.SF}}, {Conn: conn.Conn{State: conn.S0}, Anomaly: true}}
	g, err := Measure("all", rows, [][]float64{{2, 1}}, Rules(ConnColumns, rows), 0)
	require.NoError(t, err)
	text, err := json.Marshal(g)
	require.NoError(t, err)
	require.Contains(t, string(text), `"threshold":null`)
	require.Contains(t, string(text), `"fpr":0.01`)

	g, err = Measure("all", rows, [][]float64{{1, 2}}, Rules(ConnColumns, rows), 0)
	require.NoError(t, err)
	text, err = json.Marshal(g)
	require.NoError(t, err)
	require.Contains(t, string(text), `"threshold":2`)
}
