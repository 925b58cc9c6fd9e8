package model_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

func goldenBytes(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(vectorFile(t, trained))
	require.NoError(t, err)
	return data
}

func TestWriteReadsBack(t *testing.T) {
	m := goldenModel(t)
	var b bytes.Buffer
	require.NoError(t, m.Write(&b))
	require.Equal(t, goldenBytes(t), b.Bytes())
	again, err := model.Read(iotest.OneByteReader(&b))
	require.NoError(t, err)
	require.Equal(t, m.Summary(), again.Summary())
	require.Equal(t, m.Fingerprint(), again.Fingerprint())
	require.Len(t, m.Fingerprint(), 12)

	// Put together from its parts it is the same file.
	p := model.Parts{Summary: m.Summary(), Encoder: m.Encoder(), Forest: m.Forest(), Curve: m.Curve()}
	for i := range p.Usual {
		p.Usual[i] = m.Usual(i)
	}
	anew, err := model.New(p)
	require.NoError(t, err)
	b.Reset()
	require.NoError(t, anew.Write(&b))
	require.Equal(t, goldenBytes(t), b.Bytes())
}

func TestModelHoldsNoAddress(t *testing.T) {
	data := goldenBytes(t)
	for _, c := range goldenConns() {
		for _, a := range [][]byte{c.Orig.Addr().AsSlice(), c.Resp.Addr().AsSlice()} {
			if len(a) == 16 { // four bytes may stand there by chance
				require.False(t, bytes.Contains(data, a))
			}
		}
		require.False(t, bytes.Contains(data, []byte(c.Orig.Addr().String())))
	}
}

// reseal puts another body, or another version, under a header that is right.
func reseal(t testing.TB, version uint64, body []byte) []byte {
	var b bytes.Buffer
	sum := sha256.Sum256(body)
	enc := msgpack.NewEncoder(&b)
	require.NoError(t, errors.Join(enc.EncodeArrayLen(4), enc.EncodeString("zeek-iforest"), enc.EncodeUint(version), enc.EncodeBytes(sum[:]), enc.EncodeBytes(body)))
	return b.Bytes()
}

// body returns the body of a model file.
func body(t testing.TB, file []byte) []byte {
	dec := msgpack.NewDecoder(bytes.NewReader(file))
	_, err := dec.DecodeArrayLen()
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, dec.Skip())
	}
	b, err := dec.DecodeBytes()
	require.NoError(t, err)
	return b
}

func TestReadRefuses(t *testing.T) {
	good := goldenBytes(t)
	inner := body(t, good)
	require.Equal(t, good, reseal(t, 2, inner))
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, tc := range map[string]struct {
		file       []byte
		what, hint string
	}{
		"nothing":            {nil, "the file is empty", "train"},
		"another file":       {[]byte("#separator \\x09\n#fields\tts"), "not a zeek-iforest model", "train"},
		"half a header":      {good[:5], "truncated after 5 bytes", "copy it again"},
		"half a model":       {good[:len(good)/2], "truncated after", "copy it again"},
		"all but one byte":   {good[:len(good)-1], "truncated after", "copy it again"},
		"a byte too many":    {append(bytes.Clone(good), 0), "1 bytes too many at the end", "copy it again"},
		"a flipped bit":      {flipped, "checksum", "copy it again"},
		"a newer version":    {reseal(t, 3, inner), "model format 3, this program reads 2", "newer zeek-iforest"},
		"an older version":   {reseal(t, 0, inner), "model format 0, this program reads 2", "train the model anew"},
		"another schema":     {reseal(t, 2, bytes.Replace(inner, []byte(feature.Conn.ID), []byte("0123456789abcdef"), 1)), "features 0123456789abcdef", "train the model anew"},
		"another log":        {reseal(t, 2, bytes.Replace(inner, []byte("\xa4conn"), []byte("\xa4tea!"), 1)), `rows of "tea!.log"`, "another version"},
		"the version before": {reseal(t, 1, inner), "list of 7 items, want 6", "train"},
		"an empty body":      {reseal(t, 2, []byte{}), "what no training makes", "train"},
		"half a body":        {reseal(t, 2, inner[:len(inner)/2]), "what no training makes", "train"},
		"a body with a tail": {reseal(t, 2, append(bytes.Clone(inner), 0)), "too many at the end", "train"},
		"too large":          {append(good[:14:14], make([]byte, 64<<20)...), "larger than 64 MB", "train"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := model.Read(bytes.NewReader(tc.file))
			var f *model.FormatError
			require.ErrorAs(t, err, &f)
			require.Contains(t, err.Error(), tc.what)
			require.Contains(t, f.Hint, tc.hint)
		})
	}
}

func TestReadKeepsTheReadersError(t *testing.T) {
	_, err := model.Read(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(goldenBytes(t)))))
	require.ErrorIs(t, err, iotest.ErrTimeout)
}

// Whatever byte of a file is damaged, it is refused.
func TestEveryFlippedByteIsRefused(t *testing.T) {
	good := goldenBytes(t)
	data := bytes.Clone(good)
	for i := 0; i < len(data); i++ {
		if i > 200 && i%17 != 0 {
			continue // of the body every seventeenth
		}
		data[i] ^= 0x55
		_, err := model.Read(bytes.NewReader(data))
		var f *model.FormatError
		require.ErrorAs(t, err, &f, "byte %d", i)
		data[i] = good[i]
	}
}

// Where the checksum is right as well, a damaged body is refused or gives a
// model that scores without harm.
func TestDamagedBodies(t *testing.T) {
	good := body(t, goldenBytes(t))
	rows := goldenConns()[:50]
	data := bytes.Clone(good)
	refused := 0
	for i := 0; i < len(data); i += 61 {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			data[i] ^= flip
			m, err := model.Read(bytes.NewReader(reseal(t, 2, data)))
			if err != nil {
				var f *model.FormatError
				require.ErrorAs(t, err, &f, "byte %d", i)
				refused++
			} else {
				harmless(t, m, rows[:3])
			}
			data[i] = good[i]
		}
	}
	require.NotZero(t, refused)
}

// A length in the file cannot make us allocate more than the file is long.
func TestHostileLengths(t *testing.T) {
	for _, hostile := range [][]byte{
		{0x97, 0xc6, 0xff, 0xff, 0xff, 0xff},       // a schema of 4 GB
		{0x97, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x41}, // as a string
		{0xdd, 0xff, 0xff, 0xff, 0xff},             // a list of four thousand million
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := model.Read(bytes.NewReader(reseal(t, 2, hostile)))
		runtime.ReadMemStats(&after)
		require.Error(t, err)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	}
}

func harmless(t testing.TB, m *model.Model, rows []conn.Conn) {
	s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(10))
	for i := range rows {
		got, err := s.Next(row.Of(&rows[i]))
		require.NoError(t, err)
		require.True(t, got.Value >= 0 && got.Value <= 1)
		require.True(t, m.Rank(got.Path) > 0)
		got.Explain(3)
	}
}

func FuzzRead(f *testing.F) {
	good := body(f, goldenBytes(f))
	f.Add(good)
	f.Add(good[:100])
	rows := goldenConns()[298:304]
	before, err := os.ReadFile(vectorFile(f, old))
	require.NoError(f, err)
	f.Add(body(f, before))
	f.Fuzz(func(t *testing.T, data []byte) {
		for version := range uint64(2) {
			if m, err := model.Read(bytes.NewReader(reseal(t, version+1, data))); err == nil {
				harmless(t, m, rows)
			}
		}
		if m, err := model.Read(bytes.NewReader(data)); err == nil {
			harmless(t, m, rows)
		}
	})
}

func TestWriteFile(t *testing.T) {
	m, dir := goldenModel(t), t.TempDir()
	path := filepath.Join(dir, "site.model")
	require.NoError(t, m.WriteFile(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		require.NoError(t, os.Chmod(path, 0o640))
	}

	link := filepath.Join(dir, "current.model")
	require.NoError(t, os.Symlink(path, link))
	require.NoError(t, os.WriteFile(path, []byte("old"), 0))
	require.NoError(t, m.WriteFile(link), "through a link")
	again, err := model.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, m.Fingerprint(), again.Fingerprint())
	if runtime.GOOS != "windows" {
		info, err = os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "the mode stays")
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "no temporary file stays")

	require.ErrorIs(t, m.WriteFile(filepath.Join(dir, "missing", "x")), os.ErrNotExist)
	require.Error(t, m.WriteFile(dir), "a directory")
}

func TestReadFileNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broken.model")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	_, err := model.ReadFile(path)
	require.True(t, strings.HasPrefix(err.Error(), path), err)
	_, err = model.ReadFile(filepath.Dir(path))
	require.Error(t, err, "a directory")
}

type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestWriteReportsAFullDisk(t *testing.T) {
	require.ErrorIs(t, goldenModel(t).Write(&failing{1000}), io.ErrShortWrite)
}

// A forest grown elsewhere says so in the file, which no file of the first
// format can.
func TestForeignForestsSaySo(t *testing.T) {
	m, err := model.Read(bytes.NewReader(goldenBytes(t)))
	require.NoError(t, err)
	plain := m.Forest().Plain()
	plain.Average = forest.Estimated
	f, err := plain.Forest()
	require.NoError(t, err)
	p := model.Parts{Summary: m.Summary(), Encoder: m.Encoder(), Forest: f, Curve: m.Curve()}
	foreign, err := model.New(p)
	require.NoError(t, err)
	again, err := model.Read(bytes.NewReader(foreign.Bytes()))
	require.NoError(t, err)
	require.Equal(t, forest.Estimated, again.Forest().Average())
	require.Equal(t, f.AverageLength(), again.Forest().AverageLength())
	require.Less(t, f.AverageLength(), m.Forest().AverageLength())

	unknown := bytes.Replace(body(t, foreign.Bytes()), []byte{0x98, 1, 21}, []byte{0x98, 2, 21}, 1)
	_, err = model.Read(bytes.NewReader(reseal(t, 2, unknown)))
	require.ErrorContains(t, err, "unknown kind 2")
}
