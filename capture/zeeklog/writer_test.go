package zeeklog

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// write writes connections without #open and #close.
func write(t testing.TB, format Format, conns ...conn.Conn) string {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, format, noTime)
	require.NoError(t, err)
	for i := range conns {
		require.NoError(t, w.Write(&conns[i]))
	}
	require.NoError(t, w.Close(noTime))
	return out.String()
}

func TestWriter(t *testing.T) {
	require.Equal(t, tsvHeader+webRow+udpRow, write(t, TSV, webConn, udpConn))
	require.Equal(t, webObject+udpObject, write(t, JSON, webConn, udpConn))
	require.Equal(t, tsvHeader, write(t, TSV))
	require.Empty(t, write(t, JSON))
	_, err := NewWriter(nil, CSV, noTime)
	require.Error(t, err)
}

func TestWriterWithColumns(t *testing.T) {
	columns := []Column{scoreColumn, {"anomaly_rank", "count"}, {"anomaly_reason", "string"}}
	values := []Value{Double(0.5), Count(12000), Text("a\tb")}
	for format, log := range map[Format]string{TSV: tsvHeader + webRow + udpRow, JSON: webObject + udpObject} {
		var out bytes.Buffer
		w, err := NewWriter(&out, format, noTime, columns...)
		require.NoError(t, err)
		require.NoError(t, w.Write(&webConn, values...))
		require.NoError(t, w.Write(&udpConn, Value{}, Value{}, Value{}))
		require.Error(t, w.Write(&udpConn))
		require.NoError(t, w.Close(noTime))
		require.Equal(t, addTo(t, log, columns, values), out.String(), "as AddColumns")
	}
}

func TestWriterTimes(t *testing.T) {
	var out bytes.Buffer
	w, err := NewWriter(&out, TSV, time.Date(2024, 4, 19, 0, 0, 1, 0, time.UTC))
	require.NoError(t, err)
	require.NoError(t, w.Close(time.Date(2024, 4, 19, 1, 2, 3, 0, time.UTC)))
	require.Contains(t, out.String(), "#path\tconn\n#open\t2024-04-19-00-00-01\n#fields\t")
	require.Contains(t, out.String(), "\n#close\t2024-04-19-01-02-03\n")
}

func TestWriterFails(t *testing.T) {
	full := errors.New("no space left on device")
	w, err := NewWriter(writerFunc(func([]byte) (int, error) { return 0, full }), TSV, noTime)
	require.NoError(t, err)
	for err == nil {
		err = w.Write(&webConn)
	}
	require.ErrorIs(t, err, full)
	require.NoError(t, w.Write(&webConn))
	require.ErrorIs(t, w.Close(noTime), full)
}

func TestWriterAllocations(t *testing.T) {
	for _, format := range []Format{TSV, JSON} {
		w, err := NewWriter(writerFunc(func(p []byte) (int, error) { return len(p), nil }), format, noTime, scoreColumn)
		require.NoError(t, err)
		c, value := webConn, Double(0.5443)
		require.NoError(t, w.Flush())
		for range 1000 {
			require.NoError(t, w.Write(&c, value))
		}
		require.Zero(t, testing.AllocsPerRun(1000, func() { _ = w.Write(&c, value) }), format.String())
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
