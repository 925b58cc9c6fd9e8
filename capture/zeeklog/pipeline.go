package zeeklog

import (
	"context"
	"io"
	"runtime"
	"sync"
)

// Steps says what Run does with the blocks of a log.
type Steps struct {
	// InOrder gets every block, parsed, in the order of the log, one at a time.
	// When it returns an error nothing more is read; the block, which it may
	// have cut short (CutAt), and those before it are still rendered and written.
	InOrder func(*Block) error

	// Render appends to dst what is to be written for a block, for example with
	// AddColumns. It runs in several goroutines. When nil nothing is written.
	Render func(dst []byte, blk *Block) []byte

	// Workers is how many goroutines parse and render; 0 means GOMAXPROCS.
	Workers int
}

// CutAt drops blk.Rows[i:] and the text from there on.
func (blk *Block) CutAt(i int) {
	row := &blk.Rows[i]
	blk.text = blk.text[:row.end-len(row.Raw)]
	blk.Rows = blk.Rows[:i]
}

// Run reads the log to its end on several cores and writes what s.Render makes
// of it to w, in the order of the log. The number of blocks in memory is
// bounded. It returns the first error of reading, of s.InOrder or of writing,
// after what came before it has been written; or ctx's error, without waiting
// for a read that blocks.
func (b *Blocks) Run(ctx context.Context, w io.Writer, s Steps) error {
	if s.Workers <= 0 {
		s.Workers = runtime.GOMAXPROCS(0)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	// Every job is in one channel at a time, so no send ever waits.
	n := 2*s.Workers + 2
	free, jobs := make(chan *job, n), make(chan *job, n)
	parsed, rendered := make(chan *job, n), make(chan *job, n)
	for range n {
		free <- &job{ready: make(chan struct{}, 1)}
	}

	var readErr error
	go func() {
		defer close(parsed)
		readErr = b.read(ctx, free, func(j *job) {
			j.render = nil
			parsed <- j
			jobs <- j
		})
	}()

	done := make(chan struct{})
	var workers sync.WaitGroup
	for range s.Workers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			work(jobs, done)
		}()
	}

	var orderErr error
	go func() {
		defer close(rendered)
		orderErr = inOrder(ctx, parsed, &readErr, s.InOrder, func(j *job) {
			if j.render = s.Render; j.render == nil {
				j.ready <- struct{}{}
			} else {
				jobs <- j
			}
			rendered <- j
		})
	}()

	var writeErr error
	for j := range rendered {
		<-j.ready
		if s.Render != nil && writeErr == nil {
			if _, writeErr = w.Write(j.out); writeErr != nil {
				stop()
			}
		}
		free <- j
	}
	close(done)
	workers.Wait()
	if writeErr != nil {
		return writeErr
	}
	return orderErr
}

// job is a block on its way through Run.
type job struct {
	Block
	out    []byte
	render func([]byte, *Block) []byte // nil while the block is to be parsed
	ready  chan struct{}               // the worker's last step is done
}

// read passes on block after block, as many as there are free jobs.
func (b *Blocks) read(ctx context.Context, free <-chan *job, pass func(*job)) error {
	for {
		select {
		case j := <-free:
			if err := b.Next(&j.Block); err != nil {
				return err
			}
			pass(j)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// work parses and renders jobs until done.
func work(jobs <-chan *job, done <-chan struct{}) {
	parser := NewParser()
	for {
		select {
		case j := <-jobs:
			if j.render == nil {
				parser.Parse(&j.Block)
			} else {
				j.out = j.render(j.out[:0], &j.Block)
			}
			j.ready <- struct{}{}
		case <-done:
			return
		}
	}
}

// inOrder takes parsed jobs in the order of the log. *readErr is valid when
// parsed is closed.
func inOrder(ctx context.Context, parsed <-chan *job, readErr *error, step func(*Block) error, pass func(*job)) error {
	for {
		select {
		case j, ok := <-parsed:
			if !ok && *readErr == io.EOF {
				return nil
			} else if !ok {
				return *readErr
			}
			<-j.ready
			err := step(&j.Block)
			pass(j)
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
