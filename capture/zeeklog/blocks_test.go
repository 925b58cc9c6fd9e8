package zeeklog

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// However the log arrives, the rows are the same.
func TestShortReads(t *testing.T) {
	text := tsvHeader + webRow + "#close\tx\n" + tsvHeader + udpRow + "bad\n" + webRow
	for name, r := range map[string]io.Reader{
		"one byte":  iotest.OneByteReader(strings.NewReader(text)),
		"halves":    iotest.HalfReader(strings.NewReader(text)),
		"EOF early": iotest.DataErrReader(strings.NewReader(text)),
	} {
		t.Run(name, func(t *testing.T) {
			conns, bad, err := readAll(r)
			require.NoError(t, err)
			require.Equal(t, []conn.Conn{webConn, udpConn, webConn}, conns)
			require.Len(t, bad, 1)
			require.Equal(t, 18, bad[0].Line)
		})
	}
}

// A row is there as soon as its line is, however long the next one takes.
func TestRowBeforeTheNext(t *testing.T) {
	in, out := io.Pipe()
	go func() {
		_, _ = io.WriteString(out, tsvHeader+webRow+"1210953060.0000")
	}()
	var row Row
	require.NoError(t, NewReader(in, "conn.log").Read(&row))
	require.Equal(t, webConn, row.Conn)
}

func TestDamagedInput(t *testing.T) {
	damage := errors.New("unexpected EOF")
	conns, bad, err := readAll(io.MultiReader(strings.NewReader(tsvHeader+webRow+udpRow+webRow[:70]), iotest.ErrReader(damage)))
	require.Equal(t, []conn.Conn{webConn, udpConn}, conns)
	require.Empty(t, bad)
	require.ErrorIs(t, err, damage)
	require.EqualError(t, err, "conn.log: after line 9: unexpected EOF")
}

func TestReaderKeepsItsError(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader(tsvHeader+webRow), iotest.ErrReader(io.ErrClosedPipe)), "conn.log")
	var row Row
	require.NoError(t, r.Read(&row))
	require.ErrorIs(t, r.Read(&row), io.ErrClosedPipe)
	require.ErrorIs(t, r.Read(&row), io.ErrClosedPipe)
}

// A line beyond the limit is one bad row, and memory stays bounded.
func TestLongLine(t *testing.T) {
	for _, length := range []int{MaxLine - 1, MaxLine, MaxLine + 1, 2 * MaxLine, 10 << 20} {
		for _, end := range []string{"\n", "\r\n"} {
			long := strings.Repeat("x", length) + end
			b := NewBlocks(strings.NewReader(tsvHeader+webRow+long+udpRow), "conn.log")
			parser, blk := NewParser(), new(Block)
			var rows []Row
			var text strings.Builder
			for {
				err := b.Next(blk)
				if err == io.EOF {
					break
				}
				require.NoError(t, err)
				parser.Parse(blk)
				rows = append(rows, blk.Rows...)
				text.WriteString(blk.text)
				require.LessOrEqual(t, len(blk.text), MaxLine+2*blockSize)
			}
			require.True(t, text.String() == tsvHeader+webRow+long+udpRow, "text changed")
			require.LessOrEqual(t, len(b.buf), 2*MaxLine)
			require.Len(t, rows, 3)
			require.Equal(t, webConn, rows[0].Conn)
			require.Error(t, rows[1].Err)
			require.Equal(t, 9, rows[1].Line)
			if length > MaxLine {
				require.EqualError(t, rows[1].Err, "conn.log:9: the line is longer than 1048576 bytes")
			}
			require.Equal(t, udpConn, rows[2].Conn)
			require.Equal(t, 10, rows[2].Line)
		}
	}
}

func TestLongLineAtTheEnd(t *testing.T) {
	for _, length := range []int{MaxLine, MaxLine + 5, 3*MaxLine + 7} {
		conns, bad := readText(t, webObject+strings.Repeat("x", length))
		require.Equal(t, []conn.Conn{webConn}, conns)
		require.Len(t, bad, 1)
		require.Equal(t, 2, bad[0].Line)
	}
	_, _, err := readAll(strings.NewReader(strings.Repeat("x", 10<<20)))
	require.EqualError(t, err, "conn.log:1: not a conn.log: its first line is longer than 1048576 bytes")
}

// A row as long as the limit allows is read like any other.
func TestLongRow(t *testing.T) {
	row := strings.Replace(webObject, `{"ts"`, `{"note":"`+strings.Repeat("x", MaxLine-1000)+`","ts"`, 1)
	conns, bad := readText(t, udpObject+row+udpObject)
	require.Empty(t, bad)
	require.Equal(t, []conn.Conn{udpConn, webConn, udpConn}, conns)
}
