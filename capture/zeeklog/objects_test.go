package zeeklog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTagged(t *testing.T) {
	for text, want := range map[string]string{
		`{"conn":{"ts":1}}`:                    `conn {"ts":1}`,
		` { "dns" : { "a": "}" } } `:           `dns { "a": "}" }`,
		`{"conn":{"ts":1},"host":"a"}`:         "",
		`{"ts":1,"id":{"orig_h":"192.0.2.1"}}`: "",
		`{"conn":[1]}`:                         "",
		`{"conn":{"ts":1}} {}`:                 "",
		`{"conn":{"ts":1}`:                     "",
		`{"co\u006en":{}}`:                     `conn {}`,
		`{}`:                                   "",
		``:                                     "",
		`[{}]`:                                 "",
	} {
		log, start, end, ok := Tagged(text)
		got := ""
		if ok {
			got = log + " " + text[start:end]
		}
		assert.Equal(t, want, got, "%s", text)
	}
}

func FuzzTagged(f *testing.F) {
	f.Add(`{"conn": {"ts":1.5,"id.orig_h":"192.0.2.1"}}`)
	f.Add(`{"a":{"b":"\""}}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, start, end, ok := Tagged(text)
		if ok {
			require.Equal(t, byte('{'), text[start])
			require.Equal(t, byte('}'), text[end-1])
		}
		// What SetObjects takes comes back as it was.
		if text = strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, text); text == "" {
			return
		}
		var blk Block
		blk.SetObjects(text+"\n", "topic", 0, nil)
		NewParser().Parse(&blk)
		require.Len(t, blk.Rows, 1)
		out := NewAddColumns(Column{"anomaly_score", "double"}).Append(nil, &blk, func(int, []Value) {})
		if blk.Rows[0].Err == nil {
			require.Len(t, strings.SplitAfter(string(out), "\n"), 2)
		}
	})
}
