package alert

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everything are lists of entries, written short, and what is wrong with the
// entry that goes too far; "" for a list that is used whole. zeek-pkg/testing's
// allow-refused has some of them for the sensor.
var everything = map[string]struct {
	entries []string // originator responder network port service
	want    string
}{
	"nothing set":                {[]string{"- - - - -"}, ":2: the entry would allow everything"},
	"empty in Zeek's words":      {[]string{"(empty) - - - (empty)"}, ":2: the entry would allow everything"},
	"all of IPv4":                {[]string{"- - 0.0.0.0/0 - -"}, ":2: network 0.0.0.0/0 would allow everything: want /8 or longer"},
	"all of IPv6":                {[]string{"- - ::/0 - -"}, ":2: network ::/0 would allow everything"},
	"mapped":                     {[]string{"- - ::ffff:0.0.0.0/96 - -"}, ":2: network 0.0.0.0/0 would"},
	"mapped half":                {[]string{"- - ::ffff:128.0.0.0/97 - -"}, ":2: network 128.0.0.0/1 would"},
	"around what is mapped":      {[]string{"- - ::/8 - -"}, ":2: network ::/8 would"},
	"just around it":             {[]string{"- - ::/80 - -"}, ":2: network ::/80 would"},
	"beside it":                  {[]string{"- - ::/96 - -"}, ""},
	"two halves":                 {[]string{"- - 0.0.0.0/1 - -", "- - 128.0.0.0/1 - -"}, ":2: network 0.0.0.0/1 would allow everything: want /8 or longer, or add originator, responder, port or service (and 1 more)"},
	"two halves of IPv6":         {[]string{"- - ::/1 - -", "- - 8000::/1 - -"}, ":2: network ::/1 would"},
	"public IPv6":                {[]string{"- - 2000::/3 - -"}, ":2: network 2000::/3 would"},
	"a /7":                       {[]string{"- - 10.0.0.0/7 - -"}, ":2: network 10.0.0.0/7 would"},
	"private addresses":          {[]string{"- - 10.0.0.0/8 - -", "- - 172.16.0.0/12 - -", "- - 192.168.0.0/16 - -", "- - fd00::/8 - -"}, ""},
	"a quarter of IPv4":          {networks("%d.0.0.0/8", 64), ""},
	"more":                       {networks("%d.0.0.0/8", 65), ":66: with network 64.0.0.0/8 more than a quarter of all IPv4 addresses"},
	"all of it in pieces":        {networks("%d.0.0.0/8", 256), "(and 191 more)"},
	"a quarter of public IPv6":   {ipv6Networks(8), ""},
	"with a port":                {[]string{"- - 0.0.0.0/0 53/udp -"}, ""},
	"with a service":             {[]string{"- - ::/0 - dns"}, ""},
	"of one host":                {[]string{"10.0.0.1 - 0.0.0.0/0 - -"}, ""},
	"a quarter of the ports":     {repeated("- - - %d -", 1<<14), ""},
	"more ports":                 {repeated("- - - %d -", 1<<14+1), "with this entry more than a quarter of all ports"},
	"all ports, any network":     {repeated("- - 0.0.0.0/0 %d/tcp -", 1<<16), "(and 49151 more)"},
	"ports within networks":      {repeated("- - 10.0.0.0/8 %d -", 1<<15), ""},
	"over, but it counts":        {append(networks("%d.0.0.0/8", 64), "- - 99.0.0.0/8 - -"), ":66: with network 99.0.0.0/8"},
	"small networks count":       {append(networks("%d.0.0.0/8", 64), "- - 99.0.0.1/32 - -"), ":66: with network 99.0.0.1/32"},
	"small IPv6 networks do not": {append(ipv6Networks(8), "- - 2001:db8::/33 - -"), ""},
	"IPv6 in pieces":             {ipv6Networks(9), "more than a quarter of all IPv6 addresses"},
}

func networks(format string, n int) (entries []string) {
	return repeated("- - "+format+" - -", n)
}

func repeated(format string, n int) (entries []string) {
	for i := range n {
		entries = append(entries, fmt.Sprintf(format, i))
	}
	return entries
}

func ipv6Networks(n int) (entries []string) {
	for i := range n {
		entries = append(entries, fmt.Sprintf("- - %x00::/8 - -", 0x20+i))
	}
	return entries
}

func TestNoListAllowsEverything(t *testing.T) {
	for name, c := range everything {
		t.Run(name, func(t *testing.T) {
			text := AllowHeader + "\n"
			for _, e := range c.entries {
				text += strings.ReplaceAll(e, " ", "\t") + "\t-\t-\n"
			}
			lines, err := ParseAllow([]byte(text), "allow.tsv")
			require.NoError(t, err)
			kept, err := Narrow(lines, "allow.tsv")
			if c.want == "" {
				require.NoError(t, err)
				require.Len(t, kept, len(c.entries))
				return
			}
			require.ErrorContains(t, err, c.want)
			require.Less(t, len(kept), len(c.entries))
		})
	}
}

// What is added cannot make the list allow everything; the file stays. What is
// in it already can be taken out.
func TestAppendRefusesEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.tsv")
	for i := range 64 {
		require.NoError(t, os.WriteFile(file, fmt.Appendf(readOrHeader(t, file), "-\t-\t%d.0.0.0/8\t-\t-\t-\t-\n", i), 0o600))
	}
	before := readOrHeader(t, file)
	for _, network := range []string{"0.0.0.0/0", "::/0", "99.0.0.0/8"} {
		var e Entry
		require.NoError(t, e.Set("network", network))
		require.ErrorContains(t, AppendAllow(file, &e), "would")
		require.Equal(t, before, readOrHeader(t, file))
	}
	require.NoError(t, AppendAllow(file, &Entry{Service: "dns"}))

	require.NoError(t, os.WriteFile(file, []byte(AllowHeader+"\n-\t-\t::/0\t-\t-\t-\t-\n"), 0o600))
	gone, err := RemoveAllow(file, 2)
	require.NoError(t, err)
	require.Equal(t, "::/0", gone.Network.String())
}

func readOrHeader(t *testing.T, file string) []byte {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return []byte(AllowHeader + "\n")
	}
	require.NoError(t, err)
	return text
}

// watch says once which entries it leaves out, and uses the others.
func TestTheOtherEntriesAreUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.tsv")
	require.NoError(t, os.WriteFile(file, []byte(AllowHeader+"\n-\t-\t0.0.0.0/0\t-\t-\t-\t-\n10.1.2.3\t-\t-\t-\t-\t-\t-\n"), 0o600))
	var said []string
	l := allowList{path: file, warn: func(err error) { said = append(said, err.Error()) }}
	l.reload()
	l.reload()
	require.Len(t, said, 1)
	assert.Contains(t, said[0], "the other entries of the allow-list are used: "+file+":2: network 0.0.0.0/0 would allow everything")
	require.Len(t, l.lines, 1)
	assert.NotNil(t, Find(l.lines, &backup, backup.TS.Time()))
}

// A service that is none cannot stand in the file.
func TestServiceIsAWord(t *testing.T) {
	for _, value := range []string{"-", "(empty)", "", " ", "dns\n-\t-", "a\tb", "a b"} {
		var e Entry
		require.ErrorContains(t, e.Set("service", value), "is no service such as dns", "%q", value)
	}
}
