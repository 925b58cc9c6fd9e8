package alert

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

var backup = conn.Conn{
	UID: "C1", Orig: netip.MustParseAddrPort("10.1.2.3:50000"), Resp: netip.MustParseAddrPort("192.0.2.7:443"),
	Proto: conn.TCP, Service: "ssl,http",
}

func TestEntryAllows(t *testing.T) {
	now := time.Unix(2_000_000_000, 0)
	for line, want := range map[string]bool{
		"10.1.2.3\t-\t-\t-\t-\t-\t-":                           true,
		"10.1.2.4\t-\t-\t-\t-\t-\t-":                           false,
		"::ffff:10.1.2.3\t-\t-\t-\t-\t-\t-":                    true,
		"-\t192.0.2.7\t-\t443\t-\t-\tbackup":                   true,
		"-\t192.0.2.7\t-\t443/udp\t-\t-\t-":                    false,
		"-\t192.0.2.7\t-\t443/tcp\t-\t-\t-":                    true,
		"-\t-\t10.0.0.0/8\t-\t-\t-\t-":                         true,
		"-\t-\t192.0.2.0/24\t-\tssl\t-\t-":                     true,
		"-\t-\t172.16.0.0/12\t-\t-\t-\t-":                      false,
		"-\t-\t-\t-\tssl,http\t-\t-":                           true,
		"-\t-\t-\t-\tdns\t-\t-":                                false,
		"10.1.2.3\t-\t-\t-\t-\t1999999999\t-":                  false,
		"10.1.2.3\t-\t-\t-\t-\t2000000001.5\t-":                true,
		"10.1.2.3\t10.1.2.3\t-\t-\t-\t-\tall fields must hold": false,
	} {
		lines, err := ParseAllow([]byte(AllowHeader+"\n# a comment\n"+line+"\n"), "allow.tsv")
		require.NoError(t, err, line)
		require.Len(t, lines, 1)
		assert.Equal(t, 3, lines[0].Number)
		assert.Equal(t, want, lines[0].Names(&backup, now), line)
	}
}

func TestParseAllowSaysWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		"x\t-\t-\t-\t-\t-\t-":         `allow.tsv:2: originator: "x" is not an address`,
		"-\t-\t10.0.0.0\t-\t-\t-\t-":  `allow.tsv:2: network: "10.0.0.0" is not a network`,
		"-\t-\t-\t70000\t-\t-\t-":     `allow.tsv:2: resp_p: "70000" is not a port`,
		"-\t-\t-\t80/xyz\t-\t-\t-":    `there is no protocol "xyz"`,
		"-\t-\t-\t80\t-\ttomorrow\t-": `allow.tsv:2: expires: "tomorrow" is not a time`,
		"10.0.0.1 - -":                "allow.tsv:2: 1 fields, want 7",
	} {
		_, err := ParseAllow([]byte(AllowHeader+"\n"+line+"\n"), "allow.tsv")
		assert.ErrorContains(t, err, want)
	}
	_, err := ParseAllow([]byte("10.0.0.1\n"), "allow.tsv")
	assert.ErrorContains(t, err, "no header before the first entry")
}

func TestAppendAndRemove(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.tsv")
	e := Entry{Originator: backup.Orig.Addr(), Port: 443, HasPort: true, Proto: conn.TCP, Expires: time.Unix(2e9, 0), Comment: "the\tbackup\n"}
	require.NoError(t, AppendAllow(file, &e))
	require.NoError(t, AppendAllow(file, &Entry{Service: "dns"}))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, AllowHeader+"\n10.1.2.3\t-\t-\t443/tcp\t-\t2000000000\tthe backup\n-\t-\t-\t-\tdns\t-\t-\n", string(text))
	gone, err := RemoveAllow(file, 2)
	require.NoError(t, err)
	assert.Equal(t, e.Originator, gone.Originator)
	_, err = RemoveAllow(file, 1)
	assert.ErrorContains(t, err, "no entry in that line")
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, AllowHeader+"\n-\t-\t-\t-\tdns\t-\t-\n", string(text))
}

// The column of the port was once called what Zeek cannot: such a file is read,
// and written anew with what it says when an entry is added.
func TestOldAllowListMigrates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.tsv")
	old := "# ours\n#fields\tport\toriginator\n443/tcp\t10.1.2.3\n# more\n#fields\tservice\ndns"
	require.NoError(t, os.WriteFile(file, []byte(old), 0o640))
	before, err := ParseAllow([]byte(old), file)
	require.NoError(t, err)
	require.True(t, before[0].HasPort)
	require.NoError(t, AppendAllow(file, &Entry{Service: "ntp"}))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, AllowHeader+"\n# ours\n10.1.2.3\t-\t-\t443/tcp\t-\t-\t-\n# more\n-\t-\t-\t-\tdns\t-\t-\n-\t-\t-\t-\tntp\t-\t-\n", string(text))
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.EqualValues(t, 0o640, info.Mode().Perm())
}

// Zeek looks at the inode and the full second, see writeAllow.
func TestEachChangeHasItsSecond(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allow.tsv")
	last := int64(0)
	for range 4 {
		require.NoError(t, AppendAllow(file, &Entry{Service: "dns"}))
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Greater(t, info.ModTime().Unix(), last)
		last = info.ModTime().Unix()
	}
}

// What is parsed and written again is the same entry.
func FuzzParseAllow(f *testing.F) {
	f.Add(AllowHeader + "\n10.1.2.3\t-\t10.0.0.0/8\t443/tcp\tssl\t2000000000\ta comment\n")
	f.Add("#fields\tport\toriginator\n1\t::1\n")
	f.Add(labelHeader + "\n10.1.2.3\t-\t-\t-\tssl\t0\ta comment\tbad\tudp\tF\tSF\t0-3\t2048-16383\tC1\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := ParseAllow([]byte(text), "allow.tsv")
		if err != nil {
			return
		}
		for _, l := range lines {
			l.Names(&backup, time.Unix(2e9, 0))
			header := AllowHeader
			if l.label != (label{}) {
				header = labelHeader
			}
			again, err := ParseAllow([]byte(header+"\n"+l.String()+"\n"), "again")
			require.NoError(t, err, "%q", l.String())
			require.Len(t, again, 1)
			require.Equal(t, l.String(), again[0].String())
		}
	})
}
