package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// elsewhere is a world in another partition: its own taxpayer and outlet there.
func (w *world) elsewhere(p fiscal.Partition) *world {
	w.Helper()
	other := &world{T: w.T, Engine: w.Engine, partition: p, clock: w.clock}
	other.owner = other.taxpayer(fiscal.XIN(fmt.Sprintf("8%011d", p)))
	other.outlet = registry.Outlet{Taxpayer: other.owner.ID}
	w.must(w.AddOutlet(w.Context(), &other.outlet))
	return other
}

// somePartitions are up to n of those the engine has.
func (w *world) somePartitions(n int) []fiscal.Partition {
	w.Helper()
	all := w.partitions()
	slices.Sort(all)
	return all[:min(n, len(all))]
}

// verifies fails unless every chain of the journal holds.
func (w *world) verifies(entries int) {
	w.Helper()
	v := journal.Verification{Store: w.Engine}
	done, err := v.Verify(context.Background())
	if err != nil || done.Entries != uint64(entries) {
		w.Errorf("Verify = %+v, %v, want %d entries and no damage", done, err, entries)
	}
}

// manyPartitions shows that commits of as many partitions as there are may
// stand in one batch, in any order: each partition is numbered and chained for
// itself, and what is stale in one is no matter to the others.
//
// Req: O-049, O-101
func manyPartitions(w *world) {
	var tills []*till
	for i, p := range w.somePartitions(8) {
		at := w.elsewhere(p)
		for j := range 3 {
			tills = append(tills, at.till(fmt.Sprintf("%d-%d", i, j)))
		}
	}
	stored := 0
	for round := range 6 {
		var batch []journal.Commit
		var want []int
		for i := range tills {
			r := tills[(i*7+round)%len(tills)]
			if i%5 == 4 {
				old := *r
				old.version += 9
				want = append(want, len(batch))
				batch = append(batch, old.commit())
				continue
			}
			batch = append(batch, r.commit(), r.commit())
			stored += 2
		}
		stale, err := w.Append(w.Context(), batch, journal.Seal)
		if err != nil || !slices.Equal(stale, want) {
			w.Fatalf("Append = %v, %v, want %v stale", stale, err, want)
		}
	}
	for _, r := range tills {
		w.stands(r)
	}
	w.verifies(stored)
}

// crossed shows that two handles which append to the same partitions in
// opposite orders do not block each other for good, and fail neither.
func crossed(w *world) {
	const rounds = 40
	handles := []Engine{w.Engine, w.Beside(w.T)}
	tills := make([][]*till, len(handles))
	for _, p := range w.somePartitions(6) {
		at := w.elsewhere(p)
		for i := range handles {
			r := at.till(fmt.Sprintf("%d-%d", p, i))
			r.w = &world{T: w.T, Engine: handles[i], clock: morning}
			tills[i] = append(tills[i], r)
		}
	}
	slices.Reverse(tills[1])
	var running sync.WaitGroup
	for i, e := range handles {
		running.Go(func() {
			for range rounds {
				var batch []journal.Commit
				for _, r := range tills[i] {
					batch = append(batch, r.commit())
				}
				if stale, err := e.Append(context.Background(), batch, journal.Seal); err != nil || len(stale) > 0 {
					w.Errorf("Append = %v, %v, want nothing stale and no error", stale, err)
					return
				}
			}
		})
	}
	running.Wait()
	w.verifies(rounds * len(handles) * len(tills[0]))
}

// manyRegistrations shows that registers added at once by several handles all
// get IDs of their own, with the few tries that the registry makes.
func manyRegistrations(w *world) {
	const each, tries = 4, 10 // fewer callers than tries: each lost try is another's success
	handles := []Engine{w.Engine, w.Beside(w.T)}
	ids := make(chan fiscal.RegisterID, each*len(handles))
	var running sync.WaitGroup
	for i := range cap(ids) {
		running.Go(func() {
			e := handles[i%len(handles)]
			for try := 1; ; try++ {
				id, err := e.NextRegisterID(context.Background())
				c := w.card(fmt.Sprint(i))
				c.Register = id
				if err == nil {
					err = e.AddRegister(context.Background(), w.partition, &c, nil)
				}
				if err == nil {
					ids <- id
					return
				}
				if fieldOf(err) != "register" || try == tries {
					w.Errorf("try %d: AddRegister: %v", try, err)
					return
				}
			}
		})
	}
	running.Wait()
	close(ids)
	seen := map[fiscal.RegisterID]bool{}
	for id := range ids {
		if seen[id] {
			w.Errorf("register %d was given twice", id)
		}
		seen[id] = true
	}
}
