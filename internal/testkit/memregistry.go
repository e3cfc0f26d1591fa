package testkit

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
)

// memRegistry is the registry's part of a MemStore, under its lock.
type memRegistry struct {
	taxpayers []registry.Taxpayer // ID is the place plus 1
	outlets   []registry.Outlet
	cashiers  []fiscal.CashierLogin
	catalogs  []fiscal.Catalog
}

// memKeys is the keyring's part.
type memKeys struct{ keys []keyring.Row }

// FirstRegister is the ID of the first register of a MemStore.
const FirstRegister fiscal.RegisterID = 200_001

func taken(field string) error {
	return &fiscal.Error{Reason: fiscal.AlreadyThere, Field: field}
}

// Partitions is the number given to NewMemStore.
func (m *MemStore) Partitions(context.Context) (int, error) { return m.partitions, nil }

// AddTaxpayer stores a new taxpayer.
func (m *MemStore) AddTaxpayer(_ context.Context, t *registry.Taxpayer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, had := range m.taxpayers {
		if had.Country == t.Country && had.XIN == t.XIN {
			return taken("xin")
		}
	}
	t.ID = fiscal.TaxpayerID(len(m.taxpayers) + 1)
	m.taxpayers = append(m.taxpayers, *t)
	return nil
}

// TaxpayerByXIN finds a taxpayer.
func (m *MemStore) TaxpayerByXIN(_ context.Context, c fiscal.Country, x fiscal.XIN) (registry.Taxpayer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.taxpayers {
		if t.Country == c && t.XIN == x {
			return t, nil
		}
	}
	return registry.Taxpayer{}, missing("no taxpayer %s", x)
}

// Taxpayers lists taxpayers.
func (m *MemStore) Taxpayers(_ context.Context, after fiscal.TaxpayerID, limit int) ([]registry.Taxpayer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := min(int(after), len(m.taxpayers))
	return slices.Clone(m.taxpayers[from:min(from+limit, len(m.taxpayers))]), nil
}

// AddOutlet stores a new outlet.
func (m *MemStore) AddOutlet(_ context.Context, o *registry.Outlet) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o.ID = fiscal.OutletID(len(m.outlets) + 1)
	m.outlets = append(m.outlets, *o)
	return nil
}

// Outlets lists a taxpayer's outlets.
func (m *MemStore) Outlets(_ context.Context, t fiscal.TaxpayerID) ([]registry.Outlet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var of []registry.Outlet
	for _, o := range m.outlets {
		if o.Taxpayer == t {
			of = append(of, o)
		}
	}
	return of, nil
}

// NextRegisterID is the ID the next register would get.
func (m *MemStore) NextRegisterID(context.Context) (fiscal.RegisterID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nextRegister(), nil
}

func (m *MemStore) nextRegister() fiscal.RegisterID {
	next := FirstRegister
	for r := range m.registers {
		next = max(next, r+1)
	}
	return next
}

// AddRegister stores a new register.
func (m *MemStore) AddRegister(_ context.Context, p fiscal.Partition, card *fiscal.Card, addresses []fiscal.Address) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := cmp.Or(card.Register, m.nextRegister())
	if m.registers[id] != nil {
		return taken("register")
	}
	for _, r := range m.registers {
		c := &r.cards[len(r.cards)-1]
		if card.SerialNumber == "" || c.Model != card.Model || c.SerialNumber != card.SerialNumber {
			continue
		}
		if s, err := r.parsed(); err != nil || s.Status != fiscal.StatusDeregistered {
			return taken("serial_number")
		}
	}
	for _, a := range addresses {
		if _, ok := m.directory[a]; ok {
			return taken(a.Kind.Field())
		}
	}
	card.Register, card.Version = id, 1
	r := &memRegister{place: fiscal.Place{Partition: p, Register: id}, cards: []fiscal.Card{*card}}
	r.state = (&fiscal.State{CardVersion: 1}).Append(nil)
	m.registers[id] = r
	for _, a := range append(addresses, fiscal.Address{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(id), 10)}) {
		m.directory[a] = id
	}
	return nil
}

// AddAddress leads one more number to a register.
func (m *MemStore) AddAddress(_ context.Context, a fiscal.Address, r fiscal.RegisterID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if had, ok := m.directory[a]; ok && had != r {
		return taken(a.Kind.Field())
	}
	m.directory[a] = r
	return nil
}

// Register reads one register.
func (m *MemStore) Register(_ context.Context, id fiscal.RegisterID) (registry.Listed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.listed(id)
}

func (m *MemStore) listed(id fiscal.RegisterID) (registry.Listed, error) {
	r := m.registers[id]
	if r == nil {
		return registry.Listed{}, missing("no register %d", id)
	}
	s, err := r.parsed()
	if err != nil {
		return registry.Listed{}, err
	}
	l := registry.Listed{Card: r.cards[s.CardVersion-1], Partition: r.place.Partition, State: s}
	if c, ok := m.contacts[id]; ok {
		l.LastContact = &c
	}
	return l, nil
}

// Registers lists registers.
func (m *MemStore) Registers(_ context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]registry.Listed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []registry.Listed
	for id := after + 1; id < m.nextRegister() && len(all) < limit; id++ {
		if l, err := m.listed(id); err == nil && (t == 0 || l.Card.Taxpayer == t) {
			all = append(all, l)
		}
	}
	return all, nil
}

// Card reads one version of a card.
func (m *MemStore) Card(_ context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	reg := m.registers[r]
	if reg == nil || version == 0 || int(version) > len(reg.cards) {
		return fiscal.Card{}, missing("register %d has no card %d", r, version)
	}
	return reg.cards[version-1], nil
}

// PutCashier stores or replaces a cashier.
func (m *MemStore) PutCashier(_ context.Context, c fiscal.CashierLogin) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropCashier(c.Taxpayer, c.Login)
	m.cashiers = append(m.cashiers, c)
	return nil
}

// Cashiers lists a taxpayer's cashiers.
func (m *MemStore) Cashiers(_ context.Context, t fiscal.TaxpayerID) ([]fiscal.CashierLogin, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var of []fiscal.CashierLogin
	for _, c := range m.cashiers {
		if c.Taxpayer == t {
			of = append(of, c)
		}
	}
	return of, nil
}

// RemoveCashier removes a cashier.
func (m *MemStore) RemoveCashier(_ context.Context, t fiscal.TaxpayerID, login string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dropCashier(t, login) {
		return missing("no cashier %q", login)
	}
	return nil
}

func (m *MemStore) dropCashier(t fiscal.TaxpayerID, login string) bool {
	n := len(m.cashiers)
	m.cashiers = slices.DeleteFunc(m.cashiers, func(c fiscal.CashierLogin) bool { return c.Taxpayer == t && c.Login == login })
	return len(m.cashiers) < n
}

// Cashier finds a cashier by login; nil if there is none.
func (m *MemStore) Cashier(_ context.Context, t fiscal.TaxpayerID, login string) (*fiscal.CashierLogin, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.cashiers {
		if c.Taxpayer == t && c.Login == login {
			return &c, nil
		}
	}
	return nil, nil
}

// PutCatalog publishes a catalog.
func (m *MemStore) PutCatalog(_ context.Context, c *fiscal.Catalog) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.Version = uint32(len(m.catalogs) + 1)
	m.catalogs = append(m.catalogs, *c)
	return nil
}

// Catalog answers a query of the current catalog.
func (m *MemStore) Catalog(_ context.Context, q fiscal.CatalogQuery) (*fiscal.Catalog, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.catalogs) == 0 {
		return nil, nil
	}
	c := m.catalogs[len(m.catalogs)-1]
	elements := c.Elements
	c.Elements = nil
	switch {
	case q.Barcode != "":
		for _, e := range elements {
			if e.Barcode == q.Barcode {
				c.Elements = []fiscal.CatalogElement{e}
			}
		}
	case q.Have != c.Version:
		c.Elements = slices.Clone(elements)
	}
	return &c, nil
}

// Keys reads all rows of the keyring.
func (m *MemStore) Keys(context.Context) ([]keyring.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.keys), nil
}

// NextKeyID is the ID the next row will have.
func (m *MemStore) NextKeyID(context.Context) (fiscal.KeyID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fiscal.KeyID(len(m.keys) + 1), nil
}

// AddKey stores a row.
func (m *MemStore) AddKey(_ context.Context, r keyring.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, had := range m.keys {
		if had.ID == r.ID {
			return taken("key")
		}
	}
	r.Sealed = slices.Clone(r.Sealed)
	m.keys = append(m.keys, r)
	return nil
}

// Contracts are none: nobody signs in memory.
func (m *MemStore) Contracts(context.Context, fiscal.TaxpayerID) ([]registry.Contract, error) {
	return nil, nil
}
