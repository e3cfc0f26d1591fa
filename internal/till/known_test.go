package till

import (
	"sync"
	"testing"
)

// A household that was read beside a change is not kept, and while it is being
// changed none is given: who asks after a change sees it.
func TestKnown(t *testing.T) {
	at := func(name string) *household { return &household{account: Account{ID: 7, Name: name}} }
	k := newKnown()
	want := func(when, name string) {
		t.Helper()
		h, _ := k.get(7)
		if got := h; got == nil && name != "" || got != nil && got.account.Name != name {
			t.Fatalf("%s: %+v is kept, want %q", when, got, name)
		}
	}
	want("at first", "")
	_, before := k.get(7)
	k.keep(at("first"), before)
	want("when it was read", "first")

	_, before = k.get(7)
	k.begin(7)
	want("during a change", "")
	k.keep(at("read before"), before)
	_, during := k.get(7)
	k.keep(at("read during"), during)
	want("during a change, read meanwhile", "")
	k.begin(7)
	k.end(7)
	k.keep(at("read during"), during)
	want("during the first of two changes", "")
	k.end(7)
	k.keep(at("read during"), during)
	want("after the changes, read before their end", "")
	_, after := k.get(7)
	k.keep(at("second"), after)
	want("read after the changes", "second")
	if len(k.changing) != 0 {
		t.Errorf("%v are still being changed", k.changing)
	}
	for id := range AccountID(knownMost + 1) {
		_, now := k.get(id + 100)
		k.keep(&household{account: Account{ID: id + 100}}, now)
	}
	if len(k.kept) > knownMost {
		t.Errorf("%d are kept, want %d at most", len(k.kept), knownMost)
	}
}

// Readers beside changes never see one undone.
func TestKnownCrowd(t *testing.T) {
	k := newKnown()
	var file struct {
		sync.Mutex
		n int // of the account
	}
	var done int64 // the last change that has ended; guarded by file
	read := func() int64 {
		h, changes := k.get(7)
		if h == nil {
			file.Lock()
			n := file.n
			file.Unlock()
			h = &household{account: Account{ID: 7, Session: session{Cashier: uint32(n)}}}
			k.keep(h, changes)
		}
		return int64(h.account.Session.Cashier)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			seen := int64(0)
			for range 2000 {
				file.Lock()
				least := max(seen, done)
				file.Unlock()
				if seen = read(); seen < least {
					t.Errorf("read %d, though %d was there before", seen, least)
					return
				}
			}
		})
	}
	all.Go(func() {
		for range 2000 {
			k.begin(7)
			file.Lock()
			file.n++
			n := int64(file.n)
			file.Unlock()
			k.end(7)
			file.Lock()
			done = n
			file.Unlock()
		}
	})
	all.Wait()
}
