package cabinet

import (
	"context"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// memory is an engine that keeps its promises in a slice.
type memory struct {
	addresses map[fiscal.Address]fiscal.Place
	entries   []journal.Entry
	cards     map[fiscal.RegisterID][]fiscal.Card
	down      error // what every call answers, if set
	gone      map[fiscal.Number]Retirement
}

func (m *memory) RetiredOn(_ context.Context, _ fiscal.Partition, _ fiscal.RegisterID, n fiscal.Number) (Retirement, error) {
	if r, ok := m.gone[n]; ok {
		return r, nil
	}
	return Retirement{}, &fiscal.Error{Reason: fiscal.NothingThere}
}

func (m *memory) Find(_ context.Context, a fiscal.Address) (fiscal.Place, error) {
	if m.down != nil {
		return fiscal.Place{}, m.down
	}
	p, ok := m.addresses[a]
	if !ok {
		return p, &fiscal.Error{Reason: fiscal.UnknownRegister}
	}
	return p, nil
}

func (m *memory) Entry(_ context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error) {
	for _, e := range m.entries {
		if e.Partition == p && e.Register == r && e.Number == n {
			return e, nil
		}
	}
	if _, ok := m.gone[n]; ok {
		return journal.Entry{}, &fiscal.Error{Reason: fiscal.Retired}
	}
	return journal.Entry{}, &fiscal.Error{Reason: fiscal.NothingThere}
}

func (m *memory) ByDeviceNumber(_ context.Context, p fiscal.Place, number uint64, day fiscal.WallTime) (found []journal.Entry, err error) {
	for _, e := range m.entries {
		if e.Register == p.Register && e.DeviceNumber == number && number != 0 && e.DeviceTime.Day() == day.Day() {
			found = append(found, e)
		}
	}
	return found, nil
}

func (m *memory) ByDriveNumber(_ context.Context, p fiscal.Place, drive string, number uint64) (found []journal.Entry, err error) {
	for _, e := range m.entries {
		if e.Register == p.Register && e.DeviceNumber == number && e.Drive == drive {
			found = append(found, e)
		}
	}
	return found, nil
}

func (m *memory) Card(_ context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	for _, c := range m.cards[r] {
		if c.Version == version {
			return c, nil
		}
	}
	return fiscal.Card{}, &fiscal.Error{Reason: fiscal.NothingThere}
}

// offset is the simplest sign that leads back to a number. Two keys make two
// candidates.
type offset struct{}

func (offset) Numbers(_ fiscal.RegisterID, sign uint64) []fiscal.Number {
	return []fiscal.Number{fiscal.Number(sign - 500_000_000_000), fiscal.Number(sign - 600_000_000_000)}
}

// readTotal opens an entry as the plainest receipt.
func readTotal(r fiscal.Record) (fiscal.Document, error) {
	return fiscal.Document{Record: r, Receipt: &fiscal.Receipt{Op: r.Op, Time: r.DeviceTime, Total: r.Total}}, nil
}

const (
	register = fiscal.RegisterID(200145)
	rnm      = "010101907421"
)

func at(year, month, day, hour, minute, second int) fiscal.WallTime {
	t, ok := fiscal.WallDate(year, month, day, hour, minute, second)
	if !ok {
		panic("no such time")
	}
	return t
}

// now is 14 March 2026, 12:00 in Kazakhstan.
func now() time.Time { return time.Date(2026, 3, 14, 7, 0, 0, 0, time.UTC) }

// shop is a register that sold, sold offline, reported and canceled.
func shop() *memory {
	m := &memory{
		addresses: map[fiscal.Address]fiscal.Place{{Kind: fiscal.ByRegistrationNumber, Name: rnm}: {Partition: 3, Register: register}},
		cards: map[fiscal.RegisterID][]fiscal.Card{register: {
			{Register: register, Version: 1, RegistrationNumber: rnm, OutletAddress: fiscal.Text{RU: "старый адрес"}},
			{Register: register, Version: 2, RegistrationNumber: rnm, OutletAddress: fiscal.Text{RU: "новый адрес"}},
		}},
	}
	add := func(r fiscal.Record) {
		r.Register, r.Number = register, fiscal.Number(len(m.entries)+1)
		if r.CardVersion == 0 {
			r.CardVersion = 1
		}
		if r.Kind == fiscal.DocReceipt {
			r.FiscalSign = 500_000_000_000 + uint64(r.Number)
		}
		m.entries = append(m.entries, journal.Entry{Record: r, Partition: 3})
	}
	add(fiscal.Record{Kind: fiscal.DocAct})
	add(fiscal.Record{Kind: fiscal.DocReceipt, Op: fiscal.OpSale, DeviceTime: at(2026, 3, 14, 9, 12, 41), Total: 177750})
	add(fiscal.Record{Kind: fiscal.DocReceipt, Op: fiscal.OpSale, DeviceTime: at(2026, 3, 14, 9, 30, 0), Total: 100})
	add(fiscal.Record{Kind: fiscal.DocReport})
	add(fiscal.Record{Kind: fiscal.DocNotice})
	add(fiscal.Record{Kind: fiscal.DocCancel, Refers: 3, DeviceTime: at(2026, 3, 14, 9, 31, 0)})
	// The device counts its autonomous receipts from 1001 each day.
	add(fiscal.Record{Kind: fiscal.DocReceipt, Flags: fiscal.FlagReplay, DeviceNumber: 1001, DeviceTime: at(2026, 2, 1, 10, 0, 0), Total: 5000})
	add(fiscal.Record{Kind: fiscal.DocReceipt, Flags: fiscal.FlagReplay, DeviceNumber: 1001, DeviceTime: at(2026, 3, 13, 10, 0, 0), Total: 7000, CardVersion: 2})
	add(fiscal.Record{Kind: fiscal.DocCashMove, DeviceNumber: 1002, DeviceTime: at(2026, 3, 13, 10, 0, 0), Total: 7000})
	// Receipt 2 was printed with an autonomous code, for its answer was lost.
	add(fiscal.Record{Kind: fiscal.DocNotice, Refers: 2, DeviceNumber: 1777, DeviceTime: at(2026, 3, 14, 9, 12, 41), Total: 177750})
	// A register with a fiscal drive numbers its documents from 1.
	add(fiscal.Record{Kind: fiscal.DocReceipt, Drive: "9999078902001234", DeviceNumber: 17, DeviceTime: at(2026, 3, 14, 9, 40, 0), Total: 900})
	return m
}

func checker(m *memory) *Checker { return NewChecker(CheckConfig{}, m, offset{}, readTotal, now) }
