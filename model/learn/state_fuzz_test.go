package learn

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// withPiece is a state file in which the content of one piece is replaced, and
// its checksum right.
func withPiece(good []byte, number int, content []byte) []byte {
	out := append([]byte(nil), good[:headSize]...)
	for data, n := good[headSize:], 0; len(data) > 0; n++ {
		size := pieceHead + int(binary.LittleEndian.Uint32(data[5:]))
		if n != number || data[0] == endPart {
			out = append(out, data[:size+4]...)
		} else {
			start := len(out)
			out = append(out, data[:5]...)
			out = binary.LittleEndian.AppendUint32(out, uint32(len(content)))
			out = append(out, content...)
			out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(out[start:], castagnoli))
		}
		data = data[size+4:]
	}
	return out
}

// Whatever stands in a piece whose checksum is right, the state is refused or
// learning goes on from it.
func FuzzRestore(f *testing.F) {
	o := Options{Warmup: 500, RebuildEvery: 700, Trees: 8}
	l, hosts := NewLearner(o), feature.NewHosts(10)
	learn := func(l *Learner, hosts *feature.Hosts, n int) {
		for i := range n {
			c := ordinary(i, 0)
			w := hosts.Observe(&c)
			var s model.Score
			if m := l.Model(); m != nil {
				s = m.ScoreRow(rowOf(&c, w))
			}
			l.Observe(rowOf(&c, w), s)
			_, _ = l.Step() // an error leaves the model in use
		}
	}
	_, err := l.SetLabels(LabelHeader + "\n-\t-\ttcp\t-\tSF\t0-100\t0-100\n")
	require.NoError(f, err)
	for i := range 3 {
		c := ordinary(i, 0)
		l.alerts.add(rowOf(&c, feature.Window{}))
		l.labelled.add(rowOf(&c, feature.Window{}).Cell, 0, &rowOf(&c, feature.Window{}).Sample)
	}
	require.NotEmpty(f, l.labelled.of)
	learn(l, hosts, 1080) // in the middle of a rebuild
	require.NotEqual(f, idle, l.rebuild.stage)
	path := filepath.Join(f.TempDir(), "state")
	s, err := l.Save(path, hosts, nil)
	require.NoError(f, err)
	require.NoError(f, s.Finish())
	good, err := os.ReadFile(path)
	require.NoError(f, err)
	require.Equal(f, good, withPiece(good, -1, nil))

	last := uint8(255)
	for data, n := good[headSize:], 0; len(data) > 0; n++ {
		size := pieceHead + int(binary.LittleEndian.Uint32(data[5:]))
		if data[0] != last { // the first piece of each part
			f.Add(uint8(n), data[pieceHead:size])
			last = data[0]
		}
		data = data[size+4:]
	}
	f.Fuzz(func(t *testing.T, number uint8, content []byte) {
		var hosts *feature.Hosts
		l, err := restore(withPiece(good, int(number), content), o, nil, func(states [][]byte) (err error) {
			hosts, err = feature.RestoreHosts(10, states...)
			return err
		})
		if err != nil {
			var fault *model.FormatError
			require.ErrorAs(t, err, &fault)
			return
		}
		l.due = min(l.due, l.past.rows+10)
		learn(l, hosts, 700)
	})
}
