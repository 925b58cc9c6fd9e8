package conn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPassed(t *testing.T) {
	const minute, hour = 60e6, 3600e6
	for _, c := range [][2]Micros{
		{-1, 0}, {0, 0}, {10*minute - 1, 0}, {10 * minute, 10 * minute}, {30*minute - 1, 10 * minute}, {30 * minute, 30 * minute},
		{hour - 1, 30 * minute}, {hour, hour}, {2*hour - 1, hour}, {2 * hour, 2 * hour}, {72*hour + 5, 72 * hour},
	} {
		require.Equal(t, c[1], Passed(DefaultLooks, c[0]), c[0])
	}
	require.Zero(t, Passed(nil, hour))
	require.Zero(t, Passed([]Micros{0}, hour))
}
