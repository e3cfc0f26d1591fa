package registry_test

import (
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

func (b *bureau) card(r fiscal.RegisterID) fiscal.Card {
	b.Helper()
	s, err := b.Register(b.Context(), b.owner, r)
	b.must(err)
	return s.Card
}

// The end of a contract reaches the cards of its registers, once, and so does the
// next contract; a register that comes later has it from its first card.
//
// Req: P-015, O-008, O-017, O-066, O-069
func TestContractReachesCards(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	keep := func() {
		t.Helper()
		for {
			n, err := b.service.KeepServed(ctx, b.db, 2)
			if b.must(err); n == 0 {
				return
			}
		}
	}
	_, err := b.RecordPaper(ctx, 99, "command line", "1")
	b.wants("a contract of nobody", err, fiscal.NotFound, "")
	_, err = b.RecordEnd(ctx, b.owner.Taxpayer, "command line", "1")
	b.wants("the end of no contract", err, fiscal.Conflict, "contract")
	first, err := b.RecordPaper(ctx, b.owner.Taxpayer, "command line", "ДУ-17")
	b.must(err)
	r := b.register("EK-1")
	if got := b.card(r).Service; got.Contract != int64(first) || !got.Ended.IsZero() {
		t.Errorf("the first card is served by %+v, want contract %d", got, first)
	}
	keep()
	if v := b.card(r).Version; v != 1 {
		t.Errorf("a card that had it already has version %d", v)
	}
	b.must(b.EndContract(ctx, b.owner))
	ended := b.now()
	keep()
	if got := b.card(r); !got.Service.Ended.Equal(ended) || got.Version != 2 {
		t.Errorf("after the end the card, version %d, is served by %+v", got.Version, got.Service)
	}
	b.pass(time.Hour)
	last, err := b.RecordPaper(ctx, b.owner.Taxpayer, "command line", "ДУ-18")
	b.must(err)
	keep()
	if got := b.card(r).Service; got.Contract != int64(last) || !got.Ended.IsZero() {
		t.Errorf("after the next contract the card is served by %+v, want %d", got, last)
	}
}

// What changes of an organization or an outlet is carried to the cards: at once
// where nobody else must know, by an application where the authority must.
//
// Req: O-054, O-089
func TestCarryOver(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	_, err := b.RecordPaper(ctx, b.owner.Taxpayer, "command line", "1")
	b.must(err)
	fresh, enrolled := b.register("EK-1"), b.register("EK-2")
	_, err = b.service.ChangeCard(ctx, enrolled, "test", func(c *fiscal.Card) error { c.RegistrationNumber = "620100000017"; return nil })
	b.must(err)
	if all, _, err := b.Behind(ctx, b.owner, 0); err != nil || len(all) != 0 {
		t.Errorf("behind before anything changed: %+v, %v", all, err)
	}
	b.outlet.Where.House = "12"
	b.must(b.PutOutlet(ctx, b.owner, &b.outlet))
	all, more, err := b.Behind(ctx, b.owner, b.outlet.ID)
	if b.must(err); len(all) != 2 || more || len(all[0].Reasons) != 0 || len(all[1].Reasons) != 1 || all[1].Reasons[0] != registry.ForAddress {
		t.Errorf("Behind() = %+v", all)
	}
	viewer := *b.owner
	viewer.Member.Role = access.Viewer
	_, err = b.CarryOver(ctx, &viewer, 0)
	b.wants("a viewer carries", err, fiscal.Denied, "edit_registers")
	done, err := b.CarryOver(ctx, b.owner, b.outlet.ID)
	if b.must(err); len(done.Changed) != 1 || done.Changed[0] != fresh || len(done.Drafted) != 1 || b.card(fresh).OutletAddress != b.outlet.Address || b.card(enrolled).OutletAddress == b.outlet.Address {
		t.Errorf("CarryOver() = %+v; want %d changed and an application for %d", done, fresh, enrolled)
	}
	app, _, err := b.Application(ctx, b.owner, done.Drafted[0])
	if b.must(err); app.Register != enrolled || app.Kind != registry.Reenrol || app.Form.Where.House != "12" || app.Form.OutletAddress != b.outlet.Address {
		t.Errorf("drafted %+v", app)
	}
	if found, err := b.CheckApplication(ctx, b.owner, app.ID); err != nil || len(registry.Blocking(found)) != 0 {
		t.Errorf("the draft has findings %q, %v", fields(found), err)
	}
	if again, err := b.CarryOver(ctx, b.owner, 0); err != nil || len(again.Changed)+len(again.Drafted) != 0 || len(again.Waiting) != 1 {
		t.Errorf("once more: %+v, %v; want one that waits", again, err)
	}
}
