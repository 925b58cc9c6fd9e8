package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model"
)

// Scores of dns.log are made again of a recording, too, where a worker's sensor
// sampled its rows.
func TestScoresOfDNSAreMadeAgain(t *testing.T) {
	dir := t.TempDir()
	recording, log := filepath.Join(dir, "samples"), filepath.Join(dir, "dns.log")
	open := func() *sensor.Sensor {
		s, err := sensor.Open("dns", model.DefaultHosts)
		require.NoError(t, err)
		return s
	}
	worker, manager := open(), open()
	worker.Sample(sensor.Sampling{})
	require.NoError(t, manager.Learn(sensor.Learning{Seed: 5, Warmup: 300, RebuildEvery: 400, Recording: recording}))
	list := queriesOfZeek(2000)
	lines := strings.SplitAfter(strings.Replace(logOfZeek(t, list, false), "\tTTLs\n", "\tTTLs\tanomaly_score\tanomaly_model\n", 1), "\n")
	head := len(lines) - 1 - len(list)
	scored := 0
	for i := range list {
		with := "\t-\t-\n"
		if got, err := worker.ScoreValues(list[i].values(worker.Fields())); err == nil {
			with = fmt.Sprintf("\t%v\t%s\n", got.Score, worker.Model().Fingerprint())
			scored++
		} else {
			require.Equal(t, sensor.NoModel, sensor.StatusOf(err))
		}
		lines[head+i] = strings.Replace(lines[head+i], "\n", with, 1)
		for worker.News() > 0 {
			if worker.Event().Kind != sensor.Samples {
				continue
			}
			batch, _ := worker.Samples()
			require.NoError(t, manager.Take(batch))
			worker.TakeSamples()
			if m := manager.Model(); m != nil {
				require.NoError(t, worker.Adopt(manager.ModelFile(), m.Fingerprint()))
			}
		}
	}
	require.Greater(t, manager.Statistics().Learner.Promoted, 0)
	require.NoError(t, manager.Finish())
	require.NoError(t, os.WriteFile(log, []byte(strings.Join(lines, "")), 0o600))

	var stdout, stderr bytes.Buffer
	s := &session{Context: t.Context(), stdout: &stdout, stderr: &stderr}
	require.Zero(t, run(s, []string{"score", "--samples", recording, "--columns", "score,model", log}), stderr.String())
	lost := len(list) % 128 // not sent
	require.Contains(t, stderr.String(), fmt.Sprintf("%d are not in %s", lost, recording))
	require.Contains(t, stderr.String(), fmt.Sprintf("%d had none where they were written", len(list)-scored))
	again := strings.SplitAfter(stdout.String(), "\n")
	require.Equal(t, lines[:len(lines)-1-lost], again[:len(lines)-1-lost])
	require.Contains(t, again[len(lines)-2], "\t-\t-\n")

	stderr.Reset()
	require.Equal(t, exitNot, run(s, []string{"score", "--samples", recording, "--columns", "reason", log}))
	require.Contains(t, stderr.String(), "it is made again of conn.log only, not of dns.log")
}
