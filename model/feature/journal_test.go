package feature

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
)

// A state that was saved in pieces, between rows, and the journal since it was
// begun make the hosts again as they were: no row is missed, and none counts twice.
func TestJournalMakesUpForTheState(t *testing.T) {
	rows := traffic(8, 6000)
	for stop := 200; stop+500 < len(rows); stop += 1100 {
		h, j := NewHosts(100), new(Journal)
		for i := range rows[:stop] {
			h.Observe(&rows[i])
		}
		h.Keep(j)
		var state [][]byte
		at := stop
		for from := 0; from < h.Places(); from += 2 {
			state = append(state, h.AppendState(nil, from, 2))
			for range 3 {
				h.Observe(&rows[at])
				at++
			}
		}
		for range 100 {
			h.Observe(&rows[at])
			at++
		}
		restored, err := RestoreHosts(100, state...)
		require.NoError(t, err)
		require.Equal(t, at-stop, restored.Replay(j.Bytes()))
		require.Equal(t, at-stop, restored.Replay(j.Bytes()), "again: nothing")
		for i := at; i < len(rows); i++ {
			require.Equal(t, h.Observe(&rows[i]), restored.Observe(&rows[i]), "row %d after %d", i, stop)
		}
	}
}

// What a killed process left half written is not read, nor what is damaged.
func TestJournalIsReadUpToItsDamage(t *testing.T) {
	rows := traffic(8, 50)
	h, j := NewHosts(100), new(Journal)
	h.Keep(j)
	for i := range rows {
		h.Observe(&rows[i])
	}
	data := j.Bytes()
	require.Len(t, data, 50*journalRow)
	require.Equal(t, 49, NewHosts(100).Replay(data[:len(data)-1]))
	data[20*journalRow+7] ^= 1
	require.Equal(t, 20, NewHosts(100).Replay(data))
}

// The journal is kept without garbage.
func TestJournalDoesNotAllocate(t *testing.T) {
	rows := traffic(8, 2000)
	h, j := NewHosts(100), new(Journal)
	h.Keep(j)
	pass := func() {
		for i := range rows {
			h.Observe(&rows[i])
		}
		j.Reset()
	}
	pass()
	require.Zero(t, testing.AllocsPerRun(3, pass))
}

func FuzzReplay(f *testing.F) {
	rows := traffic(8, 5)
	h, j := NewHosts(100), new(Journal)
	h.Keep(j)
	for i := range rows {
		h.Observe(&rows[i])
	}
	f.Add(j.Bytes())
	f.Fuzz(func(t *testing.T, journal []byte) {
		for at := 0; at+journalRow <= len(journal); at += journalRow { // or nothing would be read
			binary.LittleEndian.PutUint32(journal[at+journalRow-4:], crc32.Checksum(journal[at:at+journalRow-4], castagnoli))
		}
		h := NewHosts(10)
		h.Replay(journal)
		for i := range rows {
			h.Observe(&rows[i])
		}
	})
}

func BenchmarkJournal(b *testing.B) {
	rows := traffic(8, 2000)
	for name, j := range map[string]*Journal{"without": nil, "with": new(Journal)} {
		b.Run(name, func(b *testing.B) {
			h := NewHosts(1000)
			h.Keep(j)
			for i := range b.N {
				h.Observe(&rows[i%len(rows)])
				if i%400 == 0 && j != nil {
					j.Reset()
				}
			}
		})
	}
}
