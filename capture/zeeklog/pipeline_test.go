package zeeklog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

// manyRows is a log of n rows whose orig_pkts counts them.
func manyRows(n int) string {
	var text bytes.Buffer
	w, _ := NewWriter(&text, TSV, noTime)
	c := webConn
	for i := range n {
		c.OrigPkts = uint64(i)
		_ = w.Write(&c)
	}
	_ = w.Close(noTime)
	return text.String()
}

// inTurn checks that rows come in the order of the log.
func inTurn(t *testing.T, next *uint64) func(*Block) error {
	return func(blk *Block) error {
		for i := range blk.Rows {
			require.NoError(t, blk.Rows[i].Err)
			require.Equal(t, *next, blk.Rows[i].Conn.OrigPkts)
			*next++
		}
		return nil
	}
}

func asItIs(dst []byte, blk *Block) []byte {
	return NewAddColumns().Append(dst, blk, func(int, []Value) {})
}

func TestRunKeepsTheOrder(t *testing.T) {
	text := manyRows(20000)
	for _, workers := range []int{0, 1, 2, 7} {
		var out bytes.Buffer
		var next uint64
		var rendering atomic.Int32
		var parallel atomic.Bool
		err := NewBlocks(strings.NewReader(text), "conn.log").Run(context.Background(), &out, Steps{
			InOrder: inTurn(t, &next),
			Render: func(dst []byte, blk *Block) []byte {
				if rendering.Add(1) > 1 {
					parallel.Store(true)
				}
				defer rendering.Add(-1)
				time.Sleep(time.Duration(blk.line%3) * time.Millisecond)
				return asItIs(dst, blk)
			},
			Workers: workers,
		})
		require.NoError(t, err)
		require.EqualValues(t, 20000, next)
		require.True(t, text == out.String())
		if workers == 7 {
			require.True(t, parallel.Load())
		}
	}
}

func TestRunWithoutRender(t *testing.T) {
	var next uint64
	err := NewBlocks(strings.NewReader(manyRows(5000)), "conn.log").Run(context.Background(), nil, Steps{InOrder: inTurn(t, &next)})
	require.NoError(t, err)
	require.EqualValues(t, 5000, next)
}

// What came before the damage is written.
func TestRunOfDamagedInput(t *testing.T) {
	text := manyRows(5000)
	var next uint64
	var out bytes.Buffer
	in := io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF))
	err := NewBlocks(in, "conn.log").Run(context.Background(), &out, Steps{InOrder: inTurn(t, &next), Render: asItIs})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.EqualValues(t, 5000, next)
	require.True(t, text == out.String())
}

// A program that stops at a row still writes those before it.
func TestRunStopsAtARow(t *testing.T) {
	stop := errors.New("stop")
	var out bytes.Buffer
	err := NewBlocks(strings.NewReader(manyRows(20000)), "conn.log").Run(context.Background(), &out, Steps{
		InOrder: func(blk *Block) error {
			for i := range blk.Rows {
				if blk.Rows[i].Conn.OrigPkts == 1500 {
					blk.CutAt(i)
					return stop
				}
			}
			return nil
		},
		Render: asItIs,
	})
	require.ErrorIs(t, err, stop)
	require.True(t, manyRows(1500) == out.String())
}

func TestRunStopsWhenItCannotWrite(t *testing.T) {
	full, written := errors.New("no space left on device"), 0
	err := NewBlocks(strings.NewReader(manyRows(50000)), "conn.log").Run(context.Background(), writerFunc(func(p []byte) (int, error) {
		if written++; written == 3 {
			return 0, full
		}
		return len(p), nil
	}), Steps{InOrder: func(*Block) error { return nil }, Render: asItIs})
	require.ErrorIs(t, err, full)
	require.Equal(t, 3, written)
}

// Run ends although the pipe that it reads from gives nothing.
func TestRunIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in, feed := io.Pipe()
	defer feed.Close()
	go func() { _, _ = io.WriteString(feed, tsvHeader+webRow) }()
	err := NewBlocks(in, "conn.log").Run(ctx, io.Discard, Steps{
		InOrder: func(blk *Block) error {
			if len(blk.Rows) > 0 {
				cancel()
			}
			return nil
		},
		Render: asItIs,
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestRunOfNoLog(t *testing.T) {
	err := NewBlocks(strings.NewReader("hello\n"), "notes.txt").Run(context.Background(), io.Discard, Steps{})
	require.ErrorContains(t, err, "notes.txt:1: not a conn.log")
}
