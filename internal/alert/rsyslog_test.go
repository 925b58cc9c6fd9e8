package alert

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// rsyslogd as the receiver, over UDP, TCP and TLS: it parses what we send and
// writes the parts it found.
func TestSyslogThroughRsyslog(t *testing.T) {
	rsyslogd := "/usr/sbin/rsyslogd"
	if _, err := os.Stat(rsyslogd); err != nil {
		rsyslogd = testenv.Program(t, "rsyslogd")
	}
	modules, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_gtls.so")
	withTLS := len(modules) > 0
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	out := filepath.Join(dir, "out.log")
	udp, tcp, tls := freePort(t), freePort(t), freePort(t)
	config := fmt.Sprintf(`
global(workDirectory=%q maxMessageSize="16k")
module(load="imudp")
module(load="imtcp")
module(load="imptcp")
template(name="parts" type="string" string="%%pri%%|%%protocol-version%%|%%timereported:::date-rfc3339%%|%%hostname%%|%%app-name%%|%%msgid%%|%%structured-data%%|%%msg%%\n")
ruleset(name="r") { action(type="omfile" file=%q template="parts") }
input(type="imudp" address="127.0.0.1" port="%d" ruleset="r")
input(type="imptcp" address="127.0.0.1" port="%d" ruleset="r")
`, dir, out, udp, tcp)
	if withTLS {
		config += fmt.Sprintf(`
global(defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile=%q defaultNetstreamDriverCertFile=%q defaultNetstreamDriverKeyFile=%q)
input(type="imtcp" address="127.0.0.1" port="%d" ruleset="r" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
`, cert, cert, key, tls)
	}
	file := filepath.Join(dir, "rsyslog.conf")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	server(t, tcp, rsyslogd, "-n", "-f", file, "-i", filepath.Join(dir, "pid"))

	written := func() []string {
		text, _ := os.ReadFile(out)
		return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	networks := map[string]int{"udp": udp, "tcp": tcp}
	if withTLS {
		require.True(t, listens(tls))
		networks["tls"] = tls
	}
	n := 0
	for network, port := range networks {
		a := example()
		a.Reason += strings.Repeat(" and more", 10)
		to := target(t, fmt.Sprintf("syslog+%s://127.0.0.1:%d", network, port), Options{CA: cert, Host: "sensor"})
		require.NoError(t, to.Send(context.Background(), a), network)
		n++
		require.Eventually(t, func() bool { return len(written()) == n && written()[n-1] != "" }, 10*time.Second, 50*time.Millisecond, "%s: %v", network, written())
		parts := strings.SplitN(written()[n-1], "|", 8)
		require.Len(t, parts, 8, network)
		assert.Equal(t, []string{"84", "1"}, parts[:2], network)
		assert.Equal(t, "2023-11-14T22:13:20.123456Z", strings.Replace(parts[2], "+00:00", "Z", 1), network)
		assert.Equal(t, []string{"sensor", "zeek-iforest", "connection"}, parts[3:6], network)
		assert.Contains(t, parts[6], `uid="C1"`, network)
		assert.Contains(t, parts[6], `service \"a\\b\]\"`, network)
		assert.Contains(t, parts[7], "anomalous connection 10.0.0.1", network)
	}
	if !withTLS {
		testenv.Skip(t, "rsyslog-gnutls", "TLS was not tried, UDP and TCP were")
	}
}
