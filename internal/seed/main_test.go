package main

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func folders(t *testing.T) map[string]string {
	return map[string]string{"zeek": testenv.Shared(t, "zeek-traces", "pcaps"), "own": filepath.Join(testenv.Root(t), "testdata", "pcaps")}
}

// The committed seed is what the command makes, byte for byte.
func TestSeedCanBeMadeAgain(t *testing.T) {
	m, rows, err := makeSeed(folders(t), model.DefaultSeed)
	require.NoError(t, err)
	require.Equal(t, uint64(rows), m.Summary().Rows)
	committed, err := os.ReadFile(filepath.Join(testenv.Root(t), "model", "seed", "seed.model"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(committed, m.Bytes()), "go run ./internal/seed makes model/seed/seed.model anew")
}

// --list leaves out what the list does: a capture that is added to the folders
// needs a new list only where the seed shall learn from it.
func TestEachCaptureOfTheListIsOrdinary(t *testing.T) {
	var list strings.Builder
	require.NoError(t, listCaptures(&list, folders(t)))
	for line := range strings.Lines(captureList) {
		require.Contains(t, list.String(), line)
	}
}

// No address of the captures, nor of the people who play them, is in the model.
func TestSeedHoldsNoAddress(t *testing.T) {
	captures, err := readCaptures(folders(t))
	require.NoError(t, err)
	addresses := make(map[netip.Addr]bool)
	for _, rows := range append(captures, play(captures, model.DefaultSeed)) {
		for i := range rows {
			addresses[rows[i].Orig.Addr()], addresses[rows[i].Resp.Addr()] = true, true
		}
	}
	require.Greater(t, len(addresses), 300)
	file, err := os.ReadFile(filepath.Join(testenv.Root(t), "model", "seed", "seed.model"))
	require.NoError(t, err)
	for a := range addresses {
		if len(a.String()) > 3 { // "::" and "::1" are no host's
			require.False(t, bytes.Contains(file, []byte(a.String())), "%v as text", a)
		}
		b := a.As16()
		if a.IsGlobalUnicast() {
			require.False(t, bytes.Contains(file, b[:]), "%v in bytes", a)
		}
	}
}

func TestPlayGivesAllRowsInTheOrderOfALog(t *testing.T) {
	row := func(orig, resp string, at conn.Micros) conn.Conn {
		return conn.Conn{TS: at, Orig: netip.MustParseAddrPort(orig), Resp: netip.MustParseAddrPort(resp)}
	}
	short := []conn.Conn{row("192.0.2.1:5", "192.0.2.2:80", 1e6), row("192.0.2.2:6", "192.0.2.1:81", 3e6), row("[2001:db8::1]:7", "192.0.2.9:82", 4e6)}
	day := make([]conn.Conn, wholeDay)
	for i := range day {
		day[i] = row("192.0.2.7:5", "192.0.2.8:80", conn.Micros(i)*1e6)
	}
	site := play([][]conn.Conn{short, day}, 1)
	require.Len(t, site, plays*len(short)+len(day))
	for i := range site[1:] {
		require.LessOrEqual(t, site[i].End(), site[i+1].End())
	}
	for i := range site {
		switch c := &site[i]; c.Resp.Port() {
		case 80:
			require.Contains(t, []string{"10.1.0", "192.0."}, c.Orig.Addr().String()[:6], "a person, or a day as it is")
		case 81:
			require.Equal(t, "10.1.0", c.Resp.Addr().String()[:6], "a host that answers and asks is one host")
		case 82:
			require.True(t, c.Orig.Addr().Is6())
			require.Equal(t, "192.0.2.9", c.Resp.Addr().String(), "servers keep their addresses")
		}
	}
	require.Equal(t, site, play([][]conn.Conn{short, day}, 1), "nothing but the draw is random")
	require.NotEqual(t, site, play([][]conn.Conn{short, day}, 2))
}

func TestYearsWithinACaptureAreShortened(t *testing.T) {
	at := func(seconds ...conn.Micros) (rows []conn.Conn) {
		for _, s := range seconds {
			rows = append(rows, conn.Conn{TS: s * 1e6})
		}
		return rows
	}
	year := conn.Micros(365 * 24 * 3600)
	require.Equal(t, at(0, 10, 3600, 7200, 7201, 10801), shortened(at(10, 0, 3600, year, year+1, 3*year)))
}

func TestACaptureOfAnotherVersionIsAnError(t *testing.T) {
	_, err := readCaptures(map[string]string{"zeek": t.TempDir(), "own": t.TempDir()})
	require.ErrorContains(t, err, "is it another version?")
	require.ErrorContains(t, run(map[string]string{"zeek": ""}, "", 1, false), "--traces names")
}
