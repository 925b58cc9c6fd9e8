package alert

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// certificate makes a certificate for 127.0.0.1 that signs itself, and returns
// its file and its key's.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, private.Public(), private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	return cert, key
}

// freePort is a port of loopback that nobody listened on a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// listens waits until somebody listens there.
func listens(port int) bool {
	for range 200 {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// server starts a program that serves until the test ends.
func server(t *testing.T, port int, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // rsyslogd is deaf to SIGINT
		late := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
	})
	if !listens(port) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		testenv.Skip(t, "a "+filepath.Base(name)+" that starts", log.String())
	}
}

// openSMTPD starts OpenSMTPD, which puts all mail into the folder that is
// returned. It needs root.
func openSMTPD(t *testing.T, port int, config func(dir string) string) (box string) {
	t.Helper()
	smtpd := "/usr/sbin/smtpd"
	if _, err := os.Stat(smtpd); err != nil {
		smtpd = testenv.Program(t, "smtpd")
	}
	if os.Getuid() != 0 {
		testenv.Skip(t, "root", "smtpd starts as root only")
	}
	dir := t.TempDir()
	for d := dir; d != "/"; d = filepath.Dir(d) { // smtpd's helpers have users of their own
		if info, err := os.Stat(d); err == nil && info.Mode().Perm()&0o005 != 0o005 && strings.HasPrefix(d, os.TempDir()+"/") {
			require.NoError(t, os.Chmod(d, 0o755))
		}
	}
	box = filepath.Join(dir, "box")
	require.NoError(t, os.Mkdir(box, 0o700))
	require.NoError(t, os.Chown(box, 65534, 65534)) // nobody: it delivers nothing to root
	text := config(dir) + fmt.Sprintf("action \"box\" maildir \"%s\"\nmatch from any for any action \"box\"\n", box)
	file := filepath.Join(dir, "smtpd.conf")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	server(t, port, smtpd, "-d", "-f", file)
	return box
}

// arrived waits for so many mails and returns the last of them.
func arrived(t *testing.T, box string, n int) *mail.Message {
	t.Helper()
	var files []string
	require.Eventually(t, func() bool { files, _ = filepath.Glob(filepath.Join(box, "new", "*")); return len(files) == n }, 10*time.Second, 50*time.Millisecond)
	text, err := os.ReadFile(files[n-1])
	require.NoError(t, err)
	m, err := mail.ReadMessage(bytes.NewReader(text))
	require.NoError(t, err)
	return m
}

// An alert goes through a real mail server into a file.
func TestMailThroughOpenSMTPD(t *testing.T) {
	port := freePort(t)
	box := openSMTPD(t, port, func(string) string { return fmt.Sprintf("listen on 127.0.0.1 port %d\n", port) })
	to := fmt.Sprintf("smtp://127.0.0.1:%d?from=zeek@sensor.example&to=nobody@localhost", port)
	require.NoError(t, target(t, to, Options{Host: "sensor.example"}).Send(context.Background(), example()))
	m := arrived(t, box, 1)
	assert.Equal(t, "<"+example().ID+"@sensor.example>", m.Header.Get("Message-ID"))
	assert.Contains(t, m.Header.Get("Subject"), "zeek-iforest")
	body, err := io.ReadAll(m.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), "10.0.0.1")
	assert.ErrorContains(t, target(t, to+"&tls=starttls", Options{}).Send(context.Background(), example()), "offers no STARTTLS")
}

// aiosmtpd serves STARTTLS and smtps, wants a login, and writes each mail to
// a file. OpenSMTPD of Debian 12 cannot: with OpenSSL 3 it does not
// find its own key.
const aiosmtpd = `
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
cert, key, starttls, smtps, box = sys.argv[1:]
class Handler:
    n = 0
    async def handle_DATA(self, server, session, envelope):
        Handler.n += 1
        open(f"{box}/new/{Handler.n}", "wb").write(envelope.content)
        return "250 OK"
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"zeek" and data.password == b"s3cret")
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(cert, key)
options = dict(authenticator=login, auth_required=True, enable_SMTPUTF8=True)
async def main():
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(Handler(), tls_context=tls, require_starttls=True, **options), "127.0.0.1", int(starttls))
    await loop.create_server(lambda: SMTP(Handler(), auth_require_tls=False, **options), "127.0.0.1", int(smtps), ssl=tls)
    await asyncio.Event().wait()
asyncio.run(main())
`

// Over TLS, from the start or with STARTTLS, and with a login.
func TestMailOverTLSWithLogin(t *testing.T) {
	python := "/usr/bin/python3" // Debian's, which has Debian's packages
	if err := exec.Command(python, "-c", "import aiosmtpd").Run(); err != nil {
		testenv.Skip(t, "python3-aiosmtpd", err.Error())
	}
	dir := t.TempDir()
	ca, key := certificate(t, dir)
	box, script := filepath.Join(dir, "box"), filepath.Join(dir, "server.py")
	require.NoError(t, os.MkdirAll(filepath.Join(box, "new"), 0o700))
	require.NoError(t, os.WriteFile(script, []byte(aiosmtpd), 0o600))
	starttls, smtps := freePort(t), freePort(t)
	server(t, smtps, python, script, ca, key, strconv.Itoa(starttls), strconv.Itoa(smtps), box)
	t.Setenv("RIGHT", "s3cret")
	t.Setenv("WRONG", "s3crets")
	send := func(scheme string, port int, password, ca string) error {
		text := fmt.Sprintf("%s://zeek@127.0.0.1:%d?from=zeek@sensor.example&to=nobody@localhost&password=env:%s", scheme, port, password)
		to := target(t, text, Options{Host: "sensor.example", CA: ca})
		to.Receiver.(*mailer).timeout = 2 * time.Second // net/smtp and aiosmtpd wait for each other after a wrong password
		return to.Send(context.Background(), example())
	}
	require.NoError(t, send("smtp", starttls, "RIGHT", ca))
	arrived(t, box, 1)
	require.NoError(t, send("smtps", smtps, "RIGHT", ca))
	m := arrived(t, box, 2)
	assert.Equal(t, "<"+example().ID+"@sensor.example>", m.Header.Get("Message-ID"))
	for _, c := range []struct {
		scheme string
		port   int
	}{{"smtp", starttls}, {"smtps", smtps}} {
		assert.ErrorContains(t, send(c.scheme, c.port, "RIGHT", ""), "certificate", "a certificate that nobody vouches for")
		err := send(c.scheme, c.port, "WRONG", ca)
		assert.ErrorContains(t, err, "logging in")
		assert.NotErrorAs(t, err, new(*Refused), "a login can be mended, the alert waits")
	}
	arrived(t, box, 2)
}
