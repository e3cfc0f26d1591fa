package kkm

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// ask sends a request that leaves no document and takes over what the answer
// tells. The caller holds line. Errors: *Refusal, silence, a register that has
// no token.
func (r *Register) ask(ctx context.Context, msg *kkmpb.Request, asks bool) (*kkmpb.Response, error) {
	under, payload, err := r.beginAsk(msg, asks)
	if err != nil {
		return nil, err
	}
	a, err := r.transact(ctx, under, int32(msg.GetCommand()), payload)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	token := next.Token
	next.heed(a, false)
	if next.UnderWay != nil {
		next.Token = token // the operator may not change it here, and a document still needs it
	}
	switch msg.GetCommand() {
	case kkmpb.CommandTypeEnum_COMMAND_SYSTEM, kkmpb.CommandTypeEnum_COMMAND_INFO:
		if a.code() == wire.CodeOK && next.Mode == ModeServerBlocked {
			next.Mode, next.Notice = ModeWorking, ""
		}
	default:
		next.Undo = nil // only those two may stand between a receipt and its canceling
	}
	if err := r.save(next, 0); err != nil {
		return nil, err
	}
	return a.msg, a.refusal(r.cfg.Version)
}

// beginAsk gives the request its number. A number is never used twice, also
// not across a power cut.
func (r *Register) beginAsk(msg *kkmpb.Request, asks bool) (UnderWay, []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Mode == ModeNeedsToken {
		return UnderWay{}, nil, r.standstill()
	}
	msg.Service = r.service(asks)
	payload, err := encode(msg)
	if err != nil {
		return UnderWay{}, nil, err
	}
	if payload, err = withPeriod(payload, r.state.OfflineSince, r.wall()); err != nil {
		return UnderWay{}, nil, err
	}
	next := r.state.clone()
	next.ReqNum++
	return UnderWay{Token: next.Token, ReqNum: next.ReqNum}, payload, r.save(next, 0)
}

// act is ask as one act of a cashier.
func (r *Register) act(ctx context.Context, msg *kkmpb.Request, asks bool) (*kkmpb.Response, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.line.Lock()
	defer r.line.Unlock()
	return r.ask(ctx, msg, asks)
}

// System pings the operator. In ModeServerBlocked an answer with 0 sets the
// register free. Errors: *Refusal, Unavailable.
func (r *Register) System(ctx context.Context) error {
	_, err := r.act(ctx, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum()}, true)
	return err
}

// Information is what the operator keeps of a register.
type Information struct {
	Report             fiscal.Report // running, or of the last closed shift
	RegistrationNumber string
	SerialNumber       string
	Title              string // of the owner
	XIN                fiscal.XIN
	Outlet             string
	Address            string // of the outlet; of the owner when none is told
}

// Info is how a register begins its work: it shows that ID and token are
// right, and takes shift, counters and cash from the operator unless documents
// wait. Errors: *Refusal, Unavailable.
func (r *Register) Info(ctx context.Context) (Information, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.line.Lock()
	defer r.line.Unlock()
	return r.inform(ctx)
}

func (r *Register) inform(ctx context.Context) (Information, error) {
	msg, err := r.ask(ctx, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_INFO.Enum()}, true)
	if err != nil {
		return Information{}, err
	}
	reg := msg.GetService().GetRegInfo()
	info := Information{
		RegistrationNumber: reg.GetKkm().GetFnsKkmId(), SerialNumber: reg.GetKkm().GetSerialNumber(),
		Title: reg.GetOrg().GetTitle(), XIN: fiscal.XIN(reg.GetOrg().GetInn()),
		Outlet: reg.GetPos().GetTitle(), Address: reg.GetPos().GetAddress(),
	}
	if info.Address == "" {
		info.Address = reg.GetOrg().GetAddress()
	}
	z := msg.GetReport().GetZxReport()
	if z == nil {
		return info, nil
	}
	info.Report = wire.ReportOf(msg.Report)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) > 0 {
		return info, nil // the operator does not know of these documents yet
	}
	next := r.state.clone()
	next.adopt(info.Report, z)
	return info, r.save(next, 0)
}

// adopt takes the operator's figures over. Some operators send a report with
// nothing but number, cash and revenue; the lists that are absent leave the
// register's own figures as they are.
// Source: KKM reference §10.2.
func (s *State) adopt(r fiscal.Report, z *kkmpb.ZXReport) {
	f := s.Figures
	own := f.Counters
	f.Counters = r.Counters.Clone()
	slices.SortFunc(f.Counters.Sections, func(a, b fiscal.SectionTally) int { return strings.Compare(a.Code, b.Code) })
	slices.SortFunc(f.Counters.Taxes, func(a, b fiscal.TaxTally) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Percent, b.Percent))
	})
	if len(z.NonNullableSums) == 0 {
		f.Counters.GrandTotals = own.GrandTotals
	}
	if len(z.StartShiftNonNullableSums) == 0 {
		f.Counters.ShiftStart = own.ShiftStart
	}
	if len(z.TicketOperations) == 0 {
		f.Counters.Receipts = own.Receipts
	}
	if len(z.MoneyPlacements) == 0 {
		f.Counters.Moves = own.Moves
	}
	if r.Shift.Number == 0 {
		return // no shift yet
	}
	s.Printed = max(s.Printed, documents(&r))
	shift := r.Shift
	if f.Shift.Number == shift.Number {
		shift.Documents = f.Shift.Documents // the report does not tell it
	}
	if shift.OpenedAt == 0 { // nor this below 1.2.5
		shift.OpenedAt = r.Time
		if f.Shift.Number == shift.Number {
			shift.OpenedAt = f.Shift.OpenedAt
		}
	}
	f.Shift = shift
	if r.Kind == fiscal.ReportZ {
		f.Counters.CloseShift()
	}
}

// documents is how many documents a register has printed at least, by a report of
// its operator's: receipts, cash moved and Z reports. A register that was set up
// anew, or stands on an old copy of its memory, gives none of these numbers twice.
func documents(r *fiscal.Report) (n uint64) {
	for _, t := range r.Counters.Receipts {
		n += uint64(max(0, t.Ever))
	}
	for _, m := range r.Counters.Moves {
		n += uint64(max(0, m.Ever))
	}
	n += uint64(r.Shift.Number)
	if r.Kind != fiscal.ReportZ {
		n-- // its shift may be open
	}
	return n
}

// Report asks for the running X report or for the last Z. Without an answer
// an X is the register's own and waits with the documents; a Z is Unavailable.
func (r *Register) Report(ctx context.Context, kind fiscal.ReportKind) (Slip, error) {
	at := r.wall()
	if kind == fiscal.ReportZ {
		own := fiscal.Report{Kind: kind, Time: at}
		msg, err := r.act(ctx, r.reportRequest(&own), false)
		if err != nil {
			return Slip{}, err
		}
		return accepted(Slip{Time: at, Shift: msg.GetReport().GetZxReport().GetShiftNumber(), Report: &own}, msg), nil
	}
	return r.issue(ctx, 0, func(s *State, _ bool) (draft, error) {
		x := s.Figures.X(at)
		s.Undo = nil
		return draft{msg: r.reportRequest(&x), slip: Slip{Time: at, Shift: x.Shift.Number, Report: &x}}, nil
	})
}

func (r *Register) reportRequest(own *fiscal.Report) *kkmpb.Request {
	kind := kkmpb.ReportTypeEnum_REPORT_X
	if own.Kind == fiscal.ReportZ {
		kind = kkmpb.ReportTypeEnum_REPORT_Z
	}
	q := &kkmpb.ReportRequest{Report: &kind, DateTime: wire.NewTime(own.Time)}
	if r.cfg.Version >= wire.V125 {
		q.ZxReport = wire.NewReport(own, r.cfg.Version)
	}
	return &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_REPORT.Enum(), Report: q}
}

// Auth asks the operator to check a cashier's password. A wrong one is an
// error of kind Unauthenticated. Other errors: *Refusal, Unavailable.
func (r *Register) Auth(ctx context.Context, login, password string) (fiscal.Cashier, []fiscal.CashierRole, error) {
	msg, err := r.act(ctx, &kkmpb.Request{
		Command: kkmpb.CommandTypeEnum_COMMAND_AUTH.Enum(), Auth: &kkmpb.AuthRequest{Login: &login, Password: &password},
	}, false)
	if err != nil {
		return fiscal.Cashier{}, nil, err
	}
	if msg.GetAuth().GetResult() != kkmpb.AuthResponse_RESULT_TYPE_OK || msg.Auth == nil {
		return fiscal.Cashier{}, nil, &fiscal.Error{Of: fiscal.Unauthenticated, Field: "password", Msg: "wrong login or password"}
	}
	var roles []fiscal.CashierRole
	for _, role := range msg.Auth.Roles {
		roles = append(roles, fiscal.CashierRole(role))
	}
	return fiscal.Cashier{Code: msg.Auth.GetOperatorCode(), Name: msg.Auth.GetOperatorName()}, roles, nil
}

// Nomenclature asks for the catalog of goods: the whole one when the operator
// has another version than have, or the one element with the barcode. Without
// elements the register is up to date; a nil catalog means that nothing is
// published. Errors: *Refusal (BarcodeNotFound), Unavailable.
func (r *Register) Nomenclature(ctx context.Context, have uint32, barcode string) (*fiscal.Catalog, error) {
	q := &kkmpb.NomenclatureRequest{CurrentVersion: &have}
	if barcode != "" && r.cfg.Version >= wire.V203 {
		q = &kkmpb.NomenclatureRequest{Barcode: &barcode}
	}
	msg, err := r.act(ctx, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_NOMENCLATURE.Enum(), Nomenclature: q}, false)
	if err != nil {
		return nil, err
	}
	n := msg.GetNomenclature()
	if n == nil || n.GetResult() == kkmpb.NomenclatureResponse_RESULT_TYPE_NO_VERSION {
		return nil, nil
	}
	created, _ := wire.TimeOf(n.CreatedTime)
	c := &fiscal.Catalog{Version: n.GetVersion(), Created: created}
	for _, e := range n.Elements {
		c.Elements = append(c.Elements, element(e))
	}
	return c, nil
}

func element(e *kkmpb.NomenclatureResponse_Element) fiscal.CatalogElement {
	out := fiscal.CatalogElement{
		ID: e.GetId(), Parent: e.GetParentGroupId(), Title: fiscal.Text{RU: e.GetTitle(), KK: e.GetTitleKk()},
		Group: e.GetType() == kkmpb.NomenclatureResponse_GROUP,
	}
	if it := e.Item; it != nil {
		out.Article, out.Barcode, out.NTIN, out.Description = it.GetArticle(), it.GetBarcode(), it.GetNtin(), it.GetDescription()
		out.PurchasePrice, out.SalePrice = wire.MoneyOf(it.PurchasePrice), wire.MoneyOf(it.SellPrice)
		out.DiscountPercent, out.DiscountSum = it.GetDiscountPercent(), wire.MoneyOf(it.DiscountSum)
		out.MarkupPercent, out.MarkupSum = it.GetMarkupPercent(), wire.MoneyOf(it.MarkupSum)
		out.Unit, out.UnitTitle, out.UnitCount = it.GetMeasureUnitCode(), it.GetMeasureTitle(), it.GetMeasureCount()
		out.Fractional, out.Marked, out.Social = it.GetMeasureFractional(), it.GetIsMarkedeac(), it.GetIsSocial()
		for _, t := range it.Taxes {
			out.TaxSystem, out.VATPercent = t.GetTaxationType(), t.GetTaxPercent()
		}
	}
	return out
}
