//go:build cgo && !provoke

package main

import "github.com/zeek-iforest/zeek-iforest/gobridge/sensor"

func provoke(*sensor.Record) {}

func provokeRow([]sensor.Value) {}
