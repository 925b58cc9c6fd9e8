//go:build cgo

// Package main is the sensor library, built with -buildmode=c-shared and loaded
// into Zeek by the plugin (zeek-pkg/src/Bridge.cc). iforest_abi.h says what
// each function does. An export converts, recovers, calls, and returns a status.
package main

/*
#include "iforest_abi.h"
*/
import "C"

import (
	"net/netip"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/cases"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// The header is the one definition of the codes: these lines do not compile
// when sensor's differ.
var _ = [1]struct{}{}[C.IFOREST_OK-sensor.OK]
var _ = [1]struct{}{}[C.IFOREST_NO_LIBRARY-sensor.NoLibrary]
var _ = [1]struct{}{}[C.IFOREST_NO_MODEL-sensor.NoModel]
var _ = [1]struct{}{}[C.IFOREST_BAD_RECORD-sensor.BadRecord]
var _ = [1]struct{}{}[C.IFOREST_BAD_MODEL-sensor.BadModel]
var _ = [1]struct{}{}[C.IFOREST_PANIC-sensor.Panic]
var _ = [1]struct{}{}[C.IFOREST_NOT_DONE-sensor.NotDone]
var _ = [1]struct{}{}[C.IFOREST_STATUSES-sensor.Statuses]
var _ = [1]struct{}{}[C.IFOREST_BINS-sensor.Bins]
var _ = [1]struct{}{}[C.IFOREST_TYPES-C.int(sensor.Types)]
var _ = [1]struct{}{}[C.IFOREST_ADDR-C.int(sensor.Addr)]
var _ = [1]struct{}{}[C.IFOREST_MAX_FIELDS-sensor.MaxFields]
var _ = [1]struct{}{}[C.IFOREST_STRINGS-C.int(sensor.Strings)]
var _ = [1]struct{}{}[C.IFOREST_CONTEXT-C.int(sensor.Context)]
var _ = [1]struct{}{}[C.IFOREST_MAX_ELEMENTS-sensor.MaxElements]

var _ = [1]struct{}{}[C.IFOREST_SUPPRESSED-C.int(alerts.Suppressed)]
var _ = [1]struct{}{}[C.IFOREST_FOLDED-C.int(alerts.Folded)]
var _ = [1]struct{}{}[C.IFOREST_RAISE-C.int(alerts.Raise)]
var _ = [1]struct{}{}[C.IFOREST_FORWARDED-C.int(alerts.Forwarded)]
var _ = [1]struct{}{}[C.IFOREST_NOTHING-sensor.Nothing]
var _ = [1]struct{}{}[C.IFOREST_PROMOTED-sensor.Promoted]
var _ = [1]struct{}{}[C.IFOREST_REFUSED-sensor.Refused]
var _ = [1]struct{}{}[C.IFOREST_DRIFT-sensor.Drift]
var _ = [1]struct{}{}[C.IFOREST_INCIDENT-sensor.Incident]
var _ = [1]struct{}{}[C.IFOREST_WARNING-sensor.Warning]
var _ = [1]struct{}{}[C.IFOREST_SAMPLES-sensor.Samples]
var _ = [1]struct{}{}[C.IFOREST_ALERT-sensor.Alert]

var _ = [1]struct{}{}[C.IFOREST_MAX_CASE-cases.MaxLogs]

var _ [C.IFOREST_MAX_BATCH - learn.MaxBatch]struct{} // a batch fits
var _ = [1]struct{}{}[C.IFOREST_MAX_EVIDENCE-feature.MaxEvidence]
var _ = [1]struct{}{}[C.IFOREST_MAX_CANDIDATES-alerts.MaxCandidates]

// One process, one Zeek, a sensor for each log; the one in use.
var (
	sensors []*sensor.Sensor
	the     *sensor.Sensor
	fields  []sensor.Field // of the one in use
	values  [sensor.MaxFields]sensor.Value
	texts   [sensor.MaxFields][sensor.MaxElements]string // of vectors of strings, by field
)

// use makes a sensor the one in use.
func use(s *sensor.Sensor) { the, fields = s, s.Fields() }

func main() {}

//export iforest_abi_version
func iforest_abi_version() C.uint32_t { return C.IFOREST_ABI_VERSION }

//export iforest_start
func iforest_start(message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	if the == nil {
		sensor.SetUpRuntime()
		use(sensor.New(model.DefaultHosts))
		sensors = append(sensors, the)
	}
	return C.IFOREST_OK
}

//export iforest_open
func iforest_open(log C.iforest_text, number *C.uint32_t, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	for i, s := range sensors {
		if s.Log() == textOf(log) {
			*number = C.uint32_t(i)
			use(s)
			return C.IFOREST_OK
		}
	}
	s, err := sensor.Open(string(bytesOf(log)), model.DefaultHosts)
	if err != nil {
		return report(err, message, size)
	}
	s.Beside(sensors[0])
	*number = C.uint32_t(len(sensors))
	sensors = append(sensors, s)
	use(s)
	return C.IFOREST_OK
}

//export iforest_use
func iforest_use(number C.uint32_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	if int(number) >= len(sensors) {
		return C.IFOREST_NOT_DONE
	}
	use(sensors[number])
	return C.IFOREST_OK
}

//export iforest_fields
func iforest_fields(list *C.iforest_field_info, n *C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	out := unsafe.Slice(list, C.IFOREST_MAX_FIELDS)
	*n = C.uint64_t(len(fields))
	for i, f := range fields {
		out[i] = C.iforest_field_info{required: boolean(f.Required), _type: C.uint32_t(f.Type)}
		put(&out[i].name[0], C.uint64_t(len(out[i].name)), f.Name)
	}
	return C.IFOREST_OK
}

//export iforest_load_file
func iforest_load_file(path C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	defer sensor.Tidy()
	return report(the.LoadFile(string(bytesOf(path))), message, size)
}

//export iforest_load_bytes
func iforest_load_bytes(data C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	defer sensor.Tidy()
	return report(the.LoadBytes(bytesOf(data)), message, size)
}

//export iforest_score
func iforest_score(c *C.iforest_conn, result *C.iforest_result, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer func() {
		if value := recover(); value != nil {
			the.Fault()
			status = report(sensor.Panicked(value), message, size)
		}
	}()
	record := recordOf(c)
	provoke(&record)
	r, err := the.Score(&record)
	return scored(result, &r, err, message, size)
}

//export iforest_peek
func iforest_peek(c *C.iforest_conn, result *C.iforest_result, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	record := recordOf(c)
	r, err := the.Peek(&record)
	return scored(result, &r, err, message, size)
}

//export iforest_score_values
func iforest_score_values(list *C.iforest_value, n C.uint64_t, result *C.iforest_result, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer func() {
		if value := recover(); value != nil {
			the.Fault()
			status = report(sensor.Panicked(value), message, size)
		}
	}()
	// As many as fit; ScoreValues refuses any other number than that of the fields.
	given := unsafe.Slice(list, int(min(n, C.uint64_t(len(fields)+1), sensor.MaxFields)))
	for i := range given {
		valueOf(&values[i], &given[i], i)
	}
	provokeRow(values[:len(given)])
	r, err := the.ScoreValues(values[:len(given)])
	return scored(result, &r, err, message, size)
}

// scored gives the host a result.
func scored(result *C.iforest_result, r *sensor.Result, err error, message *C.char, size C.uint64_t) C.int32_t {
	result.score, result.rank, result.case_score = C.double(r.Score), C.double(r.Rank), C.double(r.Case)
	result.cold, result.unusual, result.news = boolean(r.Cold), boolean(r.Unusual), boolean(the.News() > 0)
	result.meets, result.case_rows = boolean(r.Meets), 0
	put(&result.reason[0], C.uint64_t(len(result.reason)), r.Reason)
	if err != nil {
		return report(err, message, size)
	}
	if r.Case > 0 {
		putCase(result)
	}
	return C.IFOREST_OK
}

func putCase(result *C.iforest_result) {
	rows := the.Case().Strangest()
	result.case_rows = C.uint8_t(len(rows))
	for i := range rows {
		r, out := &rows[i], &result.case_row[i]
		out.score, out.rank = C.double(r.Score), C.double(r.OneIn)
		put(&out.log[0], C.uint64_t(len(out.log)), r.Log)
		put(&out.reason[0], C.uint64_t(len(out.reason)), r.Reason)
	}
}

//export iforest_set
func iforest_set(s *C.iforest_settings, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	the.GiveReasons(s.reasons != 0)
	the.UseSeed(s.use_seed != 0)
	the.Label(string(bytesOf(s.labels)))
	if the.Log() == feature.Conn.Log {
		the.SetAlerts(float64(s.alerts_per_day))
		the.UseCases(s.use_cases != 0)
		if s.forwards != 0 {
			the.Forward()
		}
	}
	return C.IFOREST_OK
}

//export iforest_learn
func iforest_learn(how *C.iforest_settings, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	defer sensor.Tidy()
	return report(the.Learn(sensor.Learning{
		Seed: uint64(how.seed), Warmup: uint64(how.warmup), RebuildEvery: uint64(how.rebuild_every), SaveEvery: uint64(how.save_every),
		Dir: string(bytesOf(how.directory)), ZeekVersion: string(bytesOf(how.zeek_version)),
		Recording: string(bytesOf(how.recording)), Workers: uint64(how.workers),
		Labels: string(bytesOf(how.labels)),
	}), message, size)
}

//export iforest_sample
func iforest_sample(how *C.iforest_settings, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	defer sensor.Tidy()
	the.Sample(sensor.Sampling{OneIn: uint64(how.sample_one_in), SaveEvery: uint64(how.save_every), Dir: string(bytesOf(how.directory))})
	return C.IFOREST_OK
}

//export iforest_take_samples
func iforest_take_samples(buffer *C.char, length, rows *C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	batch, n := the.Samples()
	*length = C.uint64_t(copy(unsafe.Slice((*byte)(unsafe.Pointer(buffer)), C.IFOREST_MAX_BATCH), batch))
	*rows = C.uint64_t(n)
	the.TakeSamples()
	return C.IFOREST_OK
}

//export iforest_observe
func iforest_observe(batch C.iforest_text, news *C.uint8_t, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	defer func() { *news = boolean(the.News() > 0) }()
	return report(the.Take(bytesOf(batch)), message, size)
}

//export iforest_model_file
func iforest_model_file(buffer *C.char, size C.uint64_t, length *C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	file := the.ModelFile()
	if file == nil {
		return C.IFOREST_NO_MODEL
	}
	if *length = C.uint64_t(len(file)); *length <= size {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(buffer)), size), file)
	}
	return C.IFOREST_OK
}

//export iforest_adopt
func iforest_adopt(file, fingerprint C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	return report(the.Adopt(bytesOf(file), string(bytesOf(fingerprint))), message, size)
}

//export iforest_raise
func iforest_raise(verdict *C.uint32_t, result *C.iforest_result) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	v := the.Raise()
	*verdict = C.uint32_t(v)
	if v == alerts.Raise {
		put(&result.reason[0], C.uint64_t(len(result.reason)), the.Reason())
		putCase(result)
	}
	return C.IFOREST_OK
}

//export iforest_next_event
func iforest_next_event(out *C.iforest_event) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	e := the.Event()
	i := e.Incident
	*out = C.iforest_event{
		kind: C.uint32_t(e.Kind), count: C.uint64_t(i.Count), inbound: boolean(i.Inbound), over: boolean(i.Over),
		first: C.double(i.Begun.Seconds()), last: C.double(i.Latest.Seconds()), score: C.double(i.Score),
		resp_p: C.uint16_t(i.Resp.Port()), other_origs: boolean(!i.OneOrig), other_resps: boolean(!i.OneResp), other_logs: boolean(!i.OneLog), period: C.double(i.Period.Seconds()),
	}
	if e.Kind == sensor.Alert {
		alertOf(out, &e.Alert)
		return C.IFOREST_OK
	}
	put(&out.text[0], C.uint64_t(len(out.text)), e.Text)
	put(&out.log[0], C.uint64_t(len(out.log)), i.Log)
	putAddr(&out.host, i.Host.Addr)
	put(&out.context[0], C.uint64_t(len(out.context)), i.Host.Context)
	putAddr(&out.orig_h, i.Orig.Addr())
	putAddr(&out.resp_h, i.Resp.Addr())
	return C.IFOREST_OK
}

// putAddr leaves all zeros for an address that is not valid.
func putAddr(to *[16]C.uint8_t, a netip.Addr) {
	if a.IsValid() {
		*(*[16]byte)(unsafe.Pointer(to)) = a.As16()
	}
}

//export iforest_rollback
func iforest_rollback(message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	return report(the.Rollback(), message, size)
}

//export iforest_finish
func iforest_finish(message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	return report(the.Finish(), message, size)
}

//export iforest_model
func iforest_model(info *C.iforest_model_info) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	m := the.InUse()
	if m == nil {
		return C.IFOREST_NO_MODEL
	}
	s := m.Summary()
	*info = C.iforest_model_info{
		rows:  C.uint64_t(s.Rows),
		first: C.double(s.First.Seconds()),
		last:  C.double(s.Last.Seconds()),
		seed:  C.uint64_t(s.Seed),
	}
	if m != the.Model() {
		*info = C.iforest_model_info{rows: info.rows, by_seed: 1} // its times are those of no network
	}
	put(&info.fingerprint[0], C.uint64_t(len(info.fingerprint)), seed.Name(m))
	return C.IFOREST_OK
}

//export iforest_statistics
func iforest_statistics(out *C.iforest_counts) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	s := the.Statistics()
	for i, n := range s.Calls {
		out.calls[i] = C.uint64_t(n)
	}
	for i, n := range s.Bins {
		out.bins[i] = C.uint64_t(n)
	}
	out.sum = C.double(s.Sum)
	out.cold = C.uint64_t(s.Cold)
	out.by_seed = C.uint64_t(s.Seed)
	out.models = C.uint64_t(s.Models)
	out.refused = C.uint64_t(s.Refused)
	out.looks = C.uint64_t(s.Looks)
	out.raised, out.folded, out.suppressed = C.uint64_t(s.Raised), C.uint64_t(s.Folded), C.uint64_t(s.Suppressed)
	out.unsent = C.uint64_t(s.Unsent)
	out.sampled, out.samples_lost = C.uint64_t(s.Sampled), C.uint64_t(s.Lost)
	l := s.Learner
	out.learning, out.rebuilding, out.rows = boolean(s.Learning), boolean(l.Rebuilding), C.uint64_t(l.Rows)
	out.kinds, out.quarantined = C.uint64_t(l.Kinds), C.uint64_t(l.Quarantined)
	out.promoted, out.not_promoted = C.uint64_t(l.Promoted), C.uint64_t(l.Refused)
	out.next_rebuild, out.seed = C.uint64_t(l.Due), C.uint64_t(l.Seed)
	m := sensor.Memory()
	out.collections, out.heap = C.uint64_t(m.NumGC), C.uint64_t(m.HeapAlloc)
	return C.IFOREST_OK
}

// valueOf reads the value of the field i; its text still points into the host's
// memory.
func valueOf(to *sensor.Value, v *C.iforest_value, i int) {
	*to = sensor.Value{Set: v.set != 0}
	if !to.Set || i >= len(fields) {
		return
	}
	as := unsafe.Pointer(&v.as)
	switch fields[i].Type {
	case sensor.Time, sensor.Interval, sensor.Double:
		to.Real = *(*float64)(as)
	case sensor.String, sensor.Context:
		to.Text = textOf(*(*C.iforest_text)(as))
	case sensor.Strings:
		list := (*struct {
			elements *C.iforest_text
			n        C.uint64_t
		})(as)
		n := int(min(list.n, sensor.MaxElements))
		if list.elements == nil {
			n = 0
		}
		to.Texts = texts[i][:n]
		for at, text := range unsafe.Slice(list.elements, n) {
			to.Texts[at] = textOf(text)
		}
	case sensor.Intervals:
		list := (*struct {
			elements *float64
			n        C.uint64_t
		})(as)
		if list.elements != nil {
			to.Reals = unsafe.Slice(list.elements, int(min(list.n, sensor.MaxElements)))
		}
	case sensor.Addr:
		to.Address = *(*[16]byte)(as)
	default:
		to.Number = *(*uint64)(as)
	}
}

// recordOf reads the struct; its texts still point into the host's memory.
func recordOf(c *C.iforest_conn) sensor.Record {
	return sensor.Record{
		TS:          float64(c.ts),
		Duration:    float64(c.duration),
		OrigBytes:   uint64(c.orig_bytes),
		RespBytes:   uint64(c.resp_bytes),
		MissedBytes: uint64(c.missed_bytes),
		OrigPkts:    uint64(c.orig_pkts),
		OrigIPBytes: uint64(c.orig_ip_bytes),
		RespPkts:    uint64(c.resp_pkts),
		RespIPBytes: uint64(c.resp_ip_bytes),
		Service:     textOf(c.service),
		UID:         textOf(c.uid),
		Context:     textOf(c.context),
		State:       textOf(c.conn_state),
		OrigHost:    *(*[16]byte)(unsafe.Pointer(&c.orig_h)),
		RespHost:    *(*[16]byte)(unsafe.Pointer(&c.resp_h)),
		OrigPort:    uint16(c.orig_p),
		RespPort:    uint16(c.resp_p),
		IPProto:     uint16(c.ip_proto),
		Proto:       uint8(c.proto),
		LocalOrig:   c.local_orig != 0,
		LocalResp:   c.local_resp != 0,
		Set:         fieldsOf(uint32(c.set)),
	}
}

// fieldsOf translates the header's bits into conn's.
func fieldsOf(set uint32) (f conn.Fields) {
	for _, b := range [...]struct {
		bit   uint32
		field conn.Fields
	}{
		{C.IFOREST_SERVICE, conn.Service},
		{C.IFOREST_DURATION, conn.Duration},
		{C.IFOREST_ORIG_BYTES, conn.OrigBytes},
		{C.IFOREST_RESP_BYTES, conn.RespBytes},
		{C.IFOREST_LOCAL_ORIG, conn.LocalOrig},
		{C.IFOREST_LOCAL_RESP, conn.LocalResp},
		{C.IFOREST_IP_PROTO, conn.IPProto},
	} {
		if set&b.bit != 0 {
			f |= b.field
		}
	}
	return f
}
