//go:build cgo && provoke

package main

import "github.com/zeek-iforest/zeek-iforest/gobridge/sensor"

// provoke panics for connections to the discard port, 9: a library built with
// -tags provoke shows that a host survives a fault in it. Never installed.
func provoke(r *sensor.Record) {
	if r.RespPort == 9 {
		var nowhere *sensor.Record
		nowhere.RespPort = r.RespPort
	}
}
