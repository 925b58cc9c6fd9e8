package model_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// The golden vectors: testdata/vectors/conn.log is a JSON conn.log whose rows
// also hold what becomes of them on the way to a score by vectors.model and
// vectors-2.model, the same model trained on the same rows. They are frozen: a
// change of them is a new schema or a new format, so -new-vectors is for the day
// on which one is made.
var newVectors = flag.Bool("new-vectors", false, "write the golden vectors anew, for a new schema or format")

// golden is a row of conn.log and the steps from it to its score.
type goldenRow struct {
	TS          float64  `json:"ts"`
	UID         string   `json:"uid"`
	OrigH       string   `json:"id.orig_h"`
	OrigP       uint16   `json:"id.orig_p"`
	RespH       string   `json:"id.resp_h"`
	RespP       uint16   `json:"id.resp_p"`
	Proto       string   `json:"proto"`
	Service     *string  `json:"service,omitempty"`
	Duration    *float64 `json:"duration,omitempty"`
	OrigBytes   *uint64  `json:"orig_bytes,omitempty"`
	RespBytes   *uint64  `json:"resp_bytes,omitempty"`
	State       string   `json:"conn_state,omitempty"`
	LocalOrig   *bool    `json:"local_orig,omitempty"`
	MissedBytes uint64   `json:"missed_bytes"`
	OrigPkts    uint64   `json:"orig_pkts"`
	OrigIPBytes uint64   `json:"orig_ip_bytes"`
	RespPkts    uint64   `json:"resp_pkts"`
	RespIPBytes uint64   `json:"resp_ip_bytes"`

	Score  float64   `json:"anomaly_score"`
	Path   float64   `json:"path"`
	Vector []float32 `json:"vector"`
	Window [4]uint32 `json:"window"` // connections, failures, responders, ports
	Memory [5]uint64 `json:"memory"` // responder's failures, the pair's bytes and seconds, uses of the port, uses
	Cold   bool      `json:"cold"`
	Reason string    `json:"reason"`
}

func vectorFile(t testing.TB, name string) string {
	return filepath.Join(testenv.Root(t), "testdata", "vectors", name)
}

// goldenConns makes the rows: every proto and conn_state, unset fields, IPv6,
// late rows, a scan, sizes from nothing to petabytes.
func goldenConns() []conn.Conn {
	r := rand.New(rand.NewPCG(2008, 15))
	services := []string{"dns", "ssl", "http", "ssh", "ssl,http", "gssapi,smb,krb"}
	ports := []uint16{53, 443, 80, 22, 443, 445}
	now := int64(1_700_000_000e6)
	rows := make([]conn.Conn, 600)
	for i := range rows {
		now += r.Int64N(4e6)
		k := r.IntN(len(services))
		c := conn.Conn{
			TS: conn.Micros(now), UID: fmt.Sprintf("Cgolden%d", i), Proto: conn.TCP, State: conn.SF,
			Orig:     netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + r.IntN(6))}), uint16(1024+r.IntN(60000))),
			Resp:     netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(r.IntN(40))}), ports[k]),
			Service:  services[k],
			Duration: conn.Micros(r.Int64N(1 << (1 + r.IntN(34)))), OrigBytes: r.Uint64N(1 << r.IntN(20)), RespBytes: r.Uint64N(1 << r.IntN(24)),
			LocalOrig: true, Set: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.LocalOrig,
		}
		if k == 0 {
			c.Proto = conn.UDP
		}
		switch {
		case i >= 300 && i < 380: // a scan of hosts and ports
			c.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 1, 66}), 40000)
			c.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), uint16(i))
			c.State, c.Set = conn.S0, conn.LocalOrig
			now -= 3e6
		case i%7 == 3:
			c.State = conn.State(1 + r.IntN(int(conn.NumState)-1))
			c.Set &^= conn.Fields(r.IntN(16)) // service, duration, bytes
		case i%29 == 5:
			c.Proto, c.State = conn.ICMP, conn.OTH
			c.Orig = netip.AddrPortFrom(netip.MustParseAddr("2001:db8::7"), 8)
			c.Resp = netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1"), 0)
			c.Set &^= conn.Service
		case i%31 == 9:
			c.TS -= conn.Micros(r.Int64N(900e6)) // late
		case i == 500:
			c.OrigBytes, c.OrigPkts, c.MissedBytes, c.Duration = 1<<52, 1<<42, 1<<33, 86400e6
		case i == 501:
			c.Proto, c.State, c.Set = conn.UnknownTransport, conn.OTH, 0
		}
		c.OrigPkts += c.OrigBytes/1000 + 1
		c.OrigIPBytes = c.OrigBytes + 40*c.OrigPkts
		if !c.State.Failed() {
			c.RespPkts = c.RespBytes/1400 + 1
			c.RespIPBytes = c.RespBytes + 40*c.RespPkts
		}
		rows[i] = c
	}
	return rows
}

func optional[T any](set bool, x T) *T {
	if !set {
		return nil
	}
	return &x
}

// The files of the model: one of a version that had conn.log alone, which stays
// as it is, and the one that training makes now.
const (
	old     = "vectors.model"
	trained = "vectors-2.model"
)

func writeVectors(t *testing.T) {
	rows := goldenConns()
	m, _, err := learn.Fit(rowtest.Each(rows), learn.Options{Seed: 1, ZeekVersion: "8.0.10"})
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(vectorFile(t, ""), 0o755))
	require.NoError(t, m.WriteFile(vectorFile(t, trained)))
	require.NoError(t, os.Chmod(vectorFile(t, trained), 0o644))

	var out bytes.Buffer
	s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
	for _, c := range rows {
		score, err := s.Next(row.Of(&c))
		require.NoError(t, err)
		w := row.Window
		line, err := json.Marshal(goldenRow{
			TS: c.TS.Seconds(), UID: c.UID,
			OrigH: c.Orig.Addr().String(), OrigP: c.Orig.Port(), RespH: c.Resp.Addr().String(), RespP: c.Resp.Port(),
			Proto: c.Proto.String(), State: c.State.String(),
			Service:   optional(c.Has(conn.Service), c.Service),
			Duration:  optional(c.Has(conn.Duration), c.Duration.Seconds()),
			OrigBytes: optional(c.Has(conn.OrigBytes), c.OrigBytes),
			RespBytes: optional(c.Has(conn.RespBytes), c.RespBytes),
			LocalOrig: optional(c.Has(conn.LocalOrig), c.LocalOrig),
			OrigPkts:  c.OrigPkts, OrigIPBytes: c.OrigIPBytes, RespPkts: c.RespPkts, RespIPBytes: c.RespIPBytes,
			MissedBytes: c.MissedBytes,
			Score:       score.Value, Path: score.Path, Vector: score.Vector(),
			Window: [4]uint32{w.Connections, w.Failures, w.Responders, w.Ports}, Memory: remembered(w), Cold: w.Cold,
			Reason: string(score.AppendReason(nil)),
		})
		require.NoError(t, err)
		out.Write(append(line, '\n'))
	}
	require.NoError(t, os.WriteFile(vectorFile(t, "conn.log"), out.Bytes(), 0o644))
}

func remembered(w feature.Window) [5]uint64 {
	return [5]uint64{uint64(w.RespFailures), w.PairBytes, w.PairSeconds, uint64(w.PortUses), uint64(w.Uses)}
}

func TestGoldenVectors(t *testing.T) {
	if *newVectors {
		writeVectors(t)
	}
	for _, file := range []string{old, trained} {
		t.Run(file, func(t *testing.T) { checkVectors(t, file) })
	}
}

func checkVectors(t *testing.T, file string) {
	m, err := model.ReadFile(vectorFile(t, file))
	require.NoError(t, err)
	log, err := os.ReadFile(vectorFile(t, "conn.log"))
	require.NoError(t, err)
	hosts := feature.NewHosts(model.DefaultHosts)
	reader := zeeklog.NewReader(bytes.NewReader(log), "conn.log")
	lines := bufio.NewScanner(bytes.NewReader(log))
	n := 0
	for ; lines.Scan(); n++ {
		var want goldenRow
		require.NoError(t, json.Unmarshal(lines.Bytes(), &want))
		var row zeeklog.Row
		require.NoError(t, reader.Read(&row))
		w := hosts.Observe(&row.Conn)
		require.Equal(t, want.Window, [4]uint32{w.Connections, w.Failures, w.Responders, w.Ports}, want.UID)
		require.Equal(t, want.Memory, remembered(w), want.UID)
		require.Equal(t, want.Cold, w.Cold)
		score := inWindow(m, &row.Conn, w)
		require.Equal(t, want.Vector, score.Vector(), want.UID)
		require.Equal(t, want.Path, score.Path, want.UID)
		require.Equal(t, want.Score, score.Value, want.UID)
		require.Equal(t, want.Reason, string(score.AppendReason(nil)), want.UID)
	}
	require.Equal(t, 600, n)
}

// Training on the rows gives the model file again, byte for byte, on every CPU.
func TestGoldenModel(t *testing.T) {
	want, err := os.ReadFile(vectorFile(t, trained))
	require.NoError(t, err)
	log, err := os.Open(vectorFile(t, "conn.log"))
	require.NoError(t, err)
	defer log.Close()
	reader := zeeklog.NewReader(log, "conn.log")
	m, report, err := learn.Fit(func(c *conn.Conn) error {
		var row zeeklog.Row
		err := reader.Read(&row)
		*c = row.Conn
		return err
	}, learn.Options{Seed: 1, ZeekVersion: "8.0.10"})
	require.NoError(t, err)
	require.Equal(t, uint64(600), report.Rows)
	var got bytes.Buffer
	require.NoError(t, m.Write(&got))
	require.True(t, bytes.Equal(want, got.Bytes()), "the same rows and seed give another model")
}
