package model_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// The house is the same for rows of another log: here cups of tea, each with a
// name.
var tea = func() *feature.Set {
	s := feature.NewSet(feature.Set{
		Log: "tea", Rows: "cups",
		Features: []feature.Feature{
			{Name: "leaf", Field: "leaf", Unit: "rarity", Kind: feature.Rarity},
			{Name: "name", Field: "name", Unit: "rarity", Kind: feature.Rarity},
			{Name: "surprise of the name", Field: "name", Unit: "bits a character", Kind: feature.Surprise},
			{Name: "length of the name", Field: "name", Unit: "characters", Kind: feature.Amount},
			{Name: "cups", Field: "guest", Unit: "in five minutes", Kind: feature.Count},
		},
		Codes:     []feature.Coded{{Feature: 0, Below: 8, Most: 8, Number: func(code uint64) string { return fmt.Sprint("leaf ", code) }}, {Feature: 1, Most: 100}},
		Text:      true,
		Beyond:    1 << 3,
		Constants: "hot",
	})
	model.AddSet(s)
	return s
}()

type cup struct {
	at    conn.Micros
	guest byte
	leaf  uint64
	name  string
}

// cups are n cups of tea; of them the last is odd.
func cups(n int) []cup {
	r := rand.New(rand.NewPCG(4, 4))
	rows := make([]cup, n)
	for i := range rows {
		rows[i] = cup{conn.Micros(i) * 1e6, byte(r.IntN(20)), uint64(r.IntN(3)), []string{"earl grey", "ceylon", "darjeeling", "assam"}[r.IntN(4)]}
	}
	rows[n-1].leaf, rows[n-1].name = 7, "q7zk2xw9v4x0x1qqzw"
	return rows
}

// pour makes rows of cups.
type pour struct {
	hosts  *feature.Hosts
	texts  *feature.Texts
	window feature.Window
}

func newPour() *pour { return &pour{hosts: feature.NewHosts(100), texts: feature.NewTexts()} }

func (p *pour) set(r *feature.Row, c *cup) {
	p.window = p.hosts.ObserveEvent(&feature.Event{Host: [16]byte{15: c.guest}, End: c.at, Peer: feature.KeyOf(c.leaf)})
	code := p.texts.Code(c.name)
	*r = feature.Row{
		TS: c.at, Cold: p.window.Cold, Host: uint32(c.guest) + 1,
		Cell: feature.Hash(c.leaf, code), Chance: feature.Hash(uint64(c.at)),
	}
	r.Codes = [feature.MaxCodes]uint64{c.leaf, code}
	r.Text.Set(c.name)
	r.Vector[3] = feature.LogCount(uint64(len(c.name)))
	r.Vector[4] = feature.LogCount(uint64(p.window.Connections))
}

// cupRecord is a row of the log on its way through a stream.
type cupRecord struct {
	*pour
	cup
	row feature.Row
}

func (c *cupRecord) Check() error          { return nil }
func (c *cupRecord) Observe()              { c.pour.set(&c.row, &c.cup) }
func (c *cupRecord) Peek()                 { panic("no cup is half drunk") }
func (c *cupRecord) Encode(r *feature.Row) { *r = c.row }
func (c *cupRecord) Subject() *conn.Conn   { return &conn.Conn{TS: c.at} }
func (c *cupRecord) AppendValue(dst []byte, e *feature.Encoder, i int) []byte {
	switch i {
	case 0:
		return e.AppendRarity(fmt.Appendf(dst, "%d", c.leaf), e.Rarity(0, c.row.Codes[0]))
	case 1:
		return e.AppendRarity(append(dst, c.name...), e.Rarity(1, c.row.Codes[1]))
	case 2:
		return e.Set().AppendEncoded(dst, i, e.Surprise(c.name))
	default:
		return e.Set().AppendEncoded(dst, i, c.row.Vector[i])
	}
}

func fitCups(t *testing.T, rows []cup, o learn.Options) *model.Model {
	t.Helper()
	o.Set = tea
	p, n := newPour(), 0
	m, report, err := learn.FitRows(func(r *feature.Row) error {
		if n == len(rows) {
			return io.EOF
		}
		p.set(r, &rows[n])
		n++
		return nil
	}, o)
	require.NoError(t, err)
	require.Equal(t, uint64(len(rows)), report.Rows)
	return m
}

func TestModelOfAnotherLog(t *testing.T) {
	rows := cups(3000)
	m := fitCups(t, rows[:2999], learn.Options{Seed: 2})
	require.Same(t, tea, m.Set())
	require.Same(t, tea, model.SetOf("tea"))
	require.Nil(t, model.SetOf("coffee"))
	var file bytes.Buffer
	require.NoError(t, m.Write(&file))
	again, err := model.Read(bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	require.Equal(t, m.Fingerprint(), again.Fingerprint())
	require.Equal(t, file.Bytes(), fitCups(t, rows[:2999], learn.Options{Seed: 2}).Bytes(), "the same rows, the same bytes")

	of := stream.Stream{Model: m}
	var batch stream.Batch
	batch.Reset(again)
	var scores []model.Score
	p := newPour()
	record := &cupRecord{pour: p}
	for i := range rows {
		record.cup = rows[i]
		scored, err := of.Next(record)
		require.NoError(t, err)
		require.Equal(t, scored.Score, m.ScoreRow(of.Row()))
		require.Equal(t, scored.Score, again.ScoreRow(of.Row()))
		kept := *record
		batch.Add(&kept)
		scores = append(scores, scored.Score)
	}
	for i, s := range scores {
		require.Equal(t, s, batch.Scored(i).Score)
	}
	last := scores[len(scores)-1]
	for i, s := range scores[:len(scores)-1] {
		require.True(t, s.Value < last.Value || i < 300, "cup %d: guests have their first minutes", i)
	}

	scored := of.Score(record)
	why := scored.Explain(0)
	require.Len(t, why, 5)
	sum := 0.0
	for _, w := range why {
		sum += w.Credit
	}
	require.Equal(t, m.Forest().AverageLength()-last.Path, sum)
	reason := string(scored.AppendReason(nil))
	require.Equal(t, model.ReasonText(tea, why), reason)
	require.Contains(t, reason, "surprise of the name 6.2 bits a character, usually under 1.7 bits a character")
	require.Contains(t, reason, "leaf 7, never seen")
	text := make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		text = of.Score(record).AppendReason(text[:0])
	}))
}

// A sensor of another log learns, is saved and goes on, and a cluster's batches
// teach the same.
func TestLearnerOfAnotherLog(t *testing.T) {
	rows := cups(6000)
	o := learn.Options{Set: tea, Seed: 2, Warmup: 500, RebuildEvery: 900, Trees: 40}
	want := fitCups(t, rows, learn.Options{Seed: 2, Warmup: 500, RebuildEvery: 900, Trees: 40, AsSensor: true})

	p, l, packed := newPour(), learn.NewLearner(o), learn.NewLearner(o)
	batch, reader := learn.NewBatch(tea), learn.NewBatchReader(tea)
	path := filepath.Join(t.TempDir(), "state")
	r := new(feature.Row)
	random := rand.New(rand.NewPCG(1, 1))
	promoted := 0
	for i := range rows {
		p.set(r, &rows[i])
		require.NoError(t, tea.CheckSample(&r.Sample))
		batch.Add(r)
		m, err := l.Take(r)
		require.NoError(t, err)
		if m != nil {
			promoted++
		}
		if batch.Full() || i == len(rows)-1 {
			require.NoError(t, reader.Read(batch.Bytes(), func(r *feature.Row) { _, err = packed.Take(r) }))
			require.NoError(t, err)
			batch.Reset()
		}
		if random.IntN(200) == 0 {
			s, err := l.Save(path, p.hosts, nil)
			require.NoError(t, err)
			require.NoError(t, s.Finish())
			l, err = learn.RestoreRows(path, o, nil, func(states [][]byte) (err error) {
				p.hosts, err = feature.RestoreHosts(100, states...)
				return err
			})
			require.NoError(t, err)
		}
	}
	require.Greater(t, promoted, 3)
	require.Equal(t, want.Fingerprint(), l.Model().Fingerprint())
	require.Equal(t, want.Fingerprint(), packed.Model().Fingerprint())

	_, err := learn.RestoreRows(path, learn.Options{Trees: 40}, nil, func([][]byte) error { return nil })
	var format *model.FormatError
	require.ErrorAs(t, err, &format, "a sensor of conn.log does not go on with it")
	require.Error(t, learn.NewBatchReader(feature.Conn).Read(batch.Bytes(), func(*feature.Row) {}))
}
