package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScores(t *testing.T) {
	counts := [Bins]uint64{42: 1000, 43: 500, 71: 1}
	var svg bytes.Buffer
	require.NoError(t, Scores(&svg, "a day & its <scores>", &counts, []Mark{{0.715, "192.88.99.7:4444: an upload"}}))
	require.Contains(t, svg.String(), "192.88.99.7:4444: an upload")
	require.NotContains(t, svg.String(), "href", "nothing from the network")
	for d := xml.NewDecoder(&svg); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
	}
}
