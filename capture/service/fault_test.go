package service

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// However many connections are announced, so many are remembered; announcements
// that are over make room.
func TestAnnouncedConnectionsAreLimited(t *testing.T) {
	tracker := NewTracker()
	const life = conn.Micros(300e6)
	announce := func(i int, now conn.Micros) {
		resp := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 16), byte(i >> 24)}), uint16(i))
		tracker.schedule(netip.Addr{}, resp, true, ftpData, now, life)
	}
	for i := range 3 * maxExpected {
		announce(i, 1)
	}
	require.Len(t, tracker.due, maxExpected)
	require.LessOrEqual(t, len(tracker.expected), maxExpected)
	for i := range 100 {
		announce(i, 2+life)
	}
	require.Len(t, tracker.due, 100)
	require.Len(t, tracker.expected, 100)
}
