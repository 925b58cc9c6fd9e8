package kafkalog

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Row is a row to write.
type Row struct {
	Key, Value []byte // the originator, the JSON
}

// Writer writes rows to a topic. All brokers that have a copy must have taken a
// row before it counts as sent.
type Writer struct {
	topic  *Topic
	client *kgo.Client
}

// NewWriter returns a writer to a topic that exists.
func NewWriter(ctx context.Context, t *Topic) (*Writer, error) {
	client, err := kgo.NewClient(append(t.options(),
		kgo.DefaultProduceTopic(t.Name),
		kgo.MaxBufferedRecords(maxBuffered),
		kgo.ProducerBatchCompression(kgo.ZstdCompression(), kgo.NoCompression()),
	)...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Address(), err)
	}
	if _, err := partitions(ctx, client, t); err != nil {
		client.Close()
		return nil, err
	}
	return &Writer{t, client}, nil
}

// maxBuffered is how many rows wait for the brokers before Send does.
const maxBuffered = 50_000

// Send sends rows in order and waits while too many are on their way. sent is
// called once, when all have arrived or with the first error; the memory of the
// rows is not used after it.
func (w *Writer) Send(ctx context.Context, rows []Row, sent func(error)) {
	if len(rows) == 0 {
		sent(nil)
		return
	}
	var left atomic.Int64
	left.Store(int64(len(rows)))
	var once sync.Once
	var first error
	records := make([]kgo.Record, len(rows))
	for i := range rows {
		records[i] = kgo.Record{Key: rows[i].Key, Value: rows[i].Value}
		w.client.Produce(ctx, &records[i], func(_ *kgo.Record, err error) {
			if err != nil {
				once.Do(func() { first = fmt.Errorf("%s: %w", w.topic.Address(), err) })
			}
			if left.Add(-1) == 0 {
				sent(first)
			}
		})
	}
}

// Close gives up what is still on its way.
func (w *Writer) Close() { w.client.Close() }
