package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func zstandard(t *testing.T, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return w.EncodeAll([]byte(text), nil)
}

func TestOpenInput(t *testing.T) {
	text := strings.Repeat("all that Zeek saw\n", 5000)
	skippable := []byte{0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'}
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"plain":                {[]byte(text), text},
		"empty":                {nil, ""},
		"three bytes":          {[]byte("abc"), "abc"},
		"gzip":                 {gzipped(t, text), text},
		"two gzip members":     {append(gzipped(t, text), gzipped(t, "x")...), text + "x"},
		"empty gzip":           {gzipped(t, ""), ""},
		"zstd":                 {zstandard(t, text), text},
		"two zstd frames":      {append(zstandard(t, text), zstandard(t, "x")...), text + "x"},
		"zstd behind metadata": {append(skippable, zstandard(t, text)...), text},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "conn.log")
			require.NoError(t, os.WriteFile(path, tc.data, 0o600))
			for from, in := range map[string]func() (io.ReadCloser, error){
				"file":  func() (io.ReadCloser, error) { return openInput(path, nil) },
				"stdin": func() (io.ReadCloser, error) { return openInput("-", bytes.NewReader(tc.data)) },
			} {
				r, err := in()
				require.NoError(t, err, from)
				got, err := io.ReadAll(r)
				require.NoError(t, err, from)
				require.Equal(t, tc.want, string(got), from)
				require.NoError(t, r.Close(), from)
			}
		})
	}
}

// A compressed log that is cut off gives every row up to there, then says so.
func TestCutOffInput(t *testing.T) {
	var log strings.Builder
	log.WriteString("#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\tconn_state\n")
	for i := range 20000 {
		log.WriteString(strings.Repeat("0", i%7) + "1.5\t10.0.0.1\t10.0.0.2\t80\ttcp\tSF\n")
	}
	for format, data := range map[string][]byte{"gzip": gzipped(t, log.String()), "zstd": zstandard(t, log.String())} {
		for _, left := range []int{len(data) - 1, len(data) / 2} {
			in, err := openInput("-", bytes.NewReader(data[:left]))
			require.NoError(t, err)
			r, rows := zeeklog.NewReader(in, "conn.log."+format), 0
			var row zeeklog.Row
			for err = r.Read(&row); err == nil; err = r.Read(&row) {
				rows++
			}
			require.ErrorContains(t, err, "the "+format+" data is cut off")
			if format == "gzip" {
				require.Greater(t, rows, 20000*left/len(data)*9/10)
			}
		}
	}
}

func TestUnreadableInput(t *testing.T) {
	dir := t.TempDir()
	_, err := openInput(dir, nil)
	require.ErrorContains(t, err, dir+" is a directory")
	_, err = openInput(filepath.Join(dir, "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = openInput("-", bytes.NewReader([]byte{0x1f, 0x8b, 8}))
	require.ErrorContains(t, err, "standard input: the gzip data is cut off")
	_, err = openInput("-", bytes.NewReader([]byte{0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0}))
	require.ErrorContains(t, err, "standard input: the gzip data is damaged")

	data := gzipped(t, strings.Repeat("row\n", 9000))
	data[len(data)/2] ^= 0xff
	r, err := openInput("-", bytes.NewReader(data))
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	require.ErrorContains(t, err, "the gzip data is damaged")
}
