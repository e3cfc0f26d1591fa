package registers

import (
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/proto"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit/history"
)

// request is one request of a register, with its frame as it is sent each time.
type request struct {
	frame  []byte
	number int // of the register, from 1; 0 is a question
	asked  history.Request
}

// Among its documents a register makes a deposit now and then and closes its
// shift; between two documents it asks how the operator is.
const (
	everyDeposit  = 10
	everyClose    = 25
	everyQuestion = 7
)

// document makes the register's n-th document.
func (r *register) document(n int) (request, error) {
	at := fiscal.WallIn(r.cfg.Now(), r.cfg.Zone)
	cashier := &kkmpb.Operator{Code: proto.Uint32(1), Name: proto.String("Айгүл С.")}
	var msg kkmpb.Request
	switch {
	case n%everyClose == 0:
		z := fiscal.Report{Kind: fiscal.ReportZ, Time: at, Shift: fiscal.Shift{OpenedAt: at, ClosedAt: at}}
		msg.Command = kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT.Enum()
		msg.CloseShift = &kkmpb.CloseShiftRequest{
			CloseTime: wire.NewTime(at), ZReport: wire.NewReport(&z, r.cfg.Version), Operator: cashier, PrintedDocumentNumber: proto.Uint64(uint64(n)),
		}
	case n%everyDeposit == 0:
		msg.Command = kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT.Enum()
		msg.MoneyPlacement = &kkmpb.MoneyPlacementRequest{
			Datetime: wire.NewTime(at), Operation: kkmpb.MoneyPlacementEnum_MONEY_PLACEMENT_DEPOSIT.Enum(),
			Sum: wire.NewMoney(fiscal.Money(100 * n)), Operator: cashier, PrintedDocumentNumber: proto.Uint64(uint64(n)),
		}
	default:
		ticket, err := r.ticket(at, n)
		if err != nil {
			return request{}, err
		}
		msg.Command, msg.Ticket = kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(), ticket
	}
	return r.request(&msg, n)
}

// ticket is a receipt over one article, whose price tells it from the others.
func (r *register) ticket(at fiscal.WallTime, n int) (*kkmpb.TicketRequest, error) {
	sum := fiscal.Money(10_000 + n)
	receipt := fiscal.Receipt{
		Op: fiscal.OpSale, Time: at, Cashier: fiscal.Cashier{Code: 1, Name: "Айгүл С."}, Total: sum,
		Items: []fiscal.Item{{
			Kind: fiscal.ItemGoods, Name: "Нан «Таба»", Unit: "796", Price: sum, Quantity: fiscal.OneUnit, Cost: sum,
			Taxes: []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16_000, Sum: fiscal.IncludedTax(sum, 16_000), Included: true}},
		}},
		Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: sum}}, Taken: sum,
	}
	ticket, err := kkm.Form{Version: r.cfg.Version, Section: "1", TaxSystem: uint32(kkmpb.TaxationTypeEnum_RTS)}.Ticket(&receipt)
	if err != nil {
		return nil, err
	}
	ticket.PrintedDocumentNumber = proto.Uint64(uint64(n))
	return ticket, nil
}

// question asks how the operator is.
func (r *register) question() (request, error) {
	return r.request(&kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum(), Service: &kkmpb.ServiceRequest{}}, 0)
}

// request takes the register's token and its next number.
func (r *register) request(msg *kkmpb.Request, n int) (request, error) {
	r.reqnum++
	frame, err := wire.AppendRequest(nil, wire.Header{Version: r.cfg.Version, ID: uint32(r.ID), Token: r.token, ReqNum: r.reqnum}, msg)
	q := request{frame: frame, number: n, asked: history.Request{
		Token: r.token, ReqNum: r.reqnum, Command: int32(msg.GetCommand()), Changing: n != 0, MayRefuse: r.cfg.MayRefuse,
	}}
	if n != 0 {
		q.asked.Key = fmt.Sprintf("document %d", n)
	}
	return q, err
}

// Document is one that was answered.
type Document struct {
	Register fiscal.RegisterID
	Number   int // of the register's documents, from 1
	Sign     uint64
	Request  [sha256.Size]byte // of the whole frame
	Answer   [sha256.Size]byte
}
