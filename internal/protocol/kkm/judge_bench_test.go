package kkm_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit"
)

// BenchmarkTicket is what the rules cost a receipt of five lines, parsing
// included: the hot path between socket and commit.
func BenchmarkTicket(b *testing.B) {
	stored, err := json.Marshal(testkit.KKMCard(305512))
	if err != nil {
		b.Fatal(err)
	}
	var card fiscal.Card // as a store reads it
	if err := json.Unmarshal(stored, &card); err != nil {
		b.Fatal(err)
	}
	operator := testkit.KKMOperator
	rules := newRules()
	now := time.Date(2026, 3, 14, 5, 0, 0, 0, time.UTC)
	rand := rand.NewChaCha8([32]byte{1})
	state := &fiscal.State{CardVersion: 1}
	token, err := rules.Judge(&fiscal.Situation{Card: &card, State: state, Now: now, Keys: oneKey{}, Rand: rand, Operator: &operator,
		Exchange: &fiscal.Exchange{Body: fiscal.Act{Kind: fiscal.ActToken}}})
	if err != nil {
		b.Fatal(err)
	}
	state = token.Next
	code := tokenOf(state)
	q := &kkmpb.TicketRequest{
		Operation: kkmpb.OperationTypeEnum_OPERATION_SELL.Enum(), DateTime: kkm.NewDateTime(2026, 3, 14, 10, 0, 0),
		Operator: &kkmpb.Operator{Code: proto.Uint32(1), Name: proto.String("Серікқызы Айгүл")},
		Payments: []*kkmpb.TicketRequest_Payment{{Type: kkmpb.PaymentTypeEnum_PAYMENT_CASH.Enum(), Sum: sum(2500_00)}},
		Amounts:  &kkmpb.TicketRequest_Amounts{Total: sum(2500_00), Taken: sum(3000_00), Change: sum(500_00)},
	}
	for range 5 {
		q.Items = append(q.Items, &kkmpb.TicketRequest_Item{Type: kkmpb.TicketRequest_ITEM_TYPE_COMMODITY.Enum(), Commodity: &kkmpb.TicketRequest_Commodity{
			Name: proto.String("Нан «Таба» бидай ұнынан, 500 г"), SectionCode: proto.String("1"), Quantity: proto.Uint64(1000), Price: sum(500_00), Sum: sum(500_00),
			MeasureUnitCode: proto.String("796"), Barcode: proto.String("4870001234567"),
			Taxes: []*kkmpb.TicketRequest_Tax{{TaxType: proto.Uint32(100), Percent: proto.Uint32(16000), Sum: sum(68_97), IsInTotalSum: proto.Bool(true)}},
		}})
	}
	frame, err := kkm.AppendRequest(nil, kkm.Header{Version: kkm.V203, ID: 305512, Token: code, ReqNum: 1},
		&kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(), Ticket: q})
	if err != nil {
		b.Fatal(err)
	}
	x := fiscal.Exchange{Request: frame, Received: now}
	s := fiscal.Situation{Card: &card, State: state, Exchange: &x, Now: now, Keys: oneKey{}, Rand: rand, Operator: &operator}
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		h, err := kkm.ParseHeader(frame)
		if err != nil {
			b.Fatal(err)
		}
		r := kkm.ParseRequest(h, frame[kkm.HeaderLen:])
		x.Body = r
		d, err := rules.Judge(&s)
		if err != nil || d.Reason != fiscal.NoReason {
			b.Fatalf("Judge: %v %v %s", err, d.Reason, d.Detail)
		}
		r.Release()
	}
}
