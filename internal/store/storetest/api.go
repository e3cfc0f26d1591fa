package storetest

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// apiKeys shows that a key is kept as it was made, is found by its hash alone,
// stays whose it is, and that the time of its use never goes back.
func apiKeys(w *world) {
	u, other := w.person("asel@example.kz"), w.taxpayer("600400000011")
	first := access.APIKey{Hash: [32]byte{1, 0, 2}, Taxpayer: w.owner.ID, Name: "Касса", Begins: "ofd_AbCdEf", Scopes: access.SeeStatus | access.IssueToken,
		Outlets: []fiscal.OutletID{w.outlet.ID}, By: u.ID, Created: morning, Ends: morning.Add(time.Hour)}
	second := access.APIKey{Hash: [32]byte{3}, Taxpayer: w.owner.ID, Name: "Ә", Scopes: access.SeeRevenue, By: u.ID, Created: morning, Ends: morning.Add(time.Hour)}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error { return errors.Join(tx.AddAPIKey(&first), tx.AddAPIKey(&second)) }))
	if first.ID == 0 || second.ID <= first.ID {
		w.Fatalf("AddAPIKey gave %d and %d", first.ID, second.ID)
	}
	taken := access.APIKey{Hash: first.Hash, Taxpayer: w.owner.ID, By: u.ID}
	if w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.AddAPIKey(&taken) }) == nil {
		w.Error("two keys have one hash")
	}
	second.Ended, first.Used = morning.Add(time.Minute), morning.Add(time.Minute)
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
		return errors.Join(tx.SetAPIKey(&second), tx.UsedAPIKey(first.ID, first.Used), tx.UsedAPIKey(first.ID, morning))
	}))
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) error {
		if got, err := tx.APIKey(first.Hash); err != nil || !reflect.DeepEqual(got, first) {
			w.Errorf("APIKey = %+v, %v, want %+v", got, err, first)
		}
		_, err := tx.APIKey([32]byte{9})
		w.wants("a key that nobody made", err, fiscal.NotFound)
		if got, err := tx.APIKeys(w.owner.ID); err != nil || !reflect.DeepEqual(got, []access.APIKey{second, first}) {
			w.Errorf("APIKeys = %+v, %v, want %+v", got, err, []access.APIKey{second, first})
		}
		got, err := tx.APIKeys(other.ID)
		if len(got) != 0 {
			w.Errorf("another organization has %+v", got)
		}
		return err
	}))
	for _, sql := range []string{`DELETE FROM api_keys`, `UPDATE api_keys SET taxpayer = taxpayer + 1`} {
		if w.Exec(w.Context(), sql) == nil {
			w.Errorf("%s was done", sql)
		}
	}
}

// replies shows that of many who begin the same request at once one does, and
// that answers are kept, counted and swept away by their age.
func replies(w *world) {
	u := w.person("asel@example.kz")
	k := access.APIKey{Hash: [32]byte{1}, Taxpayer: w.owner.ID, By: u.ID, Created: morning, Ends: morning}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.AddAPIKey(&k) }))
	began := 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := w.WriteAccess(w.Context(), func(tx access.Tx) error {
				if _, err := tx.Reply(k.ID, "a"); !errors.Is(err, fiscal.NotFound) {
					return err
				}
				mu.Lock()
				began++
				mu.Unlock()
				return tx.PutReply(access.Reply{Key: k.ID, Name: "a", Began: morning, Asked: [32]byte{1}})
			})
			if err != nil {
				w.Error(err)
			}
		})
	}
	wg.Wait()
	want := access.Reply{Key: k.ID, Name: "a", Began: morning.Add(time.Second), Asked: [32]byte{1, 0, 2}, SealBy: 3, Sealed: []byte{0, 1}}
	later := access.Reply{Key: k.ID, Name: "b", Began: morning.Add(time.Hour)}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error { return errors.Join(tx.PutReply(want), tx.PutReply(later)) }))
	count := func() (n int) {
		w.must(w.ReadAccess(w.Context(), func(tx access.Tx) (err error) {
			n, err = tx.Replies(k.ID)
			return err
		}))
		return n
	}
	if n := count(); began != 1 || n != 2 {
		w.Errorf("%d began the request, %d answers are kept; want 1 and 2", began, n)
	}
	w.must(w.ReadAccess(w.Context(), func(tx access.Tx) error {
		if got, err := tx.Reply(k.ID, "a"); err != nil || !reflect.DeepEqual(got, want) {
			w.Errorf("Reply = %+v, %v, want %+v", got, err, want)
		}
		_, err := tx.Reply(k.ID, "c")
		w.wants("a request that nobody made", err, fiscal.NotFound)
		return nil
	}))
	var removed []int
	for _, t := range []time.Time{morning, morning.Add(time.Minute)} {
		w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error {
			n, err := tx.RemoveReplies(t, 10)
			removed = append(removed, n)
			return err
		}))
	}
	w.must(w.WriteAccess(w.Context(), func(tx access.Tx) error { return tx.RemoveReply(k.ID, "b") }))
	if !slices.Equal(removed, []int{0, 1}) || count() != 0 {
		w.Errorf("RemoveReplies = %v, %d left; want [0 1] and 0", removed, count())
	}
}
