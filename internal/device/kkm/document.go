package kkm

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// Slip is what a register adds to the goods on paper.
type Slip struct {
	Number      uint64 // of the printed document, consecutive for the register's life
	Shift       uint32
	Time        fiscal.WallTime
	Total       fiscal.Money
	FiscalSign  string         // the operator's; "" when the document is autonomous or no receipt
	Offline     bool           // print "Автономды / Автономный"
	OfflineCode uint32         // the register's own number of an autonomous receipt, else 0
	QR          string         // text of the QR code of a receipt
	Report      *fiscal.Report // of a closed shift or an X report
}

// Ticket makes a receipt. Without an answer in the transaction time it is an
// autonomous one, which is no error: the slip says so. A receipt without Time
// gets the clock's.
//
// Errors: Invalid when the receipt cannot be put on the wire; *Refusal; one of
// ErrNeedsToken, ErrServerBlocked, ErrStopped, ErrOfflineTooLong; ShiftTooLong,
// NotEnoughCash. After any of them there is no receipt.
func (r *Register) Ticket(ctx context.Context, receipt fiscal.Receipt) (Slip, error) {
	if receipt.Time == 0 {
		receipt.Time = r.wall()
	}
	if v := r.cfg.Version; v >= wire.V203 && receipt.Op.Return() && receipt.Parent == nil {
		return Slip{}, invalid(fiscal.MissingParameter, "parent_ticket", "a return names the receipt that it returns")
	}
	ticket, err := r.form.Ticket(&receipt)
	if err != nil {
		return Slip{}, err
	}
	return r.issue(ctx, receipt.Time, func(s *State, offline bool) (draft, error) {
		if err := r.payout(s, offline, receipt.Op, receipt.CashPart()); err != nil {
			return draft{}, err
		}
		making := fiscal.Making{Time: receipt.Time, Offline: offline}
		s.Figures.OpenShift(making)
		s.Undo = nil
		if r.cfg.Version < wire.V203 {
			before := s.Figures.Counters.Clone()
			s.Undo = &before
		}
		s.Figures.AddReceipt(&receipt, making)
		s.Printed++
		ticket.FrShiftNumber = new(s.Figures.Shift.Number)
		if r.cfg.Version >= wire.V125 {
			ticket.ShiftDocumentNumber = new(s.Figures.Shift.Documents)
		}
		if r.cfg.Version >= wire.V200 {
			ticket.PrintedDocumentNumber = new(s.Printed)
		} else {
			ticket.PrintedDocumentNumberOld = text(strconv.FormatUint(s.Printed, 10))
		}
		return draft{
			msg:  &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(), Ticket: ticket},
			slip: Slip{Number: s.Printed, Shift: s.Figures.Shift.Number, Time: receipt.Time, Total: receipt.Total},
		}, nil
	})
}

// Sell completes a sale and makes its receipt: the total is the sum of the
// lines, and what is not said to be paid otherwise is paid in cash, exactly.
func (r *Register) Sell(ctx context.Context, receipt fiscal.Receipt) (Slip, error) {
	receipt.Op = fiscal.OpSale
	if receipt.Total == 0 {
		for i := range receipt.Items {
			receipt.Total += receipt.Items[i].Direction() * receipt.Items[i].Cost
		}
		if receipt.Discount != nil {
			receipt.Total -= receipt.Discount.Sum
		}
		if receipt.Markup != nil {
			receipt.Total += receipt.Markup.Sum
		}
	}
	if len(receipt.Payments) == 0 && receipt.Total > 0 {
		receipt.Payments = []fiscal.Payment{{Kind: fiscal.PayCash, Sum: receipt.Total}}
		if receipt.Taken == 0 {
			receipt.Taken = receipt.Total
		}
		receipt.ChangeDue = receipt.Taken - receipt.Total
	}
	return r.Ticket(ctx, receipt)
}

// Parent names an earlier receipt of this register, for its return.
func (r *Register) Parent(s Slip) *fiscal.ParentReceipt {
	p := &fiscal.ParentReceipt{
		FiscalSign: s.FiscalSign, Time: s.Time, RegistrationNumber: r.cfg.Card.RegistrationNumber, Total: s.Total, Offline: s.Offline}
	if s.Offline {
		p.FiscalSign = strconv.FormatUint(uint64(s.OfflineCode), 10)
	}
	return p
}

// Deposit puts cash into the drawer. Errors are those of Ticket.
func (r *Register) Deposit(ctx context.Context, sum fiscal.Money, by fiscal.Cashier) (Slip, error) {
	return r.move(ctx, fiscal.OpCashIn, sum, by)
}

// Withdraw takes cash out of the drawer. Errors are those of Ticket.
func (r *Register) Withdraw(ctx context.Context, sum fiscal.Money, by fiscal.Cashier) (Slip, error) {
	return r.move(ctx, fiscal.OpCashOut, sum, by)
}

func (r *Register) move(ctx context.Context, op fiscal.Op, sum fiscal.Money, by fiscal.Cashier) (Slip, error) {
	if sum <= 0 {
		return Slip{}, invalid(fiscal.BadValue, "sum", "%v is not above zero", sum)
	}
	at := r.wall()
	return r.issue(ctx, at, func(s *State, offline bool) (draft, error) {
		if err := r.payout(s, offline, op, sum); err != nil {
			return draft{}, err
		}
		s.Undo = nil
		s.Figures.AddMove(op, sum, fiscal.Making{Time: at, Offline: offline})
		s.Printed++
		kind := kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_DEPOSIT
		if op == fiscal.OpCashOut {
			kind = kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_WITHDRAWAL
		}
		m := &kkmpb.MoneyPlacementRequest{
			Datetime: wire.NewTime(at), Operation: &kind, Sum: wire.NewMoney(sum), Operator: newOperator(by),
			FrShiftNumber: new(s.Figures.Shift.Number),
		}
		if r.cfg.Version >= wire.V200 {
			m.PrintedDocumentNumber = new(s.Printed)
		}
		return draft{
			msg:  &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT.Enum(), MoneyPlacement: m},
			slip: Slip{Number: s.Printed, Shift: s.Figures.Shift.Number, Time: at, Total: sum},
		}, nil
	})
}

// CloseShift closes the shift and returns its Z report: the operator's, or the
// register's own when there is no answer. With withdraw all cash is taken out
// first. It works when a shift is too long, for that is the way out.
func (r *Register) CloseShift(ctx context.Context, by fiscal.Cashier, withdraw bool) (Slip, error) {
	at := r.wall()
	return r.issue(ctx, 0, func(s *State, offline bool) (draft, error) {
		making := fiscal.Making{Time: at, Offline: offline}
		s.Undo = nil
		if cash := s.Figures.Counters.Cash; withdraw && cash > 0 {
			s.Figures.AddMove(fiscal.OpCashOut, cash, making)
		}
		z, _ := s.Figures.CloseShift(making)
		s.Printed++
		c := &kkmpb.CloseShiftRequest{CloseTime: wire.NewTime(at), FrShiftNumber: &z.Shift.Number}
		if withdraw {
			c.WithdrawMoney = new(true)
		}
		if r.cfg.Version >= wire.V125 {
			c.ZReport, c.Operator = wire.NewReport(&z, r.cfg.Version), newOperator(by)
			c.PrintedDocumentNumber = new(s.Printed)
		}
		return draft{
			msg:  &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT.Enum(), CloseShift: c},
			slip: Slip{Number: s.Printed, Shift: z.Shift.Number, Time: at, Report: &z},
		}, nil
	})
}

// Cancel takes the last document back if it was a receipt; versions from 2.0.3
// on have returns instead.
//
// Errors: as Ticket, and UnsupportedCommand, CannotCancel.
func (r *Register) Cancel(ctx context.Context) (Slip, error) {
	if r.cfg.Version >= wire.V203 {
		return Slip{}, invalid(fiscal.UnsupportedCommand, "command", "version %s has no canceling: make a return", r.cfg.Version)
	}
	at := r.wall()
	return r.issue(ctx, at, func(s *State, _ bool) (draft, error) {
		if s.Undo == nil {
			return draft{}, invalid(fiscal.CannotCancel, "command", "the last document is no receipt")
		}
		s.Figures.Counters, s.Undo = s.Undo.Clone(), nil
		return draft{
			msg:  &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_CANCEL_TICKET.Enum()},
			slip: Slip{Number: s.Printed, Shift: s.Figures.Shift.Number, Time: at},
		}, nil
	})
}

// draft is a document before it is known whether the operator answers.
type draft struct {
	msg  *kkmpb.Request
	slip Slip
}

// payout refuses what the drawer does not cover. On line the operator knows
// better: its cash is the truth.
func (r *Register) payout(s *State, offline bool, op fiscal.Op, cash fiscal.Money) error {
	if offline && !s.Figures.Covers(op, cash) {
		return invalid(fiscal.NotEnoughCash, "sum", "the drawer has %v, the payout is %v", s.Figures.Counters.Cash, cash)
	}
	return nil
}

// issue makes one document: durable first, then sent, then settled. build puts
// the document into the figures of a copy of the state and onto the wire. at
// is held against the length of the shift; 0 is not.
func (r *Register) issue(ctx context.Context, at fiscal.WallTime, build func(*State, bool) (draft, error)) (Slip, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	d, job, under, err := r.begin(ctx, at, build)
	if err != nil || job.Offline {
		return d.slip, err
	}
	r.line.Lock()
	defer r.line.Unlock()
	a, err := r.transact(ctx, under, job.Command, job.Payload)

	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if err := r.turnOffline(); err != nil {
			return Slip{}, err
		}
		return r.autonomous(d.slip, r.queue[0]), nil
	}
	next := r.state.clone()
	next.UnderWay, next.Before = nil, nil
	next.heed(a, false)
	if err := a.refusal(r.cfg.Version); err != nil {
		was := r.state.Before
		next.Figures, next.Printed, next.Undo = was.Figures, was.Printed, was.Undo
		if saveErr := r.save(next, 1); saveErr != nil {
			return Slip{}, saveErr
		}
		return Slip{}, err
	}
	d.slip = accepted(d.slip, a.msg)
	if z := a.msg.GetReport().GetZxReport(); z != nil {
		next.adopt(wire.ReportOf(a.msg.Report), z)
	}
	return d.slip, r.done(next, d.slip)
}

// begin makes the document durable, and settles it at once when others wait:
// while the queue is not empty new documents go to its end.
func (r *Register) begin(ctx context.Context, at fiscal.WallTime, build func(*State, bool) (draft, error)) (draft, Job, UnderWay, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fail := func(err error) (draft, Job, UnderWay, error) { return draft{}, Job{}, UnderWay{}, err }
	if err := r.ready(); err != nil {
		return fail(err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	if s := r.state.Figures; at != 0 && s.Shift.Open && at.Sub(s.Shift.OpenedAt) > r.cfg.MaxShift {
		return fail(&fiscal.Error{Reason: fiscal.ShiftTooLong, Msg: "close the shift first"})
	}
	next := r.state.clone()
	offline := len(r.queue) > 0
	d, err := build(&next, offline)
	if err != nil {
		return fail(err)
	}
	d.msg.Service = r.service(false)
	job := Job{Command: int32(d.msg.GetCommand()), Made: d.slip.Time, Number: d.slip.Number}
	if offline {
		job = next.mark(d.msg, job)
	} else {
		next.Before = &Before{Printed: r.state.Printed, Figures: r.state.Figures, Undo: r.state.Undo}
		next.ReqNum++
		next.UnderWay = &UnderWay{Token: next.Token, ReqNum: next.ReqNum}
	}
	if job.Payload, err = encode(d.msg); err != nil {
		return fail(err)
	}
	if err := r.save(next, 0, job); err != nil {
		return fail(err)
	}
	if offline {
		d.slip = r.autonomous(d.slip, job)
		return d, job, UnderWay{}, nil
	}
	return d, job, *next.UnderWay, nil
}

// turnOffline makes the document under way an autonomous one. TOKEN and REQNUM
// stay: the operator may have accepted it. The caller holds mu.
func (r *Register) turnOffline() error {
	job := r.queue[0]
	msg, err := decode(job.Payload)
	if err != nil {
		return err
	}
	next := r.state.clone()
	next.Before = nil
	job = next.mark(msg, job)
	next.Figures.countOffline(msg)
	if job.Payload, err = encode(msg); err != nil {
		return err
	}
	return r.save(next, 1, job)
}

// mark marks a document as autonomous; a receipt gets its number, unique for
// the register's life: it grows with the clock and with each receipt, so it
// stays unique even when the memory was lost.
func (s *State) mark(msg *kkmpb.Request, job Job) Job {
	job.Offline = true
	if s.OfflineSince == 0 {
		s.OfflineSince = job.Made
	}
	switch {
	case msg.Ticket != nil:
		s.OfflineCode = max(s.OfflineCode+1, uint32(min(max(job.Made-codeEpoch, 1), 1<<31-1)))
		job.Code = s.OfflineCode
		msg.Ticket.OfflineTicketNumber = &job.Code
	case msg.MoneyPlacement != nil:
		msg.MoneyPlacement.IsOffline = new(true)
	case msg.CloseShift != nil:
		msg.CloseShift.IsOffline = new(true)
	case msg.Report != nil:
		msg.Report.IsOffline = new(true)
	}
	return job
}

// codeEpoch is 2020-01-01, from which autonomous numbers count seconds: they
// must stay below 2³¹. Source: KKM 2.0.2 §2.2.
const codeEpoch fiscal.WallTime = 1577836800

// countOffline counts a document that is in the figures as one made without
// the operator.
func (f figures) countOffline(msg *kkmpb.Request) {
	switch {
	case msg.Ticket != nil:
		f.Counters.Receipts[wire.OpOf(msg.Ticket.GetOperation()).Index()].Offline++
	case msg.MoneyPlacement.GetOperation() == kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_WITHDRAWAL:
		f.Counters.Moves[fiscal.OpCashOut.Index()].Offline++
	case msg.MoneyPlacement != nil:
		f.Counters.Moves[fiscal.OpCashIn.Index()].Offline++
	}
}

// autonomous completes the slip of a document that the operator has not seen.
func (r *Register) autonomous(s Slip, job Job) Slip {
	s.Offline, s.OfflineCode = true, job.Code
	if job.Code != 0 {
		s.QR = r.qr(strconv.FormatUint(uint64(job.Code), 10), s)
	}
	return s
}

// accepted completes a slip by the operator's answer.
func accepted(s Slip, msg *kkmpb.Response) Slip {
	if t := msg.Ticket; t != nil {
		s.FiscalSign, s.QR = t.GetTicketNumber(), string(t.GetQrCode())
	}
	if z := msg.GetReport().GetZxReport(); z != nil && s.Report != nil {
		report := wire.ReportOf(msg.Report)
		s.Report = &report
	}
	return s
}

// qr is the text of a receipt's QR code.
func (r *Register) qr(sign string, s Slip) string {
	return CheckText(r.cfg.CheckURL, r.cfg.Card.RegistrationNumber, sign, s.Total, s.Time)
}

// CheckText is the text of a receipt's QR code: the page where the buyer checks
// it, by fiscal sign or autonomous code; "" without a site.
// Source: KKM reference §11.
func CheckText(site, registrationNumber, sign string, total fiscal.Money, at fiscal.WallTime) string {
	site = strings.TrimSuffix(site, "/")
	if site == "" {
		return ""
	}
	return fmt.Sprintf("%s/?i=%s&f=%s&s=%s&t=%s", site, sign, url.QueryEscape(registrationNumber), total, at.Compact())
}
