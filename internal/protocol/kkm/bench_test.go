package kkm_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// fiveItems is a ticket of 2.0.3 as a shop sends it: five lines with VAT,
// paid in cash, with the service part.
func fiveItems(tb testing.TB) []byte {
	tb.Helper()
	money := func(bills uint64, coins uint32) *kkmpb.Money {
		return &kkmpb.Money{Bills: &bills, Coins: &coins}
	}
	names := []string{"Нан «Бородинский», 350 г", "Сүт 3,2 %, 1 л", "Шай «Пиала», 250 г", "Қант, 1 кг", "Май, 180 г"}
	t := &kkmpb.TicketRequest{
		Operation: kkmpb.OperationTypeEnum_OPERATION_SELL.Enum(),
		DateTime:  kkm.NewDateTime(2026, 3, 14, 11, 40, 0),
		Operator:  &kkmpb.Operator{Code: proto.Uint32(1), Name: proto.String("Серікқызы Айгүл")},
		Payments: []*kkmpb.TicketRequest_Payment{
			{Type: kkmpb.PaymentTypeEnum_PAYMENT_CASH.Enum(), Sum: money(2500, 0)},
		},
		Amounts: &kkmpb.TicketRequest_Amounts{Total: money(2500, 0), Taken: money(3000, 0), Change: money(500, 0)},
	}
	for _, name := range names {
		t.Items = append(t.Items, &kkmpb.TicketRequest_Item{
			Type: kkmpb.TicketRequest_ITEM_TYPE_COMMODITY.Enum(),
			Commodity: &kkmpb.TicketRequest_Commodity{
				Name: &name, SectionCode: proto.String("1"), Quantity: proto.Uint64(1000),
				Price: money(500, 0), Sum: money(500, 0),
				Taxes: []*kkmpb.TicketRequest_Tax{{
					TaxType: proto.Uint32(100), Percent: proto.Uint32(16000),
					Sum: money(68, 97), IsInTotalSum: proto.Bool(true),
				}},
				Barcode: proto.String("4870009876543"), MeasureUnitCode: proto.String("796"),
			},
		})
	}
	frame, err := kkm.AppendRequest(nil, kkm.Header{Version: kkm.V203, ID: 305512, Token: 1, ReqNum: 7}, &kkmpb.Request{
		Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(),
		Ticket:  t,
		Service: &kkmpb.ServiceRequest{
			GetRegInfo: proto.Bool(true),
			RegInfo_: &kkmpb.ServiceRequest_RegInfo{
				Kkm: &kkmpb.KkmRegInfo{FnsKkmId: proto.String("620300471826"), SerialNumber: proto.String("KZT26B00471826")},
				Org: &kkmpb.OrgRegInfo{Title: proto.String("ТОО «Дала Сауда»"), Inn: proto.String("190340024183")},
			},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return frame
}

func BenchmarkParseRequest(b *testing.B) {
	frame := fiveItems(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		h, admission, err := kkm.Admit(frame, 0)
		if err != nil || admission != kkm.AdmitRead {
			b.Fatal(err)
		}
		r := kkm.ParseRequest(h, frame[kkm.HeaderLen:])
		if r.Fault != kkm.FaultNone {
			b.Fatal(r.Err)
		}
		r.Release()
	}
}

// The decoder alone, to see what the form checks cost.
func BenchmarkUnmarshalAlone(b *testing.B) {
	payload := fiveItems(b)[kkm.HeaderLen:]
	b.ReportAllocs()
	for b.Loop() {
		if err := proto.Unmarshal(payload, new(kkmpb.Request)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendResponse(b *testing.B) {
	msg := &kkmpb.Response{
		Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(),
		Result:  &kkmpb.Result{ResultCode: proto.Uint32(0), ResultText: proto.String("OK")},
		Ticket: &kkmpb.TicketResponse{
			TicketNumber: proto.String("421365087104"),
			QrCode:       []byte("https://consumer.ofd.example/?i=421365087104&f=620300471826&s=2500.00&t=20260314T114000"),
		},
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = kkm.AppendResponse(buf[:0], kkm.Header{Version: kkm.V203}, msg); err != nil {
			b.Fatal(err)
		}
	}
}
