package zeeklog

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// realLogs calls f with the beginnings of conn.logs that Zeek wrote: the
// project's own, and those beside the repository where they are there.
func realLogs(f func(text string)) {
	const (
		longest = 3 << 10
		most    = 60
	)
	n := 0
	for _, root := range []string{
		filepath.Join("..", "..", "testdata", "pcaps"),
		filepath.Join("..", "..", "testdata", "vectors"),
		filepath.Join("..", "..", "..", "shared", "zeek-traces", "expected", "default"),
	} {
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".log" || n == most {
				return nil // seeds are welcome, not needed
			}
			if text, err := os.ReadFile(path); err == nil {
				text = text[:min(len(text), longest)]
				f(string(text[:strings.LastIndexByte(string(text), '\n')+1]))
				n++
			}
			return nil
		})
	}
}

// FuzzTail: a log that comes in three pieces, whatever is in it, is read like
// the whole log, also by one who was stopped and started between the pieces.
func FuzzTail(f *testing.F) {
	realLogs(func(text string) { f.Add(text, uint16(len(text)/3), uint16(len(text)/2), len(text)%2 == 0) })
	f.Add(tsvHeader+webRow+udpRow, uint16(900), uint16(901), true)
	f.Add(webObject+udpObject, uint16(10), uint16(500), true)
	f.Fuzz(func(t *testing.T, text string, first, second uint16, restart bool) {
		text = text[:strings.LastIndexByte(text, '\n')+1] // a line that is not complete waits
		if strings.IndexByte(text, 0) >= 0 {
			return // a hole, which is skipped here alone
		}
		conns, bad, err := readAll(strings.NewReader(text))
		if err != nil {
			return
		}
		from := min(int(first), len(text))
		to := min(max(int(second), from), len(text))
		l := follow(t)
		file, err := os.Create(l.path("conn.log"))
		require.NoError(t, err)
		defer file.Close()
		for _, piece := range []string{text[:from], text[from:to], text[to:]} {
			_, err := file.WriteString(piece)
			require.NoError(t, err)
			l.read()
			if restart {
				saved, err := json.Marshal(l.tail.Position())
				require.NoError(t, err)
				var p Position
				require.NoError(t, json.Unmarshal(saved, &p))
				l.restart(&p)
			}
		}
		defer l.tail.Close()
		require.Empty(t, l.warned)
		var want []string
		for i := range conns {
			want = append(want, conns[i].UID)
		}
		require.Equal(t, want, l.uids)
		require.Equal(t, len(bad), l.bad)
	})
}
