package capture

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// idling is a capture that comes slowly from a packet on.
type idling struct {
	file  *File
	from  int
	gap   time.Duration
	n     int
	later time.Duration
}

func (s *idling) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	data, info, err := s.file.ReadPacketData()
	if s.n++; s.n > s.from {
		s.later += s.gap
	}
	info.Timestamp = info.Timestamp.Add(s.later)
	return data, info, err
}

// looksOf reads all rows, those of finished connections and looks at others.
func looksOf(t *testing.T, name string, from int, gap time.Duration, ages []conn.Micros) (rows, looks []conn.Conn) {
	t.Helper()
	f, err := os.Open(filepath.Join(testenv.Root(t), "testdata", "pcaps", name))
	require.NoError(t, err)
	defer f.Close()
	file, err := NewFile(f)
	require.NoError(t, err)
	r := NewSourceReader(&idling{file: file, from: from, gap: gap}, file.LinkType(), Options{Looks: ages})
	for {
		var c conn.Conn
		if err := r.Read(&c); err == io.EOF {
			require.EqualValues(t, len(rows), r.Stats().Rows)
			return rows, looks
		} else {
			require.NoError(t, err)
		}
		if c.Look != 0 {
			looks = append(looks, c)
		} else {
			rows = append(rows, c)
		}
	}
}

func TestLooks(t *testing.T) {
	const gap = 50 * time.Minute // SSH may be idle for an hour
	plain, none := looksOf(t, "ssh.pcap", 75, gap, nil)
	require.Empty(t, none)
	rows, looks := looksOf(t, "ssh.pcap", 75, gap, conn.DefaultLooks)
	require.Equal(t, plain, rows, "the rows are what they are without")

	// The clock is that of the packets, so the first look comes with the first
	// packet behind the gap, and has passed 30 minutes then.
	var long conn.Conn
	for _, c := range rows {
		if c.Duration > hour {
			long = c
		}
	}
	age := conn.Micros(0)
	for i, c := range looks {
		require.Equal(t, long.UID, c.UID)
		if !strings.ContainsAny(c.History, "fF") {
			require.Equal(t, conn.S1, c.State)
		}
		require.Equal(t, "ssh", c.Service)
		require.True(t, c.Has(conn.Duration|conn.OrigBytes|conn.RespBytes))
		require.GreaterOrEqual(t, c.Duration, c.Look)
		require.Less(t, c.Duration-c.Look, hour)
		require.Greater(t, c.Look, age, "look %d", i)
		age = c.Look
		require.Less(t, c.OrigPkts+c.RespPkts, long.OrigPkts+long.RespPkts)
	}
	require.Equal(t, 30*minute, looks[0].Look)
	require.Equal(t, hour, looks[1].Look)
	require.Equal(t, conn.SF, long.State)
	require.Greater(t, len(looks), 10)
	require.Zero(t, age%hour)

	rows, _ = looksOf(t, "office-day.pcap", 1e6, 0, conn.DefaultLooks)
	plain, _ = looksOf(t, "office-day.pcap", 1e6, 0, nil)
	require.Equal(t, plain, rows)
}
