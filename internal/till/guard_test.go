package till_test

import (
	"errors"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// Codes from letters: a wrong one, too many, an old one, one used already.
//
// Req: E-026, E-028
func TestCodes(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	const email = "other@example.kz"
	send := func() {
		t.Helper()
		if err := s.SendCode(ctx, email, "ru"); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(what, code string) {
		t.Helper()
		var e *fiscal.Error
		if _, _, err := s.SignIn(ctx, email, code, "", "ru"); !errors.As(err, &e) || e.Field != "code" || !errors.Is(err, fiscal.Unauthenticated) {
			t.Errorf("%s: %v, want Unauthenticated about the code", what, err)
		}
	}
	send()
	other := "000000"
	if s.letters[email] == other {
		other = "000001"
	}
	refused("a wrong code", other)
	first := s.letters[email]
	if _, fresh, err := s.SignIn(ctx, " Other@Example.kz ", first, "Phone", "ru"); err != nil || !fresh {
		t.Errorf("the right one, the address in capitals: %v, new %t", err, fresh)
	}
	refused("one that was used", first)

	send()
	s.ahead.Store(int64(15*time.Minute + time.Second))
	refused("one that is too old", s.letters[email])

	s.ahead.Store(int64(time.Hour))
	send()
	for range 5 {
		refused("a wrong code", other)
	}
	refused("the right one after five wrong ones", s.letters[email])
	if err := s.SendCode(ctx, email, "ru"); !errors.Is(err, fiscal.RateLimited) {
		t.Errorf("another letter at once: %v", err)
	}
	s.ahead.Store(int64(2 * time.Hour))
	send()
	if _, fresh, err := s.SignIn(ctx, email, s.letters[email], "Phone", "ru"); err != nil || fresh {
		t.Errorf("an hour later: %v, new %t", err, fresh)
	}
	for _, bad := range []string{"", "x", "a@b", "A <a@b.kz>", "a@b.kz\nBcc: c@d.kz"} {
		if err := s.SendCode(ctx, bad, "ru"); !errors.Is(err, fiscal.Invalid) {
			t.Errorf("a letter to %q: %v, want Invalid", bad, err)
		}
	}
}

// Quick-access codes: five wrong ones close them for a quarter of an hour, a
// disabled cashier is locked out at once, another's register is not there.
//
// Req: E-030, E-031, T-002
func TestQuickCodes(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	if err := s.SetCashier(ctx, s.seat(), till.Cashier{Name: "Ерлан", Rights: []till.Right{till.MaySell}}, "5678", "5678"); err != nil {
		t.Fatal(err)
	}
	all, err := s.Cashiers(ctx, s.seat())
	if err != nil || len(all) != 2 || all[1].PIN != "" || all[1].Code != 2 {
		t.Fatalf("cashiers %+v, %v; want two, without their codes", all, err)
	}
	for range 5 {
		if err := s.Unlock(ctx, s.seat(), 2, "1111"); !errors.Is(err, fiscal.Unauthenticated) {
			t.Errorf("a wrong code: %v", err)
		}
	}
	if err := s.Unlock(ctx, s.seat(), 2, "5678"); !errors.Is(err, fiscal.RateLimited) {
		t.Errorf("the right one after five wrong ones: %v", err)
	}
	if err := s.Unlock(ctx, s.seat(), till.Owner, "1234"); err != nil {
		t.Errorf("the owner, meanwhile: %v", err)
	}
	s.ahead.Store(int64(16 * time.Minute))
	if err := s.Unlock(ctx, s.seat(), 2, "5678"); err != nil || s.seat().Cashier.Code != 2 {
		t.Errorf("a quarter of an hour later: %v", err)
	}
	if err := s.Unlock(ctx, s.seat(), till.Owner, "1234"); err != nil {
		t.Fatal(err)
	}
	seat := s.seat()
	if err := s.SetCashier(ctx, seat, till.Cashier{Code: 2, Name: "Ерлан", Disabled: true}, "", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Unlock(ctx, seat, 2, "5678"); !errors.Is(err, fiscal.Unauthenticated) {
		t.Errorf("a disabled cashier: %v", err)
	}
	if err := s.SetPIN(ctx, s.seat(), "9999", "4321", "4321"); !errors.Is(err, fiscal.Denied) {
		t.Errorf("a new code with a wrong old one, long after the letter: %v", err)
	}
	if err := s.SetPIN(ctx, s.seat(), "1234", "4321", "4321"); err != nil {
		t.Errorf("with the right one: %v", err)
	}

	mine := s.secret
	s.secret = s.signIn("stranger@example.kz", "Phone")
	if err := s.SetPIN(ctx, s.seat(), "", "1234", "1234"); err != nil {
		t.Fatal(err)
	}
	stranger := s.seat()
	if _, err := s.Register(ctx, stranger, s.id); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("another's register: %v", err)
	}
	if _, err := s.Form(ctx, stranger, s.id, cash("x", 1_00), false); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("a sale at another's register: %v", err)
	}
	if err := s.Connect(ctx, stranger, s.id, s.made.Token); err == nil {
		t.Error("another's register was connected")
	}
	s.secret = mine
	if _, err := s.Form(ctx, s.seat(), s.id, cash("x", 1_00), false); err != nil {
		t.Errorf("at the own one: %v", err)
	}
}

// Each act takes the right that it takes, and a locked device does nothing.
func TestRights(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	owner := s.seat()
	if _, err := s.Form(ctx, owner, s.id, cash("sold", 100_00), false); err != nil {
		t.Fatal(err)
	}
	off := cash("off", 10_00)
	off.Off = 1_00
	back := cash("back", 1_00)
	back.Op, back.Parent = fiscal.OpSaleReturn, 1
	buy := cash("buy", 1_00)
	buy.Op = fiscal.OpPurchase
	for _, act := range []struct {
		right till.Right
		do    func(*till.Seat) error
	}{
		{till.MaySell, func(g *till.Seat) error { _, err := s.Preview(ctx, g, s.id, cash("a", 1_00), false); return err }},
		{till.MayReturn, func(g *till.Seat) error { _, err := s.Preview(ctx, g, s.id, back, false); return err }},
		{till.MayBuy, func(g *till.Seat) error { _, err := s.Preview(ctx, g, s.id, buy, false); return err }},
		{till.MayModify, func(g *till.Seat) error { _, err := s.Preview(ctx, g, s.id, off, false); return err }},
		{till.MayMove, func(g *till.Seat) error { _, err := s.Move(ctx, g, s.id, "", fiscal.OpCashIn, 1_00); return err }},
		{till.MayReport, func(g *till.Seat) error { _, err := s.X(ctx, g, s.id); return err }},
		{till.MaySettings, func(g *till.Seat) error { return s.SetCashier(ctx, g, till.Cashier{Name: "x"}, "1111", "1111") }},
		{till.MaySettings, func(g *till.Seat) error {
			_, err := s.SetGood(ctx, g, till.Good{Title: fiscal.Text{RU: "x"}})
			return err
		}},
		{till.MaySettings, func(g *till.Seat) error {
			return s.Set(ctx, g, s.id, till.Settings{Name: "x", Paper: 80, Modifiers: true})
		}},
		{till.MayClose, func(g *till.Seat) error { _, err := s.Z(ctx, g, s.id, ""); return err }},
	} {
		seat := *owner
		seat.Cashier = till.Cashier{}
		if err := act.do(&seat); !errors.Is(err, fiscal.Unauthenticated) {
			t.Errorf("%s on a locked device: %v, want Unauthenticated", act.right, err)
		}
		seat.Cashier = till.Cashier{Code: 2}
		for _, r := range till.Rights() {
			if r != act.right {
				seat.Cashier.Rights = append(seat.Cashier.Rights, r)
			}
		}
		if err := act.do(&seat); !errors.Is(err, fiscal.Denied) {
			t.Errorf("%s without the right, with all others: %v, want Denied", act.right, err)
		}
		seat.Cashier.Rights = []till.Right{act.right}
		if act.right == till.MayModify {
			seat.Cashier.Rights = append(seat.Cashier.Rights, till.MaySell)
		}
		if err := act.do(&seat); err != nil {
			t.Errorf("%s with the right alone: %v", act.right, err)
		}
	}

	// Without the right to see all, a cashier sees their own.
	seat := *owner
	seat.Cashier = till.Cashier{Code: 3, Name: "x", Rights: []till.Right{till.MaySell}}
	if all, _, err := s.History(ctx, &seat, s.id, till.HistoryQuery{}); err != nil || len(all) != 0 {
		t.Errorf("another's documents: %d, %v", len(all), err)
	}
	sold, _, err := s.History(ctx, owner, s.id, till.HistoryQuery{Kind: till.KindReceipt})
	if err != nil || len(sold) != 1 {
		t.Fatalf("receipts: %d, %v", len(sold), err)
	}
	if _, _, err := s.Document(ctx, &seat, sold[0].ID); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("another's receipt: %v", err)
	}
}
