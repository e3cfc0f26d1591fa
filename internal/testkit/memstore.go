package testkit

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
)

var (
	_ journal.Store  = (*MemStore)(nil)
	_ intake.Store   = (*MemStore)(nil)
	_ registry.Store = (*MemStore)(nil)
	_ keyring.Store  = (*MemStore)(nil)
)

// MemStore is an engine in memory. It keeps the promises of journal.Store and
// of the Stores of intake, registry and keyring; what it lacks is durability.
// Nothing handed in is kept: it copies what it stores and what it gives.
type MemStore struct {
	mu         sync.Mutex
	partitions int
	entries    map[fiscal.Partition][]journal.Entry
	heads      map[fiscal.Partition]journal.Head
	registers  map[fiscal.RegisterID]*memRegister
	directory  map[fiscal.Address]fiscal.RegisterID
	refused    []journal.Refused
	contacts   map[fiscal.RegisterID]fiscal.Contact
	reads      map[string]int // calls by method
	memRegistry
	memKeys
}

type memRegister struct {
	place   fiscal.Place
	cards   []fiscal.Card // version 1 first
	version uint64
	state   []byte
	last    fiscal.Number
}

// NewMemStore makes an empty installation with that many partitions.
func NewMemStore(partitions int) *MemStore {
	m := &MemStore{
		partitions: partitions,
		entries:    map[fiscal.Partition][]journal.Entry{},
		heads:      map[fiscal.Partition]journal.Head{},
		registers:  map[fiscal.RegisterID]*memRegister{},
		directory:  map[fiscal.Address]fiscal.RegisterID{},
		contacts:   map[fiscal.RegisterID]fiscal.Contact{},
		reads:      map[string]int{},
	}
	for p := range partitions {
		m.heads[fiscal.Partition(p)] = journal.Head{}
	}
	return m
}

func missing(what string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.NothingThere, Msg: fmt.Sprintf(what, args...)}
}

func copied(e journal.Entry) journal.Entry {
	e.Request, e.Answer = bytes.Clone(e.Request), bytes.Clone(e.Answer)
	return e
}

// Append is one transaction: either everything fresh is stored, or nothing.
func (m *MemStore) Append(_ context.Context, batch []journal.Commit, seal journal.Sealer) (stale []int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	versions := map[fiscal.RegisterID]uint64{}
	lasts := map[fiscal.RegisterID]fiscal.Number{}
	heads := maps.Clone(m.heads)
	var fresh []int
	for i := range batch {
		c := &batch[i]
		r := m.registers[c.Register]
		if r == nil || r.place.Partition != c.Partition { // no row that could move on
			stale = append(stale, i)
			continue
		}
		version, ok := versions[c.Register]
		if !ok {
			version, lasts[c.Register] = r.version, r.last
		}
		if version != c.Judged {
			stale = append(stale, i)
			continue
		}
		for j := range c.Entries {
			if c.Entries[j].Number != lasts[c.Register]+1 {
				return nil, fmt.Errorf("register %d: entry %d after %d: %w: %w", c.Register, c.Entries[j].Number, lasts[c.Register], fiscal.Invalid, journal.ErrNothingStored)
			}
			lasts[c.Register]++
		}
		versions[c.Register] = version + 1
		head := heads[c.Partition]
		seal(&head, c)
		heads[c.Partition] = head
		fresh = append(fresh, i)
	}
	for _, i := range fresh {
		c := &batch[i]
		r := m.registers[c.Register]
		r.version, r.last, r.state = c.Judged+1, c.Entries[len(c.Entries)-1].Number, bytes.Clone(c.State)
		if c.Card != nil {
			r.cards = append(r.cards, *c.Card)
		}
		for j := range c.Entries {
			m.entries[c.Partition] = append(m.entries[c.Partition], copied(c.Entries[j]))
		}
	}
	m.heads = heads
	return stale, nil
}

// Fence returns the partition's end; nothing is ever under way here.
func (m *MemStore) Fence(_ context.Context, p fiscal.Partition) (journal.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heads[p], nil
}

// Entry reads one entry of a register.
func (m *MemStore) Entry(_ context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads["Entry"]++
	for i := range m.entries[p] {
		if e := &m.entries[p][i]; e.Register == r && e.Number == n {
			return copied(*e), nil
		}
	}
	return journal.Entry{}, missing("register %d has no entry %d", r, n)
}

// Scan reads entries of a partition in order.
func (m *MemStore) Scan(_ context.Context, p fiscal.Partition, from journal.Seq, limit int) ([]journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var page []journal.Entry
	for i := range m.entries[p] {
		if e := &m.entries[p][i]; e.Seq >= from && len(page) < limit {
			page = append(page, copied(*e))
		}
	}
	return page, nil
}

// Heads are the ends of all partitions.
func (m *MemStore) Heads(context.Context) (map[fiscal.Partition]journal.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.heads), nil
}

// Find leads from a number to a register.
func (m *MemStore) Find(_ context.Context, a fiscal.Address) (fiscal.Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads["Find"]++
	r, ok := m.directory[a]
	if !ok {
		return fiscal.Place{}, &fiscal.Error{Reason: fiscal.UnknownRegister, Field: string(a.Kind)}
	}
	return m.registers[r].place, nil
}

// Row reads a register's state and card.
func (m *MemStore) Row(_ context.Context, p fiscal.Place) (intake.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads["Row"]++
	r := m.registers[p.Register]
	if r == nil || r.place != p {
		return intake.Row{}, missing("no register %d", p.Register)
	}
	s, err := r.parsed()
	if err != nil {
		return intake.Row{}, err
	}
	card := r.cards[s.CardVersion-1]
	return intake.Row{Place: p, Card: &card, State: s}, nil
}

func (r *memRegister) parsed() (*fiscal.State, error) {
	s, err := fiscal.ParseState(r.state)
	if err != nil {
		return nil, err
	}
	s.Version = r.version
	return s, nil
}

// RowVersion reads only the version of a state.
func (m *MemStore) RowVersion(_ context.Context, p fiscal.Place) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads["RowVersion"]++
	r := m.registers[p.Register]
	if r == nil {
		return 0, missing("no register %d", p.Register)
	}
	return r.version, nil
}

// ByDeviceNumber reads a register's receipts, and the notices about them, with
// a number of the device on a day.
func (m *MemStore) ByDeviceNumber(_ context.Context, p fiscal.Place, number uint64, day fiscal.WallTime) ([]journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []journal.Entry
	for _, e := range m.entries[p.Partition] {
		if e.Register == p.Register && e.DeviceNumber == number && number != 0 && e.DeviceTime.Day() == day.Day() &&
			(e.Kind == fiscal.DocReceipt || e.Kind == fiscal.DocNotice) && len(found) < 8 {
			found = append(found, copied(e))
		}
	}
	return found, nil
}

// ByDriveNumber reads a register's documents with a number of a fiscal drive.
func (m *MemStore) ByDriveNumber(_ context.Context, p fiscal.Place, drive string, number uint64) ([]journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []journal.Entry
	for _, e := range m.entries[p.Partition] {
		if e.Register == p.Register && e.Drive == drive && e.DeviceNumber == number && number != 0 && len(found) < 8 {
			found = append(found, copied(e))
		}
	}
	return found, nil
}

// BySign reads a register's documents of a drive with a fiscal sign.
func (m *MemStore) BySign(_ context.Context, p fiscal.Place, q fiscal.SignQuery) ([]journal.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []journal.Entry
	for _, e := range m.entries[p.Partition] {
		if e.Register == p.Register && e.Drive == q.Drive && e.FiscalSign == q.Sign && e.DeviceNumber != 0 && e.DeviceNumber < q.Before &&
			e.DeviceNumber+fiscal.SignWindow >= q.Before && len(found) < 8 {
			found = append(found, copied(e))
		}
	}
	return found, nil
}

// Refused reads what was refused to a register, newest first.
func (m *MemStore) Refused(_ context.Context, r fiscal.RegisterID, limit int) (all []journal.Refused, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, had := range slices.Backward(m.refused) {
		if had.Register == r && len(all) < limit {
			all = append(all, had)
		}
	}
	return all, nil
}

// KeepRefused stores refused documents within the bound of a register and day.
func (m *MemStore) KeepRefused(_ context.Context, all []journal.Refused, perDay int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range all {
		n := 0
		for _, had := range m.refused {
			if had.Register == r.Register && sameDay(had.At, r.At) {
				n++
			}
		}
		if n < perDay {
			r.Request = bytes.Clone(r.Request)
			m.refused = append(m.refused, r)
		}
	}
	return nil
}

func sameDay(a, b time.Time) bool {
	return a.UTC().Truncate(24 * time.Hour).Equal(b.UTC().Truncate(24 * time.Hour))
}

// KeepContacts stores last contacts; the newest wins.
func (m *MemStore) KeepContacts(_ context.Context, all []fiscal.Contact) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range all {
		if had, ok := m.contacts[c.Register]; !ok || !c.At.Before(had.At) {
			m.contacts[c.Register] = c
		}
	}
	return nil
}

// AllRefused is what KeepRefused stored, in order.
func (m *MemStore) AllRefused() []journal.Refused {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.refused)
}

// Contacts is what KeepContacts stored.
func (m *MemStore) Contacts() map[fiscal.RegisterID]fiscal.Contact {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.contacts)
}

// Reads is how often a method was called: Find, Row, RowVersion, Entry.
func (m *MemStore) Reads(method string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads[method]
}

// Tamper hands the stored entries of a partition to change in place, and
// stores what comes back. It is how tests damage a journal.
func (m *MemStore) Tamper(p fiscal.Partition, change func([]journal.Entry) []journal.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[p] = change(m.entries[p])
}

// State is a register's stored state with its version.
func (m *MemStore) State(r fiscal.RegisterID) (*fiscal.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.registers[r] == nil {
		return nil, missing("no register %d", r)
	}
	return m.registers[r].parsed()
}

// SetState overwrites a register's stored state behind the journal's back.
func (m *MemStore) SetState(r fiscal.RegisterID, s *fiscal.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.registers[r].state = s.Append(nil)
}
