package dnslog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDomain(t *testing.T) {
	for name, want := range map[string]string{
		"":                               "",
		"localhost":                      "localhost",
		"www.example.com":                "example.com",
		"WWW.Example.COM.":               "example.com",
		"com":                            "com",
		"news.bbc.co.uk":                 "bbc.co.uk",
		"co.uk":                          "co.uk",
		"a.b.host.duckdns.org":           "host.duckdns.org",
		"x.city.kobe.jp":                 "city.kobe.jp",
		"x.y.other.kobe.jp":              "y.other.kobe.jp",
		"a.www.ck":                       "www.ck",
		"a.b.ck":                         "a.b.ck",
		"4.3.2.1.in-addr.arpa":           "1.in-addr.arpa",
		"_ldap._tcp.dc._msdcs.corp.lan":  "corp.lan",
		"aaaa.pirate.sea":                "pirate.sea",
		"..":                             ".",
		".com":                           ".com",
		"a..com":                         ".com",
		`j\xe4ger.pirate.sea`:            "pirate.sea",
		`x.\xE4.sea`:                     "\xe4.sea",
		"bücher.example.укр":             "example.укр",
		"x.y.compute.amazonaws.com.cn":   "x.y.compute.amazonaws.com.cn",
		"w.x.y.compute.amazonaws.com.cn": "x.y.compute.amazonaws.com.cn",
	} {
		require.Equal(t, want, Domain(name), name)
	}
}

func TestText(t *testing.T) {
	long := strings.Repeat("a", 1<<16)
	for text, want := range map[string]string{
		"": "", "ABC": "abc", `\x41`: "a", `\x4`: `\x4`, `\xzz`: `\xzz`, `\\x00`: "\\\x00", `\`: `\`, "\x00": "\x00", `\x00`: "\x00", long: long[:MaxText],
	} {
		got := string(appendText(nil, text))
		require.Equal(t, want, got, text)
		require.EqualValues(t, len(want), textLength(text), text)
	}
}

func FuzzDomain(f *testing.F) {
	f.Add("www.example.com")
	f.Add(`a\x00b..co.uk.`)
	f.Fuzz(func(t *testing.T, name string) {
		text := strings.TrimSuffix(string(appendText(nil, name)), ".")
		domain := Domain(name)
		if !strings.HasSuffix(text, domain) || len(domain) < len(text) && text[len(text)-len(domain)-1] != '.' {
			t.Fatalf("%q is no domain of %q", domain, text)
		}
		if uint32(len(appendText(nil, name))) != textLength(name) {
			t.Fatalf("length of %q", name)
		}
		if again := Domain(domain); again != domain && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".") && !strings.Contains(domain, `\x`) {
			t.Fatalf("%q of %q", again, domain)
		}
	})
}
