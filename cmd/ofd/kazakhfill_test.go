package main

import (
	"fmt"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

// kazakhFiller writes journals of receipts of Kazakhstan without a door.
type kazakhFiller struct {
	t       testing.TB
	core    *core
	tills   []*filledTill
	receipt fiscal.Record // what every entry is a copy of
	arrived time.Time     // of the newest: in the morning of a day that is over
}

// newKazakhFiller adds registers, four to a taxpayer.
func newKazakhFiller(t testing.TB, c *core, registers int) *kazakhFiller {
	t.Helper()
	f := &kazakhFiller{t: t, core: c, arrived: time.Now().UTC().Truncate(24 * time.Hour).Add(-18 * time.Hour)}
	for _, v := range testkit.KKMFlow(t, "day-203") {
		if v.Name != "203-sell-card-mobile-marked-request" {
			continue
		}
		f.receipt = fiscal.Record{Format: "kkm/203", Kind: fiscal.DocReceipt, Op: fiscal.OpSale, Shift: 1, FiscalSign: 123_456_789_012, Request: v.Frame, Answer: make([]byte, 200)}
		doc, err := wire.Read(&f.receipt)
		if err != nil || doc.Receipt == nil {
			t.Fatalf("the vector is no receipt: %v", err)
		}
		f.receipt.Total, f.receipt.Cash, f.receipt.Tax = doc.Receipt.Total, doc.Receipt.CashPart(), doc.Receipt.TaxSum()
		f.receipt.Cashless = f.receipt.Total - f.receipt.Cash
	}
	for i := range registers {
		made, err := c.registry.AddRegister(t.Context(), registry.NewRegister{
			By: "test", Country: fiscal.Kazakhstan, XIN: fillerXIN(t, i/4), Title: fiscal.Text{RU: "Дала Сауда"}, OutletAddress: fiscal.Text{RU: "Алматы"},
			Model: "Test KZ", SerialNumber: fmt.Sprintf("K%08d", i),
		})
		if err != nil {
			t.Fatal(err)
		}
		row, err := c.store.Row(t.Context(), made.Place)
		if err != nil {
			t.Fatal(err)
		}
		f.tills = append(f.tills, &filledTill{card: made.Card, place: made.Place, state: *row.State, acts: int64(row.State.LastNumber)})
	}
	return f
}

// fillerXIN is a BIN with its check digit.
func fillerXIN(t testing.TB, i int) fiscal.XIN {
	for n := range 100 {
		if x := fiscal.XIN(fmt.Sprintf("1903400%05d", i*100+n)); fiscal.CheckXIN(x, "bin") == nil {
			return x
		}
	}
	t.Fatal("no check digit fits")
	return ""
}

// fill appends n receipts, in turn of all registers.
func (f *kazakhFiller) fill(n int) {
	f.t.Helper()
	var batch []journal.Commit
	for i := range n {
		c := f.commit(f.tills[i%len(f.tills)])
		if batch = append(batch, c); len(batch) == 512 || i == n-1 {
			if stale, err := f.core.store.Append(f.t.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
				f.t.Fatalf("Append = %v, %v", stale, err)
			}
			batch = batch[:0]
		}
	}
}

// commit is the next receipt of a register.
func (f *kazakhFiller) commit(till *filledTill) journal.Commit {
	s := &till.state
	f.arrived = f.arrived.Add(time.Microsecond)
	e := journal.Entry{Partition: till.place.Partition, Record: f.receipt}
	e.Register, e.Number, e.Taxpayer, e.CardVersion = till.place.Register, s.LastNumber+1, till.card.Taxpayer, till.card.Version
	e.ReceivedAt, e.DeviceTime = f.arrived, fiscal.WallIn(f.arrived, almaty)
	e.Link(s.LastHash)
	c := journal.Commit{Partition: till.place.Partition, Register: till.place.Register, Judged: s.Version, Entries: []journal.Entry{e}}
	s.Version, s.LastNumber, s.LastHash = s.Version+1, e.Number, e.Hash
	c.State = s.Append(nil)
	return c
}
