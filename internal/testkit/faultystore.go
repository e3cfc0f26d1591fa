package testkit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Fault is how a call to a store goes wrong.
type Fault int

// The faults.
const (
	Works   Fault = iota
	Refuses       // nothing is done, and the store says so
	Loses         // nothing is done, but the store cannot tell
	Lies          // done, but reported as failed
	Slow          // done and reported, after Delay
	Hangs         // done, but reported only after Release, whatever the context says
	faultCount
)

func (f Fault) String() string {
	return [faultCount]string{"works", "refuses", "loses", "lies", "slow", "hangs"}[f]
}

// Faults lists every fault but Works.
func Faults() []Fault { return []Fault{Refuses, Loses, Lies, Slow, Hangs} }

// ErrBroken is what a faulty call reports.
var ErrBroken = errors.New("the store broke down")

// FaultyStore is a journal.Store that goes wrong at chosen steps. A step is a
// call of Append, Fence or Entry, counted from 1 over all of them. The zero
// plan works.
type FaultyStore struct {
	journal.Store
	Delay time.Duration // of Slow

	mu      sync.Mutex
	plan    map[int]Fault
	step    int
	release chan struct{}
}

// NewFaultyStore wraps a store that works.
func NewFaultyStore(s journal.Store) *FaultyStore {
	return &FaultyStore{Store: s, Delay: time.Second, plan: map[int]Fault{}, release: make(chan struct{})}
}

// At plans a fault for a step.
func (f *FaultyStore) At(step int, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan[step] = fault
}

// Next plans faults for the steps to come.
func (f *FaultyStore) Next(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range faults {
		f.plan[f.step+1+i] = fault
	}
}

// Steps is how many steps were taken.
func (f *FaultyStore) Steps() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.step
}

// Release lets everything that hangs go on, now and later.
func (f *FaultyStore) Release() { close(f.release) }

// through runs one step with the fault planned for it.
func (f *FaultyStore) through(do func() error) error {
	f.mu.Lock()
	f.step++
	step, fault := f.step, f.plan[f.step]
	f.mu.Unlock()
	switch fault {
	case Refuses:
		return fmt.Errorf("step %d: %w: %w: %w", step, ErrBroken, fiscal.Unavailable, journal.ErrNothingStored)
	case Loses:
		return fmt.Errorf("step %d: %w: %w", step, ErrBroken, fiscal.Unavailable)
	case Lies:
		if err := do(); err != nil {
			return err
		}
		return fmt.Errorf("step %d: %w: %w", step, ErrBroken, fiscal.Unavailable)
	case Slow:
		time.Sleep(f.Delay)
	case Hangs:
		err := do()
		<-f.release
		return err
	}
	return do()
}

// Append is journal.Store's, with the planned fault.
func (f *FaultyStore) Append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) (stale []int, err error) {
	err = f.through(func() (err error) {
		stale, err = f.Store.Append(ctx, batch, seal)
		return err
	})
	if err != nil {
		stale = nil
	}
	return stale, err
}

// Fence is journal.Store's, with the planned fault.
func (f *FaultyStore) Fence(ctx context.Context, p fiscal.Partition) (h journal.Head, err error) {
	err = f.through(func() (err error) {
		h, err = f.Store.Fence(ctx, p)
		return err
	})
	return h, err
}

// Entry is journal.Store's, with the planned fault.
func (f *FaultyStore) Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (e journal.Entry, err error) {
	err = f.through(func() (err error) {
		e, err = f.Store.Entry(ctx, p, r, n)
		return err
	})
	return e, err
}
