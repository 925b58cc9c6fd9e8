package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// realBroker is Apache Kafka, started as siem/kafka says.
type realBroker struct {
	folder, port string
	cmd          *exec.Cmd
}

func newBroker(t *testing.T) *realBroker {
	t.Helper()
	jars := testenv.Kafka(t)
	b := &realBroker{folder: t.TempDir()}
	require.NoError(t, os.Symlink(jars, filepath.Join(b.folder, "jars")))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	b.port = strconv.Itoa(port)
	b.start(t)
	t.Cleanup(func() { b.kill(t) })
	return b
}

func (b *realBroker) address() string { return "127.0.0.1:" + b.port }

func (b *realBroker) start(t *testing.T) {
	t.Helper()
	b.cmd = exec.Command(filepath.Join(testenv.Root(t), "siem/kafka/broker.sh"), b.folder, b.port)
	require.NoError(t, b.cmd.Start())
	c := client(t, b.address())
	require.Eventually(t, func() bool { return c.Ping(t.Context()) == nil }, time.Minute, 100*time.Millisecond)
}

// kill ends the broker as a power cut does.
func (b *realBroker) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, b.cmd.Process.Kill())
	_ = b.cmd.Wait() // says that it was killed
}

func (b *realBroker) topic(t *testing.T, partitions int32, names ...string) {
	t.Helper()
	_, err := kadm.NewClient(client(t, b.address())).CreateTopics(t.Context(), partitions, 1, nil, names...)
	require.NoError(t, err)
}

func seqInRow(t *testing.T, row []byte) int {
	t.Helper()
	var fields struct{ Seq int }
	require.NoError(t, json.Unmarshal(row, &fields))
	return fields.Seq
}

// The broker is killed in the middle of the stream and comes back; then the
// program is. Each row arrives with the score of the file; what arrives twice
// was on its way when the program died.
func TestKafkaKilledInTheMiddle(t *testing.T) {
	if testing.Short() {
		testenv.Skip(t, "time", "-short")
	}
	b := newBroker(t)
	rows := threeDays(t)
	dir := t.TempDir()
	model, log := filepath.Join(dir, "model"), filepath.Join(dir, "conn.log")
	require.NoError(t, os.WriteFile(log, []byte(strings.Join(rows, "\n")+"\n"), 0o600))
	verbOutput(t, 0, "", "train", "-o", model, log)
	want := scoredRows(t, model, rows)
	b.topic(t, 1, "conn", "scored")

	exe := program(t)
	var said []*strings.Builder
	start := func() *exec.Cmd {
		cmd := exec.Command(exe, "score", "-m", model, "-o", "kafka://"+b.address()+"/scored", "kafka://"+b.address()+"/conn?group=g&rewind=all")
		errs := &strings.Builder{}
		cmd.Stderr = errs
		said = append(said, errs)
		require.NoError(t, cmd.Start())
		return cmd
	}
	times := make([]int, len(rows))
	distinct, arrived := 0, 0
	out := client(t, b.address(), kgo.ConsumeTopics("scored"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	in := client(t, b.address(), kgo.DefaultProduceTopic("conn"))
	const onTheWay = 5000 // rows sent that have not arrived: the stream never stops
	sent := 0
	until := func(n int) {
		t.Helper()
		for distinct < n {
			for ; sent < len(rows) && sent < distinct+onTheWay; sent++ {
				in.Produce(t.Context(), &kgo.Record{Key: originator(t, rows[sent]), Value: []byte(rows[sent])}, func(_ *kgo.Record, err error) { require.NoError(t, err) })
			}
			fetches := out.PollFetches(t.Context()) // the broker may be away
			fetches.EachRecord(func(r *kgo.Record) {
				seq := seqInRow(t, r.Value)
				require.Equal(t, want[seq], string(r.Value))
				arrived++
				if times[seq]++; times[seq] == 1 {
					distinct++
				}
			})
		}
	}
	first := start()
	third := len(rows) / 3
	until(third)
	b.kill(t)
	t.Logf("broker killed when %d rows had arrived of %d sent", distinct, sent)
	b.start(t)
	until(2 * third)
	afterBroker := arrived - distinct
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	at := distinct
	second := start()
	until(len(rows))
	require.Eventually(t, func() bool { return committed(t, b.address(), "g", "conn") == int64(len(rows)) }, time.Minute, 100*time.Millisecond)
	require.NoError(t, second.Process.Signal(syscall.SIGTERM))
	require.NoError(t, second.Wait(), "%s", said[1])
	t.Logf("%d rows, none lost; %d arrived twice after the broker was killed, %d after the program was, at row %d", len(rows), afterBroker, arrived-distinct-afterBroker, at)
	require.Less(t, afterBroker, onTheWay)
	for seq, n := range times {
		require.LessOrEqual(t, n, 2, "row %d", seq)
	}
}
