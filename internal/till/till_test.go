package till_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/till"
)

func cash(id string, price fiscal.Money) *till.Draft {
	return &till.Draft{ID: id, Op: fiscal.OpSale, Lines: []till.Line{{Quantity: fiscal.OneUnit, Price: price}}, Paid: till.Paid{Chosen: true}}
}

// A day at a register: sale, its return, cash in and out, X, Z; the operator has
// the same documents. Forming a draft twice makes one receipt.
//
// Req: E-001, E-002, E-004, E-009, E-012, E-013, E-092, E-093, E-115, E-117, E-129, E-130, E-133 to E-145, P-001
func TestDay(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	sold, err := s.Form(ctx, s.seat(), s.id, cash("a", 500_00), false)
	if err != nil || sold.Fate != till.Accepted || len(sold.FiscalSign) != 12 || sold.Number != 1 || sold.QR == "" {
		t.Fatalf("a sale: %+v, %v; want an accepted receipt 1", sold, err)
	}
	again, err := s.Form(ctx, s.seat(), s.id, cash("a", 500_00), false)
	if err != nil || again.ID != sold.ID {
		t.Fatalf("the same draft again: %+v, %v; want document %d", again, err, sold.ID)
	}
	back := &till.Draft{ID: "b", Op: fiscal.OpSaleReturn, Parent: 1, Lines: []till.Line{{Quantity: fiscal.OneUnit, Price: 200_00}}, Paid: till.Paid{Chosen: true}}
	if d, err := s.Form(ctx, s.seat(), s.id, back, false); err != nil || d.Fate != till.Accepted || d.Parent != 1 {
		t.Fatalf("a return: %+v, %v", d, err)
	}
	back.ID, back.Lines[0].Price = "c", 300_01
	var wrong *fiscal.Error
	if _, err := s.Form(ctx, s.seat(), s.id, back, false); !errors.As(err, &wrong) || wrong.Field != "total" {
		t.Errorf("more is returned than is left: %v, want Invalid about total", err)
	}
	for _, m := range []struct {
		op  fiscal.Op
		sum fiscal.Money
	}{{fiscal.OpCashIn, 1000_00}, {fiscal.OpCashOut, 100_00}} {
		if d, err := s.Move(ctx, s.seat(), s.id, "", m.op, m.sum); err != nil || d.Fate != till.Accepted || d.Kind != till.KindMove {
			t.Fatalf("%v: %+v, %v", m.op, d, err)
		}
	}
	if _, err := s.Move(ctx, s.seat(), s.id, "", fiscal.OpCashOut, 1200_01); !errors.Is(err, fiscal.NotEnoughCash) {
		t.Errorf("more is withdrawn than is there: %v", err)
	}
	before, _ := s.Standing(ctx, s.seat(), s.id)
	x, err := s.X(ctx, s.seat(), s.id)
	if err != nil || x.Kind != till.KindX || x.Number != 0 {
		t.Fatalf("X: %+v, %v", x, err)
	}
	if after, _ := s.Standing(ctx, s.seat(), s.id); after.Counters.Cash != before.Counters.Cash || after.Counters.Cash != 1200_00 {
		t.Errorf("the drawer has %v after X, %v before; want 1200.00", after.Counters.Cash, before.Counters.Cash)
	}
	z, err := s.Z(ctx, s.seat(), s.id, "z")
	if err != nil || z.Kind != till.KindZ || z.Shift != 1 {
		t.Fatalf("Z: %+v, %v", z, err)
	}
	c, err := z.Contents()
	if err != nil || c.Report == nil || c.Report.Counters.Cash != 1200_00 || c.Report.Shift.Number != 1 {
		t.Errorf("the Z report says %+v, %v", c.Report, err)
	}
	if _, err := s.Z(ctx, s.seat(), s.id, "z2"); !errors.Is(err, fiscal.Conflict) {
		t.Errorf("Z without a shift: %v, want Conflict", err)
	}
	all, more, err := s.History(ctx, s.seat(), s.id, till.HistoryQuery{})
	if err != nil || more || len(all) != 6 {
		t.Errorf("%d documents in the history, more %t, %v; want 6", len(all), more, err)
	}
	l, err := s.operator.registry.Show(ctx, s.id)
	if err != nil || l.State.LastNumber != 8 { // the same six behind registration and token
		t.Errorf("the operator has %d entries, %v", l.State.LastNumber, err)
	}
}

// Without the operator receipts are autonomous; they wait through a restart and
// are delivered in order when the link is back.
//
// Req: E-015, E-019, O-079, P-002, P-013
func TestAutonomous(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	if _, err := s.Form(ctx, s.seat(), s.id, cash("a", 100_00), false); err != nil {
		t.Fatal(err)
	}
	s.cut.Store(true)
	for _, id := range []string{"b", "c"} {
		d, err := s.Form(ctx, s.seat(), s.id, cash(id, 10_00), false)
		if err != nil || d.Fate != till.Autonomous || d.OfflineCode == 0 || d.FiscalSign != "" || !strings.Contains(d.QR, "i="+d.Sign()+"&") {
			t.Fatalf("without a link: %+v, %v; want an autonomous receipt", d, err)
		}
	}
	if st, err := s.Standing(ctx, s.seat(), s.id); err != nil || st.Waiting != 2 || st.OfflineLeft > 72*time.Hour || st.OfflineLeft < 71*time.Hour {
		t.Errorf("standing %+v, %v", st, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.cut.Store(false)
	eventually(t, "both are delivered", func() bool {
		all, _, err := s.History(ctx, s.seat(), s.id, till.HistoryQuery{})
		return err == nil && len(all) == 3 && all[0].Fate == till.Delivered && all[1].Fate == till.Delivered && len(all[0].FiscalSign) == 12
	})
	if st, _ := s.Standing(ctx, s.seat(), s.id); st.Waiting != 0 {
		t.Errorf("%d wait", st.Waiting)
	}
}

// What goes wrong at a register, and the way out of each.
//
// Req: E-020, E-021, E-092, E-146, E-147, E-154, E-157, T-089, O-051
func TestWaysOut(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	if err := s.Connect(ctx, s.seat(), 999_999, 1234); !errors.Is(err, fiscal.UnknownRegister) {
		t.Errorf("a number that nobody has: %v", err)
	}
	if err := s.Connect(ctx, s.seat(), s.id, s.made.Token+1); !errors.Is(err, fiscal.StaleToken) {
		t.Errorf("a wrong token: %v", err)
	}
	if _, err := s.Form(ctx, s.seat(), s.id, cash("a", 100_00), false); err != nil {
		t.Fatalf("after a wrong token was tried: %v", err)
	}

	// The operator gives a new token: the old one is void until it is typed in.
	token, err := s.operator.registry.Token(ctx, s.id, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Form(ctx, s.seat(), s.id, cash("b", 100_00), false); !errors.Is(err, fiscal.StaleToken) {
		t.Fatalf("with a void token: %v", err)
	}
	if _, err := s.Form(ctx, s.seat(), s.id, cash("b", 100_00), false); !errors.Is(err, kkm.ErrNeedsToken) {
		t.Fatalf("with a void token, again: %v", err)
	}
	if err := s.Connect(ctx, s.seat(), s.id, token); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Form(ctx, s.seat(), s.id, cash("b", 100_00), false); err != nil || d.Fate != till.Accepted {
		t.Fatalf("with the new token: %+v, %v", d, err)
	}

	// Blocked by the operator, and unblocked without anybody's hand.
	if err := s.operator.registry.Block(ctx, s.id, "test", "Оплатите услуги"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Form(ctx, s.seat(), s.id, cash("d", 100_00), false); !errors.Is(err, fiscal.RegisterBlocked) {
		t.Fatalf("while blocked: %v", err)
	}
	if err := s.operator.registry.Unblock(ctx, s.id, "test"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it sells again", func() bool {
		_, err := s.Form(ctx, s.seat(), s.id, cash("d", 100_00), false)
		return err == nil
	})

	// A clock that was set back makes nothing; a shift that is too long is closed.
	s.ahead.Store(int64(-time.Hour))
	var late *fiscal.Error
	if _, err := s.Form(ctx, s.seat(), s.id, cash("e", 100_00), false); !errors.As(err, &late) || late.Field != "clock" {
		t.Errorf("with a clock an hour behind: %v", err)
	}
	s.ahead.Store(int64(24*time.Hour + time.Minute))
	if s.seat().Cashier.Code != 0 {
		t.Error("a device is unlocked for a day")
	}
	if err := s.Unlock(ctx, s.seat(), till.Owner, "1234"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Form(ctx, s.seat(), s.id, cash("f", 100_00), false); !errors.Is(err, fiscal.ShiftTooLong) {
		t.Errorf("after 24 hours: %v", err)
	}
	if _, err := s.Z(ctx, s.seat(), s.id, "z"); err != nil {
		t.Errorf("its closing: %v", err)
	}

	// Another device signs in: what the old one sends changes nothing.
	s.ahead.Store(0)
	old := s.seat()
	s.ahead.Store(int64(25 * time.Hour))
	s.secret = s.signIn("seller@example.kz", "Tablet")
	var elsewhere *till.Elsewhere
	if _, err := s.Form(ctx, old, s.id, cash("g", 100_00), false); !errors.As(err, &elsewhere) || elsewhere.Device != "Tablet" {
		t.Errorf("from the old device: %v", err)
	}
	if err := s.Unlock(ctx, s.seat(), till.Owner, "1234"); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Form(ctx, s.seat(), s.id, cash("g", 100_00), false); err != nil || d.Shift != 2 {
		t.Errorf("from the new device: %+v, %v", d, err)
	}
}
