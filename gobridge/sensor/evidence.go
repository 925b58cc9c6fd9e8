package sensor

import (
	"errors"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// In a cluster each worker sees a part of what a host does. The workers send what
// they counted to owners, proxies or the manager, and take the totals that these
// tell. feature.Owner says how counts meet.

// windows returns the ones of a kind that sensors of a cluster share; nil if they
// share none.
func (s *Sensor) windows() *feature.Hosts {
	if k, ok := s.kind.(*connKind); ok {
		k.Hosts.Share()
		return k.Hosts
	}
	return nil
}

// AppendCounts appends what was counted in those shards since the last call, in at
// most size bytes. From the first call on it is noted.
func (s *Sensor) AppendCounts(dst []byte, shards feature.ShardSet, size int) []byte {
	if h := s.windows(); h != nil {
		return h.AppendCounts(dst, shards, size)
	}
	return dst
}

// AddCounts adds what the worker of that number counted.
func (s *Sensor) AddCounts(worker int, counts []byte) error {
	if s.owner == nil {
		s.owner = feature.NewOwner(model.DefaultHosts)
	}
	return refusedEvidence(s.owner.AddCounts(worker, counts))
}

// AppendTotals appends the totals that workers lack, in at most size bytes.
func (s *Sensor) AppendTotals(dst []byte, size int) []byte {
	if s.owner == nil {
		return dst
	}
	return s.owner.AppendTotals(dst, size)
}

// TellAll begins to tell the worker of that number all that is known here.
func (s *Sensor) TellAll(worker int) {
	if s.tours == nil {
		s.tours = map[int]*feature.Tour{}
	}
	s.tours[worker] = new(feature.Tour)
}

// AppendAll appends the next part of it, in at most size bytes.
func (s *Sensor) AppendAll(dst []byte, worker, size int) []byte {
	tour := s.tours[worker]
	if tour == nil || s.owner == nil {
		return dst
	}
	return s.owner.AppendAll(dst, size, tour)
}

// TakeTotals takes what all workers counted.
func (s *Sensor) TakeTotals(totals []byte) error {
	h := s.windows()
	if h == nil {
		return &Error{NotDone, errors.New("windows of this log are not shared")}
	}
	return refusedEvidence(h.TakeTotals(totals))
}

func refusedEvidence(err error) error {
	if err != nil {
		return &Error{BadRecord, err}
	}
	return nil
}
