package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// sendTimeout is how long one attempt may take.
const sendTimeout = 15 * time.Second

// webhook posts alerts over HTTP, in the form that the service wants.
type webhook struct {
	url    string
	token  string
	body   func(*Alert) any
	client *http.Client
}

var webhookBodies = map[string]func(*Alert) any{
	"json":       func(a *Alert) any { return a },
	"slack":      slackBody,
	"mattermost": mattermostBody,
	"teams":      teamsBody,
}

// newWebhook makes a webhook. A URL of a chat service is a secret.
func newWebhook(kind, where string, o Options) (Receiver, string, error) {
	w := &webhook{url: where, body: webhookBodies[kind]}
	var err error
	if kind != "json" || !strings.HasPrefix(where, "http://") && !strings.HasPrefix(where, "https://") {
		if w.url, err = Secret(where); err != nil {
			return nil, "", err
		}
	}
	u, err := parseURL(w.url)
	if err != nil {
		return nil, "", err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, "", errors.New("the URL begins neither with https:// nor with http://")
	}
	if kind == "json" && o.Token != "" {
		if w.token, err = Secret(o.Token); err != nil {
			return nil, "", err
		}
	}
	if kind == "json" && o.Template != "" {
		if w.body, err = templateBody(o.Template); err != nil {
			return nil, "", err
		}
	}
	config, err := tlsConfig(o.CA, "")
	if err != nil {
		return nil, "", err
	}
	w.client = &http.Client{
		Timeout:       sendTimeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the alert stays with its receiver
	}
	return w, " " + u.Host, nil
}

func (w *webhook) Send(ctx context.Context, a *Alert) error {
	body, err := json.Marshal(w.body(a))
	if err != nil {
		return &Refused{err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "zeek-iforest")
	request.Header.Set("Idempotency-Key", a.ID)
	if w.token != "" {
		request.Header.Set("Authorization", "Bearer "+w.token)
	}
	response, err := w.client.Do(request)
	if err != nil {
		var u *url.Error // its text has the URL, which is a secret
		if errors.As(err, &u) {
			err = u.Err
		}
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	status := response.StatusCode
	switch {
	case status >= 200 && status < 300:
		if err != nil {
			return fmt.Errorf("the answer broke off: %w", err)
		}
		return nil
	}
	short := clean(string(text[:min(len(text), 200)]))
	err = fmt.Errorf("HTTP status %s %s", response.Status, short)
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return &Refused{err}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if after := retryAfter(response.Header.Get("Retry-After"), time.Now()); after > 0 {
			return &Later{err, after}
		}
	}
	return err
}

// retryAfter reads the header: seconds or a date (RFC 9110, §10.2.3). More than
// a day is taken for a day.
func retryAfter(text string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, most)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}

// templateBody reads a text/template that writes the JSON of an alert. It sees
// an *Alert; json writes any value of it as JSON.
func templateBody(path string) (func(*Alert) any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := template.New(path).Option("missingkey=error").Funcs(template.FuncMap{"json": func(v any) (string, error) {
		text, err := json.Marshal(v)
		return string(text), err
	}}).Parse(string(text))
	if err != nil {
		return nil, err
	}
	body := func(a *Alert) any {
		var b bytes.Buffer
		if err := t.Execute(&b, a); err != nil {
			return badBody{err}
		}
		return json.RawMessage(b.Bytes()) // checked when it is marshalled
	}
	sample := &Alert{Kind: Connection, Reason: "\"", Connection: Summary{UID: "C1"}, UIDs: []string{"C1"}}
	if _, err := json.Marshal(body(sample)); err != nil {
		return nil, fmt.Errorf("%s: what the template makes is not JSON ({{json .Reason}} writes a value with its quotes): %w", path, err)
	}
	return body, nil
}

// badBody is what no template made.
type badBody struct{ err error }

func (b badBody) MarshalJSON() ([]byte, error) { return nil, b.err }

func slackBody(a *Alert) any {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return map[string]any{"text": "*" + escape.Replace(clean(a.Title())) + "*\n```" + escape.Replace(strings.ReplaceAll(a.Detail(), "`", "'")) + "```"}
}

func mattermostBody(a *Alert) any {
	return map[string]any{"username": "zeek-iforest", "text": "#### " + strings.ReplaceAll(clean(a.Title()), "@", "＠") + "\n```\n" + strings.ReplaceAll(a.Detail(), "`", "'") + "```"}
}

// teamsBody returns an adaptive card, as Teams' workflow "post to a channel when a
// webhook request is received" takes it.
func teamsBody(a *Alert) any {
	block := func(text string, more map[string]any) map[string]any {
		b := map[string]any{"type": "TextBlock", "text": text, "wrap": true}
		for k, v := range more {
			b[k] = v
		}
		return b
	}
	return map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive",
		"content": map[string]any{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
			"body": []any{
				block(clean(a.Title()), map[string]any{"weight": "bolder"}),
				block(strings.ReplaceAll(a.Detail(), "\n", "\n\n"), map[string]any{"fontType": "monospace"}),
			},
		},
	}}}
}
