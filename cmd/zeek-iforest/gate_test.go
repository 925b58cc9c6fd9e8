package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGateLooksAtSomething: a limit that no connection was held against does
// not count as kept, and what was left out is named with its reason.
func TestGateLooksAtSomething(t *testing.T) {
	dir := t.TempDir()
	do := func(args ...string) (int, string) {
		var stderr strings.Builder
		s := &session{Context: t.Context(), stdout: &strings.Builder{}, stderr: &stderr}
		return run(s, args), stderr.String()
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	// capture is a pcap of that link type with n packets of zeros.
	capture := func(name string, link uint32, n int) string {
		b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
		for _, word := range []uint32{2 | 4<<16, 0, 0, 65535, link} {
			b = binary.LittleEndian.AppendUint32(b, word)
		}
		for i := range n {
			for _, word := range []uint32{uint32(1000 + i), 0, 44, 44} {
				b = binary.LittleEndian.AppendUint32(b, word)
			}
			b = append(b, make([]byte, 44)...)
		}
		return write(name, b)
	}
	const pcaps = "../../testdata/pcaps/"
	day, model := filepath.Join(dir, "day.log"), filepath.Join(dir, "day.model")
	status, said := do("replay", "-o", day, pcaps+"office-day.pcap")
	require.Zero(t, status, said)
	status, said = do("train", "-o", model, day)
	require.Zero(t, status, said)

	const good = "1\tC1\t10.0.0.1\t1\t10.0.0.2\t2\tudp\tS0\n"
	const header = "#separator \\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n"
	for _, tt := range []struct {
		name, verb, file  string
		without, withGate int // the statuses
		says              string
	}{
		{"all is well", "replay", pcaps + "office-day.pcap", exitDone, exitDone, ""},
		{"an unusable link", "replay", capture("ipoib.pcap", 242, 5), exitPartly, exitNot, "left out of 5 packets: 5 link type 242 (IP over InfiniBand)"},
		{"HDLC", "replay", capture("hdlc.pcap", 104, 2), exitPartly, exitNot, "2 link type 104 (Cisco HDLC)"},
		{"no IP", "replay", capture("arp.pcap", 1, 3), exitDone, exitNot, "left out of 3 packets: 3 no IP inside"},
		{"empty", "replay", capture("empty.pcap", 1, 0), exitDone, exitNot, ""},
		{"wrong checksums", "replay", pcaps + "loopback.pcap", exitDone, exitPartly, "left out of 12 packets: 10 wrong TCP, UDP or ICMP checksum"},
		{"a good log", "score", day, exitDone, exitDone, ""},
		{"a log without rows", "score", write("header.log", []byte(header)), exitDone, exitNot, ""},
		{"a log of bad rows", "score", write("bad.log", []byte(header+"nan\tC1\tx\n1\tC2\n")), exitPartly, exitNot, "bad.log:3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			status, said := do(tt.verb, "-m", model, "-o", out, tt.file)
			require.Equal(t, tt.without, status, said)
			require.Contains(t, said, tt.says)
			require.FileExists(t, out)
			require.NoError(t, os.Remove(out))

			status, said = do(tt.verb, "-m", model, "-o", out, "--fail-above", "0.99", tt.file)
			require.Equal(t, tt.withGate, status, said)
			require.Contains(t, said, tt.says)
			if tt.withGate == exitNot {
				require.Contains(t, said, "error: --fail-above 0.99 cannot hold: ")
				require.NoFileExists(t, out)
			}
		})
	}

	// Each of several logs must be looked at.
	one, none := write("one.log", []byte(header+good)), write("none.log", []byte(header))
	bad := write("some.log", []byte(header+"x\n"+good))
	for _, tt := range []struct {
		logs []string
		want int
		says string
	}{
		{[]string{one, one}, exitDone, ""},
		{[]string{one, bad}, exitPartly, "some.log:3"},
		{[]string{one, none}, exitNot, "none.log: no row of 0 has a score"},
		{[]string{none, one}, exitNot, "none.log: no row of 0 has a score"},
		{[]string{one, write("dns.json", []byte(`{"ts":1,"uid":"C","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.1","id.resp_p":1,"proto":"udp","rcode":0}`))}, exitNot, "but of dns.log"},
		{[]string{one, write("empty.log", nil)}, exitNot, "empty.log: no row of 0 has a score"},
		{[]string{one, write("cut.gz", []byte{0x1f, 0x8b, 8, 0, 0})}, exitNot, "cut.gz"},
		{[]string{day, one, pcaps + "office-day.pcap"}, exitNot, "office-day.pcap"},
	} {
		for _, options := range [][]string{nil, {"--top", "1"}, {"--alerts-per-day", "5"}} {
			out := filepath.Join(t.TempDir(), "out")
			args := append([]string{"score", "-m", model, "-o", out, "--fail-above", "0.99"}, options...)
			status, said := do(append(args, tt.logs...)...)
			require.Equal(t, tt.want, status, "%v %s", tt.logs, said)
			require.Contains(t, said, tt.says)
		}
	}
}
