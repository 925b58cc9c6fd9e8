//go:build cgo

package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture"
	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// logRows reads a conn.log, and the anomaly_score of its rows where it is JSON
// and has one.
func logRows(t *testing.T, path string) (conns []conn.Conn, scores []float64) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	for r := zeeklog.NewReader(f, path); ; {
		var row zeeklog.Row
		err := r.Read(&row)
		if err == io.EOF {
			return conns, scores
		}
		require.NoError(t, err)
		var scored struct {
			Score *float64 `json:"anomaly_score"`
		}
		if json.Unmarshal([]byte(row.Raw), &scored) == nil && scored.Score != nil {
			scores = append(scores, *scored.Score)
		}
		c := row.Conn
		c.Service = strings.Clone(c.Service) // the reader uses its memory again
		conns = append(conns, c)
	}
}

// The vectors that Go, C and Zeek read alike (model/vectors_test.go makes them).
func TestHostGetsTheGoldenVectors(t *testing.T) {
	vectors := filepath.Join(testenv.Root(t), "testdata", "vectors")
	conns, want := logRows(t, filepath.Join(vectors, "conn.log"))
	require.NotEmpty(t, want)
	require.Len(t, conns, len(want))
	out, stderr, err := run(t, conns, library(t), filepath.Join(vectors, "vectors.model"))
	require.NoError(t, err, stderr)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, len(want))
	for i, line := range lines {
		fields := strings.Split(line, "\t")
		require.Equal(t, []string{"0", digits(want[i])}, fields[:2], "vector %d", i)
	}

	byValues, stderr, err := run(t, conns, "--values", library(t), filepath.Join(vectors, "vectors-2.model"))
	require.NoError(t, err, stderr)
	require.Equal(t, out, byValues, "as values of fields, by a model of the newer format")

	peeked, stderr, err := run(t, conns, "--peek", library(t), filepath.Join(vectors, "vectors.model"))
	require.NoError(t, err, stderr)
	require.Equal(t, out, peeked, "looked at before they end, and others too")
}

// Captures go through the library as they go through replay, while signals
// arrive: the same digits.
func TestHostReplaysCaptures(t *testing.T) {
	pcaps, err := filepath.Glob(filepath.Join(testenv.Root(t), "testdata", "pcaps", "*.pcap*"))
	require.NoError(t, err)
	office, _ := logRows(t, filepath.Join(testenv.Root(t), "testdata", "pcaps", "office-day.pcap.conn.log"))
	m, path := train(t, office, 1)
	replayed := 0
	for _, pcap := range pcaps {
		if strings.HasSuffix(pcap, ".log") {
			continue
		}
		f, err := os.Open(pcap)
		require.NoError(t, err)
		r, err := capture.NewReader(f, capture.Options{})
		require.NoError(t, err, pcap)
		var conns []conn.Conn
		for {
			var c conn.Conn
			if err := r.Read(&c); err == io.EOF {
				break
			} else {
				require.NoError(t, err, pcap)
			}
			conns = append(conns, c)
		}
		f.Close()
		want := goScores(t, &stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts)), conns)
		got, stderr, err := run(t, conns, "--storm", "5", library(t), path)
		require.NoError(t, err, stderr)
		require.Equal(t, want, got, pcap)
		replayed += len(conns)
	}
	t.Logf("%d connections", replayed)
	require.Greater(t, replayed, 600)
}
