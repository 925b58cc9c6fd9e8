package evaluate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func zipped(t testing.TB, text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestReadTable(t *testing.T) {
	want := &Table{
		Name:     "shuttle",
		Features: []string{"a", "b"},
		Rows:     []float32{1, -2.5, 3e10, 0},
		Labels:   []bool{false, true},
	}
	tests := []struct {
		name, text, label string
	}{
		{"last column", "a,b,label\n1,-2.5,0\n3e10,0,1\n", ""},
		{"named column", "a,attack,b\n1,0,-2.5\n3e10,1,0\n", "attack"},
		{"label as a float", "a,b,y\n1,-2.5,0.0\n3e10,0,1.0\n", ""},
		{"CRLF, spaces, quotes, no last newline, byte order mark", "\ufeffa, b ,label\r\n1 ,\"-2.5\",0\r\n3e10,0, 1", ""},
		{"gzip", zipped(t, "a,b,label\n1,-2.5,0\n3e10,0,1\n"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadTable(strings.NewReader(tt.text), "data/shuttle.csv.gz", tt.label)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.Equal(t, 1, got.Anomalies())
		})
	}
}

func TestReadTableSaysWhatIsWrongAndWhere(t *testing.T) {
	const header = "a,b,label\n1,2,0\n"
	tests := []struct {
		name, text, label, want string
	}{
		{"empty", "", "", "t.csv, line 1: empty: want a header and rows"},
		{"no rows", "a,b,label\n", "", "t.csv: no rows below the header"},
		{"no header", "1,2,0\n", "", `t.csv, line 1: no header: "1" is a number, want the columns' names`},
		{"one column", "label\n1\n", "", "t.csv, line 1: no column besides the label"},
		{"no such label", "a,b\n1,2\n", "attack", `t.csv, line 1: no column "attack" for the label, there are a, b`},
		{"label twice", "y,a,y\n1,2,0\n", "y", "t.csv, line 1, column y: the label's name stands twice"},
		{"word", header + "1,x,0\n", "", `t.csv, line 3, column b: "x", want a finite number`},
		{"NaN", header + "nan,1,0\n", "", `t.csv, line 3, column a: "nan", want a finite number`},
		{"too large", header + "1,1e39,0\n", "", `t.csv, line 3, column b: "1e39", want a finite number`},
		{"empty cell", header + "1,,0\n", "", "t.csv, line 3, column b: empty, want a number"},
		{"third label", header + "1,2,2\n", "", `t.csv, line 3, column label: label "2", want 0 or 1`},
		{"label a word", header + "1,2,Benign\n", "", `t.csv, line 3, column label: label "Benign", want 0 or 1`},
		{"too few columns", header + "\n1,0\n", "", "t.csv, line 4: wrong number of columns, want 3"},
		{"too many columns", header + "1,2,0,4\n", "", "t.csv, line 3: wrong number of columns, want 3"},
		{"stray quote", header + "1,2\"3,0\n", "", "t.csv, line 3: bare \" in non-quoted-field"},
		{"long cell", header + strings.Repeat("x", 100) + ",2,0\n", "", `t.csv, line 3, column a: "` + strings.Repeat("x", 40) + `", want a finite number`},
		{"cut gzip", zipped(t, header)[:20], "", "t.csv, line 1: unexpected EOF"},
		{"damaged gzip header", "\x1f\x8b\x08", "", "t.csv: unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadTable(strings.NewReader(tt.text), "t.csv", tt.label)
			require.EqualError(t, err, tt.want)
			var where *TableError
			require.ErrorAs(t, err, &where)
			assert.Equal(t, "t.csv", where.File)
		})
	}

	broken := errors.New("disk on fire")
	_, err := ReadTable(io.MultiReader(strings.NewReader(header), iotest.ErrReader(broken)), "t.csv", "")
	require.EqualError(t, err, "t.csv, line 3: disk on fire")
	require.ErrorIs(t, err, broken)
}

func FuzzReadTable(f *testing.F) {
	f.Add([]byte("a,b,label\n1,-2.5,0\n3e10,0,1\n"), "")
	f.Add([]byte("a,\"b\nc\",d\r\n\r\n1,2,0\n"), "a")
	f.Add([]byte(zipped(f, "a,label\n1,0\n")), "")
	f.Fuzz(func(t *testing.T, data []byte, label string) {
		got, err := ReadTable(bytes.NewReader(data), "t.csv", label)
		if err != nil {
			return
		}
		require.NotEmpty(t, got.Labels)
		require.Len(t, got.Rows, len(got.Labels)*len(got.Features))
		for _, v := range got.Rows {
			require.Zero(t, v-v)
		}
	})
}
