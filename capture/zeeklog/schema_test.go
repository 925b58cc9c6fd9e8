package zeeklog

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var testSchema = &Schema{
	Log:      "dns",
	Columns:  []string{"ts", "id.orig_h", "id.orig_p", "query", "answers", "TTLs"},
	Required: []string{"ts", "id.orig_h"},
	Telling:  []string{"query"},
}

// readFields reads all rows as texts; unset is "-", absent "!".
func readFields(t *testing.T, log string) (rows [][]string, faults []string) {
	t.Helper()
	r := NewReader(strings.NewReader(log), "x").Of(testSchema)
	var row Row
	for {
		err := r.Read(&row)
		if err == io.EOF {
			return rows, faults
		}
		if err != nil {
			faults = append(faults, err.Error())
			if at := (*Error)(nil); !errors.As(err, &at) {
				return rows, faults
			}
			continue
		}
		var texts []string
		for i, f := range r.Fields()[:len(testSchema.Columns)] {
			switch {
			case f.Absent():
				texts = append(texts, "!")
			case !f.IsSet():
				texts = append(texts, "-")
			case i >= 4:
				var list []string
				require.NoError(t, f.Elements(func(e string) { list = append(list, e) }))
				texts = append(texts, strings.Join(list, "|"))
			default:
				texts = append(texts, f.Text())
			}
		}
		rows = append(rows, texts)
	}
}

func TestSchema(t *testing.T) {
	const head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"
	want := [][]string{
		{"1.5", "10.0.0.1", "53", "a\xe4,\t.example", "x,y|z", "1.000000|2.000000"},
		{"2.5", "10.0.0.2", "-", "-", "-", "-"},
	}
	rows, faults := readFields(t, head+"#fields\tts\tuid\tid.orig_h\tid.orig_p\tnew\tquery\tanswers\tTTLs\n"+
		"1.5\tC1\t10.0.0.1\t53\tz\ta\\xe4,\\x09.example\tx\\x2cy,z\t1.000000,2.000000\n"+
		"2.5\tC1\t10.0.0.2\t-\tz\t-\t-\t-\n2.5\tfew\n")
	require.Equal(t, want, rows)
	require.Equal(t, []string{"x:9: 2 columns where the header names 8"}, faults)

	want[0][3] = `a\xe4,` + "\t.example"
	rows, faults = readFields(t, `{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":53,"new":{"a":[1]},"query":"a\\xe4,\t.example","answers":["x,y","z"],"TTLs":[1.000000,2.000000]}`+"\n"+
		`{"id":{"orig_h":"10.0.0.2"},"query":null,"ts":2.5}`+"\n"+`{"ts":1`+"\n"+`{"ts":1,"id.orig_h":"::1","method":"GET","status_code":200}`+"\n"+`{"ts":1,"id.orig_h":"::1","query":{}}`+"\n")
	require.Equal(t, want, rows)
	require.Equal(t, []string{
		"x:3: the JSON object is cut off",
		"x:4: not a row of dns.log but of http.log: no query",
		`x:5: query: "{}" where one value belongs`,
	}, faults)

	rows, _ = readFields(t, "ts,id.orig_h,query\n1,10.0.0.1,\n")
	require.Equal(t, [][]string{{"1", "10.0.0.1", "!", "-", "!", "!"}}, rows)

	for log, want := range map[string]string{
		"#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tconn_state\n1\t::1\tSF\n": "x:4: not a dns.log but conn.log",
		"#separator \\x09\n#path\tdns\n#fields\tts\tid.orig_h\n1\t::1\n":                  "x:4: not a dns.log: no column query",
		"[{\"ts\":1}]\n": "x:1: not JSON lines but a JSON array: jq -c '.[]' makes lines of it",
	} {
		_, faults := readFields(t, log)
		require.Equal(t, []string{want}, faults)
	}
}

func TestLogOf(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "#separator \\x09\n#path\tdns\n": "dns", "#separator \\x09\n#path\tconn\n": "", "\ufeff#separator \\x09\n#path\tssl\n": "ssl",
		`{"ts":1,"qtype":1,"query":"aaaaa`:                       "dns",
		`{"_path":"dns","ts":1`:                                  "dns",
		`{"ts":1,"uid":"C","id.orig_h":"::1","conn_state":"SF"}`: "",
		"ts,id.orig_h,query,qtype\n":                             "dns",
		"ts\tid.orig_h\tconn_state\n":                            "",
	} {
		require.Equal(t, want, LogOf(text), text)
	}
}

func FuzzSchema(f *testing.F) {
	f.Add("#fields\tts\tid.orig_h\tquery\tanswers\n1\t10.0.0.1\ta\\x00\tx,y\n")
	f.Add(`{"ts":1,"id":{"orig_h":"::1"},"query":"a\u0000","answers":["x",null],"TTLs":[1e300]}`)
	f.Add("ts,id.orig_h,query\n1,::1,\"a,b\"\n")
	f.Fuzz(func(t *testing.T, log string) {
		_ = LogOf(log)
		add := NewAddColumns(Column{"anomaly_score", "double"})
		p, b := NewParser(), NewBlocks(strings.NewReader(log), "x").Of(testSchema)
		var blk Block
		var out []byte
		for b.Next(&blk) == nil {
			p.Parse(&blk)
			for i := range blk.Rows {
				if blk.Rows[i].Err != nil {
					continue
				}
				for _, f := range blk.Fields(i) {
					_ = f.Text()
					_ = f.Elements(func(string) {})
					_, _ = f.Count()
					_, _ = f.Time()
					_, _ = f.Addr()
				}
			}
			out = add.Append(out, &blk, func(_ int, v []Value) {})
		}
	})
}
