package capture

import (
	"io"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// until is a source that ends behind the last of so many datagrams to a port.
type until struct {
	gopacket.ZeroCopyPacketDataSource
	port layers.UDPPort
	left int
}

func (u *until) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	if u.left == 0 {
		return nil, gopacket.CaptureInfo{}, io.EOF
	}
	b, info, err := u.ZeroCopyPacketDataSource.ZeroCopyReadPacketData()
	if err == nil {
		udp, ok := gopacket.NewPacket(b, layers.LinkTypeEthernet, gopacket.NoCopy).Layer(layers.LayerTypeUDP).(*layers.UDP)
		if ok && udp.DstPort == u.port {
			u.left--
		}
	}
	return b, info, err
}

func (u *until) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	return u.ZeroCopyReadPacketData()
}

// Packets of a live handle become rows.
func TestLiveHandle(t *testing.T) {
	handle, err := pcapgo.NewEthernetHandle("lo")
	if err != nil {
		testenv.Skip(t, "the right to capture", err.Error())
	}
	defer handle.Close()
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer server.Close()
	to := server.LocalAddr().(*net.UDPAddr)
	client, err := net.DialUDP("udp4", nil, to)
	require.NoError(t, err)
	defer client.Close()
	const datagrams = 3
	for range datagrams {
		_, err := client.Write([]byte("hello"))
		require.NoError(t, err)
	}
	source := &until{handle, layers.UDPPort(to.Port), datagrams}
	rows, err := rowsOf(NewSourceReader(source, layers.LinkTypeEthernet, Options{IgnoreChecksums: true}), nil)
	require.NoError(t, err)
	for i := range rows {
		if c := &rows[i]; c.Orig.String() == client.LocalAddr().String() {
			require.Equal(t, to.String(), c.Resp.String())
			require.NotZero(t, c.OrigBytes)
			return
		}
	}
	t.Fatalf("the datagrams are in none of %d rows", len(rows))
}
