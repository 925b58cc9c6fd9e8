//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Frames whose checksums were right have right ones in another office, too.
func TestRenumber(t *testing.T) {
	captures, err := readCaptures("../../../testdata/pcaps")
	require.NoError(t, err)
	moved, v6 := 0, 0
	for _, frames := range captures {
		for _, original := range frames {
			frame := append([]byte(nil), original...)
			renumber(frame, 0x1234)
			at := 14
			if binary.BigEndian.Uint16(frame[12:]) == 0x8100 {
				at += 4
			}
			before, after := original[at:], frame[at:]
			switch binary.BigEndian.Uint16(frame[at-2:]) {
			case 0x0800:
				require.EqualValues(t, 0xffff, fold(sum(0, after[:20])))
				length := int(binary.BigEndian.Uint16(before[2:]))
				if before[9] != tcp || length > len(before) {
					continue
				}
				require.Equal(t, segmentSum(before[12:20], before[20:length]), segmentSum(after[12:20], after[20:length]))
			case 0x86dd:
				length := 40 + int(binary.BigEndian.Uint16(before[4:]))
				if before[6] != tcp || length > len(before) {
					continue
				}
				require.Equal(t, segmentSum(before[8:40], before[40:length]), segmentSum(after[8:40], after[40:length]))
				v6++
			default:
				continue
			}
			if !bytes.Equal(before, after) { // loopback.pcap has other addresses
				moved++
			}
		}
	}
	require.Greater(t, moved, 1000)
	require.Greater(t, v6, 10)
	frame := stranger(70000)
	require.EqualValues(t, 0xffff, segmentSum(frame[26:34], frame[34:]))
}

// segmentSum is 0xffff for a TCP segment with a right checksum.
func segmentSum(addresses, segment []byte) uint16 {
	if len(segment)%2 == 1 {
		segment = append(append([]byte(nil), segment...), 0)
		return fold(sum(sum(tcp+uint32(len(segment)-1), addresses), segment))
	}
	return fold(sum(sum(tcp+uint32(len(segment)), addresses), segment))
}

func TestReadRows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "conn.log")
	require.NoError(t, os.WriteFile(name, []byte("#separator \\x09\n#fields\tts\tanomaly_score\tanomaly_model\n"+
		"1\t-\t-\n2\t0.4\taaa\n3\t-\t-\n4\t0.5\tbbb\n5\t0."), 0o600))
	r, err := readRows(name)
	require.NoError(t, err)
	require.Equal(t, rows{all: 4, unscored: 2, unscoredBehind: 1, models: map[string]bool{"aaa": true, "bbb": true}, cutOff: true}, r)
}

func TestSaid(t *testing.T) {
	name := filepath.Join(t.TempDir(), "stderr")
	require.NoError(t, os.WriteFile(name, []byte("<command line>, line 3: listening on soak1\n\n"+
		"1700000000.5 warning in /x/model.zeek, lines 66-67: IForest: model 0123456789ab stays: /x/garbage.model: not a model\n"+
		"1700000001.5 warning in /x/main.zeek, line 1: IForest: something else\n"+
		"<command line>, line 3: 1000 packets received on interface soak1, 7 (0.70%) dropped, 1 (0.10%) not processed\n"), 0o600))
	surprises, refusals, received, lost, err := said(name)
	require.NoError(t, err)
	require.Equal(t, []string{"warning in /x/main.zeek, line 1: IForest: something else"}, surprises)
	require.Equal(t, [3]int{1, 1000, 7}, [3]int{refusals, received, lost})
}

// What is wrong is found.
func TestJudgement(t *testing.T) {
	at := func(learning, learnt, scored, noModel float64) counts {
		return counts{"learning": learning, "learnt": learnt, "scored": scored, "no_model": noModel}
	}
	first := []counts{at(1, 3000, 800, 2200), at(0, 0, 5000, 2200), at(1, 9000, 9000, 2200)}
	good := rows{all: 11200, unscored: 2200}
	life := func(sizes ...float64) *life {
		l := &life{}
		for _, size := range sizes {
			for range 24 {
				l.with = append(l.with, sample{resident: size})
			}
		}
		return l
	}

	var j judgement
	j.rows(0, false, good, first[2])
	require.Zero(t, j.learner(0, true, first))
	j.memory(0, life(1, 1, 2))
	j.rows(1, false, rows{all: 700}, at(1, 0, 700, 0))
	require.Equal(t, 8000.0, j.learner(1, false, []counts{at(1, 8100, 100, 0)}))
	j.memory(1, life(2, 2, 2))
	j.memory(2, life(2, 3, 2))
	require.Empty(t, j.faults)
	require.Equal(t, 1000.0, j.lost)

	for want, find := range map[string]func(*judgement){
		"life 1: 1 rows behind":          func(j *judgement) { j.rows(0, false, rows{all: 11200, unscored: 2200, unscoredBehind: 1}, first[2]) },
		"life 2: 3 rows are not scored,": func(j *judgement) { j.rows(1, false, rows{all: 9, unscored: 3}, at(1, 9, 6, 3)) },
		"life 1: 2200 rows are not":      func(j *judgement) { j.rows(0, false, good, at(1, 11200, 9001, 2199)) },
		"life 1: 11200 rows, but":        func(j *judgement) { j.rows(0, false, good, at(1, 11201, 9001, 2200)) },
		"life 1: 0 rows without":         func(j *judgement) { j.rows(0, false, rows{all: 9000}, at(1, 0, 9000, 0)) },
		"life 1: conn.log ends":          func(j *judgement) { j.rows(0, false, rows{all: 11200, unscored: 2200, cutOff: true}, first[2]) },
		"life 2: learning began":         func(j *judgement) { j.learner(0, false, first); j.learner(1, false, []counts{at(1, 8100, 100, 0)}) },
		"life 1: the learner went back":  func(j *judgement) { j.learner(0, false, []counts{at(1, 50, 50, 0), at(1, 40, 60, 0)}) },
		"life 1: it did not learn":       func(j *judgement) { j.learner(0, false, []counts{at(0, 0, 50, 0)}) },
		"life 2: the resident size grew": func(j *judgement) { j.memory(1, life(10, 10, 11)) },
		"life 3: the resident size is": func(j *judgement) {
			j.memory(0, life(1))
			j.memory(1, life(10))
			j.memory(2, life(11))
		},
	} {
		var j judgement
		find(&j)
		require.Len(t, j.faults, 1, "%q", j.faults)
		require.Contains(t, j.faults[0], want)
	}
}
