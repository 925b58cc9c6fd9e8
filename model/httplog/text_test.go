package httplog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHostAsItCounts(t *testing.T) {
	for host, want := range map[string]string{
		"": "", "WWW.Example.COM": "www.example.com", "a.example.com.": "a.example.com", "a.example.com:8080": "a.example.com", "a.example.com.:80": "a.example.com",
		"10.1.2.3": "10.1.2.3", "10.1.2.3:80": "10.1.2.3", "[2001:db8::1]:80": "[2001:db8::1]", "2001:db8::1": "2001:db8::1", "8080": "8080", ":80": "", ":": "", ".": "", "a:": "a",
		"::1": "::1", `a\x41`: "aa",
	} {
		require.Equal(t, want, string(appendHost(nil, host)), host)
	}
	require.Len(t, appendHost(nil, strings.Repeat("a", 5000)), MaxText)
}

func TestDomainOfHost(t *testing.T) {
	for host, want := range map[string]string{
		"": "", "www.bbc.co.uk:80": "bbc.co.uk", "10.1.2.3": "10.1.2.3", "[fe80::1]:80": "[fe80::1]", "localhost": "localhost", "x.duckdns.org": "x.duckdns.org",
	} {
		require.Equal(t, want, (&Request{Host: host}).Site(), host)
	}
}

func TestAgentWithoutNumbers(t *testing.T) {
	for agent, want := range map[string]string{
		"": "", "curl/8.5.0": "curl/0", "Mozilla/5.0 (iPhone; CPU iPhone OS 12_1_4; x64) v.": "Mozilla/0 (iPhone; CPU iPhone OS 0; x0) v.",
		"1.": "0.", "1._2": "0._0", ".5": ".0", `a\x31\x32`: "a0", "007.1x": "0x",
	} {
		require.Equal(t, want, string(appendAgent(nil, agent)), agent)
	}
	require.Len(t, appendAgent(nil, strings.Repeat("a", 5000)), maxCoded)
}

func TestPathOfURI(t *testing.T) {
	for uri, want := range map[string]struct {
		ext   string
		depth int
	}{
		"": {}, "/": {"", 1}, "/a.png": {"png", 1}, "/a.b/c": {"", 2}, "/a/b.TAR.gz?x=/y.exe": {"gz", 2}, "/a.": {"", 1}, "/a.longer": {"", 1}, "/a.html5": {"html5", 1},
		"http://www.example.com": {"com", 2}, ".x": {"x", 0}, "/a.p-g": {"", 1},
	} {
		require.Equal(t, want.ext, extensionOf(uri), uri)
		require.Equal(t, want.depth, depthOf(uri), uri)
	}
	require.Equal(t, strings.Repeat("b", 47), endOf("/"+strings.Repeat("b", 47)))
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

func TestStatusNames(t *testing.T) {
	for code, want := range map[uint64]string{0: "0", 404: "404", 999: "999", 1000: "1000 or more", 1 << 60: "1000 or more"} {
		require.Equal(t, want, (&Request{StatusCode: code, Set: StatusCode}).StatusName())
	}
	require.Equal(t, "no answer", (&Request{}).StatusName())
}
