package bench

import (
	"encoding/binary"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	device "openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// template is an encoded receipt of five lines and the places in it that
// change from one to the next. All of them keep their length.
type template struct {
	frame  []byte
	moment int // month and day, one byte each with its tag between, and on to seconds
	clock  int
	number int // three bytes of varint
}

// Numbers of printed documents that need three bytes as a varint.
const (
	firstNumber = 1 << 14
	lastNumber  = 1<<21 - 1
)

// newTemplate encodes the receipt of a register.
func newTemplate(v wire.Version, id uint32) (*template, error) {
	at, _ := fiscal.WallDate(2026, 3, 14, 9, 12, 41)
	msg, err := receipt(v, at)
	if err != nil {
		return nil, err
	}
	frame, err := wire.AppendRequest(nil, wire.Header{Version: v, ID: id}, msg)
	if err != nil {
		return nil, err
	}
	t := &template{frame: frame}
	payload := frame[wire.HeaderLen:]
	ticket := field(payload, 2)
	when := field(payload[ticket.at:ticket.end], 2).add(ticket.at)
	date := field(payload[when.at:when.end], 1).add(when.at)
	clock := field(payload[when.at:when.end], 2).add(when.at)
	number := field(payload[ticket.at:ticket.end], 16).add(ticket.at)
	if date.end-date.at != 7 || clock.end-clock.at != 6 || number.end-number.at != 3 {
		return nil, fmt.Errorf("bench: the template's fields have other lengths than expected: date %d, time %d, number %d",
			date.end-date.at, clock.end-clock.at, number.end-number.at)
	}
	t.moment, t.clock, t.number = wire.HeaderLen+date.at, wire.HeaderLen+clock.at, wire.HeaderLen+number.at
	return t, nil
}

// patch writes what one request has of its own into a copy of the frame.
func (t *template) patch(b []byte, id, token uint32, reqnum uint16, now moment, number uint32) {
	binary.LittleEndian.PutUint32(b[8:], id)
	binary.LittleEndian.PutUint32(b[12:], token)
	binary.LittleEndian.PutUint16(b[16:], reqnum)
	d := b[t.moment:] // 08 year year 10 month 18 day
	d[1], d[2], d[4], d[6] = byte(now.year)|0x80, byte(now.year>>7), byte(now.month), byte(now.day)
	c := b[t.clock:] // 08 hour 10 minute 18 second
	c[1], c[3], c[5] = byte(now.hour), byte(now.minute), byte(now.second)
	n := b[t.number:]
	n[0], n[1], n[2] = byte(number)|0x80, byte(number>>7)|0x80, byte(number>>14)
}

// moment is a reading of a register's clock in parts.
type moment struct{ year, month, day, hour, minute, second int }

func momentOf(t time.Time) moment {
	y, m, d := t.Date()
	h, mi, s := t.Clock()
	return moment{y, int(m), d, h, mi, s}
}

// span is where a value stands.
type span struct{ at, end int }

func (s span) add(n int) span { return span{s.at + n, s.end + n} }

// field finds the value of the first field with the number, a message without
// its length. The empty span is none, or bytes that are no message.
func field(b []byte, num protowire.Number) span {
	for at := 0; at < len(b); {
		got, typ, n := protowire.ConsumeTag(b[at:])
		if n < 0 {
			return span{}
		}
		m := protowire.ConsumeFieldValue(got, typ, b[at+n:])
		if m < 0 {
			return span{}
		}
		if got == num {
			start, end := at+n, at+n+m
			if typ == protowire.BytesType {
				v, _ := protowire.ConsumeBytes(b[at+n:])
				start = end - len(v)
			}
			return span{start, end}
		}
		at += n + m
	}
	return span{}
}

// receipt is what a grocer sells: five lines, VAT in each, cash and change.
func receipt(v wire.Version, at fiscal.WallTime) (*kkmpb.Request, error) {
	goods := []struct {
		name  string
		unit  string
		price fiscal.Money
		qty   fiscal.Quantity
	}{
		{"Нан «Таба» бидай ұнынан, 500 г", "796", 21500, 2_000_000},
		{"Айран 2,5 % «Қымызхана», 1 л", "796", 64550, 1_000_000},
		{"Қант, салмақпен, кг", "116", 52000, 1_350_000},
		{"Шай қара «Пиала Голд», 250 г", "796", 149000, 1_000_000},
		{"Пакет-майка", "796", 2500, 1_000_000},
	}
	r := fiscal.Receipt{Op: fiscal.OpSale, Time: at, Cashier: fiscal.Cashier{Code: 1, Name: "Айгүл С."}}
	for _, g := range goods {
		cost, err := fiscal.Cost(g.price, g.qty)
		if err != nil {
			return nil, err
		}
		r.Total += cost
		r.Items = append(r.Items, fiscal.Item{
			Kind: fiscal.ItemGoods, Name: g.name, Unit: g.unit, Price: g.price, Quantity: g.qty, Cost: cost,
			Taxes: []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16000, Sum: fiscal.IncludedTax(cost, 16000), Included: true}},
		})
	}
	r.Payments = []fiscal.Payment{{Kind: fiscal.PayCash, Sum: r.Total}}
	r.Taken = (r.Total + 99_999) / 100_000 * 100_000
	r.ChangeDue = r.Taken - r.Total
	ticket, err := device.Form{Version: v, Section: "1", TaxSystem: uint32(kkmpb.TaxationTypeEnum_RTS)}.Ticket(&r)
	if err != nil {
		return nil, err
	}
	ticket.PrintedDocumentNumber = proto.Uint64(firstNumber)
	msg := &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(), Ticket: ticket}
	if v >= wire.V203 {
		msg.Service = &kkmpb.ServiceRequest{SecurityStats: &kkmpb.ServiceRequest_SecurityStats{
			GeoPosition: &kkmpb.ServiceRequest_GeoPosition{Latitude: proto.Int32(432567), Longitude: proto.Int32(769286), Source: proto.String("GPS")},
		}}
	}
	return msg, nil
}

// closing is the request that closes a shift.
func closing(v wire.Version, at fiscal.WallTime) *kkmpb.Request {
	z := fiscal.Report{Kind: fiscal.ReportZ, Time: at, Shift: fiscal.Shift{OpenedAt: at, ClosedAt: at}}
	return &kkmpb.Request{
		Command: kkmpb.CommandTypeEnum_COMMAND_CLOSE_SHIFT.Enum(), Service: &kkmpb.ServiceRequest{},
		CloseShift: &kkmpb.CloseShiftRequest{
			CloseTime: wire.NewTime(at), ZReport: wire.NewReport(&z, v), Operator: &kkmpb.Operator{Code: proto.Uint32(1)},
		},
	}
}
