package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// rowsAsJSON are the connections of logs as rows of JSON.
func rowsAsJSON(t *testing.T, files ...string) []string {
	t.Helper()
	var text bytes.Buffer
	w, err := zeeklog.NewWriter(&text, zeeklog.JSON, time.Time{})
	require.NoError(t, err)
	s := &session{Context: t.Context(), stderr: io.Discard}
	for rows := s.rows(files, true); ; {
		var c conn.Conn
		if err := rows.next(&c); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
		require.NoError(t, w.Write(&c))
	}
	require.NoError(t, w.Close(time.Time{}))
	return strings.Split(strings.TrimSpace(text.String()), "\n")
}

// officeDay is a log of the repository, and the model of it.
func officeDay(t *testing.T) (rows []string, model string) {
	t.Helper()
	dir := t.TempDir()
	log, model := filepath.Join(dir, "day.log"), filepath.Join(dir, "day.model")
	verbOutput(t, 0, "", "replay", "-o", log, "../../testdata/pcaps/office-day.pcap")
	verbOutput(t, 0, "", "train", "-o", model, log)
	return rowsAsJSON(t, log), model
}

// cluster is a broker in this process with topics of so many partitions.
func cluster(t *testing.T, partitions int32, topics ...string) (address string, c *kfake.Cluster) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topics...))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0], c
}

func client(t *testing.T, broker string, o ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(o, kgo.SeedBrokers(broker))...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// originator is the key of a row.
func originator(t *testing.T, row string) []byte {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(row), &fields), "%s", row)
	return []byte(fields["id.orig_h"].(string))
}

// produce writes rows to a topic, each with its originator as key.
func produce(t *testing.T, broker, topic string, rows []string) {
	t.Helper()
	c := client(t, broker, kgo.DefaultProduceTopic(topic))
	for _, row := range rows {
		record := &kgo.Record{Value: []byte(row)}
		if at := strings.Index(row, `"id.orig_h":"`); at >= 0 {
			key, _, _ := strings.Cut(row[at+len(`"id.orig_h":"`):], `"`)
			record.Key = []byte(key)
		}
		c.Produce(t.Context(), record, func(_ *kgo.Record, err error) { assert.NoError(t, err) })
	}
	require.NoError(t, c.Flush(t.Context()))
}

// consume reads a topic to its end: the rows of each partition.
func consume(t *testing.T, broker, topic string) map[int32][]*kgo.Record {
	t.Helper()
	c := client(t, broker, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	ends, err := kadm.NewClient(c).ListEndOffsets(t.Context(), topic)
	require.NoError(t, err)
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	got := map[int32][]*kgo.Record{}
	for left > 0 {
		fetches := c.PollFetches(t.Context())
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { got[r.Partition], left = append(got[r.Partition], r), left-1 })
	}
	return got
}

// values are the rows of all partitions, one partition after the other.
func values(records map[int32][]*kgo.Record) (rows []string) {
	for _, n := range slices.Sorted(maps.Keys(records)) {
		for _, r := range records[n] {
			rows = append(rows, string(r.Value))
		}
	}
	return rows
}

// committed is how far a group's reading of a topic went, over all partitions.
func committed(t *testing.T, broker, group, topic string) (n int64) {
	t.Helper()
	offsets, err := kadm.NewClient(client(t, broker)).FetchOffsets(t.Context(), group)
	require.NoError(t, err)
	for _, o := range offsets[topic] {
		n += max(o.At, 0)
	}
	return n
}

// scoredRows is what score makes of rows.
func scoredRows(t *testing.T, model string, rows []string, args ...string) []string {
	t.Helper()
	out, _ := verbOutput(t, 0, strings.Join(rows, "\n")+"\n", append([]string{"score", "-m", model}, args...)...)
	return strings.Split(strings.TrimSpace(out), "\n")
}

func TestTopicHasTheScoresOfTheFile(t *testing.T) {
	rows, model := officeDay(t)
	want := scoredRows(t, model, rows)
	broker, _ := cluster(t, 1, "conn", "scored")

	// Each second row as Zeek's Kafka writer has it, among rows of other logs.
	var sent, arrived []string
	for i, row := range rows {
		if i%2 == 1 {
			sent = append(sent, `{"dns": {"ts":1.5,"uid":"C1"}}`, `{"conn": `+row+`}`)
			arrived = append(arrived, `{"conn": `+want[i]+`}`)
			continue
		}
		sent, arrived = append(sent, row), append(arrived, want[i])
	}
	produce(t, broker, "conn", sent)
	_, said := verbOutput(t, 0, "", "score", "-m", model, "-o", "kafka://"+broker+"/scored", "kafka://"+broker+"/conn?until=end&group=g")
	assert.Contains(t, said, "rows of other logs (dns) were left out")
	got := consume(t, broker, "scored")
	require.Equal(t, arrived, values(got))
	for i, r := range got[0] {
		require.Equal(t, originator(t, rows[i]), r.Key)
	}
	require.EqualValues(t, len(sent), committed(t, broker, "g", "conn"))

	// To standard output, and to a file, without a group.
	out, _ := verbOutput(t, 0, "", "score", "-m", model, "kafka://"+broker+"/conn?until=end")
	require.Equal(t, arrived, strings.Split(strings.TrimSpace(out), "\n"))
	require.EqualValues(t, len(sent), committed(t, broker, "g", "conn"))
}

func TestPartitionsHaveTheScoresOfTheirOriginators(t *testing.T) {
	rows, model := officeDay(t)
	broker, _ := cluster(t, 4, "conn", "scored")
	produce(t, broker, "conn", rows)
	from := "kafka://" + broker + "/conn?until=end&group=g"
	_, said := verbOutput(t, 2, "", "score", "-m", model, "-o", "kafka://"+broker+"/scored", from)
	assert.Contains(t, said, "has 4 partitions")
	verbOutput(t, 0, "", "score", "-m", model, "--partition-by", "originator", "-o", "kafka://"+broker+"/scored", from)

	want := map[string]string{}
	whole := scoredRows(t, model, rows, "--partition-by", "originator")
	for _, row := range whole {
		want[uidOf(t, row)] = row
	}
	got := consume(t, broker, "scored")
	require.Greater(t, len(got), 1)
	require.Len(t, values(got), len(rows))
	for _, row := range values(got) {
		require.Equal(t, want[uidOf(t, row)], row)
	}
}

func uidOf(t *testing.T, row string) string {
	t.Helper()
	var fields struct{ UID string }
	require.NoError(t, json.Unmarshal([]byte(row), &fields))
	return fields.UID
}

// A reader that goes on observes what it read before: the digits are those of
// one that never ended. Without that they are not.
func TestReadingGoesOnWithTheSameScores(t *testing.T) {
	rows, model := officeDay(t)
	want := scoredRows(t, model, rows)
	broker, _ := cluster(t, 1, "conn", "scored", "cold")
	half := len(rows) / 2
	again := func(out, options string) {
		verbOutput(t, 0, "", "score", "-m", model, "-o", "kafka://"+broker+"/"+out, "kafka://"+broker+"/conn?until=end&group="+out+options)
	}
	produce(t, broker, "conn", rows[:half])
	again("scored", "")
	again("cold", "")
	again("scored", "") // nothing new
	produce(t, broker, "conn", rows[half:])
	again("scored", "")
	again("cold", "&rewind=0")
	require.Equal(t, want, values(consume(t, broker, "scored")))
	require.NotEqual(t, want, values(consume(t, broker, "cold")))
}

// What the broker does not take is not committed.
func TestNothingIsCommittedThatDidNotLeave(t *testing.T) {
	rows, model := officeDay(t)
	broker, c := cluster(t, 1, "conn", "scored")
	produce(t, broker, "conn", rows)
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		produce := request.(*kmsg.ProduceRequest)
		response := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range produce.Topics {
			refused := kmsg.NewProduceResponseTopic()
			refused.Topic, refused.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				partition := kmsg.NewProduceResponseTopicPartition()
				partition.Partition, partition.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
				refused.Partitions = append(refused.Partitions, partition)
			}
			response.Topics = append(response.Topics, refused)
		}
		return response, nil, true
	})
	args := []string{"score", "-m", model, "-o", "kafka://" + broker + "/scored", "kafka://" + broker + "/conn?until=end&group=g"}
	_, said := verbOutput(t, 2, "", args...)
	assert.Contains(t, said, "/scored: TOPIC_AUTHORIZATION_FAILED")
	require.Zero(t, committed(t, broker, "g", "conn"))
	require.Empty(t, consume(t, broker, "scored"))
}

// Rows that cannot be used go on without a score, and a run that has no end
// ends with the signal.
func TestBadRowsGoOnAndASignalIsTheEnd(t *testing.T) {
	rows, model := officeDay(t)
	broker, _ := cluster(t, 1, "conn", "scored")
	sent := slices.Concat(rows[:5], []string{"", "no JSON", "{\n  \"ts\": 1\n}", "[1]"}, rows[5:9])
	produce(t, broker, "conn", sent)
	want := scoredRows(t, model, rows)

	ctx, stop := context.WithCancel(t.Context())
	var errs bytes.Buffer
	s := &session{Context: ctx, stdout: io.Discard, stderr: &errs}
	ended := make(chan int, 1)
	go func() {
		ended <- run(s, []string{"score", "-m", model, "-o", "kafka://" + broker + "/scored", "kafka://" + broker + "/conn?group=g"})
	}()
	out := client(t, broker, kgo.ConsumeTopics("scored"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var got []string
	for len(got) < len(sent)-1 {
		fetches := out.PollFetches(t.Context())
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	stop()
	require.Equal(t, 1, <-ended, "%s", &errs) // rows could not be used
	require.Equal(t, slices.Concat(want[:5], []string{"no JSON", "{   \"ts\": 1 }", "[1]"}, want[5:9]), got)
	assert.Contains(t, errs.String(), "conn[0]:6: ")
	require.EqualValues(t, len(sent), committed(t, broker, "g", "conn"))
}

func TestTopicsThatCannotBeRead(t *testing.T) {
	rows, model := officeDay(t)
	broker, _ := cluster(t, 2, "conn", "scored", "keyless")
	c := client(t, broker, kgo.DefaultProduceTopic("keyless"))
	require.NoError(t, c.ProduceSync(t.Context(), kgo.StringRecord(rows[0])).FirstErr())
	topic := func(name string) string { return "kafka://" + broker + "/" + name }
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no topic":         {[]string{topic("dns?until=end")}, "there is no topic dns"},
		"no topic to":      {[]string{"-o", topic("nowhere"), topic("conn?until=end")}, "there is no topic nowhere"},
		"the same":         {[]string{"-o", topic("conn"), topic("conn?until=end")}, "do not go where the rows come from"},
		"no key":           {[]string{"--partition-by", "originator", topic("keyless?until=end")}, "rows without key in 2 partitions"},
		"top":              {[]string{"--top", "3", topic("conn")}, "--top means nothing with a topic"},
		"two":              {[]string{topic("conn"), topic("scored")}, "one topic is read at a time"},
		"from a file":      {[]string{"-o", topic("scored"), "conn.log"}, "takes rows of a topic"},
		"file without end": {[]string{"-o", filepath.Join(t.TempDir(), "x"), topic("conn")}, "a topic has no end"},
		"option":           {[]string{topic("conn?groop=g")}, "groop=g: want group"},
		"password":         {[]string{topic("conn?user=u&password=secret")}, "does not belong on the command line"},
	} {
		_, said := verbOutput(t, 2, "", append([]string{"score", "-m", model}, tc.args...)...)
		assert.Contains(t, said, tc.want, name)
	}
	_, said := verbOutput(t, 2, "", "score", "--partition-by", "responder", topic("conn"))
	assert.Contains(t, said, "--partition-by responder means nothing")
}

// Two readers share the partitions. One ends in the middle of the stream; the
// other takes over its partitions and what their hosts did before.
func TestReadersShareATopic(t *testing.T) {
	rows, model := officeDay(t)
	broker, _ := cluster(t, 4, "conn", "scored")
	out := client(t, broker, kgo.ConsumeTopics("scored"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	got := map[string][]string{}
	arrive := func(n int) {
		for len(got) < n {
			fetches := out.PollFetches(t.Context())
			require.NoError(t, fetches.Err())
			fetches.EachRecord(func(r *kgo.Record) {
				uid := uidOf(t, string(r.Value))
				got[uid] = append(got[uid], string(r.Value))
			})
		}
	}
	type reader struct {
		stop  context.CancelFunc
		ended chan int
		errs  bytes.Buffer
	}
	start := func() *reader {
		ctx, stop := context.WithCancel(t.Context())
		r := &reader{stop: stop, ended: make(chan int, 1)}
		s := &session{Context: ctx, stdout: io.Discard, stderr: &r.errs}
		go func() {
			r.ended <- run(s, []string{"score", "-m", model, "--partition-by", "originator", "-o", "kafka://" + broker + "/scored", "kafka://" + broker + "/conn?group=g"})
		}()
		return r
	}
	first, second := start(), start()
	produce(t, broker, "conn", rows[:200])
	arrive(200)
	first.stop()
	require.Zero(t, <-first.ended, "%s", &first.errs)
	produce(t, broker, "conn", rows[200:])
	arrive(len(rows))
	second.stop()
	require.Zero(t, <-second.ended, "%s", &second.errs)
	for _, row := range scoredRows(t, model, rows, "--partition-by", "originator") {
		require.Equal(t, []string{row}, got[uidOf(t, row)])
	}
}

func TestPasswords(t *testing.T) {
	_, model := officeDay(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "conn"), kfake.EnableSASL(),
		kfake.Superuser("SCRAM-SHA-256", "reader", "open sesame"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	t.Setenv("KAFKA_PASSWORD", "open sesame")
	url := "kafka://" + c.ListenAddrs()[0] + "/conn?until=end&user=reader&sasl=scram-sha-256&password="
	out, _ := verbOutput(t, 0, "", "score", "-m", model, url+"env:KAFKA_PASSWORD")
	require.Empty(t, out)
}
