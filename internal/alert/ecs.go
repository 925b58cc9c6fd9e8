package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"time"
)

// ecsFile appends alerts to a file as JSON lines with the names of the Elastic
// Common Schema 8. It is opened for each, so that it may be rotated, and its
// end is looked at first: an alert stands in it once, whatever happened.
type ecsFile struct{ path string }

const ecsEnd = 1 << 20 // bytes of the file's end that are looked at

func newECS(path string) (Receiver, error) {
	if path == "" {
		return nil, errors.New("name the file: ecs:/var/log/…")
	}
	return &ecsFile{path}, nil
}

func (e *ecsFile) Send(_ context.Context, a *Alert) error {
	line, err := json.Marshal(ecs(a))
	if err != nil {
		return &Refused{err}
	}
	f, err := os.OpenFile(e.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	before := info.Size()
	if info.Mode().IsRegular() && before > 0 {
		end := make([]byte, min(before, ecsEnd))
		if _, err := f.ReadAt(end, before-int64(len(end))); err != nil && err != io.EOF {
			return err
		}
		if bytes.Contains(end, []byte(`"id":"`+a.ID+`"`)) {
			return nil
		}
		if end[len(end)-1] != '\n' {
			line = append([]byte{'\n'}, line...) // a write before broke off
		}
	}
	_, err = f.Write(append(line, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err != nil && info.Mode().IsRegular() {
		_ = f.Truncate(before) // no half line for the reader
	}
	return err
}

func ecs(a *Alert) map[string]any {
	c := &a.Connection
	service := any(nil)
	if c.Service != "" {
		service = c.Service
	}
	network := map[string]any{"transport": c.Proto, "bytes": c.OrigBytes + c.RespBytes}
	if service != nil {
		network["protocol"] = service
	}
	source := map[string]any{"ip": c.Originator, "bytes": c.OrigBytes, "address": c.Originator}
	destination := map[string]any{"ip": c.Responder, "bytes": c.RespBytes, "address": c.Responder}
	connection := map[string]any{"anomaly_score": a.Score, "anomaly_rank": a.OneIn, "anomaly_reason": clean(a.Reason), "state": c.State}
	if c.Proto == "icmp" { // as Elastic's Zeek integration has it: a type and a code, no ports
		connection["icmp"] = map[string]any{"type": c.OrigPort, "code": c.RespPort}
	} else {
		source["port"], destination["port"] = c.OrigPort, c.RespPort
	}
	return map[string]any{
		"@timestamp": a.Time.UTC().Format(time.RFC3339Nano),
		"ecs":        map[string]any{"version": "8.17.0"},
		"message":    clean(a.Title()),
		"event": map[string]any{
			"id": a.ID, "kind": "alert", "category": []string{"network"}, "type": []string{"info"},
			"module": "zeek", "dataset": "zeek.iforest", "provider": "zeek-iforest",
			"start": a.First.UTC().Format(time.RFC3339Nano), "end": a.Last.UTC().Format(time.RFC3339Nano),
			"risk_score": a.Score, "risk_score_norm": math.Round(a.Score * 100), "reason": clean(a.Reason),
		},
		"rule":        map[string]any{"name": "anomalous " + string(a.Kind), "ruleset": "zeek-iforest"},
		"source":      source,
		"destination": destination,
		"network":     network,
		"related":     map[string]any{"ip": []string{c.Originator, c.Responder}},
		"zeek":        map[string]any{"session_id": c.UID, "connection": connection, "iforest": map[string]any{"kind": a.Kind, "count": a.Count, "ports": a.Ports, "responders": a.Responders, "uids": a.UIDs}},
	}
}
