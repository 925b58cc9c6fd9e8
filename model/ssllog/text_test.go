package ssllog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDomainOf(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "localhost": "localhost", "example.com": "example.com", "a.b.example.com": "example.com",
		"www.bbc.co.uk": "bbc.co.uk", "co.uk": "co.uk", "www.example.de": "example.de", "x.y.com.br": "y.com.br",
		"10.1.2.3": "10.1.2.3", "fe80::1": "fe80::1", "a..b": ".b",
	} {
		require.Equal(t, want, name[min(domainOf(name), len(name)):], name)
	}
}

func TestTextAsItCounts(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "h2": "h2", `a\x00b`: "a\x00b", `\xfF`: "\xff", `\x4`: `\x4`, `\\x41`: `\A`, `\xg1`: `\xg1`,
	} {
		require.Equal(t, want, string(appendText(nil, text)), text)
	}
	require.Len(t, appendText(nil, strings.Repeat("a", 5000)), MaxText)
	require.Equal(t, strings.Repeat("\xff", MaxText), string(appendText(nil, strings.Repeat(`\xff`, 5000))))
}

func TestEachFieldHasFeatures(t *testing.T) {
	require.Len(t, madeFrom, len(FieldNames))
	for i, field := range FieldNames {
		found := false
		for at, f := range Set.Features {
			found = found || madeFrom[i]>>at&1 != 0 && strings.Contains(f.Field, field)
		}
		require.True(t, found, field)
	}
}
