package alert

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const longestBackOff = 5 * time.Minute

// sender brings the queue's alerts to one receiver, in order. An alert leaves
// the queue on disk as soon as it was taken.
func (w *Watcher) sender(ctx context.Context, i int, s *store, save func()) {
	t := w.targets[i]
	failures := 0
	for {
		a := w.first(t.Name)
		if a == nil {
			select {
			case <-ctx.Done():
				return
			case <-w.wake[i]:
				continue
			}
		}
		err := t.Send(ctx, a)
		if ctx.Err() != nil && err != nil {
			return
		}
		var refused *Refused
		switch {
		case err == nil:
			if failures > 0 {
				w.Say("%s takes alerts again", t.Name)
			}
		case errors.As(err, &refused):
			w.Warn(fmt.Errorf("%s refuses alert %s, which is kept in %s: %w", t.Name, a.ID, s.refused(), err))
			if err := s.keepRefused(t.Name, a, err); err != nil {
				w.Warn(err)
			}
		default:
			wait := backOff(w.base, failures, err)
			if failures++; failures == 1 || failures%10 == 0 {
				w.Warn(fmt.Errorf("%s does not take alerts (attempt %d, the next in %v): %w", t.Name, failures, wait.Round(time.Millisecond), err))
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			continue
		}
		failures = 0
		w.taken(t.Name, a, refused != nil, save)
	}
}

// first returns the oldest alert that waits for a receiver.
func (w *Watcher) first(name string) *Alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, q := range w.queue {
		if slices.Contains(q.To, name) {
			return q.Alert
		}
	}
	return nil
}

// taken takes an alert out of a receiver's queue.
func (w *Watcher) taken(name string, a *Alert, refused bool, save func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if refused {
		w.counts.Refused++
	} else {
		w.counts.Sent++
	}
	for _, q := range w.queue {
		if q.Alert == a {
			q.To = slices.DeleteFunc(q.To, func(n string) bool { return n == name })
		}
	}
	w.queue = slices.DeleteFunc(w.queue, func(q *queued) bool { return len(q.To) == 0 })
	save()
}

// backOff returns how long to wait after so many failures: twice as long each time,
// a fifth more or less so that receivers are not met by all at once, and as
// long as the receiver asks.
func backOff(base time.Duration, failures int, err error) time.Duration {
	wait := min(base<<min(failures, 16), longestBackOff)
	wait += time.Duration((rand.Float64() - 0.5) * 0.4 * float64(wait))
	var later *Later
	if errors.As(err, &later) {
		wait = max(wait, later.After)
	}
	return wait
}
