package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/cabinet"
	"openofd/internal/config"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/observe"
)

// followers are what reads the journal in this process. The zero value is
// nobody.
type followers struct {
	runners []*follow.Runner
	end     context.CancelFunc
	running sync.WaitGroup
}

// notice tells them of new entries.
func (f *followers) notice() {
	for _, r := range f.runners {
		r.Notice()
	}
}

// stop lets the pages under way come to their end.
func (f *followers) stop() {
	if f.end != nil {
		f.end()
	}
	f.running.Wait()
}

// busyQueue is how many commits wait when acceptance is at its limit. At half of
// it a few do.
const busyQueue = 12

// cabinetWithin is how old a document gets before the cabinet shows it.
const cabinetWithin = 2 * time.Second

// startFollowers starts what this process is to follow with: the cabinet's
// tables, and delivery to each authority whose way is known.
func (o *operator) startFollowers(s *settings) error {
	if !s.Does(config.PartFollowers) {
		return nil
	}
	metrics := newFollowerMetrics(s.Metrics)
	cfg := follow.Config{Groups: o.store.groups, Holder: holder(), Busy: func() bool { return o.committer.Waiting() >= busyQueue }, Promise: cabinetWithin}
	o.followers.runners = append(o.followers.runners, follow.New(cfg, o.store, cabinet.NewFollower(o.store, o.read), o.log, metrics, s.Now))
	ways, err := openForwarding(o.core, &s.Serve, metrics)
	if err != nil {
		return err
	}
	ways.watchClocks(s.Metrics)
	cfg.Promise = 0 // the backlog of an outage is late already, and must not slow acceptance
	for _, d := range ways.all {
		o.followers.runners = append(o.followers.runners, follow.New(cfg, o.store, d, o.log, metrics, s.Now))
	}
	if s.KKTAddr.HostPort != "" && ways.of(fns.Name) == nil {
		o.log.Warn("documents of Russia are not forwarded; give --fns-url or --fns-dir")
	}
	ctx, end := context.WithCancel(context.Background())
	o.followers.end = end
	for _, r := range o.followers.runners {
		o.followers.running.Go(func() { r.Run(ctx) })
	}
	if len(ways.all) > 0 {
		o.followers.running.Go(func() { ways.tidy(ctx, o.log) })
	}
	evenings, err := ways.evenings(o.core, o.log, newEveningMetrics(s.Metrics, o.store), holder())
	if err != nil {
		end()
		return err
	}
	for _, e := range evenings {
		o.followers.running.Go(func() { e.Run(ctx) })
	}
	if err := o.startCouriers(ctx, s, &ways); err != nil {
		end()
		return err
	}
	s.Metrics.MustRegister(newStandingMetrics(o.store, o.followers.runners, s.Now))
	return nil
}

// holder names this process among those that share a database: for people by
// machine and process, for sure by chance.
func holder() string {
	host, _ := os.Hostname()
	var b [6]byte
	_, _ = rand.Read(b[:]) // it never fails
	return fmt.Sprintf("%s/%d/%s", cmp.Or(host, "node"), os.Getpid(), hex.EncodeToString(b[:]))
}

// noticed is a journal's store that tells the followers of what it has stored.
type noticed struct {
	journal.Store
	told func()
}

// Append implements journal.Store.
func (n noticed) Append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) (stale []int, err error) {
	stale, err = n.Store.Append(ctx, batch, seal)
	n.told() // also when nobody knows what became of it
	return stale, err
}

// noticing puts the followers' bell around whatever else stands before the
// store.
func (o *operator) noticing(inner func(journal.Store) journal.Store) func(journal.Store) journal.Store {
	return func(s journal.Store) journal.Store {
		if inner != nil {
			s = inner(s)
		}
		return noticed{s, o.followers.notice}
	}
}

// followersCheck names followers that do not get past an entry. It takes
// nothing from readiness: registers are served all the same.
func (o *operator) followersCheck() observe.Check {
	return observe.Check{Name: "followers", Note: true, Run: func(ctx context.Context) error {
		var stuck []string
		for _, r := range o.followers.runners {
			s, err := follow.Stands(ctx, o.store, r.ID())
			if err != nil {
				return err
			}
			for _, p := range s.Stuck() {
				stuck = append(stuck, fmt.Sprintf("%s has not got past entry %d of partition %d since %s", r.ID().Name, p.Failure.Seq, p.Partition, p.Failure.At.Format(time.DateTime)))
			}
		}
		if len(stuck) == 0 {
			return nil
		}
		return errors.New(strings.Join(stuck, "; "))
	}}
}
