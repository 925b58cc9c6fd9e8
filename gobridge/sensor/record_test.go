package sensor

import (
	"math"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// full is a record with every optional field set.
func full() Record {
	return Record{
		TS: 1700000000.1234567, Duration: 0.0000014,
		OrigBytes: 1, RespBytes: 2, MissedBytes: 3, OrigPkts: 4, RespPkts: 5, OrigIPBytes: 6, RespIPBytes: 7,
		Service: "ssl,http", State: "SF", Context: "inner_vlan=20,vlan=10",
		OrigHost: netip.MustParseAddr("10.0.0.1").As16(), RespHost: netip.MustParseAddr("2001:db8::1").As16(),
		OrigPort: 1024, RespPort: 443, IPProto: 6, Proto: uint8(conn.TCP), LocalOrig: true, LocalResp: true,
		Set: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.LocalOrig | conn.LocalResp | conn.IPProto,
	}
}

func TestRecordBecomesTheRowOfConnLog(t *testing.T) {
	r := full()
	var c conn.Conn
	require.NoError(t, r.fill(&c, &names{}))
	require.Equal(t, conn.Conn{
		TS: 1700000000123457, Duration: 1,
		OrigBytes: 1, RespBytes: 2, MissedBytes: 3, OrigPkts: 4, RespPkts: 5, OrigIPBytes: 6, RespIPBytes: 7,
		Service: "ssl,http", State: conn.SF, Context: "inner_vlan=20,vlan=10",
		Orig: netip.MustParseAddrPort("10.0.0.1:1024"), Resp: netip.MustParseAddrPort("[2001:db8::1]:443"),
		IPProto: 6, Proto: conn.TCP, LocalOrig: true, LocalResp: true, Set: r.Set,
	}, c)
}

// What Zeek left unset is zero and nothing else, whatever the struct holds.
func TestRecordUnsetFields(t *testing.T) {
	r := full()
	r.Set, r.State, r.Context = 0, "", ""
	c := conn.Conn{Service: "left over", History: "left over", State: conn.S1, Set: conn.History}
	require.NoError(t, r.fill(&c, &names{}))
	require.Equal(t, conn.Conn{
		TS: 1700000000123457, MissedBytes: 3, OrigPkts: 4, RespPkts: 5, OrigIPBytes: 6, RespIPBytes: 7,
		Orig: netip.MustParseAddrPort("10.0.0.1:1024"), Resp: netip.MustParseAddrPort("[2001:db8::1]:443"), Proto: conn.TCP,
	}, c)
}

func TestRecordThatCannotBe(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Record)
		want   string
	}{
		{"state", func(r *Record) { r.State = "SX" }, `conn_state is none of conn.log's: "SX"`},
		{"time", func(r *Record) { r.TS = math.NaN() }, "ts is not a time: NaN"},
		{"duration", func(r *Record) { r.Duration = math.Inf(1) }, "duration is not an interval: +Inf"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := full()
			tc.change(&r)
			var c conn.Conn
			require.EqualError(t, r.fill(&c, &names{}), tc.want)
		})
	}
}

func TestNamesAreCopied(t *testing.T) {
	var n names
	memory := []byte("ssl")
	first := n.of(string(memory))
	require.Equal(t, "ssl", first)
	require.Zero(t, testing.AllocsPerRun(100, func() { n.of("ssl") }))
}

func TestNamesAreBounded(t *testing.T) {
	var n names
	for i := range 3 * maxNames {
		text := string(rune('a'+i%26)) + string(rune(0x4e00+i))
		require.Equal(t, text, n.of(text))
		require.LessOrEqual(t, len(n.known), maxNames)
	}
}
