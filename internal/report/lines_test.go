package report

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	var svg bytes.Buffer
	require.NoError(t, Lines(&svg, "time over rows", "rows", "ns", true, Line{"a row", []float64{1e3, 1e6}, []float64{20, 300}}))
	for _, text := range []string{">1k<", ">1M<", ">10<", ">100<", ">a row<", ">time over rows<"} {
		require.Contains(t, svg.String(), text)
	}
	svg.Reset()
	require.NoError(t, Lines(&svg, "memory", "million", "MB", false, Line{"resident", []float64{0, 1}, []float64{70, 71}}))
	require.Contains(t, svg.String(), ">0<", "the axis begins at zero")

	require.ErrorContains(t, Lines(&svg, "", "", "", true, Line{"none", []float64{0}, []float64{1}}), `"none" at 0 is not positive`)
	require.ErrorContains(t, Lines(&svg, "", "", "", false, Line{"uneven", []float64{0}, nil}), "1 and 0 numbers")
}
