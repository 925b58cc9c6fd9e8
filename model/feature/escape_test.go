package feature

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"": "unset", "self signed certificate": "self signed certificate", "a\xff\tb": `a\xff\x09b`, `a\xFFb`: `a\xffb`,
		strings.Repeat("x", 100): strings.Repeat("x", 60) + "…", strings.Repeat("x", 60): strings.Repeat("x", 60),
	} {
		require.Equal(t, want, string(AppendPrintable(nil, text)), text)
	}
}
