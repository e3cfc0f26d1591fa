package till

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// desk is an open register: what it is, and the device that makes its documents.
type desk struct {
	turn     sync.Mutex // one act at a time; guards what follows
	register *kkm.Register
	memory   *memory
	card     fiscal.Card
	gone     bool // opened anew: ask for the desk again

	bell chan struct{} // rung when there may be something to deliver
}

// wake has what waits delivered without waiting for the next round.
func (d *desk) wake() {
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

// desk is the open register, which is opened if it is not.
func (t *Till) desk(ctx context.Context, id fiscal.RegisterID) (*desk, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		return nil, &fiscal.Error{Of: fiscal.Unavailable, Field: "till", Msg: "closed"}
	}
	if d := t.open[id]; d != nil {
		return d, nil
	}
	var r Register
	err := t.shelf.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		return row(tx, &r, "register", `SELECT body FROM registers WHERE id = ?`, int64(id))
	})
	if err != nil {
		return nil, err
	}
	d := &desk{card: r.Card, memory: &memory{shelf: t.shelf, register: id, check: func(sign string, d *Document) string {
		return kkm.CheckText(t.cfg.Check, r.Card.RegistrationNumber, sign, d.Sum, d.Made)
	}}, bell: make(chan struct{}, 1)}
	if d.register, err = kkm.New(t.device(r.Card), d.memory, t.cfg.Link(), t.now, t.cfg.Rand); err != nil {
		return nil, fmt.Errorf("register %d: %w", id, err)
	}
	t.open[id] = d
	ctx, cancel := context.WithCancel(t.ctx)
	t.working.Go(func() {
		defer cancel()
		t.deliver(ctx, id, d)
	})
	return d, nil
}

// reopen closes an open register, so that whoever comes next opens it anew. The
// caller has its turn.
func (t *Till) reopen(id fiscal.RegisterID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.open[id]; d != nil {
		d.gone = true
		delete(t.open, id)
		_ = d.register.Close() // what is durable stays
		d.wake()
	}
}

// deliver empties a register's queue whenever it is rung for, and every so often
// while something waits.
func (t *Till) deliver(ctx context.Context, id fiscal.RegisterID, d *desk) {
	pause := t.cfg.Options.Reconnect
	if pause == 0 {
		pause = time.Minute
	}
	for {
		tick := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-d.bell:
			tick.Stop()
		case <-tick.C:
		}
		t.mu.Lock()
		current := t.open[id] == d
		t.mu.Unlock()
		if !current {
			return
		}
		if s := d.register.Standing(); s.Mode != kkm.ModeServerBlocked && (s.Mode != kkm.ModeWorking || s.Waiting == 0) {
			continue
		}
		if _, err := d.register.Deliver(ctx); err != nil && ctx.Err() == nil {
			t.log.Info("documents of a register wait", "register", id, "err", err)
		}
	}
}

// still reports why the seat may not go on: another device has signed in since.
func (t *Till) still(ctx context.Context, s *Seat) error {
	h, err := t.household(ctx, s.Account.ID)
	if err != nil {
		return err
	}
	return s.holds(&h.account, t.now())
}

// act lends a register of the seat's account to do, when it is its turn. A draft
// that was formed before is not formed again: do is not called, and its document
// returned. making is the document that do makes; do completes it.
//
// It is the only way to a register's acts, so whoever has lost the session makes
// nothing.
func (t *Till) act(ctx context.Context, s *Seat, id fiscal.RegisterID, draft string, do func(d *desk, r *Register, making *Document) error) (Document, error) {
	for {
		r, err := t.Register(ctx, s, id)
		if err != nil {
			return Document{}, err
		}
		d, err := t.desk(ctx, id)
		if err != nil {
			return Document{}, err
		}
		made, again, err := t.inTurn(ctx, s, d, &r, draft, do)
		if !again {
			return made, err
		}
	}
}

func (t *Till) inTurn(ctx context.Context, s *Seat, d *desk, r *Register, draft string, do func(*desk, *Register, *Document) error) (made Document, again bool, err error) {
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.gone {
		return made, true, nil
	}
	if err := t.still(ctx, s); err != nil {
		return made, false, err
	}
	if draft != "" {
		made, err := t.find(ctx, `register = ? AND draft = ?`, int64(r.ID), draft)
		if err == nil || !errors.Is(err, fiscal.NotFound) {
			return made, false, err
		}
	}
	if err := t.clock(d); err != nil {
		return made, false, err
	}
	making := &Document{Draft: draft, Cashier: fiscal.Cashier{Code: s.Cashier.Code, Name: s.Cashier.Name}}
	d.memory.making = making
	err = do(d, r, making)
	d.memory.making = nil
	if err != nil {
		var refused *kkm.Refusal
		if errors.As(err, &refused) {
			d.wake()
		}
		if broken := new(fiscal.Error); errors.As(err, &broken) && broken.Field == "memory" {
			t.reopen(r.ID) // what is durable is read again
		}
		return made, false, err
	}
	if made, _ = d.memory.last(); made.Kind == KindZ {
		made, err = t.find(ctx, `id = ?`, made.ID) // with the operator's report
	}
	if made.Fate == Autonomous {
		d.wake()
	}
	return made, false, err
}

// clock refuses to work with a clock that stands before the last document: what
// is made now would come before it.
//
// Errors: Denied with the Field "clock".
// Source: requirements E-007, T-089.
func (t *Till) clock(d *desk) error {
	_, last := d.memory.last()
	if now := fiscal.WallIn(t.now(), d.card.Location()); now < last {
		return &fiscal.Error{Of: fiscal.Denied, Field: "clock", Msg: fmt.Sprintf("it is %v, and the last document is of %v", now, last)}
	}
	return nil
}

func number(ctx context.Context, s *shelf, query string, args ...any) (v int64, ok bool, err error) {
	err = s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		v, ok, err = tx.QueryInt(query, args...)
		return err
	})
	return v, ok, err
}

// Preview is a receipt as it will be, without a fiscal sign and without a
// number.
//
// Errors: those of Compose; Denied; NotFound or Invalid with the Field "parent".
// Source: requirements E-114, E-116.
func (t *Till) Preview(ctx context.Context, s *Seat, id fiscal.RegisterID, draft *Draft, extended bool) (fiscal.Receipt, error) {
	r, err := t.Register(ctx, s, id)
	if err != nil {
		return fiscal.Receipt{}, err
	}
	return t.compose(ctx, s, &r, draft, extended)
}

// rightFor is the right that an operation takes.
func rightFor(op fiscal.Op) Right {
	switch op {
	case fiscal.OpSale:
		return MaySell
	case fiscal.OpSaleReturn:
		return MayReturn
	}
	return MayBuy
}

func (t *Till) compose(ctx context.Context, s *Seat, r *Register, draft *Draft, extended bool) (fiscal.Receipt, error) {
	if err := s.must(rightFor(draft.Op)); err != nil {
		return fiscal.Receipt{}, err
	}
	if draft.modified() && !s.Cashier.May(MayModify) {
		return fiscal.Receipt{}, &fiscal.Error{Of: fiscal.Denied, Field: string(MayModify)}
	}
	receipt, err := Compose(draft, r.Rules(extended), fiscal.Cashier{Code: s.Cashier.Code, Name: s.Cashier.Name})
	if err != nil {
		return receipt, err
	}
	receipt.Time = fiscal.WallIn(t.now(), r.Card.Location())
	if draft.Op.Return() {
		receipt.Parent, err = t.parent(ctx, r, draft, receipt.Total)
	}
	return receipt, err
}

// parent finds the receipt that is returned and holds the sum against what has
// been returned of it already.
//
// Source: requirements E-129, E-130, N-006.
func (t *Till) parent(ctx context.Context, r *Register, draft *Draft, total fiscal.Money) (*fiscal.ParentReceipt, error) {
	if draft.Parent == 0 {
		return nil, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "parent"}
	}
	sold, left, err := t.returnable(ctx, r, draft.Parent)
	if err != nil {
		return nil, err
	}
	if want := draft.Op - 1; sold.Op != want.String() { // a return follows what it returns
		return nil, bad("parent", "is a %s", sold.Op)
	}
	if total > left {
		return nil, bad("total", "%v is left to return of %v", left, sold.Sum)
	}
	return &fiscal.ParentReceipt{
		FiscalSign: sold.Sign(), Time: sold.Made, RegistrationNumber: r.Card.RegistrationNumber, Total: sold.Sum, Offline: sold.FiscalSign == "",
	}, nil
}

// Form makes the receipt of a draft, once however often it is asked for.
//
// Errors: those of Preview; *kkm.Refusal; Denied and Unauthenticated of a
// register that stands still, see kkm.ErrNeedsToken and its like; ShiftTooLong;
// NotEnoughCash; StoreDown, after which there is no receipt.
// Source: requirements E-115, E-117.
func (t *Till) Form(ctx context.Context, s *Seat, id fiscal.RegisterID, draft *Draft, extended bool) (Document, error) {
	if draft.ID == "" || len(draft.ID) > 64 {
		return Document{}, bad("id", "1 to 64 characters")
	}
	return t.act(ctx, s, id, draft.ID, func(d *desk, r *Register, making *Document) error {
		receipt, err := t.compose(ctx, s, r, draft, extended)
		if err != nil {
			return err
		}
		making.Kind, making.Op, making.Sum, making.Parent = KindReceipt, draft.Op.String(), receipt.Total, draft.Parent
		making.SumMinor = int64(receipt.Total)
		_, err = d.register.Ticket(context.WithoutCancel(ctx), receipt)
		return err
	})
}

// Move puts cash into the drawer (OpCashIn) or takes it out (OpCashOut).
//
// Errors: as Form; Invalid with the Field "sum"; NotEnoughCash.
// Source: requirements E-133 to E-136.
func (t *Till) Move(ctx context.Context, s *Seat, id fiscal.RegisterID, draft string, op fiscal.Op, sum fiscal.Money) (Document, error) {
	if err := s.must(MayMove); err != nil {
		return Document{}, err
	}
	if sum <= 0 || sum > maxTotal {
		return Document{}, bad("sum", "%v", sum)
	}
	return t.act(ctx, s, id, draft, func(d *desk, _ *Register, making *Document) error {
		making.Kind, making.Op, making.Sum, making.SumMinor = KindMove, op.String(), sum, int64(sum)
		ctx := context.WithoutCancel(ctx)
		var err error
		switch op {
		case fiscal.OpCashIn:
			_, err = d.register.Deposit(ctx, sum, making.Cashier)
		case fiscal.OpCashOut:
			if have := d.register.Standing().Counters.Cash; sum > have {
				return &fiscal.Error{Reason: fiscal.NotEnoughCash, Field: "sum", Msg: fmt.Sprintf("the drawer has %v", have)}
			}
			_, err = d.register.Withdraw(ctx, sum, making.Cashier)
		default:
			err = bad("op", "%v moves no cash", op)
		}
		return err
	})
}

// X makes a report of the running shift, which clears nothing.
//
// Source: requirements E-137 to E-140.
func (t *Till) X(ctx context.Context, s *Seat, id fiscal.RegisterID) (Document, error) {
	if err := s.must(MayReport); err != nil {
		return Document{}, err
	}
	return t.act(ctx, s, id, "", func(d *desk, _ *Register, making *Document) error {
		making.Kind = KindX
		_, err := d.register.Report(context.WithoutCancel(ctx), fiscal.ReportX)
		return err
	})
}

// Z closes the shift, with all cash taken out if the settings say so.
//
// Errors: as Form; Conflict with the Field "shift" if none is open.
// Source: requirements E-099, E-142 to E-149.
func (t *Till) Z(ctx context.Context, s *Seat, id fiscal.RegisterID, draft string) (Document, error) {
	if err := s.must(MayClose); err != nil {
		return Document{}, err
	}
	return t.act(ctx, s, id, draft, func(d *desk, r *Register, making *Document) error {
		if !d.register.Standing().Shift.Open {
			return &fiscal.Error{Of: fiscal.Conflict, Field: "shift", Msg: "none is open"}
		}
		making.Kind = KindZ
		_, err := d.register.CloseShift(context.WithoutCancel(ctx), making.Cashier, r.Settings.AutoWithdraw)
		return err
	})
}

// Resume sends a document that the operator refused once more, and Remove gives
// it up: its buyer has it, and the operator does not.
func (t *Till) Resume(ctx context.Context, s *Seat, id fiscal.RegisterID) error {
	return t.unstick(ctx, s, id, func(d *desk) error { return d.register.Resume() })
}

// Remove gives a refused document up. See Resume.
func (t *Till) Remove(ctx context.Context, s *Seat, id fiscal.RegisterID) error {
	return t.unstick(ctx, s, id, func(d *desk) error {
		_, err := d.register.Remove()
		return err
	})
}

func (t *Till) unstick(ctx context.Context, s *Seat, id fiscal.RegisterID, do func(*desk) error) error {
	if err := s.must(MaySettings); err != nil {
		return err
	}
	if _, err := t.Register(ctx, s, id); err != nil {
		return err
	}
	d, err := t.desk(ctx, id)
	if err != nil {
		return err
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	if err := t.still(ctx, s); err != nil {
		return err
	}
	defer d.wake()
	return do(d)
}

// Standing is what a register shows of itself, and when its clocks run out.
type Standing struct {
	kkm.Standing
	Now         fiscal.WallTime
	OfflineLeft time.Duration // until autonomous work ends; meaningless when nothing waits
	ShiftLeft   time.Duration // until the open shift must be closed
}

// Standing tells how a register is doing.
func (t *Till) Standing(ctx context.Context, s *Seat, id fiscal.RegisterID) (Standing, error) {
	r, err := t.Register(ctx, s, id)
	if err != nil {
		return Standing{}, err
	}
	d, err := t.desk(ctx, id)
	if err != nil {
		return Standing{}, err
	}
	cfg := t.device(r.Card)
	out := Standing{Standing: d.register.Standing(), Now: fiscal.WallIn(t.now(), r.Card.Location())}
	if out.Waiting > 0 {
		out.OfflineLeft = limit(cfg.MaxOffline, 72*time.Hour) - out.Now.Sub(out.Oldest)
	}
	if out.Shift.Open {
		out.ShiftLeft = limit(cfg.MaxShift, 24*time.Hour) - out.Now.Sub(out.Shift.OpenedAt)
	}
	return out, nil
}

func limit(set, law time.Duration) time.Duration {
	if set == 0 {
		return law
	}
	return set
}
