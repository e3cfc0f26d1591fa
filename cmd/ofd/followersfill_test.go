package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

// filler writes journals of Russian documents without a door: an installation
// as it is after a day's work.
type filler struct {
	t       testing.TB
	core    *core
	tills   []*filledTill
	crypto  *kkt.SIM1
	header  kkt.Header
	inner   []byte // the requisites of a receipt, without its sign
	at      int    // where in them the number of the document stands
	arrived time.Time
}

// filledTill is one register with what its next entry has to follow.
type filledTill struct {
	card  fiscal.Card
	place fiscal.Place
	drive kkt.DriveNumber
	state fiscal.State
	next  uint32 // number of the next document
	acts  int64  // entries with which it began
}

// newFiller adds registers to an installation.
func newFiller(t testing.TB, c *core, registers int) *filler {
	t.Helper()
	f := &filler{t: t, core: c, crypto: kkt.NewSIM1(kkt.SIM1TestKey()), arrived: time.Now().UTC().Truncate(time.Microsecond)}
	v := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg")
	h, err := kkt.ParseHeader(v.Message)
	f.must(err)
	frame, err := kkt.ParseFrame(v.Message[kkt.HeaderLen:])
	f.must(err)
	o, err := f.crypto.OpenContainer(t.Context(), frame, h.Version)
	f.must(err)
	const head, sign = 4, 4 + 6
	f.header, f.inner = h, bytes.Clone(o.Document[head:len(o.Document)-sign])
	f.at = bytes.Index(f.inner, []byte{1040 & 0xFF, 1040 >> 8, 4, 0}) + 4
	for i := range registers {
		name := fmt.Sprintf("99990789%08d", i)
		drive, err := kkt.ParseDriveNumber(name)
		f.must(err)
		made, err := c.registry.AddRegister(t.Context(), registry.NewRegister{
			By: "test", Country: fiscal.Russia, XIN: fiscal.XIN(fillerINN(i / 4)), Title: fiscal.Text{RU: "Магазин"}, OutletAddress: fiscal.Text{RU: "Москва"},
			Model: "Test", SerialNumber: fmt.Sprintf("F%08d", i), Drive: name,
		})
		f.must(err)
		row, err := c.store.Row(t.Context(), made.Place)
		f.must(err)
		f.tills = append(f.tills, &filledTill{card: made.Card, place: made.Place, drive: drive, state: *row.State, next: 1})
	}
	return f
}

func (f *filler) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// fillerINN is an INN with its check digit.
func fillerINN(i int) string {
	for digit := range 10 {
		if inn := fmt.Sprintf("78%07d%d", 1000+i, digit); fiscal.ValidINN(inn) {
			return inn
		}
	}
	panic("no check digit fits")
}

// fill appends n documents, in turn of all registers.
func (f *filler) fill(n int) {
	f.t.Helper()
	var batch []journal.Commit
	for i := range n {
		batch = append(batch, f.commit(f.tills[i%len(f.tills)], nil))
		if len(batch) == 512 || i == n-1 {
			f.append(batch...)
			batch = batch[:0]
		}
	}
}

func (f *filler) append(batch ...journal.Commit) {
	f.t.Helper()
	if stale, err := f.core.store.Append(f.t.Context(), batch, journal.Seal); err != nil || len(stale) > 0 {
		f.t.Fatalf("Append = %v, %v", stale, err)
	}
}

// commit is the next document of a register. change may make something else of
// it.
func (f *filler) commit(till *filledTill, change func(*fiscal.Record)) journal.Commit {
	f.t.Helper()
	binary.LittleEndian.PutUint32(f.inner[f.at:], till.next)
	sealed, err := f.crypto.SealDocument(till.drive, kkt.CodeReceipt, till.next, f.inner, till.next%2 == 0)
	f.must(err)
	h := f.header
	h.Drive = till.drive
	message, err := kkt.AppendMessage(nil, h, sealed.Frame)
	f.must(err)
	s := &till.state
	f.arrived = f.arrived.Add(time.Microsecond)
	e := journal.Entry{Partition: till.place.Partition, Record: fiscal.Record{
		Register: till.place.Register, Number: s.LastNumber + 1, Taxpayer: till.card.Taxpayer, CardVersion: till.card.Version,
		Format: "kkt/1.2", Kind: fiscal.DocReceipt, Drive: till.drive.String(), DeviceNumber: uint64(till.next), ReceivedAt: f.arrived,
		Request: message, Answer: make([]byte, 200),
	}}
	if till.next%2 == 0 {
		e.Format += "/sealed"
	}
	if change != nil {
		change(&e.Record)
	}
	e.Link(s.LastHash)
	c := journal.Commit{Partition: till.place.Partition, Register: till.place.Register, Judged: s.Version, Entries: []journal.Entry{e}}
	s.Version, s.LastNumber, s.LastHash = s.Version+1, e.Number, e.Hash
	c.State = s.Append(nil)
	till.next++
	return c
}
