package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
)

// morning is the first moment of the tests' time.
var morning = time.Date(2026, 3, 14, 9, 12, 41, 123_456_000, time.UTC)

// world is an engine with the least that a register needs.
type world struct {
	*testing.T
	Engine
	partition fiscal.Partition
	owner     registry.Taxpayer
	outlet    registry.Outlet
	clock     time.Time
}

func newWorld(t *testing.T, e Engine) *world {
	t.Helper()
	w := &world{T: t, Engine: e, clock: morning}
	w.partition = slices.Min(w.partitions())
	w.owner = w.taxpayer("123456789011")
	w.outlet = registry.Outlet{Taxpayer: w.owner.ID, Title: fiscal.Text{RU: "Дүкен"}, Zone: "Asia/Almaty", Latitude: 432_220}
	w.must(e.AddOutlet(t.Context(), &w.outlet))
	return w
}

func (w *world) partitions() (all []fiscal.Partition) {
	w.Helper()
	heads, err := w.Heads(w.Context())
	w.must(err)
	for p := range heads {
		all = append(all, p)
	}
	return all
}

func (w *world) taxpayer(xin fiscal.XIN) registry.Taxpayer {
	w.Helper()
	t := registry.Taxpayer{
		Partition: w.partition, Country: fiscal.Kazakhstan, XIN: xin, Title: fiscal.Text{KK: "Қазына", RU: "Казына", EN: "Qazyna"},
		VATPercent: 16_000, Created: morning,
	}
	w.must(w.AddTaxpayer(w.Context(), &t))
	return t
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wants fails unless err is all of the targets.
func (w *world) wants(what string, err error, targets ...error) {
	w.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			w.Errorf("%s: error %v, want %v", what, err, target)
		}
	}
}

// card is the registry's word on a new register.
func (w *world) card(serial string) fiscal.Card {
	return fiscal.Card{
		Since: morning, Country: fiscal.Kazakhstan, Taxpayer: w.owner.ID, XIN: w.owner.XIN, Title: w.owner.Title, Outlet: w.outlet.ID,
		OutletAddress: fiscal.Text{KK: "Алматы, Абай даңғылы 1"}, Zone: "Asia/Almaty", Model: "ПОРТ DPG-25 ФKZ", SerialNumber: serial,
		RegistrationNumber: "rn-" + serial, RegisteredAt: morning, Ads: []fiscal.Ad{{Kind: fiscal.AdOutlet, Version: 3, Text: "₸"}},
		Options: fiscal.Options{KeepToken: true},
	}
}

// till is a register with what its next commit has to follow.
type till struct {
	w       *world
	place   fiscal.Place
	card    fiscal.Card
	version uint64
	last    fiscal.Number
	hash    journal.Hash
}

func (w *world) till(serial string) *till {
	w.Helper()
	c := w.card(serial)
	w.must(w.AddRegister(w.Context(), w.partition, &c, []fiscal.Address{{Kind: fiscal.ByRegistrationNumber, Name: c.RegistrationNumber}}))
	return &till{w: w, place: fiscal.Place{Partition: w.partition, Register: c.Register}, card: c}
}

// record is a receipt of 1777.50.
func (r *till) record() fiscal.Record {
	r.w.clock = r.w.clock.Add(1_000_001 * time.Microsecond)
	return fiscal.Record{
		Taxpayer: r.card.Taxpayer, CardVersion: r.card.Version, Format: "kkm/203", Kind: fiscal.DocReceipt, Op: fiscal.OpSale,
		DeviceTime: fiscal.WallTime(r.w.clock.Unix()), ReceivedAt: r.w.clock, Shift: 7, FiscalSign: 812_345_678_901, SignKey: 1,
		Total: 177_750, Cash: 100_000, Cashless: 77_750, Tax: 24_517,
		Request: fmt.Appendf(nil, "request of %d", r.last+1), Answer: fmt.Appendf(nil, "answer to %d", r.last+1),
	}
}

// commit is the next one, of these records or of a single receipt. The till
// goes on from it.
func (r *till) commit(records ...fiscal.Record) journal.Commit {
	if len(records) == 0 {
		records = []fiscal.Record{r.record()}
	}
	c := journal.Commit{Partition: r.place.Partition, Register: r.place.Register, Judged: r.version}
	for _, rec := range records {
		r.last++
		rec.Register, rec.Number = r.place.Register, r.last
		e := journal.Entry{Record: rec, Partition: r.place.Partition, Salt: [16]byte{byte(r.last), 0xff}}
		e.Link(r.hash)
		r.hash = e.Hash
		c.Entries = append(c.Entries, e)
	}
	r.version++
	c.State = r.state().Append(nil)
	return c
}

// state is what the till's last commit made of the register.
func (r *till) state() *fiscal.State {
	return &fiscal.State{
		Version: r.version, CardVersion: r.card.Version, LastNumber: r.last, LastHash: r.hash,
		Shift: fiscal.Shift{Number: 7, Open: true, Documents: uint32(r.last)}, Protocol: []byte{1, 0, 2},
	}
}

// append makes commits durable, none of them stale.
func (w *world) append(batch ...journal.Commit) []journal.Commit {
	w.Helper()
	stale, err := w.Append(w.Context(), batch, journal.Seal)
	if err != nil || len(stale) > 0 {
		w.Fatalf("Append = %v, %v, want nothing stale and no error", stale, err)
	}
	return batch
}

// all is the whole journal of the partition.
func (w *world) all() []journal.Entry {
	w.Helper()
	var all []journal.Entry
	for from := journal.Seq(1); ; {
		page, err := w.Scan(w.Context(), w.partition, from, 1000)
		w.must(err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		from = page[len(page)-1].Seq + 1
	}
}

// same reports whether two entries are equal in every column and byte.
func same(a, b journal.Entry) bool {
	if !bytes.Equal(a.Request, b.Request) || !bytes.Equal(a.Answer, b.Answer) || !a.ReceivedAt.Equal(b.ReceivedAt) {
		return false
	}
	for _, e := range []*journal.Entry{&a, &b} {
		e.Request, e.Answer, e.ReceivedAt = nil, nil, time.Time{}
	}
	return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func (w *world) sameEntries(what string, got, want []journal.Entry) {
	w.Helper()
	if len(got) != len(want) {
		w.Fatalf("%s: %d entries, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !same(got[i], want[i]) {
			w.Fatalf("%s: entry %d is\n%+v, want\n%+v", what, i, got[i], want[i])
		}
	}
}

// entriesOf are the entries of a batch, in order.
func entriesOf(batch []journal.Commit) (all []journal.Entry) {
	for i := range batch {
		all = append(all, batch[i].Entries...)
	}
	return all
}
