package main

import (
	"fmt"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// sslKind is ssl.log.
var sslKind = logKind{
	set: ssllog.Set,
	schema: &zeeklog.Schema{
		Log: "ssl",
		Columns: append(slices.Clip(seenColumns),
			"version", "cipher", "server_name", "last_alert", "next_protocol", "ssl_history",
			"validation_status", "ja4", "ja3", "resumed", "established", "sni_matches_cert", "cert_chain_fps",
		),
		Required: seenRequired,
		Telling:  []string{"cipher", "ssl_history", "established", "last_alert"},
	},
	header: []string{"server name", "version", "established"},
	rules:  evaluate.SSLColumns,
	drills: evaluate.SSLAttacks,
	open: func(hosts int) func() logRow {
		rows := ssllog.NewRows(hosts)
		return func() logRow { return &sslRecord{Record: ssllog.Record{Rows: rows}} }
	},
}

// The columns of its schema behind seenColumns.
const (
	sslVersion = iota + seenEnd
	sslCipher
	sslServerName
	sslLastAlert
	sslNextProtocol
	sslHistory
	sslValidation
	sslJA4
	sslJA3
	sslResumed
	sslEstablished
	sslMatches
	sslChain
)

// sslRecord is a row of ssl.log.
type sslRecord struct {
	ssllog.Record
	certificates *certificates
	missing      bool // its certificate is not among them
}

// sslAbsent are the fields without which features say nothing, by their columns.
// validation_status and sni_matches_cert are unset if nobody asked for them,
// and where they are no column, which is the same.
var sslAbsent = [...]struct {
	column int
	bit    ssllog.Fields
}{
	{sslVersion, ssllog.Version}, {sslCipher, ssllog.Cipher}, {sslServerName, ssllog.ServerName}, {sslLastAlert, ssllog.LastAlert},
	{sslNextProtocol, ssllog.NextProtocol}, {sslHistory, ssllog.History}, {sslResumed, ssllog.Resumed}, {sslEstablished, ssllog.Established}, {sslChain, ssllog.KnownCertificate},
}

func (r *sslRecord) take(fields []zeeklog.Field) error {
	v := fieldValues{columns: sslKind.schema.Columns, fields: fields}
	r.Handshake = ssllog.Handshake{
		Seen:         v.seen(),
		Version:      v.text(sslVersion),
		Cipher:       v.text(sslCipher),
		ServerName:   v.text(sslServerName),
		LastAlert:    v.text(sslLastAlert),
		NextProtocol: v.text(sslNextProtocol),
		History:      v.text(sslHistory),
		Validation:   v.text(sslValidation),
		JA4:          v.text(sslJA4),
		JA3:          v.text(sslJA3),
		Resumed:      read(&v, sslResumed, false, yesOrNo),
		Established:  read(&v, sslEstablished, false, yesOrNo),
		Matches:      read(&v, sslMatches, false, yesOrNo),
	}
	if fields[sslMatches].IsSet() {
		r.Handshake.Set = ssllog.Matches
	}
	r.missing = false
	if fingerprint := v.first(sslChain); fingerprint != "" && r.certificates != nil {
		if c, ok := r.certificates.of(fingerprint); ok {
			r.Handshake.Certificate, r.Handshake.Set = c, r.Handshake.Set|ssllog.KnownCertificate
		} else {
			r.missing = true
		}
	}
	for _, f := range sslAbsent {
		if fields[f.column].Absent() {
			r.Handshake.Absent |= f.bit
		}
	}
	return v.err
}

// yesOrNo returns the value of a bool.
func yesOrNo(f *zeeklog.Field) (bool, error) {
	switch text := f.Text(); text {
	case "T", "true":
		return true, nil
	case "F", "false":
		return false, nil
	default:
		return false, fmt.Errorf("%q is neither T nor F", text)
	}
}

func (r *sslRecord) alike() kind {
	h := &r.Handshake
	return kind{orig: h.Orig.Addr(), resp: h.Resp.Addr(), context: h.Context, service: h.ServerName + " " + h.Version}
}

func (r *sslRecord) cells() []string {
	h := &r.Handshake
	established := "no"
	if h.Established {
		established = "yes"
	}
	return []string{string(feature.AppendPrintable(nil, h.ServerName)), string(feature.AppendPrintable(nil, h.Version)), established}
}
