package service

import (
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// announceFor is how long an announced connection is waited for
// (scripts/base/protocols/ftp/main.zeek and irc/dcc-send.zeek: 5mins).
const announceFor = 5 * 60 * 1000000

// maxTransfers is IRC::max_dcc_expected_transfers.
const maxTransfers = 5000

// quietAnalyzer takes the bytes of an announced data connection. Its name
// comes from the announcement, not from the bytes.
type quietAnalyzer struct{ node }

func newQuiet() analyzer { return &quietAnalyzer{} }

func (a *quietAnalyzer) data(bool, []byte) {}
func (a *quietAnalyzer) idle(bool) bool    { return true }

// announced are the data connections that the scripts of one protocol expect,
// by when each was last looked up; unused ones expire.
type announced map[netip.AddrPort]conn.Micros

// add remembers a connection unless there are too many.
func (m announced) add(resp netip.AddrPort, now conn.Micros, most int) bool {
	if _, ok := m[resp]; !ok && len(m) >= most {
		for k, seen := range m {
			if now-seen >= announceFor {
				delete(m, k)
			}
		}
		if len(m) >= most {
			return false
		}
	}
	m[resp] = now
	return true
}

// has looks a connection up and keeps it alive.
func (m announced) has(resp netip.AddrPort, now conn.Micros) bool {
	seen, ok := m[resp]
	switch {
	case !ok:
		return false
	case now-seen >= announceFor:
		delete(m, resp)
		return false
	}
	m[resp] = now
	return true
}

// expectFTPData remembers a data channel and schedules its analyzer.
func (t *Tracker) expectFTPData(orig netip.Addr, resp netip.AddrPort, now conn.Micros) {
	if t.channels.add(resp, now, maxExpected) {
		t.schedule(orig, resp, true, ftpData, now, announceFor)
	}
}

// expectDCC does so for a file that an IRC message offers, to anybody.
func (t *Tracker) expectDCC(resp netip.AddrPort, now conn.Micros) {
	if len(t.transfers) < maxTransfers && t.transfers.add(resp, now, maxTransfers) {
		t.schedule(netip.Addr{}, resp, true, ircData, now, announceFor)
	}
}

// applied names a connection that was announced: the handlers of
// scheduled_analyzer_applied.
func (t *Tracker) applied(d *Detector) {
	if t.channels.has(d.id.Resp, d.now) {
		d.add(protocols[ftpData].name)
		d.announced = true
	}
	if t.transfers.has(d.id.Resp, d.now) {
		d.add(protocols[ircData].name)
		d.announced = true
	}
}

// finish forgets the announcement of a data connection that is removed; of FTP's
// only unless another connection takes its place (finalize_ftp_data).
func (t *Tracker) finish(d *Detector) {
	if !d.announced {
		return
	}
	if !d.reused {
		delete(t.channels, d.id.Resp)
	}
	delete(t.transfers, d.id.Resp)
}
