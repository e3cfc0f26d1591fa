package main

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

// keptSender is an authority that takes all, and knows who sent what.
type keptSender struct {
	mu   sync.Mutex
	docs map[string]fiscal.Number // by ID, the entry
}

func (s *keptSender) Send(_ context.Context, docs []delivery.Document) ([]delivery.Refusal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.docs == nil {
		s.docs = map[string]fiscal.Number{}
	}
	for i := range docs {
		if _, twice := s.docs[docs[i].ID]; twice {
			return nil, errors.New("the same document twice")
		}
		s.docs[docs[i].ID] = docs[i].Number
	}
	return nil, nil
}

// followedToEnd runs a follower until it has come to the end of the journal.
func followedToEnd(t *testing.T, c *core, f follow.Follower) {
	t.Helper()
	cfg := follow.Config{Groups: c.store.groups, Holder: holder(), Pace: time.Millisecond, Poll: 10 * time.Millisecond, Retry: 2 * time.Millisecond}
	r := follow.New(cfg, c.store, f, slog.New(slog.DiscardHandler), nil, time.Now)
	ctx, end := context.WithCancel(t.Context())
	began := time.Now()
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	defer running.Wait()
	defer end()
	until(t, "the follower has come to the end", func() bool {
		s, err := follow.Stands(t.Context(), c.store, f.ID())
		if err == nil && len(s.Stuck()) > 0 && s.Stuck()[0].Failure.At.After(began) {
			t.Fatalf("%s is stuck: %+v", f.ID().Name, s.Stuck())
		}
		return err == nil && s.Entries == 0
	})
}

// retiredFollowed follows a journal before and after months were retired: the
// cabinet, which had followed all of it, keeps its figures of what is gone and
// goes on; an authority's delivery, which begins before it, steps over and
// forwards what is kept, each document once.
type retiredFollowed struct {
	t      *testing.T
	c      *core
	of     []fiscal.DayOf
	part   fiscal.Partition
	before []fiscal.DaySummary
}

func followBeforeRetired(t *testing.T, c *core, place fiscal.Place, days ...time.Time) *retiredFollowed {
	t.Helper()
	r := &retiredFollowed{t: t, c: c, part: place.Partition}
	for _, d := range days {
		r.of = append(r.of, fiscal.DayOf{Register: place.Register, Day: fiscal.WallTime(d.Unix()).Day()})
	}
	followedToEnd(t, c, cabinet.NewFollower(c.store, c.read))
	if r.before = r.figures(); len(r.before) != len(days) {
		t.Fatalf("the cabinet has %d days of %v", len(r.before), r.of)
	}
	return r
}

func (r *retiredFollowed) figures() []fiscal.DaySummary {
	r.t.Helper()
	all, err := r.c.store.DaySummaries(r.t.Context(), r.part, r.of)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// after wants the figures as they were, and what is kept behind an entry of the
// register forwarded.
func (r *retiredFollowed) after(gone fiscal.Number) {
	r.t.Helper()
	followedToEnd(r.t, r.c, cabinet.NewFollower(r.c.store, r.c.read))
	if now := r.figures(); !reflect.DeepEqual(now, r.before) {
		r.t.Errorf("the figures of retired days are %+v, want %+v", now, r.before)
	}
	var far keptSender
	d := delivery.New(kgd.NewWording(r.c.openKazakh, r.c.store), &far, r.c.store, nil, time.Now)
	followedToEnd(r.t, r.c, d)
	if waiting, err := r.c.store.CountWaiting(r.t.Context(), kgd.Name); err != nil || waiting != 0 || len(far.docs) == 0 {
		r.t.Errorf("%d documents forwarded, %d put aside, %v; want some and none", len(far.docs), waiting, err)
	}
	for id, n := range far.docs {
		if n <= gone {
			r.t.Errorf("document %s is of entry %d, which is kept no longer", id, n)
		}
	}
}
