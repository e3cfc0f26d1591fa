package kkm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// TestDay walks one day of a register of every version against the real rules:
// everything is accepted, nothing is flagged, and both sides count alike.
func TestDay(t *testing.T) {
	t.Parallel()
	for _, v := range []wire.Version{wire.V124, wire.V125, wire.V200, wire.V201, wire.V202, wire.V203, wire.V204} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			s := newShop(t, v, new(kkm.Volatile))
			ctx := t.Context()
			info, err := s.Info(ctx)
			if err != nil || info.RegistrationNumber != s.cfg.Card.RegistrationNumber || info.Title != s.cfg.Card.Title.RU {
				t.Fatalf("Info() = %+v, %v, want the data of the card", info, err)
			}
			must := func(slip kkm.Slip, err error) kkm.Slip {
				t.Helper()
				s.clock.pass(time.Minute)
				if err != nil || slip.Offline {
					t.Fatalf("refused or autonomous: %+v, %v", slip, err)
				}
				return slip
			}
			must(s.Deposit(ctx, 2_000_000, cashier))
			sale := must(s.Sell(ctx, bread("Нан «Таба»")))
			if sale.Number != 2 || sale.Shift != 1 || sale.Total != 21500 || len(sale.FiscalSign) < 10 || !strings.Contains(sale.QR, sale.FiscalSign) {
				t.Errorf("slip of a sale = %+v, want number 2 of shift 1, 215.00, a sign, and a QR text with it", sale)
			}
			back := bread("Нан «Таба»")
			back.Op, back.Total, back.Parent = fiscal.OpSaleReturn, 21500, s.Parent(sale)
			back.Payments = []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 21500}}
			back.Taken = 21500
			must(s.Ticket(ctx, back))
			must(s.Ticket(ctx, rich(v)))
			must(s.Withdraw(ctx, 100_000, cashier))
			if v < wire.V203 {
				must(s.Sell(ctx, bread("Қате чек")))
				must(s.Cancel(ctx))
				if _, err := s.Cancel(ctx); !errors.Is(err, fiscal.CannotCancel) {
					t.Errorf("second Cancel() = %v, want %v", err, fiscal.CannotCancel)
				}
			} else if _, err := s.Cancel(ctx); !errors.Is(err, fiscal.UnsupportedCommand) {
				t.Errorf("Cancel() = %v, want %v", err, fiscal.UnsupportedCommand)
			}
			if err := s.System(ctx); err != nil {
				t.Errorf("System() = %v", err)
			}
			who, roles, err := s.Auth(ctx, "aigul", "құпия-сөз-1")
			if err != nil || who.Name != cashier.Name || len(roles) != 2 {
				t.Errorf("Auth() = %v, %v, %v, want the cashier with two roles", who, roles, err)
			}
			if _, _, err := s.Auth(ctx, "aigul", "wrong"); !errors.Is(err, fiscal.Unauthenticated) {
				t.Errorf("Auth(wrong) = %v, want %v", err, fiscal.Unauthenticated)
			}
			x := must(s.Report(ctx, fiscal.ReportX))
			own := s.Standing()
			compare(t, "X", own.Counters, x.Report.Counters)
			z := must(s.CloseShift(ctx, cashier, true))
			if got := s.Standing(); got.Shift.Open || got.Shift.Number != 1 || got.Counters.Cash != 0 || z.Report.Shift.Number != 1 {
				t.Errorf("after the close: shift %+v, cash %v, Z %+v, want shift 1 closed and an empty drawer", got.Shift, got.Counters.Cash, z.Report.Shift)
			}
			again := must(s.Report(ctx, fiscal.ReportZ))
			compare(t, "Z", z.Report.Counters, again.Report.Counters)
			next := must(s.Sell(ctx, bread("Ертеңгі нан")))
			if next.Shift != 2 {
				t.Errorf("shift of the next sale = %d, want 2", next.Shift)
			}
			for _, r := range s.operator.documents() {
				if r.Flags&^fiscal.FlagRounded != 0 {
					t.Errorf("entry %d (%v) was accepted with findings %v", r.Number, r.Kind, r.Flags)
				}
			}
		})
	}
}

// compare compares what a settlement is about. Reports to 1.2.4 leave out what
// that version does not know.
func compare(t *testing.T, what string, own, theirs fiscal.Counters) {
	t.Helper()
	if own.Cash != theirs.Cash || own.Revenue != theirs.Revenue || own.GrandTotals != theirs.GrandTotals || own.ShiftStart != theirs.ShiftStart {
		t.Errorf("%s: sums\nown    %v %v %v\ntheirs %v %v %v", what, own.Cash, own.Revenue, own.GrandTotals, theirs.Cash, theirs.Revenue, theirs.GrandTotals)
	}
	for i := range own.Receipts {
		a, b := own.Receipts[i], theirs.Receipts[i]
		if a.Ever != b.Ever || a.Count != b.Count || a.Sum != b.Sum {
			t.Errorf("%s: receipts of operation %d: own %+v, theirs %+v", what, i, a, b)
		}
	}
}

// rich is a sale with all that the version can carry.
func rich(v wire.Version) fiscal.Receipt {
	vat := func(sum fiscal.Money) []fiscal.Tax {
		return []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16000, Sum: sum, Included: true}}
	}
	r := fiscal.Receipt{
		Op: fiscal.OpSale, Cashier: cashier,
		Items: []fiscal.Item{
			{Kind: fiscal.ItemGoods, Name: "Қант, кг", Section: "2", Quantity: 1_350_000, Unit: "116", Price: 52000, Cost: 70200, Taxes: vat(9683)},
			{Kind: fiscal.ItemGoods, Name: "Су «Тұран» 0,5 л", Quantity: 2_000_000, Unit: "796", Price: 25000, Cost: 50000, Taxes: vat(6897)},
			{Kind: fiscal.ItemGoods, Storno: true, Name: "Су «Тұран» 0,5 л", Quantity: 2_000_000, Unit: "796", Price: 25000, Cost: 50000, Taxes: vat(6897)},
			{Kind: fiscal.ItemDiscount, Name: "Жеңілдік", Cost: 10200, Taxes: vat(1407)},
			{Kind: fiscal.ItemMarkup, Cost: 5000, Taxes: vat(690)},
		},
		Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 40000}, {Kind: fiscal.PayCard, Sum: 25000}},
		Total:    65000, Taken: 50000, ChangeDue: 10000,
		Buyer: fiscal.Buyer{Email: "buyer@mail.example", Phone: "+77010000000"},
	}
	if v >= wire.V200 {
		r.Items[1].Barcode, r.Items[2].Barcode = "4870001234567", "4870001234567"
	}
	if v >= wire.V201 {
		r.Buyer.XIN = "960624350642"
	}
	if v >= wire.V203 {
		r.Items[0].NTIN = "0200011223344"
		r.Items[0].ExciseStamps = []string{"0104870001234567215abc", "0104870001234567215abd"}
		r.Payments[1].Requisites = []fiscal.Requisite{{Key: "pos_terminal_id", Value: "T0012345"}, {Key: "pos_rrn", Value: "512345678901"}}
	}
	return r
}

// TestLostAnswer shows that a register repeats the same bytes until it is
// answered, and that the operator has the document once.
//
// Req: P-010
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for k := range 4 {
		for _, how := range []deed{{lose: true}, {drop: true}, {refuse: 254}, {refuse: 255}} {
			s := newShop(t, wire.V203, new(kkm.Volatile))
			s.operator.setScript(func(n int, _ wire.Request) deed {
				if n < k {
					return how
				}
				return deed{}
			})
			slip, err := s.Sell(t.Context(), bread("Нан"))
			if err != nil || slip.Offline {
				t.Fatalf("first %d requests %+v: %+v, %v, want an accepted receipt", k, how, slip, err)
			}
			frames := s.operator.raw()
			if len(frames) != k+1 {
				t.Fatalf("first %d requests %+v: %d requests, want %d", k, how, len(frames), k+1)
			}
			for i, f := range frames {
				if !bytes.Equal(f, frames[0]) {
					t.Errorf("request %d differs from the first:\n%x\n%x", i, f, frames[0])
				}
			}
			if docs := s.operator.documents(); len(docs) != 1 {
				t.Errorf("first %d requests %+v: the operator has %d documents, want 1", k, how, len(docs))
			}
		}
	}
}

// TestRefusalStopsRepeating shows that a refusal is final for the register.
//
// Req: P-010
func TestRefusalStopsRepeating(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code   uint32
		reason fiscal.Reason
		mode   kkm.Mode
	}{
		{1, fiscal.UnknownRegister, kkm.ModeStopped},
		{2, fiscal.StaleToken, kkm.ModeNeedsToken},
		{3, fiscal.BadForm, kkm.ModeWorking},
		{8, fiscal.RequestNumberReused, kkm.ModeWorking},
		{9, fiscal.RetryDiffers, kkm.ModeWorking},
		{11, fiscal.ShiftTooLong, kkm.ModeWorking},
		{13, fiscal.BadValue, kkm.ModeWorking},
		{14, fiscal.NotEnoughCash, kkm.ModeWorking},
		{15, fiscal.RegisterBlocked, kkm.ModeServerBlocked},
		{17, fiscal.SameTaxpayerAndBuyer, kkm.ModeWorking},
	}
	for _, tt := range tests {
		s := newShop(t, wire.V203, new(kkm.Volatile))
		s.operator.setScript(func(n int, _ wire.Request) deed {
			if n == 0 {
				return deed{refuse: tt.code}
			}
			return deed{}
		})
		_, err := s.Sell(t.Context(), bread("Нан"))
		var refusal *kkm.Refusal
		if !errors.As(err, &refusal) || refusal.Code != tt.code || !errors.Is(err, tt.reason) {
			t.Errorf("code %d: error %v, want a refusal for %v", tt.code, err, tt.reason)
		}
		st := s.Standing()
		if st.Mode != tt.mode || st.Waiting != 0 || st.Printed != 0 || st.Counters.Revenue != 0 || st.Shift.Open {
			t.Errorf("code %d: %+v, want mode %v and no trace of the receipt", tt.code, st, tt.mode)
		}
		if n := len(s.operator.raw()); n != 1 {
			t.Errorf("code %d: %d requests, want 1", tt.code, n)
		}
		slip, err := s.Sell(t.Context(), bread("Нан"))
		if working := tt.mode == kkm.ModeWorking; working != (err == nil) {
			t.Errorf("code %d: next sale = %+v, %v in mode %v", tt.code, slip, err, tt.mode)
		}
	}
}

// TestTokenFromAcceptedOnly shows that the token of a refusal is not believed,
// and that a request carries the token of the last accepted answer.
//
// Req: O-076
func TestTokenFromAcceptedOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V202, new(kkm.Volatile))
	s.operator.setScript(func(n int, _ wire.Request) deed {
		if n == 1 {
			return deed{refuse: 14, tamper: func(b []byte) []byte { b[12]++; return b }}
		}
		return deed{}
	})
	for i := range 4 {
		before := s.operator.token()
		_, err := s.Sell(t.Context(), bread("Нан"))
		if refused := i == 1; refused != (err != nil) {
			t.Fatalf("sale %d: %v", i, err)
		}
		got := s.operator.received()[i].Header
		if got.Token != before || int(got.ReqNum) != i+1 {
			t.Errorf("sale %d: TOKEN right %v, REQNUM %d, want the current token and %d", i, got.Token == before, got.ReqNum, i+1)
		}
	}
}

// TestReqNumWraps shows that REQNUM goes to 0 behind 65535.
func TestReqNumWraps(t *testing.T) {
	t.Parallel()
	m := new(kkm.Volatile)
	s := newShop(t, wire.V203, m)
	state, _, err := m.Load()
	if err != nil {
		t.Fatal(err)
	}
	state.ReqNum = 65534
	if err := m.Save(kkm.Step{State: state}); err != nil {
		t.Fatal(err)
	}
	s.reopen(t)
	for range 3 {
		if _, err := s.Sell(t.Context(), bread("Нан")); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint16
	for _, r := range s.operator.received() {
		got = append(got, r.Header.ReqNum)
	}
	if fmt.Sprint(got) != "[65535 0 1]" {
		t.Errorf("REQNUM = %v, want 65535, 0, 1", got)
	}
}

// TestAutonomous walks a loss of the link: the register goes autonomous within
// its transaction time, keeps every receipt under its own numbers, and delivers
// all of it in order, once, with the period told in every message.
//
// Req: P-013, O-079, O-081, O-082, O-083, O-084
func TestAutonomous(t *testing.T) {
	t.Parallel()
	for _, v := range []wire.Version{wire.V124, wire.V202, wire.V203} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			s := newShop(t, v, new(kkm.Volatile))
			ctx := t.Context()
			if _, err := s.Deposit(ctx, 1_000_000, cashier); err != nil {
				t.Fatal(err)
			}
			s.operator.setScript(func(int, wire.Request) deed { return deed{lose: true} })
			s.patience(t, 2*time.Second) // long enough for the operator to see the request
			start := time.Now()
			began := s.clock.now()
			first, err := s.Sell(ctx, bread("Нан 0"))
			if err != nil || !first.Offline || first.OfflineCode == 0 || first.FiscalSign != "" {
				t.Fatalf("sale without an answer = %+v, %v, want an autonomous receipt", first, err)
			}
			if took := time.Since(start); took > s.cfg.Transaction+5*time.Second {
				t.Errorf("autonomous after %v, want within %v", took, s.cfg.Transaction)
			}
			want := fmt.Sprintf("https://ofd.example/?i=%d&f=%s&s=215.00&t=%s", first.OfflineCode, s.cfg.Card.RegistrationNumber, first.Time.Compact())
			if first.QR != want {
				t.Errorf("QR text = %q, want %q", first.QR, want)
			}
			codes := map[uint32]bool{first.OfflineCode: true}
			for i := range 1000 {
				if i%50 == 0 {
					s.clock.pass(time.Second)
				}
				slip, err := s.Sell(ctx, bread(fmt.Sprint("Нан ", i+1)))
				if err != nil || !slip.Offline || codes[slip.OfflineCode] || slip.OfflineCode >= 1<<31 {
					t.Fatalf("sale %d = %+v, %v, want an autonomous receipt with a code of its own", i, slip, err)
				}
				codes[slip.OfflineCode] = true
			}
			z, err := s.CloseShift(ctx, cashier, false)
			if err != nil || !z.Offline || z.Report.Counters.Receipts[fiscal.OpSale.Index()].Count != 1001 {
				t.Fatalf("autonomous close = %+v, %v, want a Z of 1001 receipts", z, err)
			}
			if _, err := s.Withdraw(ctx, 99_999_900, cashier); !errors.Is(err, fiscal.NotEnoughCash) {
				t.Errorf("withdrawal above the drawer = %v, want %v", err, fiscal.NotEnoughCash)
			}
			tomorrow, err := s.Sell(ctx, bread("Ертеңгі нан"))
			if err != nil || tomorrow.Shift != 2 {
				t.Fatalf("sale after the close = %+v, %v, want shift 2", tomorrow, err)
			}
			for i, r := range s.operator.received() {
				if r.Header.ReqNum > 2 { // the deposit's, the first sale's
					t.Errorf("request %d has REQNUM %d: something was sent while documents wait", i, r.Header.ReqNum)
				}
			}

			s.operator.setScript(nil)
			s.patience(t, 20*time.Second)
			s.clock.pass(time.Hour)
			done, err := s.Deliver(ctx)
			if err != nil || len(done) != 1003 {
				t.Fatalf("Deliver() = %d documents, %v, want 1003", len(done), err)
			}
			for i, d := range done {
				if isReceipt := i != 1001; isReceipt && (d.FiscalSign == "" || d.Code == 0) || d.Number != uint64(i+2) {
					t.Fatalf("delivered %d = %+v, want number %d, with a sign", i, d, i+2)
				}
			}
			if st := s.Standing(); st.Waiting != 0 || st.Shift.Number != 2 || !st.Shift.Open {
				t.Errorf("after the delivery: %+v", st)
			}
			checkDelivery(t, s, began)
			if slip, err := s.Sell(ctx, bread("Нан")); err != nil || slip.Offline {
				t.Errorf("sale after the delivery = %+v, %v, want an online one", slip, err)
			}
		})
	}
}

// checkDelivery looks at what the operator has and was told after TestAutonomous.
func checkDelivery(t *testing.T, s *shop, began time.Time) {
	t.Helper()
	docs := s.operator.documents()
	if len(docs) != 1004 {
		t.Fatalf("the operator has %d documents, want 1004", len(docs))
	}
	for i, d := range docs[1:] {
		name := fmt.Sprint("Нан ", i)
		if i > 1001 {
			name = "Ертеңгі нан"
		}
		if i == 1001 {
			if d.Kind != fiscal.DocShiftClose {
				t.Fatalf("document %d is %v, want the close", i, d.Kind)
			}
			continue
		}
		doc, err := wire.Read(&d)
		if err != nil || doc.Receipt == nil || doc.Receipt.Items[0].Name != name {
			t.Fatalf("document %d = %+v, %v, want a receipt of %q", i, doc, err, name)
		}
	}
	// The first request was accepted and its answer lost: its repetition from
	// the queue has the same TOKEN and REQNUM, and only the service part and
	// the autonomous number are new.
	received := s.operator.received()
	lost, again := received[1], received[len(received)-1004]
	if lost.Header.Token != again.Header.Token || lost.Header.ReqNum != again.Header.ReqNum {
		t.Errorf("the repetition has REQNUM %d, want %d, and the same token", again.Header.ReqNum, lost.Header.ReqNum)
	}
	again.Msg.Service, lost.Msg.Service, again.Msg.Ticket.OfflineTicketNumber = nil, nil, nil
	if !proto.Equal(lost.Msg, again.Msg) {
		t.Errorf("the repetition differs beyond the service part:\n%v\n%v", lost.Msg, again.Msg)
	}
	begin := wire.NewTime(fiscal.WallIn(began, s.cfg.Card.Location()))
	end := wire.NewTime(fiscal.WallIn(s.clock.now(), s.cfg.Card.Location()))
	for i, r := range received[len(received)-1003 : len(received)-1] {
		p := r.Msg.GetService().GetOfflinePeriod()
		if !proto.Equal(p.GetBeginTime(), begin) || !proto.Equal(p.GetEndTime(), end) {
			t.Fatalf("message %d of the delivery tells the period %v, want %v to %v", i, p, begin, end)
		}
	}
	if info := received[len(received)-1]; info.Command != int32(kkmpb.CommandTypeEnum_COMMAND_INFO) || info.Msg.GetService().GetOfflinePeriod() != nil {
		t.Errorf("the last request is %d with a period %v, want INFO without one", info.Command, info.Msg.GetService().GetOfflinePeriod())
	}
}

// TestOfflineLimit shows the 72 hours of the oldest unsent document.
//
// Req: O-080
func TestOfflineLimit(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V203, new(kkm.Volatile))
	s.operator.setScript(func(int, wire.Request) deed { return deed{drop: true} })
	s.patience(t, 300*time.Millisecond)
	ctx := t.Context()
	if _, err := s.Sell(ctx, bread("Нан")); err != nil {
		t.Fatal(err)
	}
	for range 3 { // a shift of its own each day
		s.clock.pass(23 * time.Hour)
		if _, err := s.CloseShift(ctx, cashier, false); err != nil {
			t.Fatal(err)
		}
	}
	s.clock.pass(3*time.Hour - time.Second)
	if slip, err := s.Sell(ctx, bread("Нан")); err != nil || !slip.Offline {
		t.Errorf("after 72 h less 1 s: %+v, %v, want an autonomous receipt", slip, err)
	}
	s.clock.pass(2 * time.Second)
	for name, act := range map[string]func() (kkm.Slip, error){
		"sale":    func() (kkm.Slip, error) { return s.Sell(ctx, bread("Нан")) },
		"deposit": func() (kkm.Slip, error) { return s.Deposit(ctx, 100, cashier) },
		"close":   func() (kkm.Slip, error) { return s.CloseShift(ctx, cashier, false) },
	} {
		if slip, err := act(); !errors.Is(err, kkm.ErrOfflineTooLong) || !errors.Is(err, fiscal.Denied) {
			t.Errorf("%s after 72 h and 1 s = %+v, %v, want %v", name, slip, err, kkm.ErrOfflineTooLong)
		}
	}
	s.operator.setScript(nil)
	s.patience(t, 20*time.Second)
	if done, err := s.Deliver(ctx); err != nil || len(done) != 5 {
		t.Fatalf("Deliver() = %d, %v, want 5 documents", len(done), err)
	}
	if _, err := s.Sell(ctx, bread("Нан")); err != nil {
		t.Errorf("sale after the delivery = %v", err)
	}
}

// TestShiftLimit shows the 24 hours of a shift, and that closing ends them.
func TestShiftLimit(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V203, new(kkm.Volatile))
	ctx := t.Context()
	if _, err := s.Sell(ctx, bread("Нан")); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(24 * time.Hour)
	if _, err := s.Sell(ctx, bread("Нан")); err != nil {
		t.Errorf("sale at 24 h = %v, want none", err)
	}
	s.clock.pass(time.Second)
	requests := len(s.operator.raw())
	if _, err := s.Sell(ctx, bread("Нан")); !errors.Is(err, fiscal.ShiftTooLong) {
		t.Errorf("sale at 24 h and 1 s = %v, want %v", err, fiscal.ShiftTooLong)
	}
	if len(s.operator.raw()) != requests {
		t.Error("the register asked the operator for what it knows itself")
	}
	if _, err := s.CloseShift(ctx, cashier, false); err != nil {
		t.Errorf("CloseShift() = %v", err)
	}
	if _, err := s.Sell(ctx, bread("Нан")); err != nil {
		t.Errorf("sale after the close = %v", err)
	}
}

// TestRefusedWhileWaiting shows that a refused document of the queue stops the
// register until a person resumes it or removes the document.
func TestRefusedWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, remove := range []bool{false, true} {
		s := newShop(t, wire.V203, new(kkm.Volatile))
		ctx := t.Context()
		s.operator.setScript(func(int, wire.Request) deed { return deed{drop: true} })
		s.patience(t, 300*time.Millisecond)
		for i := range 3 {
			if _, err := s.Sell(ctx, bread(fmt.Sprint("Нан ", i))); err != nil {
				t.Fatal(err)
			}
		}
		s.patience(t, 20*time.Second)
		s.operator.setScript(func(n int, _ wire.Request) deed {
			if n == 1 {
				return deed{refuse: 13}
			}
			return deed{}
		})
		done, err := s.Deliver(ctx)
		if len(done) != 1 || !errors.Is(err, fiscal.BadValue) {
			t.Fatalf("Deliver() = %d, %v, want 1 document and a refusal", len(done), err)
		}
		if _, err := s.Sell(ctx, bread("Нан")); !errors.Is(err, kkm.ErrStopped) {
			t.Errorf("sale of a stopped register = %v, want %v", err, kkm.ErrStopped)
		}
		if done, err := s.Deliver(ctx); len(done) != 0 || !errors.Is(err, kkm.ErrStopped) {
			t.Errorf("delivery of a stopped register = %d, %v, want %v", len(done), err, kkm.ErrStopped)
		}
		want := 3
		if remove {
			if job, err := s.Remove(); err != nil || job.Number != 2 {
				t.Fatalf("Remove() = %+v, %v, want document 2", job, err)
			}
			want = 2
		} else if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Deliver(ctx); err != nil {
			t.Errorf("Deliver() = %v", err)
		}
		if got := s.operator.documents(); len(got) != want {
			t.Errorf("remove %v: the operator has %d documents, want %d", remove, len(got), want)
		}
	}
}

// TestBlocked shows the way into the blocked mode and out of it: code 15 with
// its text, then SYSTEM until it is answered with 0, then the queue.
func TestBlocked(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V203, new(kkm.Volatile))
	ctx := t.Context()
	s.operator.setScript(func(int, wire.Request) deed { return deed{drop: true} })
	s.patience(t, 300*time.Millisecond)
	if _, err := s.Sell(ctx, bread("Нан")); err != nil {
		t.Fatal(err)
	}
	s.operator.setScript(nil)
	s.patience(t, 20*time.Second)
	s.operator.act(fiscal.Act{Kind: fiscal.ActBlock, By: "test", Text: "Нет договора"})
	if _, err := s.Deliver(ctx); !errors.Is(err, fiscal.RegisterBlocked) {
		t.Errorf("Deliver() = %v, want %v", err, fiscal.RegisterBlocked)
	}
	if st := s.Standing(); st.Mode != kkm.ModeServerBlocked || !strings.Contains(st.Notice, "Нет договора") {
		t.Errorf("%v with %q, want blocked with the operator's text", st.Mode, st.Notice)
	}
	if _, err := s.Sell(ctx, bread("Нан")); !errors.Is(err, kkm.ErrServerBlocked) {
		t.Errorf("sale = %v, want %v", err, kkm.ErrServerBlocked)
	}
	if err := s.System(ctx); !errors.Is(err, fiscal.RegisterBlocked) {
		t.Errorf("System() = %v, want %v", err, fiscal.RegisterBlocked)
	}
	s.operator.act(fiscal.Act{Kind: fiscal.ActUnblock, By: "test"})
	if done, err := s.Deliver(ctx); err != nil || len(done) != 1 {
		t.Errorf("Deliver() = %d, %v, want the one document", len(done), err)
	}
	if slip, err := s.Sell(ctx, bread("Нан")); err != nil || slip.Offline {
		t.Errorf("sale = %+v, %v, want an online one", slip, err)
	}
}

// TestTokenReset shows that waiting documents go out under a new token.
func TestTokenReset(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V203, new(kkm.Volatile))
	ctx := t.Context()
	s.operator.setScript(func(int, wire.Request) deed { return deed{lose: true} })
	s.patience(t, 300*time.Millisecond)
	for i := range 2 {
		if _, err := s.Sell(ctx, bread(fmt.Sprint("Нан ", i))); err != nil {
			t.Fatal(err)
		}
	}
	s.operator.setScript(nil)
	s.patience(t, 20*time.Second)
	s.operator.act(fiscal.Act{Kind: fiscal.ActToken, By: "test"})
	if _, err := s.Deliver(ctx); !errors.Is(err, fiscal.StaleToken) {
		t.Errorf("Deliver() = %v, want %v", err, fiscal.StaleToken)
	}
	if _, err := s.Sell(ctx, bread("Нан")); !errors.Is(err, kkm.ErrNeedsToken) {
		t.Errorf("sale = %v, want %v", err, kkm.ErrNeedsToken)
	}
	if err := s.SetToken(s.operator.token()); err != nil {
		t.Fatal(err)
	}
	if done, err := s.Deliver(ctx); err != nil || len(done) != 2 {
		t.Errorf("Deliver() = %d, %v, want 2 documents", len(done), err)
	}
}

// TestInadequateAnswers shows that an answer which does not settle the request
// counts as silence: the document waits instead of being lost.
func TestInadequateAnswers(t *testing.T) {
	t.Parallel()
	cut := func(name string, tamper func([]byte) []byte) {
		s := newShop(t, wire.V203, new(kkm.Volatile))
		s.operator.setScript(func(int, wire.Request) deed { return deed{tamper: tamper} })
		s.patience(t, 300*time.Millisecond)
		if slip, err := s.Sell(t.Context(), bread("Нан")); err != nil || !slip.Offline {
			t.Errorf("%s: %+v, %v, want an autonomous receipt", name, slip, err)
		}
	}
	encoded := func(change func(*kkmpb.Response)) func([]byte) []byte {
		return func(b []byte) []byte {
			h, _ := wire.ParseHeader(b)
			msg, err := wire.ParseResponse(b[wire.HeaderLen:])
			if err != nil {
				t.Fatal(err)
			}
			change(msg)
			out, err := wire.AppendResponse(nil, h, msg)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	cut("no ticket", encoded(func(m *kkmpb.Response) { m.Ticket = nil }))
	cut("empty number", encoded(func(m *kkmpb.Response) { m.Ticket.TicketNumber = new("") }))
	cut("other command", encoded(func(m *kkmpb.Response) { m.Command = kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum() }))
	cut("payload cut", func(b []byte) []byte {
		b = b[:len(b)-1]
		b[4]--
		return b
	})
	cut("other REQNUM", func(b []byte) []byte { b[16]++; return b })
}

// TestCanceledCaller shows that a caller who gives up does not lose the
// document: it may have been accepted, so it is an autonomous one.
func TestCanceledCaller(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V203, new(kkm.Volatile))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.operator.setScript(func(int, wire.Request) deed { cancel(); return deed{hang: true} })
	slip, err := s.Sell(ctx, bread("Нан"))
	if err != nil || !slip.Offline || s.Standing().Waiting != 1 {
		t.Errorf("Sell() = %+v, %v, %d waiting, want an autonomous receipt that waits", slip, err, s.Standing().Waiting)
	}
	if _, err := s.Sell(ctx, bread("Нан")); !errors.Is(err, context.Canceled) {
		t.Errorf("Sell() with an ended context = %v, want %v", err, context.Canceled)
	}
}

// TestNomenclature shows the catalog's three answers.
func TestNomenclature(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V203, new(kkm.Volatile))
	ctx := t.Context()
	all, err := s.Nomenclature(ctx, 0, "")
	if err != nil || all == nil || all.Version != 3 || len(all.Elements) != 2 || all.Elements[1].SalePrice != 60000 {
		t.Errorf("Nomenclature() = %+v, %v, want version 3 with two elements", all, err)
	}
	if same, err := s.Nomenclature(ctx, 3, ""); err != nil || same == nil || len(same.Elements) != 0 {
		t.Errorf("Nomenclature(3) = %+v, %v, want no elements", same, err)
	}
	if one, err := s.Nomenclature(ctx, 0, "4870001112223"); err != nil || one == nil || len(one.Elements) != 1 {
		t.Errorf("Nomenclature(barcode) = %+v, %v, want one element", one, err)
	}
	if _, err := s.Nomenclature(ctx, 0, "0000000000000"); !errors.Is(err, fiscal.BarcodeNotFound) {
		t.Errorf("Nomenclature(unknown) = %v, want %v", err, fiscal.BarcodeNotFound)
	}
}

// TestWork shows that the register delivers by itself while cashiers go on.
func TestWork(t *testing.T) {
	t.Parallel()
	s := newShop(t, wire.V203, new(kkm.Volatile))
	s.cfg.Reconnect, s.cfg.Transaction = 10*time.Millisecond, 100*time.Millisecond
	s.reopen(t)
	ctx, stop := context.WithCancel(t.Context())
	s.operator.setScript(func(n int, _ wire.Request) deed { return deed{drop: n%3 == 1} })
	working := make(chan struct{})
	go func() { defer close(working); s.Work(ctx, nil) }()
	for i := range 60 {
		if i == 20 {
			s.operator.setScript(func(n int, _ wire.Request) deed { return deed{lose: n < 100} })
		}
		if _, err := s.Sell(ctx, bread(fmt.Sprint("Нан ", i))); err != nil {
			t.Fatal(err)
		}
	}
	s.operator.setScript(nil)
	for deadline := time.Now().Add(time.Minute); s.Standing().Waiting > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d documents still wait", s.Standing().Waiting)
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	<-working
	docs := s.operator.documents()
	if len(docs) != 60 {
		t.Fatalf("the operator has %d documents, want 60", len(docs))
	}
	for i, d := range docs {
		doc, err := wire.Read(&d)
		if want := fmt.Sprint("Нан ", i); err != nil || doc.Receipt.Items[0].Name != want {
			t.Errorf("document %d = %v, %v, want %q", i, doc.Receipt, err, want)
		}
	}
}
