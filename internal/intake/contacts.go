package intake

import (
	"context"
	"sync"

	"openofd/internal/fiscal"
)

// contacts gathers what exchanges tell of their links, one a register, until
// it is written. A ping must not cost a commit.
type contacts struct {
	shards [shards]struct {
		mu   sync.Mutex
		last map[fiscal.RegisterID]fiscal.Contact
	}
}

func newContacts() *contacts {
	c := new(contacts)
	for i := range c.shards {
		c.shards[i].last = make(map[fiscal.RegisterID]fiscal.Contact)
	}
	return c
}

// note keeps the newer contact, with whatever the older told and it does not.
func (c *contacts) note(n fiscal.Contact) {
	s := &c.shards[uint64(n.Register)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	had, ok := s.last[n.Register]
	if ok {
		if n.At.Before(had.At) {
			n, had = had, n
		}
		fill(&n, &had)
	}
	s.last[n.Register] = n
}

// fill gives n what it does not tell and old does.
func fill(n, old *fiscal.Contact) {
	if n.Version == 0 {
		n.Version = old.Version
	}
	if n.Quality == nil {
		n.Quality = old.Quality
	}
	if n.Position == nil {
		n.Position = old.Position
	}
	if n.Software == "" {
		n.Software = old.Software
	}
	if n.AdsKnown == nil {
		n.AdsKnown = old.AdsKnown
	}
	if n.Offline == 0 {
		n.Offline = old.Offline
	}
}

// contactPage is how many contacts are written at once.
const contactPage = 1000

// flushContacts writes what was gathered. What cannot be written is kept for the next
// time.
func (in *Intake) flushContacts(ctx context.Context) {
	var page []fiscal.Contact
	write := func() {
		if len(page) == 0 {
			return
		}
		if err := in.store.KeepContacts(ctx, page); err != nil {
			in.log.Warn("last contacts not written", "err", err)
			for _, n := range page {
				in.contacts.note(n)
			}
		}
		page = page[:0]
	}
	for i := range in.contacts.shards {
		s := &in.contacts.shards[i]
		s.mu.Lock()
		last := s.last
		if len(last) == 0 {
			s.mu.Unlock()
			continue
		}
		s.last = make(map[fiscal.RegisterID]fiscal.Contact, len(last))
		s.mu.Unlock()
		for _, n := range last {
			if page = append(page, n); len(page) == contactPage {
				write()
			}
		}
	}
	write()
}

// keepContact notes that a register was heard of. Whoever has no right to
// speak for it leaves no trace here.
func (in *Intake) keepContact(place Place, x *fiscal.Exchange, d *fiscal.Decision) {
	if x.Request == nil || d.Reason.Kind() == fiscal.Unauthenticated {
		return
	}
	n := d.Contact
	n.Register, n.Partition, n.At, n.Peer = place.Register, place.Partition, x.Received, x.Peer
	in.contacts.note(n)
}
