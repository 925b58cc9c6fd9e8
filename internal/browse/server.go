package browse

import (
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
)

//go:embed assets
var embedded embed.FS

// Options say how a log is shown.
type Options struct {
	Files  string  // the log's name
	PerDay float64 // the budget
	Allow  string  // the allow-list that labels are written to
	Now    func() time.Time
}

// Server is the page and what it asks for. All addresses begin with a secret,
// and what changes something wants it once more in a header, so that no other
// page of the same browser can ask.
type Server struct {
	Options
	log    *Log
	index  *index
	secret string
	assets http.Handler

	mu    sync.Mutex // of all below
	text  []byte     // of the allow-list
	lines []alert.AllowLine
	told  *alert.Rehearsal
	alone map[int]bool // rows that were alerts
	wrong string       // what is wrong with the allow-list
	asked query        // of found
	found []int32
}

// New makes a server, which reads the allow-list.
func New(log *Log, o Options) (*Server, error) {
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{Options: o, log: log, index: newIndex(log), secret: hex.EncodeToString(secret), assets: http.FileServerFS(assets)}
	if s.reload(); s.wrong != "" && s.told == nil {
		return nil, errors.New(s.wrong)
	}
	return s, nil
}

// Path returns the secret beginning of all addresses.
func (s *Server) Path() string { return "/" + s.secret + "/" }

// reload reads the allow-list, if it has changed. One that cannot be used
// leaves the list before it.
func (s *Server) reload() {
	s.wrong = ""
	text, err := os.ReadFile(s.Allow)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.wrong = err.Error()
		return
	}
	if s.told != nil && string(text) == string(s.text) {
		return
	}
	lines, err := alert.ParseAllow(text, s.Allow)
	if err != nil {
		s.wrong = err.Error()
		return
	}
	if lines, err = alert.Narrow(lines, s.Allow); err != nil {
		s.wrong = err.Error()
	}
	s.text, s.lines = text, lines
	s.told, s.alone, s.found = alert.Rehearse(s.log, s.PerDay, lines), map[int]bool{}, nil
	for _, in := range s.told.Incidents {
		for _, i := range in.Alerts {
			s.alone[i] = true
		}
	}
}

// policy of the content: nothing but what this server has.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers what was asked by this machine, of this machine, with the
// secret.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	if !local(r.Host) { // another name that leads here: DNS rebinding
		http.Error(w, "this page is for this machine only", http.StatusForbidden)
		return
	}
	secret, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !s.same(secret) {
		http.NotFound(w, r)
		return
	}
	name, api := strings.CutPrefix(path, "api/")
	if !api {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
			return
		}
		r.URL.Path = "/" + path
		s.assets.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodPost {
		if from := r.Header.Get("Origin"); !s.same(r.Header.Get("X-Token")) || from != "" && from != "http://"+r.Host {
			http.Error(w, "not from this page", http.StatusForbidden)
			return
		}
	}
	s.mu.Lock()
	answer, err := s.api(name, r)
	s.mu.Unlock()
	h.Set("Content-Type", "application/json; charset=utf-8")
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errNotThere) {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		answer = map[string]string{"error": err.Error()}
	}
	json.NewEncoder(w).Encode(answer) // the page may be gone
}

var errNotThere = errors.New("there is no such thing here")

func (s *Server) same(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) == 1
}

// local reports whether a Host header names this machine.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || host == "127.0.0.1" || host == "::1" || host == "[::1]"
}

func (s *Server) api(name string, r *http.Request) (any, error) {
	switch r.Method + " " + name {
	case "GET overview":
		s.reload()
		return s.overview(r.URL.Query().Get("day"))
	case "GET rows":
		return s.rows(r.URL.Query())
	case "GET row":
		i, err := s.number(r.URL.Query().Get("i"))
		if err != nil {
			return nil, err
		}
		return s.detail(i), nil
	case "GET label":
		v := r.URL.Query()
		i, err := s.number(v.Get("i"))
		if err != nil {
			return nil, err
		}
		return s.tryLabel(&labelling{Row: i, Verdict: v.Get("verdict"), Scope: v.Get("scope"), Days: 90})
	case "POST label":
		var l labelling
		if err := read(r, &l); err != nil {
			return nil, err
		}
		return s.writeLabel(&l)
	case "POST remove":
		var line struct {
			Line int    `json:"line"`
			Text string `json:"text"`
		}
		if err := read(r, &line); err != nil {
			return nil, err
		}
		return s.removeLabel(line.Line, line.Text)
	}
	return nil, errNotThere
}

// number reads the number of a row.
func (s *Server) number(text string) (int, error) {
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 || i >= len(s.log.Rows) {
		return 0, fmt.Errorf("%w: row %q", errNotThere, text)
	}
	return i, nil
}

func read(r *http.Request, to any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// Serve answers on a port of the loopback that the system chooses, until done
// is closed. It calls begun with the address of the page.
func (s *Server) Serve(done <-chan struct{}, begun func(url string)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan struct{})
	go func() {
		select {
		case <-done:
			server.Close()
		case <-stopped:
		}
	}()
	begun("http://" + l.Addr().String() + s.Path())
	err = server.Serve(l)
	close(stopped)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
