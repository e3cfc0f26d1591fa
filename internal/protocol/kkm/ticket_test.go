package kkm_test

import (
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// till is a device in a few lines: it builds requests by hand, so that a test
// can send what no honest device would.
type till struct {
	*desk
	version kkm.Version
	code    uint32 // token
	reqnum  uint16
}

func newTill(t *testing.T, v kkm.Version) *till {
	d := newDesk(t, 305512)
	d.now = time.Date(2026, 3, 14, 5, 0, 0, 0, time.UTC)
	return &till{desk: d, version: v, code: d.token()}
}

func (l *till) wall() fiscal.WallTime { return fiscal.WallIn(l.now, l.card.Location()) }

func wire(t fiscal.WallTime) *kkmpb.DateTime {
	y, mo, d, h, mi, s := t.Parts()
	return kkm.NewDateTime(uint32(y), uint32(mo), uint32(d), uint32(h), uint32(mi), uint32(s))
}

func sum(m fiscal.Money) *kkmpb.Money {
	return &kkmpb.Money{Bills: proto.Uint64(uint64(m / 100)), Coins: proto.Uint32(uint32(m % 100))}
}

// sale is a cash sale of one thing.
func (l *till) sale(total fiscal.Money) *kkmpb.Request {
	return &kkmpb.Request{
		Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(),
		Ticket: &kkmpb.TicketRequest{
			Operation: kkmpb.OperationTypeEnum_OPERATION_SELL.Enum(), DateTime: wire(l.wall()), Operator: &kkmpb.Operator{Code: proto.Uint32(1)},
			Items: []*kkmpb.TicketRequest_Item{{Type: kkmpb.TicketRequest_ITEM_TYPE_COMMODITY.Enum(), Commodity: &kkmpb.TicketRequest_Commodity{
				Name: proto.String("Нан"), SectionCode: proto.String("1"), Quantity: proto.Uint64(1000), Price: sum(total), Sum: sum(total), MeasureUnitCode: proto.String("796"),
			}}},
			Payments: []*kkmpb.TicketRequest_Payment{{Type: kkmpb.PaymentTypeEnum_PAYMENT_CASH.Enum(), Sum: sum(total)}},
			Amounts:  &kkmpb.TicketRequest_Amounts{Total: sum(total), Taken: sum(total), Change: sum(0)},
		},
	}
}

func offline(r *kkmpb.Request, begin, end fiscal.WallTime, code uint32) *kkmpb.Request {
	r.Service = &kkmpb.ServiceRequest{OfflinePeriod: &kkmpb.ServiceRequest_OfflinePeriod{BeginTime: wire(begin), EndTime: wire(end)}}
	if code != 0 {
		r.Ticket.OfflineTicketNumber = &code
	}
	return r
}

// frame encodes a request under the given numbers.
func (l *till) frame(r *kkmpb.Request, token uint32, reqnum uint16) []byte {
	l.t.Helper()
	b, err := kkm.AppendRequest(nil, kkm.Header{Version: l.version, ID: uint32(l.card.Register), Token: token, ReqNum: reqnum}, r)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// ask sends the next request and takes the token of an accepted answer over.
func (l *till) ask(r *kkmpb.Request, want uint32) *kkmpb.Response {
	l.t.Helper()
	l.reqnum++
	return l.check(l.send(l.frame(r, l.code, l.reqnum)), want)
}

func (l *till) check(answer []byte, want uint32) *kkmpb.Response {
	l.t.Helper()
	if len(answer) < kkm.HeaderLen {
		l.t.Fatalf("no answer, want code %d", want)
	}
	m, err := kkm.ParseResponse(answer[kkm.HeaderLen:])
	if err != nil {
		l.t.Fatal(err)
	}
	if got := m.GetResult().GetResultCode(); got != want {
		l.t.Fatalf("code = %d (%s; %s), want %d", got, m.GetResult().GetResultText(), l.last.Detail, want)
	}
	if want == kkm.CodeOK {
		l.code = binary.LittleEndian.Uint32(answer[12:])
	}
	return m
}

func (l *till) newest() fiscal.Record { return l.entries[len(l.entries)-1] }

func command(c kkmpb.CommandTypeEnum) *kkmpb.Request { return &kkmpb.Request{Command: c.Enum()} }

// A second document under the numbers of the first is no repetition: the stored
// answer would lose it without a trace.
// Req: O-076, P-011, P-012
func TestSameNumbersOtherDocument(t *testing.T) {
	l := newTill(t, kkm.V203)
	token := l.code
	first := l.ask(l.sale(100_00), kkm.CodeOK)
	l.check(l.send(l.frame(l.sale(200_00), token, l.reqnum)), kkm.CodeInvalidRetry)
	late := l.sale(100_00)
	late.Ticket.DateTime = wire(l.wall().Add(121 * time.Second))
	l.check(l.send(l.frame(late, token, l.reqnum)), kkm.CodeInvalidRetry)
	again := l.check(l.send(l.frame(l.sale(100_00), token, l.reqnum)), kkm.CodeOK)
	if !proto.Equal(first, again) {
		t.Errorf("repeated answer = %v, want %v", again, first)
	}
	if n := l.state.Counters.Receipts[fiscal.OpSale.Index()].Count; n != 1 {
		t.Errorf("%d receipts counted, want 1", n)
	}
}

// A receipt accepted online whose answer was lost was printed with an
// autonomous code: it must be found by that code, and noted only once.
// Req: O-084, O-086
func TestRepeatedUnderAutonomousCode(t *testing.T) {
	l := newTill(t, kkm.V203)
	token := l.code
	l.ask(l.sale(100_00), kkm.CodeOK)
	ticket := l.newest()
	for range 2 {
		r := offline(l.sale(100_00), l.wall(), l.wall().Add(10*time.Minute), 777)
		l.check(l.send(l.frame(r, token, l.reqnum)), kkm.CodeOK)
	}
	notice := l.newest()
	if notice.Kind != fiscal.DocNotice || notice.DeviceNumber != 777 || notice.Refers != ticket.Number || notice.Number != ticket.Number+1 {
		t.Errorf("newest entry = %+v, want one notice with code 777 about entry %d", notice, ticket.Number)
	}
}

// An autonomous receipt that is stored already gets its fiscal sign again under
// the new number, and is counted once.
// Req: O-082, P-011, P-013
func TestAutonomousReceiptTwice(t *testing.T) {
	l := newTill(t, kkm.V203)
	r := func() *kkmpb.Request {
		r := l.sale(100_00)
		r.Ticket.DateTime = wire(1773458000)
		return offline(r, 1773458000, l.wall(), 4711)
	}
	first := l.ask(r(), kkm.CodeOK)
	l.ask(l.sale(50_00), kkm.CodeOK)
	again := l.ask(r(), kkm.CodeOK)
	if a, b := first.GetTicket().GetTicketNumber(), again.GetTicket().GetTicketNumber(); a != b {
		t.Errorf("fiscal sign = %s, want %s again", b, a)
	}
	if n := l.state.Counters.Receipts[fiscal.OpSale.Index()].Count; n != 2 {
		t.Errorf("%d receipts counted, want 2", n)
	}
	other := r()
	other.Ticket.Amounts.Total, other.Ticket.Items[0].Commodity.Sum, other.Ticket.Items[0].Commodity.Price = sum(70_00), sum(70_00), sum(70_00)
	other.Ticket.Payments[0].Sum = sum(70_00)
	l.ask(other, kkm.CodeOK)
	if f := l.newest().Flags; !f.Has(fiscal.FlagOfflineCodeReused | fiscal.FlagReplay) {
		t.Errorf("flags = %v, want offline_code_reused", f)
	}
}

// A replay is never refused for what a refusal could not mend: everything is
// accepted with a flag. The same documents online are refused.
// Req: O-080, O-082, U-30
func TestReplayIsFlaggedNotRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		spil func(*kkmpb.TicketRequest)
		code uint32 // online
		flag fiscal.Flags
	}{
		{"total off", func(q *kkmpb.TicketRequest) { q.Amounts.Total = sum(110_00) }, kkm.CodeIncorrectData, fiscal.FlagTotal},
		{"line off", func(q *kkmpb.TicketRequest) { q.Items[0].Commodity.Price = sum(7_00) }, kkm.CodeIncorrectData, fiscal.FlagLineSum},
		{"no unit", func(q *kkmpb.TicketRequest) { q.Items[0].Commodity.MeasureUnitCode = nil }, kkm.CodeBlocked, fiscal.FlagMissing},
		{"no taken", func(q *kkmpb.TicketRequest) { q.Amounts.Taken = nil }, kkm.CodeBlocked, fiscal.FlagMissing},
		{"no such day", func(q *kkmpb.TicketRequest) { q.DateTime = kkm.NewDateTime(2026, 2, 31, 1, 0, 0) }, kkm.CodeIncorrectData, fiscal.FlagTimeInvalid},
		{"change wrapped around", func(q *kkmpb.TicketRequest) {
			q.Amounts.Change = &kkmpb.Money{Bills: proto.Uint64(1<<64 - 500), Coins: proto.Uint32(0)}
		}, kkm.CodeIncorrectData, fiscal.FlagSumDropped},
		{"buyer is seller", func(q *kkmpb.TicketRequest) {
			q.ExtensionOptions = &kkmpb.TicketRequest_ExtensionOptions{CustomerIinOrBin: proto.String("190340024183")}
		}, kkm.CodeSameTaxpayer, fiscal.FlagBuyer},
		{"return without cash", func(q *kkmpb.TicketRequest) {
			q.Operation = kkmpb.OperationTypeEnum_OPERATION_BUY.Enum()
		}, kkm.CodeNotEnoughCash, fiscal.FlagCashNegative},
		{"return without parent", func(q *kkmpb.TicketRequest) {
			q.Operation = kkmpb.OperationTypeEnum_OPERATION_SELL_RETURN.Enum()
		}, kkm.CodeBlocked, fiscal.FlagParentMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newTill(t, kkm.V203)
			online := l.sale(100_00)
			c.spil(online.Ticket)
			l.ask(online, c.code)
			replay := l.sale(100_00)
			c.spil(replay.Ticket)
			l.ask(offline(replay, l.wall().Add(-time.Hour), l.wall(), 5), kkm.CodeOK)
			if f := l.newest().Flags; !f.Has(c.flag | fiscal.FlagReplay) {
				t.Errorf("flags = %v, want %v", f, c.flag)
			}
		})
	}
}

// An amount that no counter holds is refused even in a replay, and counters
// never wrap around.
func TestHopelessAmount(t *testing.T) {
	l := newTill(t, kkm.V203)
	r := l.sale(100_00)
	huge := &kkmpb.Money{Bills: proto.Uint64(1 << 62), Coins: proto.Uint32(0)}
	r.Ticket.Amounts.Total, r.Ticket.Items[0].Commodity.Sum, r.Ticket.Items[0].Commodity.Price = huge, huge, huge
	l.ask(offline(r, l.wall().Add(-time.Hour), l.wall(), 5), kkm.CodeIncorrectData)
	for range 600 {
		if l.ask2(l.sale(10_000_000_000_000_000)) != kkm.CodeOK {
			break
		}
	}
	if got := l.state.Counters.Cash; got < 0 || got > fiscal.MaxCounter {
		t.Errorf("cash = %v, beyond %v", got, fiscal.MaxCounter)
	}
	l.ask(l.sale(10_000_000_000_000_000), kkm.CodeIncorrectData)
}

func (l *till) ask2(r *kkmpb.Request) uint32 {
	l.reqnum++
	answer := l.send(l.frame(r, l.code, l.reqnum))
	if code := uint32(l.last.Result); code != kkm.CodeOK {
		return code
	}
	l.code = binary.LittleEndian.Uint32(answer[12:])
	return kkm.CodeOK
}

// 24 hours: online documents are refused one second after, also when the
// device turned its clock back, or far ahead; closing is always possible. What was
// made without a link is measured by its own time, whenever it comes.
// Req: E-146, E-147, T-086, O-080
func TestShiftOfADay(t *testing.T) {
	l := newTill(t, kkm.V203)
	l.ask(l.sale(100_00), kkm.CodeOK)
	opened := l.now
	l.now = opened.Add(24 * time.Hour)
	l.ask(l.sale(100_00), kkm.CodeOK)
	far := l.sale(100_00)
	end, _ := fiscal.WallDate(9999, 12, 31, 23, 59, 59)
	far.Ticket.DateTime = wire(end)
	l.ask(far, kkm.CodeShiftTooLong)
	l.now = opened.Add(24*time.Hour + time.Second)
	l.ask(l.sale(100_00), kkm.CodeShiftTooLong)
	back := l.sale(100_00)
	back.Ticket.DateTime = wire(l.wall().Add(-2 * time.Hour))
	l.ask(back, kkm.CodeShiftTooLong)
	late := offline(l.sale(100_00), l.wall().Add(-time.Hour), l.wall(), 9)
	late.Ticket.DateTime = wire(l.wall().Add(-time.Hour))
	l.ask(late, kkm.CodeOK)
	if f := l.newest().Flags; f.Has(fiscal.FlagShiftTooLong) {
		t.Errorf("flags of a replay made in the 24th hour and delivered in the 25th = %v, want no shift_too_long", f)
	}
	l.now = l.now.Add(2 * time.Hour)
	l.ask(offline(l.sale(100_00), l.wall().Add(-time.Hour), l.wall(), 10), kkm.CodeOK)
	if f := l.newest().Flags; !f.Has(fiscal.FlagShiftTooLong) {
		t.Errorf("flags of a replay made in the 26th hour = %v, want shift_too_long", f)
	}
	z := command(kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT)
	z.CloseShift = &kkmpb.CloseShiftRequest{CloseTime: wire(l.wall())}
	l.ask(z, kkm.CodeOK)
	l.ask(l.sale(100_00), kkm.CodeOK)
}

// Autonomous work of more than 72 hours is accepted and flagged.
// Req: O-080
func TestLateReplay(t *testing.T) {
	l := newTill(t, kkm.V203)
	for _, c := range []struct {
		age  time.Duration
		late bool
	}{{72 * time.Hour, false}, {72*time.Hour + time.Second, true}} {
		r := l.sale(100_00)
		made := l.wall().Add(-c.age)
		r.Ticket.DateTime = wire(made)
		l.ask(offline(r, made, l.wall(), uint32(c.age/time.Second)), kkm.CodeOK)
		if got := l.newest().Flags.Has(fiscal.FlagLateReplay); got != c.late {
			t.Errorf("after %v: late_replay = %v, want %v", c.age, got, c.late)
		}
	}
}

// A device that draws a new REQNUM for a retry stands still by the document;
// with the option it gets the stored answer under the new number.
func TestRenumberedRetry(t *testing.T) {
	l := newTill(t, kkm.V203)
	token := l.code
	first := l.ask(l.sale(100_00), kkm.CodeOK)
	l.check(l.send(l.frame(l.sale(100_00), token, 500)), kkm.CodeInvalidToken)
	card := l.card
	card.Version, card.Options.TolerateRenumberedRetry = 2, true
	l.act(fiscal.Act{Kind: fiscal.ActCard, By: "test", Card: &card})
	l.check(l.send(l.frame(l.sale(300_00), token, 501)), kkm.CodeInvalidToken)
	again := l.check(l.send(l.frame(l.sale(100_00), token, 502)), kkm.CodeOK)
	if !proto.Equal(first, again) {
		t.Errorf("answer = %v, want %v", again, first)
	}
}

// An option keeps the token; retries are still recognized, and an equal second
// sale is a sale.
func TestKeepToken(t *testing.T) {
	l := newTill(t, kkm.V203)
	card := l.card
	card.Version, card.Options.KeepToken, card.Options.TolerateRenumberedRetry = 2, true, true
	l.act(fiscal.Act{Kind: fiscal.ActCard, By: "test", Card: &card})
	token := l.code
	a := l.ask(l.sale(100_00), kkm.CodeOK)
	again := l.check(l.send(l.frame(l.sale(100_00), token, l.reqnum)), kkm.CodeOK)
	b := l.ask(l.sale(100_00), kkm.CodeOK)
	if l.code != token {
		t.Error("the token changed")
	}
	if !proto.Equal(a, again) || proto.Equal(a, b) {
		t.Errorf("answers %v, repeated %v, second sale %v", a, again, b)
	}
}

// Token acts: a new token ends the old one, empties the slot, and documents
// sent again are recognized; a new registration number voids the token.
// Req: O-018, O-019, O-071, E-088, E-154
func TestTokenActs(t *testing.T) {
	l := newTill(t, kkm.V203)
	old := l.code
	l.ask(l.sale(100_00), kkm.CodeOK)
	current := l.code
	l.code = l.token()
	l.check(l.send(l.frame(l.sale(100_00), old, l.reqnum)), kkm.CodeInvalidToken)
	l.check(l.send(l.frame(l.sale(100_00), current, l.reqnum+1)), kkm.CodeInvalidToken)
	l.ask(l.sale(100_00), kkm.CodeOK)
	if f := l.newest().Flags; !f.Has(fiscal.FlagRepeated) {
		t.Errorf("flags = %v, want repeated", f)
	}
	for _, e := range l.entries {
		if e.Kind == fiscal.DocAct && len(e.Answer) > 0 {
			t.Errorf("act %d stores its answer: %q", e.Number, e.Answer)
		}
	}
	card := l.card
	card.Version, card.RegistrationNumber = 2, "620300471827"
	l.act(fiscal.Act{Kind: fiscal.ActCard, By: "test", Card: &card})
	l.ask(l.sale(100_00), kkm.CodeInvalidToken)
	l.check(l.send(l.frame(l.sale(100_00), 0, 9)), kkm.CodeInvalidToken)
}

// Blocked: 15 with the text everywhere, INFO with its report; deregistered is
// final, and 18 from 2.0.4 on.
// Req: O-051, O-055
func TestBlockedAndDeregistered(t *testing.T) {
	l := newTill(t, kkm.V203)
	l.ask(l.sale(100_00), kkm.CodeOK)
	l.act(fiscal.Act{Kind: fiscal.ActBlock, By: "test", Text: "Тексеру / Проверка"})
	for _, c := range []kkmpb.CommandTypeEnum{kkmpb.CommandTypeEnum_COMMAND_SYSTEM, kkmpb.CommandTypeEnum_COMMAND_INFO} {
		m := l.ask(command(c), kkm.CodeBlocked)
		if ads := m.GetService().GetTicketAds(); len(ads) != 1 || ads[0].GetText() != "Тексеру / Проверка" || m.GetService().GetRegInfo().GetOrg().GetAddressKz() == "" {
			t.Errorf("%v: service = %v, want the text and complete registration data", c, m.GetService())
		}
		if got := m.GetReport() != nil; got != (c == kkmpb.CommandTypeEnum_COMMAND_INFO) {
			t.Errorf("%v: report = %v", c, m.GetReport())
		}
	}
	l.ask(l.sale(100_00), kkm.CodeBlocked)
	l.act(fiscal.Act{Kind: fiscal.ActUnblock, By: "test"})
	l.ask(l.sale(100_00), kkm.CodeOK)
	l.act(fiscal.Act{Kind: fiscal.ActDeregister, By: "test"})
	l.ask(l.sale(100_00), kkm.CodeBlocked)
	l.version = kkm.V204
	l.ask(l.sale(100_00), kkm.CodeDeregistered)
	if d := l.act(fiscal.Act{Kind: fiscal.ActUnblock, By: "test"}); d.Reason != fiscal.RegisterDeregistered {
		t.Errorf("unblocking a deregistered register: %v", d.Reason)
	}
}

// A version is refused from its date on, and not before.
// Req: N-008
func TestVersionSwitchedOff(t *testing.T) {
	l := newTill(t, kkm.V202)
	off := l.now.Add(time.Hour)
	l.rules.SwitchOff = map[kkm.Version]time.Time{kkm.V202: off}
	l.ask(l.sale(100_00), kkm.CodeOK)
	l.now = off.Add(-time.Microsecond)
	l.ask(l.sale(100_00), kkm.CodeOK)
	l.now = off
	l.ask(l.sale(100_00), kkm.CodeProtocolError)
	if !l.last.Close || l.last.Reason != fiscal.VersionSwitchedOff {
		t.Errorf("decision = %v, close %v", l.last.Reason, l.last.Close)
	}
	l.version = kkm.V203
	l.ask(l.sale(100_00), kkm.CodeOK)
}

// SYSTEM writes nothing, unless it tells of an autonomous period or of new
// software, once each. REPORT leaves an entry and ends the chance to cancel.
func TestWhatCommandsLeaveBehind(t *testing.T) {
	l := newTill(t, kkm.V202)
	l.ask(l.sale(100_00), kkm.CodeOK)
	n := len(l.entries)
	sys := command(kkmpb.CommandTypeEnum_COMMAND_SYSTEM)
	sys.Service = &kkmpb.ServiceRequest{OfflinePeriod: &kkmpb.ServiceRequest_OfflinePeriod{BeginTime: wire(l.wall()), EndTime: wire(l.wall())}}
	l.ask(sys, kkm.CodeOK)
	if len(l.entries) != n {
		t.Fatalf("a ping left %d entries", len(l.entries)-n)
	}
	sys.Service.OfflinePeriod.BeginTime = wire(l.wall().Add(-91 * time.Second))
	sys.Service.SoftwareInformation = &kkmpb.ServiceRequest_SoftwareInformation{OsFamily: proto.String("Linux")}
	for range 3 {
		l.ask(sys, kkm.CodeOK)
	}
	if len(l.entries) != n+1 || l.newest().Kind != fiscal.DocNotice {
		t.Errorf("%d entries, newest %v, want one notice", len(l.entries)-n, l.newest().Kind)
	}
	version := l.state.Version
	x := command(kkmpb.CommandTypeEnum_COMMAND_REPORT)
	x.Report = &kkmpb.ReportRequest{Report: kkmpb.ReportTypeEnum_REPORT_X.Enum(), DateTime: wire(l.wall())}
	l.ask(x, kkm.CodeOK)
	if l.newest().Kind != fiscal.DocReport || l.state.Version != version+1 {
		t.Errorf("newest = %v, version %d after %d", l.newest().Kind, l.state.Version, version)
	}
	l.ask(command(kkmpb.CommandTypeEnum_COMMAND_CANCEL_TICKET), kkm.CodeCannotCancel)
}

// Every document opens again from its stored bytes as what was counted.
func TestReadOpensEveryEntry(t *testing.T) {
	d := newDesk(t, 305512)
	p := d.player()
	d.catalog = nil
	p.Flow("day-203")
	for i := range d.entries {
		e := &d.entries[i]
		doc, err := kkm.Read(e)
		if err != nil {
			t.Fatalf("entry %d: %v", e.Number, err)
		}
		switch e.Kind {
		case fiscal.DocReceipt:
			if doc.Receipt.Total != e.Total || doc.Receipt.CashPart() != e.Cash || doc.Receipt.TaxSum() != e.Tax {
				t.Errorf("entry %d: receipt %+v, columns total %v cash %v tax %v", e.Number, doc.Receipt, e.Total, e.Cash, e.Tax)
			}
			key, _ := oneKey{}.ByID(e.SignKey)
			if got := kkm.SignOf(e, &key); got != e.FiscalSign {
				t.Errorf("entry %d: sign %d, recomputed %d", e.Number, e.FiscalSign, got)
			}
		case fiscal.DocShiftClose:
			if doc.Report == nil || doc.Report.Kind != fiscal.ReportZ || doc.Report.Counters.Revenue != e.Total {
				t.Errorf("entry %d: report %+v", e.Number, doc.Report)
			}
		}
	}
}

// The number that the device printed comes back, whatever version sent it.
// Req: T-034, T-135
func TestPrintedNumber(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*kkmpb.TicketRequest)
		want []fiscal.Requisite
	}{
		{"number", func(q *kkmpb.TicketRequest) { q.PrintedDocumentNumber = proto.Uint64(17) }, []fiscal.Requisite{{Key: "printed_document_number", Value: "17"}}},
		{"text and shift", func(q *kkmpb.TicketRequest) {
			q.PrintedDocumentNumberOld, q.ShiftDocumentNumber = proto.String("000123"), proto.Uint32(4)
		}, []fiscal.Requisite{{Key: "printed_document_number", Value: "000123"}, {Key: "shift_document_number", Value: "4"}}},
		{"none", func(*kkmpb.TicketRequest) {}, nil},
	} {
		l := newTill(t, kkm.V202)
		r := l.sale(100_00)
		c.set(r.Ticket)
		l.ask(r, kkm.CodeOK)
		rec := l.newest()
		doc, err := kkm.Read(&rec)
		if err != nil || !reflect.DeepEqual(doc.Extra, c.want) {
			t.Errorf("%s: Read = %+v, %v, want %+v", c.name, doc.Extra, err, c.want)
		}
	}
}
