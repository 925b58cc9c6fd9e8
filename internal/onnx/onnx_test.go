package onnx_test

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/onnx"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// inRuntime scores vectors in ONNX Runtime: a line of doubles in and two out for
// each, path and score.
const inRuntime = `
import sys, numpy, onnx, onnxruntime
file, vectors, out, columns = sys.argv[1:]
model = onnx.load(file)
onnx.checker.check_model(model, full_check=True)
assert {p.key for p in model.metadata_props} == {"model", "schema", "encoding"}
rows = numpy.fromfile(vectors).reshape(-1, int(columns))
session = onnxruntime.InferenceSession(file)
path, score = session.run(["path", "anomaly_score"], {"features": rows})
numpy.hstack([path, score]).tofile(out)
`

// threeDays are the connections of the shared three days.
func threeDays(t *testing.T) (connections []conn.Conn) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.Shared(t, "datasets/zeek-three-days"), "*", "conn.*.log.gz"))
	require.NoError(t, err)
	slices.Sort(files)
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		defer f.Close()
		z, err := gzip.NewReader(f)
		require.NoError(t, err)
		var row zeeklog.Row
		for r := zeeklog.NewReader(z, file); ; {
			if err := r.Read(&row); err == io.EOF {
				break
			} else {
				require.NoError(t, err)
			}
			connections = append(connections, row.Conn)
		}
	}
	return connections
}

func TestONNXRuntimeGivesTheSameBits(t *testing.T) {
	python := testenv.Python(t, "onnxruntime")
	testenv.Python(t, "onnx")
	connections := threeDays(t)
	for name, o := range map[string]learn.Options{"balanced": {Seed: 1}, "as in the paper": {Seed: 2, Sampling: learn.Uniform}} {
		next := 0
		m, _, err := learn.Fit(func(c *conn.Conn) error {
			if next == len(connections) {
				return io.EOF
			}
			*c, next = connections[next], next+1
			return nil
		}, o)
		require.NoError(t, err)

		// Of 200,000 rows half are real, the others real ones of which some values
		// lie on thresholds of the forest or just beside: of all values a third.
		const rows = 200_000
		rng := rand.New(rand.NewPCG(1, 2))
		p := m.Forest().Plain()
		var thresholds [feature.Places][]float32
		at := 0
		for _, f := range p.Feature {
			if int(f) < feature.Conn.N() {
				thresholds[f] = append(thresholds[f], p.Threshold[at])
				at++
			}
		}
		vectors := make([]feature.Vector, rows)
		hosts := feature.NewHosts(model.DefaultHosts)
		for i := range vectors {
			v := &vectors[i]
			if i < rows/2 {
				c := &connections[i]
				copy(v[:], stream.Of(m, &stream.Conn{Conn: c, Window: hosts.Observe(c)}).Vector())
				continue
			}
			*v = vectors[rng.IntN(rows/2)]
			for f := range v {
				if n := len(thresholds[f]); n > 0 && rng.IntN(3) < 2 {
					v[f] = thresholds[f][rng.IntN(n)]
					switch rng.IntN(4) {
					case 0:
						v[f] = math.Nextafter32(v[f], 100)
					case 1:
						v[f] = math.Nextafter32(v[f], -100)
					}
				}
			}
		}
		var raw []byte
		for i := range vectors {
			for _, x := range vectors[i][:feature.Conn.N()] {
				raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(float64(x)))
			}
		}
		dir := t.TempDir()
		file, err := onnx.Marshal(m)
		require.NoError(t, err)
		in, on, out := filepath.Join(dir, "vectors"), filepath.Join(dir, "m.onnx"), filepath.Join(dir, "scores")
		require.NoError(t, os.WriteFile(in, raw, 0o600))
		require.NoError(t, os.WriteFile(on, file, 0o600))
		said, err := exec.Command(python, "-c", inRuntime, on, in, out, "21").CombinedOutput()
		require.NoError(t, err, "%s", said)
		raw, err = os.ReadFile(out)
		require.NoError(t, err)
		require.Len(t, raw, rows*16)
		paths, scores := 0, 0
		for i := range vectors {
			path := m.Forest().MeanPath(vectors[i][:])
			if binary.LittleEndian.Uint64(raw[16*i:]) != math.Float64bits(path) {
				paths++
			}
			want := math.Round(m.Forest().Score(path)*1e4) / 1e4
			if binary.LittleEndian.Uint64(raw[16*i+8:]) != math.Float64bits(want) {
				scores++
			}
		}
		t.Logf("%s: of %d rows %d paths and %d scores differ", name, rows, paths, scores)
		require.Zero(t, paths+scores, name)
	}
}
