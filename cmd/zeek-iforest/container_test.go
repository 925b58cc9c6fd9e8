package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

const containedLog = "#separator \\x09\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\tconn_state\n1.5\t10.0.0.1\t10.0.0.2\t80\ttcp\tSF\n"

func inUTF16(text string, first, second int) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		pair := [2]byte{byte(u), byte(u >> 8)}
		out = append(out, pair[first], pair[second])
	}
	return out
}

func tarred(t *testing.T, text string) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "conn.log", Mode: 0o600, Size: int64(len(text))}))
	_, err := io.WriteString(w, text)
	require.NoError(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

func zipped(t *testing.T, text string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.Create("conn.log")
	require.NoError(t, err)
	_, err = io.WriteString(f, text)
	require.NoError(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

// What is packed or encoded in a way that is not read is named, with the
// command that helps, whether it is a file or a pipe.
func TestContainersAreNamed(t *testing.T) {
	for _, tc := range []struct {
		name       string
		data       []byte
		want, hint string
	}{
		{"xz", []byte("\xfd7zXZ\x00\x00\x04\xe6"), "xz data", "xz -dc FILE | zeek-iforest … -"},
		{"lz4", []byte("\x04\x22\x4d\x18\x64\x40"), "lz4 data", "lz4 -dc FILE | zeek-iforest … -"},
		{"lz4 of kernels", []byte("\x02\x21\x4c\x18\x64\x40"), "lz4 (legacy) data", "lz4 -dc FILE"},
		{"compress", []byte("\x1f\x9d\x90abc"), "compress (.Z) data", "gzip -dc FILE"},
		{"lzip", []byte("LZIP\x01abc"), "lzip data", "lzip -dc FILE"},
		{"zip", zipped(t, containedLog), "zip data", "unzip FILE unpacks it; name the logs in it"},
		{"zip of nothing", []byte("PK\x05\x06\x00\x00"), "zip (empty) data", "unzip FILE"},
		{"7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04"), "7z data", "7z x FILE"},
		{"rar", []byte("Rar!\x1a\x07\x01\x00"), "rar data", "unrar x FILE"},
		{"tar", tarred(t, containedLog), "tar data", "tar -xf FILE unpacks it; name the logs in it"},
		{"tar in gzip", gzipped(t, string(tarred(t, containedLog))), "tar in gzip data", "tar -xf FILE unpacks it"},
		{"tar in zstd", zstandard(t, string(tarred(t, containedLog))), "tar in zstd data", "tar -xf FILE unpacks it"},
		{"UTF-16 in gzip", gzipped(t, "\xff\xfe"+string(inUTF16(containedLog, 0, 1))), "UTF-16 in gzip data", "gzip -dc FILE | iconv -f UTF-16 -t UTF-8 - | zeek-iforest … -"},
		{"Parquet", []byte("PAR1\x15\x04"), "Parquet data", "read Parquet from a file"},
		{"SQLite", []byte("SQLite format 3\x00\x10\x00"), "SQLite data", "sqlite3 -header -csv FILE"},
		{"UTF-16 with a mark, little end first", append([]byte("\xff\xfe"), inUTF16(containedLog, 0, 1)...), "UTF-16 data", "iconv -f UTF-16 -t UTF-8 FILE"},
		{"UTF-16 with a mark, big end first", append([]byte("\xfe\xff"), inUTF16(containedLog, 1, 0)...), "UTF-16 data", "iconv -f UTF-16 -t UTF-8 FILE"},
		{"UTF-16 without a mark", inUTF16(containedLog, 0, 1), "UTF-16 data", "iconv -f UTF-16LE -t UTF-8 FILE"},
		{"UTF-16 of JSON", inUTF16(`{"ts":1}`, 1, 0), "UTF-16 data", "iconv -f UTF-16BE -t UTF-8 FILE"},
		{"UTF-16 of CSV", inUTF16("ts,uid\n", 0, 1), "UTF-16 data", "iconv -f UTF-16LE -t UTF-8 FILE"},
		{"UTF-32", []byte("\xff\xfe\x00\x00#\x00\x00\x00"), "UTF-32 data", "iconv -f UTF-32 -t UTF-8 FILE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "conn.log.packed")
			require.NoError(t, os.WriteFile(path, tc.data, 0o600))
			for name, file := range map[string]string{"-": "FILE", path: path} {
				_, err := openInput(name, bytes.NewReader(tc.data))
				require.EqualError(t, err, displayName(name)+": "+tc.want+", which is not read here")
				var h *hintError
				require.ErrorAs(t, err, &h)
				require.Contains(t, h.hint, strings.ReplaceAll(tc.hint, "FILE", file))
			}
		})
	}
}

// Text that begins like a container, and what is too short for one, is text.
func TestNoContainers(t *testing.T) {
	for _, text := range []string{"PAR", "t", "BZh", "BZhx\n", "LZIP\n", "\x00", "\xff", "ustar", "\xef\xbb\xbf#fields\n", strings.Repeat("x", 257) + "usta"} {
		in, err := openInput("-", strings.NewReader(text))
		require.NoError(t, err, "%q", text)
		got, err := io.ReadAll(in)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
}

// A pipe is not waited for longer than it takes to have its first bytes.
func TestShortPipe(t *testing.T) {
	r, w := io.Pipe()
	go io.WriteString(w, "#fields\n")
	in, err := openInput("-", r)
	require.NoError(t, err)
	line := make([]byte, 8)
	_, err = io.ReadFull(in, line)
	require.NoError(t, err)
	require.Equal(t, "#fields\n", string(line))
}

// bzip2Log is containedLog, packed by bzip2 1.0.8.
const bzip2Log = "QlpoOTFBWSZTWe8s28YAAAhfgAAwSAFyYAEACASv5dxAIABUNRpNHp6o00ANB6g1Mk2iZGhoGnqaaQfBVtUNybPTq2YQMl2yhigFyTYGCfwe66j4rzQ/nMibRFYeC5zR3vqWfpbCWAUqyhKHqigkmT0b8XckU4UJDvLNvGA="

func TestBzip2Input(t *testing.T) {
	data, err := base64.StdEncoding.DecodeString(bzip2Log)
	require.NoError(t, err)
	read := func(data []byte) (string, error) {
		in, err := openInput("-", bytes.NewReader(data))
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		return string(text), err
	}
	text, err := read(data)
	require.NoError(t, err)
	require.Equal(t, containedLog, text)
	text, err = read(append(bytes.Clone(data), data...)) // as pbzip2 writes it
	require.NoError(t, err)
	require.Equal(t, containedLog+containedLog, text)
	_, err = read(data[:len(data)-3])
	require.ErrorContains(t, err, "the bzip2 data is cut off")
	flipped := bytes.Clone(data)
	flipped[len(data)/2] ^= 0xff
	_, err = read(flipped)
	require.ErrorContains(t, err, "the bzip2 data is damaged")
}

// Zero bytes behind a gzip member are padding, as for gzip; anything else is
// damage.
func TestGzipPadding(t *testing.T) {
	one := gzipped(t, containedLog)
	pad := func(n int) []byte { return make([]byte, n) }
	for name, tc := range map[string]struct {
		data []byte
		want string
		err  string
	}{
		"one zero":              {append(bytes.Clone(one), 0), containedLog, ""},
		"a block of zeros":      {append(bytes.Clone(one), pad(100_000)...), containedLog, ""},
		"zeros between members": {append(append(bytes.Clone(one), pad(512)...), one...), containedLog + containedLog, ""},
		"empty members":         {bytes.Repeat(gzipped(t, ""), 1000), "", ""},
		"something else":        {append(bytes.Clone(one), "xyz and more bytes"...), containedLog, "the gzip data is damaged"},
		"half a header":         {append(bytes.Clone(one), 0x1f), containedLog, "the gzip data is cut off"},
		"cut in the checksum":   {one[:len(one)-6], containedLog, "the gzip data is cut off"},
		"a wrong checksum":      {append(bytes.Clone(one[:len(one)-8]), pad(8)...), containedLog, "the gzip data is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := openInput("-", bytes.NewReader(tc.data))
			require.NoError(t, err)
			text, err := io.ReadAll(in)
			require.Equal(t, tc.want, string(text))
			if tc.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.err)
			}
		})
	}
}

// What follows compressed data is named, zeros are padding, and data packed
// twice is named.
func TestTrailingData(t *testing.T) {
	dir := t.TempDir()
	packed := map[string][]byte{}
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	z, err := zstd.NewWriter(&zst)
	require.NoError(t, err)
	_, err = io.WriteString(g, containedLog)
	_, zerr := io.WriteString(z, containedLog)
	require.NoError(t, errors.Join(err, zerr, g.Close(), z.Close()))
	packed["gzip"], packed["zstd"] = gz.Bytes(), zst.Bytes()
	if bzip2, err := base64.StdEncoding.DecodeString(bzip2Log); err == nil {
		packed["bzip2"] = bzip2
	}
	for format, data := range packed {
		for _, tc := range []struct{ behind, want string }{
			{"", ""}, {strings.Repeat("\x00", 512), ""}, {strings.Repeat("\x00", 5), ""}, {string(data), ""},
			{"garbage", "is damaged: something else follows it"},
		} {
			path := filepath.Join(dir, "log")
			require.NoError(t, os.WriteFile(path, append(bytes.Clone(data), tc.behind...), 0o600))
			in, err := openInput(path, nil)
			require.NoError(t, err)
			text, err := io.ReadAll(in)
			in.Close()
			require.True(t, bytes.HasPrefix(text, []byte(containedLog[:20])), format)
			if tc.want == "" {
				require.NoError(t, err, "%s %q", format, tc.behind)
			} else {
				require.ErrorContains(t, err, "the "+format+" data "+tc.want)
			}
		}
	}
	var twice bytes.Buffer
	g = gzip.NewWriter(&twice)
	_, err = g.Write(packed["zstd"])
	require.NoError(t, errors.Join(err, g.Close()))
	path := filepath.Join(dir, "twice")
	require.NoError(t, os.WriteFile(path, twice.Bytes(), 0o600))
	_, err = openInput(path, nil)
	require.ErrorContains(t, err, "zstd in gzip data, which is not read here")
}
