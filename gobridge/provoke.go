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

// provokeRow does the same for rows of other logs: for a handshake that was
// refused for its version, as one in testdata/pcaps/tls.pcap.
func provokeRow(values []sensor.Value) {
	for i := range values {
		if values[i].Text == "protocol_version" {
			var nowhere *sensor.Record
			nowhere.RespPort = 9
		}
	}
}
