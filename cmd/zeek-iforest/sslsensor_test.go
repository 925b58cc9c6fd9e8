package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

var sslLog = zeekLog{
	path:  "ssl",
	texts: []string{"version", "cipher", "server_name", "last_alert", "next_protocol", "ssl_history", "validation_status", "ja4", "ja3"},
	bools: []string{"resumed", "established", "sni_matches_cert"},
	lists: []string{"cert_chain_fps"},
}

// zeekCertificate is a certificate as Zeek holds it.
type zeekCertificate struct {
	subject, issuer string
	begins, ends    float64
}

var zeekCertificates = []zeekCertificate{
	{"CN=*.example.com,O=Example\\, Inc.,C=US", "CN=R3,O=Let's Encrypt,C=US", 1.69e9, 1.7e9 + 700},
	{"O=Internet Widgits Pty Ltd,ST=Some-State,C=AU", "O=Internet Widgits Pty Ltd,ST=Some-State,C=AU", 1.7e9 - 86400, 1.8e9},
	{"CN=www.7shoz4umxtib.net", "CN=www.e2soy4klkn2sh5.com", 1.7e9 + 400.25, 1.8e9},
	{"CN=j\xe4ger\x00\t,O=a\tb", "CN=j\xe4ger\x00\t,O=a\tb", 0, 253402300799},
	{strings.Repeat("OU=x,", 1<<12), strings.Repeat("OU=x,", 1<<12) + "O=y", -1e9, 1.7e9},
	{"", "", 1e9, 1e9},
}

func handshakesOfZeek(n int) []zeekRow {
	r := rand.New(rand.NewPCG(5, 6))
	long, bytes := strings.Repeat("Ab.", 1<<14), "j\xe4ger\x00\\x41,\t.\xc3\xa9.example.com."
	values := map[string][]string{
		"version": {"TLSv12", "TLSv13", "TLSv10", "unknown-64282", long}, "cipher": {"TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_MD5", "", bytes},
		"server_name": {"www.example.com", "WWW.Example.COM.", "mail.bbc.co.uk", "10.1.2.3", bytes, long, "-", "(empty)", "."}, "last_alert": {"close_notify", "unknown_ca"},
		"next_protocol": {"h2", "http/1.1", "", bytes, long}, "ssl_history": {"CsxknGIi", "CsiI", ""}, "validation_status": {"ok", "self signed certificate"},
		"ja4": {"t13d1516h2_8daaf6152771_02713d6af862", ""}, "ja3": {"e7d705a3286e19ea42f587b344ee6865"},
	}
	list := make([]zeekRow, n)
	for i := range list {
		h := zeekRow{ts: 1.7e9 + float64(i) + float64(r.IntN(1e6))/1e6, orig: fmt.Sprint("10.0.0.", r.IntN(9)), port: []uint16{443, 443, 8443, 993}[r.IntN(4)],
			texts: map[string]string{}, bools: map[string]bool{}, lists: map[string][]string{}}
		for _, field := range sslLog.texts {
			if r.IntN(3) > 0 {
				h.texts[field] = values[field][r.IntN(len(values[field]))]
			}
		}
		for _, field := range sslLog.bools {
			if field != "sni_matches_cert" || r.IntN(2) == 0 {
				h.bools[field] = r.IntN(4) > 0
			}
		}
		switch at := r.IntN(len(zeekCertificates) + 2); at {
		case len(zeekCertificates):
			h.lists["cert_chain_fps"] = []string{}
		case len(zeekCertificates) + 1: // resumed, or TLS 1.3
		default:
			h.show(at)
		}
		list[i] = h
	}
	return list
}

// show is the i-th certificate, and another of its chain.
func (h *zeekRow) show(i int) {
	c := zeekCertificates[i]
	h.lists["cert_chain_fps"] = []string{fmt.Sprint("f", i), "ca"}
	text := func(s string) sensor.Value { return sensor.Value{Set: true, Text: s} }
	h.hidden = map[string]sensor.Value{
		"cert_chain.x509.fingerprint":                  text(fmt.Sprint("f", i)),
		"cert_chain.x509.certificate.subject":          text(c.subject),
		"cert_chain.x509.certificate.issuer":           text(c.issuer),
		"cert_chain.x509.certificate.not_valid_before": {Set: true, Real: c.begins},
		"cert_chain.x509.certificate.not_valid_after":  {Set: true, Real: c.ends},
	}
}

// writeX509 writes the certificates as Zeek does, some twice.
func writeX509(t *testing.T, certificates []zeekCertificate) (path string) {
	var b strings.Builder
	b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tx509\n#fields\tts\tfingerprint\tcertificate.subject\tcertificate.issuer\tcertificate.not_valid_before\tcertificate.not_valid_after\thost_cert\n")
	for range 2 {
		for i, c := range certificates {
			fmt.Fprintf(&b, "1700000000.000000\tf%d\t%s\t%s\t%.6f\t%.6f\tT\n", i, tsvText(c.subject), tsvText(c.issuer), c.begins, c.ends)
		}
	}
	path = filepath.Join(t.TempDir(), "x509.log")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	return path
}

// A sensor, TSV and JSON give each row of ssl.log the same digits and the same
// reason, certificates included.
func TestSensorOfSSLIsTheLog(t *testing.T) {
	sensorIsTheLog(t, &sslKind, &sslLog, handshakesOfZeek(1500), writeX509(t, zeekCertificates))
}

// The times of certificates in all notations of Zeek, up to that without end of
// RFC 5280 (4.1.2.5).
func TestX509Times(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x509.log")
	rows := `{"fingerprint":"a","certificate.subject":"CN=a","certificate.not_valid_before":1541116800.0,"certificate.not_valid_after":253402300799.0}
{"fingerprint":"b","certificate.issuer":"CN=a","certificate.not_valid_before":"2018-11-02T00:00:00.000000Z","certificate.not_valid_after":"9999-12-31T23:59:59.000000Z"}
{"fingerprint":"c","certificate.issuer":"CN=a","certificate.not_valid_before":1541116800000,"certificate.not_valid_after":1545177600000}
{"fingerprint":"d","certificate.issuer":"CN=a","certificate.not_valid_before":"yesterday","certificate.not_valid_after":1}
{"query":"a"}
`
	require.NoError(t, os.WriteFile(path, []byte(rows), 0o600))
	var stderr strings.Builder
	s := &session{Context: t.Context(), stderr: &stderr}
	require.NoError(t, s.readCertificates([]string{path}))
	require.Len(t, s.certificates.by, 3)
	require.Equal(t, uint64(2), s.unusable, &stderr)
	for fingerprint, c := range s.certificates.by {
		require.Equal(t, conn.Micros(1541116800e6), c.Begins, fingerprint)
		want := conn.Micros(253402300799e6)
		if fingerprint == "c" {
			want = 1545177600e6
		}
		require.Equal(t, want, c.Ends, fingerprint)
	}
	require.ErrorContains(t, s.readCertificates([]string{path + "-"}), "no such file")
	require.NoError(t, os.WriteFile(path, []byte("#separator \\x09\n#path\tssl\n#fields\tts\tcipher\n1.0\tx\n"), 0o600))
	require.ErrorContains(t, s.readCertificates([]string{path}), "--x509: ")
}

// A certificate that is in no x509.log counts as usual, as one that TLS 1.3
// hides, and one warning counts them.
func TestCertificatesThatAreMissing(t *testing.T) {
	list := handshakesOfZeek(300)
	known, missing := writeX509(t, zeekCertificates), writeX509(t, zeekCertificates[:2])
	dir := t.TempDir()
	hidden, n := make([]zeekRow, len(list)), 0
	for i, h := range list {
		if fps := h.lists["cert_chain_fps"]; len(fps) > 0 && fps[0] > "f1" {
			h.lists = map[string][]string{}
			n++
		}
		hidden[i] = h
	}
	write := func(name string, list []zeekRow) (path string) {
		path = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(sslLog.of(t, list, false)), 0o600))
		return path
	}
	file := filepath.Join(dir, "model")
	do := func(args ...string) (stdout, stderr string) {
		var out, err strings.Builder
		require.Zero(t, run(&session{Context: t.Context(), stdout: &out, stderr: &err}, args), &err)
		return out.String(), err.String()
	}
	ssl := write("ssl.log", list)
	do("train", "-o", file, "--x509", known, ssl)
	all, said := do("score", "-m", file, "--x509", known, ssl)
	require.NotContains(t, said, "certificate")
	some, said := do("score", "-m", file, "--x509", missing, "--x509", missing, ssl)
	require.Equal(t, 1, strings.Count(said, "warning"))
	require.Contains(t, said, fmt.Sprintf("warning: %d handshakes had a certificate that is in no file of --x509: Zeek writes each once a day, so name those of the day before, too", n))
	require.NotEqual(t, all, some)
	of := func(log string) (scores []string) {
		for line := range strings.Lines(log) {
			if at := strings.LastIndexByte(line, '\t'); line[0] != '#' {
				scores = append(scores, line[at:])
			}
		}
		return scores
	}
	without, _ := do("score", "-m", file, "--x509", missing, write("hidden.log", hidden))
	require.Equal(t, of(without), of(some))
	_, said = do("score", ssl)
	require.Contains(t, said, "had a certificate that only x509.log has: --x509 names it")
	_, said = do("score", "--x509", missing, ssl)
	require.Contains(t, said, fmt.Sprintf("warning: %d handshakes had", n), "once, though the log is read twice")
	own, _ := do("score", "--x509", known, ssl)
	require.Equal(t, all, own, "what learns from the log itself knows them, too")
}

// FuzzSSLLog reads any text as a ssl.log: a row is made or refused, and what is made
// of it is one of the set.
func FuzzSSLLog(f *testing.F) {
	f.Add(sslLog.of(f, handshakesOfZeek(3), false))
	f.Add(sslLog.of(f, handshakesOfZeek(3), true))
	f.Add(`{"ts":1.5,"id.orig_h":"::1","id.orig_p":1,"id.resp_h":"::2","id.resp_p":2,"server_name":"..\u0000\\xff","cert_chain_fps":[null,""],"established":"T"}` + "\n")
	fuzzLog(f, &sslKind)
}

// trainedSSLSensor is a sensor with a model of rows of Zeek, and these rows.
func trainedSSLSensor(b testing.TB, n int) (*sensor.Sensor, [][]sensor.Value) {
	list := handshakesOfZeek(n)
	for i := range list {
		for field, text := range list[i].texts {
			if len(text) > 100 {
				list[i].texts[field] = text[:20]
			}
		}
		if h := &list[i]; len(h.lists["cert_chain_fps"]) > 0 {
			h.show(i % 3)
		}
	}
	s, err := sensor.Open("ssl", model.DefaultHosts)
	require.NoError(b, err)
	require.NoError(b, s.Learn(sensor.Learning{Seed: 1, Warmup: 2000, RebuildEvery: 1 << 40}))
	values := make([][]sensor.Value, len(list))
	for i := range list {
		values[i] = list[i].values(s.Fields())
		_, _ = s.ScoreValues(values[i])
	}
	path := filepath.Join(b.TempDir(), "ssl.model")
	require.NoError(b, s.Model().WriteFile(path))
	require.NoError(b, s.LoadFile(path))
	return s, values
}

func BenchmarkSensorOfSSL(b *testing.B) { scoreValues(b, trainedSSLSensor) }

// What x509.log gets while ssl.log is watched is known when a row needs it, also after
// a rotation, and the oldest are forgotten.
func TestCertificatesAreFollowed(t *testing.T) {
	path := writeX509(t, zeekCertificates[:2])
	var stderr strings.Builder
	s := &session{Context: t.Context(), stderr: &stderr}
	require.NoError(t, s.readCertificates([]string{path}))
	defer s.followCertificates(nil)()
	known := func(fingerprint string) bool {
		_, known := s.certificates.of(fingerprint)
		return known
	}
	require.True(t, known("f1"))
	require.False(t, known("f2"))
	write := func(rows ...string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		for _, row := range rows {
			_, err = f.WriteString("1700000000.000000\t" + row + "\tT\n")
			require.NoError(t, err)
		}
		require.NoError(t, f.Close())
	}
	write("bad\tCN=a\tCN=a\tyesterday\t1.0", "f2\tCN=a\tCN=a\t0.0\t1.0")
	require.True(t, known("f2"))
	require.Equal(t, uint64(1), s.unusable, &stderr)
	require.Contains(t, stderr.String(), path+":11: certificate.not_valid_before: ")

	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, os.Rename(writeX509(t, zeekCertificates[:4]), path))
	require.Eventually(t, func() bool { return known("f3") }, 10*time.Second, 10*time.Millisecond)

	s.certificates.most = 1
	write("f4\tCN=a\tCN=a\t0.0\t1.0")
	require.True(t, known("f4") && known("f1"))
	write("f5\tCN=a\tCN=a\t0.0\t1.0")
	require.True(t, known("f5") && !known("f1"))
}
