package alert

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func example() *Alert {
	at := time.Unix(1700000000, 123456000).UTC()
	return &Alert{
		ID: "0123456789abcdef01234567", Kind: Connection, Time: at, Score: 0.8123, OneIn: 5000, Count: 1, Responders: 1,
		Reason:     "service \"a\\b]\", 1 in 9 <connections>\n`x`",
		Connection: Summary{UID: "C1", Originator: "10.0.0.1", OrigPort: 4, Responder: "2001:db8::1", RespPort: 443, Proto: "tcp", Service: "ssl", State: "SF"},
		Ports:      []uint16{443}, UIDs: []string{"C1"}, First: at, Last: at,
	}
}

func target(t *testing.T, text string, o Options) Target {
	t.Helper()
	to, err := ParseTarget(text, o)
	require.NoError(t, err)
	return to
}

// Each fault of an HTTP server is retried until the alert is taken, once.
func TestWebhookFaults(t *testing.T) {
	var strayed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer elsewhere.Close()
	for name, fault := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, r *http.Request) { http.Error(w, "down", 500) },
		"429": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "slow", http.StatusTooManyRequests)
		},
		"dies before the answer": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		"dies within the answer": func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
				c.Close()
			}
		},
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var tries, taken atomic.Int32
			var first, last atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if !strings.Contains(string(body), `"uid":"Cs0"`) {
					return
				}
				if tries.Add(1) <= 2 {
					first.CompareAndSwap(0, time.Now().UnixNano())
					fault(w, r)
					return
				}
				taken.Add(1)
				last.Store(time.Now().UnixNano())
			}))
			defer server.Close()
			w := newWatching(t, target(t, "json:"+server.URL+"/hook", Options{}))
			w.start()
			w.write(strange(0))
			w.eventually(func() bool { return taken.Load() == 1 })
			time.Sleep(100 * time.Millisecond)
			w.stop()
			w.start() // and not again after a restart
			time.Sleep(200 * time.Millisecond)
			w.stop()
			assert.EqualValues(t, 1, taken.Load())
			assert.EqualValues(t, 3, tries.Load())
			assert.Zero(t, strayed.Load(), "an alert stays with its receiver")
			if name == "429" {
				assert.Greater(t, time.Duration(last.Load()-first.Load()), 1900*time.Millisecond, "Retry-After is honoured")
			}
		})
	}
}

func TestWebhookTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer s3cret", r.Header.Get("Authorization"))
		assert.Equal(t, example().ID, r.Header.Get("Idempotency-Key"))
	}))
	defer server.Close()
	server.Config.ErrorLog = nil
	t.Setenv("TOKEN", "s3cret")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	err := target(t, "json:"+server.URL, Options{Token: "env:TOKEN"}).Send(context.Background(), example())
	assert.ErrorContains(t, err, "certificate")
	assert.NoError(t, target(t, "json:"+server.URL, Options{Token: "env:TOKEN", CA: ca}).Send(context.Background(), example()))
}

func TestWebhookBodies(t *testing.T) {
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = nil
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&got))
	}))
	defer server.Close()
	t.Setenv("HOOK", server.URL+"/services/secret")
	for kind, check := range map[string]func(){
		"slack":      func() { assert.Contains(t, got["text"], "&lt;connections&gt; 'x'") },
		"mattermost": func() { assert.Contains(t, got["text"], "anomalous connection 10.0.0.1") },
		"teams":      func() { assert.Equal(t, "message", got["type"]); assert.Len(t, got["attachments"], 1) },
		"json":       func() { assert.Equal(t, 0.8123, got["anomaly_score"]) },
	} {
		to := target(t, kind+":env:HOOK", Options{})
		assert.NotContains(t, to.Name, "secret")
		require.NoError(t, to.Send(context.Background(), example()), kind)
		check()
	}
	server.Close()
	err := target(t, "slack:env:HOOK", Options{}).Send(context.Background(), example())
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

func TestSecretsStayOffTheCommandLine(t *testing.T) {
	for _, text := range []string{"slack:https://hooks.slack.com/services/T/B/x", "smtp://me:pw@mail.example?from=a@b.c&to=d@e.f", "smtp://me@mail.example?from=a@b.c&to=d@e.f&password=pw", "json:https://me:pw@example.org/"} {
		_, err := ParseTarget(text, Options{})
		assert.ErrorContains(t, err, "command line", text)
		assert.NotContains(t, err.Error(), "pw")
	}
	for _, text := range []string{"", "fax:1", "ecs:", "syslog+udp://", "smtp://h?from=a@b.c", "smtp://h?from=a@b.c&to=d@e.f&x=1", "json:env:NOT_SET", "json:ftp://h/"} {
		_, err := ParseTarget(text, Options{})
		assert.Error(t, err, text)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "x": 0, "1e9": 0, "99999999": 24 * time.Hour,
		"Sat, 21 Nov 2026 10:00:30 GMT": 30 * time.Second, "Sat, 21 Nov 2026 09:00:00 GMT": 0,
	} {
		assert.Equal(t, want, retryAfter(text, now), text)
	}
	assert.GreaterOrEqual(t, backOff(time.Second, 0, &Later{errors.New("x"), time.Minute}), time.Minute)
	assert.LessOrEqual(t, backOff(time.Second, 60, errors.New("x")), longestBackOff*6/5)
	assert.Greater(t, backOff(time.Second, 3, errors.New("x")), 6*time.Second)
}

// rfc5424 is the grammar of RFC 5424 §6, as strict as a regular expression is.
var rfc5424 = regexp.MustCompile(`^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) ` +
	`(\[[!#-<>-\\^-~]{1,32}( [!#-<>-\\^-~]{1,32}="([^"\\\]]|\\["\\\]])*")*\])` + ` \x{feff}([^\x00-\x1f]+)$`)

func TestSyslog(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	certificates := server.TLS.Certificates
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	server.Close()

	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer packets.Close()
	require.NoError(t, target(t, "syslog+udp://"+packets.LocalAddr().String(), Options{Host: "sensor 1"}).Send(context.Background(), example()))
	buffer := make([]byte, 65536)
	n, _, err := packets.ReadFrom(buffer)
	require.NoError(t, err)
	parts := rfc5424.FindStringSubmatch(string(buffer[:n]))
	require.NotNil(t, parts, "%q", buffer[:n])
	assert.Equal(t, "sensor1", parts[3])
	assert.Contains(t, parts[7], `reason="service \"a\\b\]\", 1 in 9`)

	for _, network := range []string{"tcp", "tls"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		if network == "tls" {
			l = tls.NewListener(l, &tls.Config{Certificates: certificates})
		}
		got := make(chan string, 3)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				r := bufio.NewReader(c)
				length, err := r.ReadString(' ')
				if err == nil {
					n, _ := strconv.Atoi(strings.TrimSpace(length))
					message := make([]byte, n)
					_, _ = io.ReadFull(r, message)
					rest, _ := io.ReadAll(r)
					got <- string(message) + string(rest)
				}
				c.Close()
			}
		}()
		to := target(t, "syslog+"+network+"://"+l.Addr().String(), Options{CA: ca, Host: "sensor"})
		require.NoError(t, to.Send(context.Background(), example()), network)
		assert.Regexp(t, rfc5424, <-got)
		if network == "tls" {
			assert.ErrorContains(t, target(t, "syslog+tls://"+l.Addr().String(), Options{}).Send(context.Background(), example()), "certificate")
		}
		l.Close()
		assert.Error(t, to.Send(context.Background(), example()), "nobody listens")
	}
	long := example()
	long.Reason = strings.Repeat("ü", 5000)
	m := (&syslog{host: "h"}).message(long, datagramMost)
	assert.LessOrEqual(t, len(m), datagramMost)
	assert.Regexp(t, rfc5424, string(m))
}

func TestECSIsAppendedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	to := target(t, "ecs:"+path, Options{})
	require.NoError(t, os.WriteFile(path, []byte(`{"half`), 0o600))
	for range 3 {
		require.NoError(t, to.Send(context.Background(), example()))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 2)
	var doc struct {
		Event struct {
			Risk float64 `json:"risk_score"`
			Norm float64 `json:"risk_score_norm"`
		}
		Source struct{ IP string }
	}
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &doc))
	assert.Equal(t, 0.8123, doc.Event.Risk)
	assert.Equal(t, 81.0, doc.Event.Norm)
	assert.Equal(t, "10.0.0.1", doc.Source.IP)
	if _, err := os.Stat("/dev/full"); err == nil {
		assert.ErrorContains(t, target(t, "ecs:/dev/full", Options{}).Send(context.Background(), example()), "no space left")
	}
}
