package kkm_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit"
)

// Every malformed vector, and some frames broken in ways that registers under
// development break them, with what is said about each.
func TestExplainGolden(t *testing.T) {
	var out bytes.Buffer
	for _, v := range testkit.KKMVectors(t) {
		if v.Fault != "" || v.Name == "unknown-field-ignored" {
			writeExplained(t, &out, v.Name, kkm.Explain(v.Frame))
		}
	}
	for _, c := range brokenFrames(t) {
		writeExplained(t, &out, c.name, kkm.Explain(c.frame))
	}
	golden(t, "explain.golden", out.Bytes())
}

// writeExplained prints one part of an explanation a line.
func writeExplained(t *testing.T, out *bytes.Buffer, name string, e kkm.Explanation) {
	t.Helper()
	fmt.Fprintf(out, "== %s\n", name)
	parts := []any{e.Direction, e.Header, e.Payload}
	for _, f := range e.Findings {
		parts = append(parts, f)
	}
	for _, part := range parts {
		line, err := json.Marshal(part)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fmt.Fprintf(out, "%s\n", line)
	}
}

type brokenFrame struct {
	name  string
	frame []byte
	key   string // of the finding that has to be among others
	off   int
	field string
}

// brokenFrames changes good frames in one place each.
func brokenFrames(t *testing.T) []brokenFrame {
	ticket := fiveItems(t)
	edit := func(frame []byte, f func([]byte) []byte) []byte { return f(bytes.Clone(frame)) }
	sized := func(frame []byte) []byte {
		binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)))
		return frame
	}
	at := func(part string) int {
		i := bytes.Index(ticket, []byte(part))
		if i < 0 {
			t.Fatalf("no %q in the ticket", part)
		}
		return i
	}
	system := kkmSystem(t, kkm.V202)
	name := at("Сүт")
	answer := func(r *kkmpb.Response) []byte {
		b, err := kkm.AppendResponse(nil, kkm.Header{Version: kkm.V203, ID: 305512, ReqNum: 7}, r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	request := func(v kkm.Version, r *kkmpb.Request) []byte {
		b, err := kkm.AppendRequest(nil, kkm.Header{Version: v, ID: 305512, ReqNum: 7}, r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	deposit := func(v kkm.Version, d *kkmpb.MoneyPlacementRequest) []byte {
		return request(v, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT.Enum(), MoneyPlacement: d})
	}
	return []brokenFrame{
		{"header cut short", ticket[:11], "header.short", 11, "header"},
		{"APPCODE in the other byte order", edit(system, func(b []byte) []byte { b[0], b[1] = b[1], b[0]; return b }), "header.appcode.swapped", 0, "APPCODE"},
		{"SIZE in the other byte order", edit(system, func(b []byte) []byte { binary.BigEndian.PutUint32(b[4:], 20); return b }), "header.size.swapped", 4, "SIZE"},
		{"SIZE of the payload alone", edit(ticket, func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-kkm.HeaderLen))
			return b
		}), "header.size.payload", 4, "SIZE"},
		{"frame cut short", ticket[:100], "frame.short", 100, "SIZE"},
		{"bytes behind the frame", append(bytes.Clone(system), 0, 0, 0), "frame.long", 20, "SIZE"},
		{"another frame behind", append(bytes.Clone(system), system...), "frame.next", 20, "SIZE"},
		{"name in a code page", edit(ticket, func(b []byte) []byte { b[name+2] = 0xF1; return b }), "payload.utf8", name + 2, "ticket.items[1].commodity.name"},
		{"wire type 7", edit(ticket, func(b []byte) []byte { b[name-2] |= 7; return b }), "payload.wire", name - 2, "ticket.items[1].commodity.name"},
		{"length beyond the end", edit(ticket, func(b []byte) []byte { b[name-1] = 0x7F; return b }), "payload.length", name - 1, "ticket.items[1].commodity.name"},
		{"name under another wire type", edit(ticket, func(b []byte) []byte { b[name-2] = 2<<3 | 1; return b }), "payload.field.wire", name - 2, "ticket.items[1].commodity.name"},
		{"command twice", sized(append(bytes.Clone(system), 0x08, 0x05)), "payload.field.twice", 20, "command"},
		{"command reserved", request(kkm.V203, &kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_RESERVED.Enum()}), "command.unsupported", 19, "command"},
		{"group without an end", sized(append(bytes.Clone(system), 0x7B)), "payload.value", 21, "field 15"},
		{"field number 0", sized(append(bytes.Clone(system), 0x00)), "payload.tag", 20, ""},
		{"31 February, 100 tiyn, negative sum, unknown operation", deposit(kkm.V203, &kkmpb.MoneyPlacementRequest{
			Datetime:  kkm.NewDateTime(2026, 2, 31, 9, 0, 0),
			Operation: kkmpb.MoneyPlacementEnum(7).Enum(),
			Sum:       &kkmpb.Money{Bills: proto.Uint64(1<<64 - 5), Coins: proto.Uint32(100)},
		}), "payload.datetime", 24, "money_placement.datetime"},
		{"1.2.4 with the buyer's IIN in field 3", ticket124WithIIN(t), "payload.field.124", 69, "ticket.extension_options.auxiliary[0]"},
		{"answer without a text", answer(&kkmpb.Response{
			Command: kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT.Enum(), Result: &kkmpb.Result{ResultCode: proto.Uint32(14)},
		}), "answer.text", 18, "result.result_text"},
		{"answer 0 without a ticket", answer(&kkmpb.Response{
			Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(),
			Result:  &kkmpb.Result{ResultCode: proto.Uint32(0), ResultText: proto.String("OK")},
		}), "command.body", 19, "ticket"},
		{"answer to an unknown command", answer(&kkmpb.Response{
			Command: kkmpb.CommandTypeEnum(42).Enum(),
			Result:  &kkmpb.Result{ResultCode: proto.Uint32(4), ResultText: proto.String("?")},
		}), "command.unknown", 19, "command"},
	}
}

func kkmSystem(t testing.TB, v kkm.Version) []byte {
	t.Helper()
	b, err := kkm.AppendRequest(nil, kkm.Header{Version: v, ID: 200145, Token: 2704817126, ReqNum: 40},
		&kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ticket124WithIIN is a ticket of those builds of 1.2.4 that send the buyer's
// IIN as a string in ExtensionOptions 3, where the set has pairs.
func ticket124WithIIN(t testing.TB) []byte {
	t.Helper()
	money := &kkmpb.Money{Bills: proto.Uint64(200), Coins: proto.Uint32(0)}
	options := &kkmpb.TicketRequest_ExtensionOptions{}
	options.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), "880215300124"))
	b, err := kkm.AppendRequest(nil, kkm.Header{Version: kkm.V124, ID: 100731, ReqNum: 7}, &kkmpb.Request{
		Command: kkmpb.CommandTypeEnum_COMMAND_TICKET.Enum(),
		Ticket: &kkmpb.TicketRequest{
			Operation: kkmpb.OperationTypeEnum_OPERATION_SELL.Enum(),
			DateTime:  kkm.NewDateTime(2021, 6, 9, 17, 21, 5),
			Operator:  &kkmpb.Operator{Code: proto.Uint32(1)},
			Payments: []*kkmpb.TicketRequest_Payment{
				{Type: kkmpb.PaymentTypeEnum_PAYMENT_CARD.Enum(), Sum: money},
			},
			Amounts:          &kkmpb.TicketRequest_Amounts{Total: money},
			ExtensionOptions: options,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExplainFindsTheByte(t *testing.T) {
	for _, c := range brokenFrames(t) {
		e := kkm.Explain(c.frame)
		found := false
		for _, f := range e.Findings {
			found = found || f.Key == c.key && f.Offset == c.off && f.Field == c.field
		}
		if !found {
			t.Errorf("%s: Explain(%x) = %+v, want %s at %d in %q", c.name, c.frame, e.Findings, c.key, c.off, c.field)
		}
	}
}

// Good frames have nothing wrong with them, and their payload is shown whole.
func TestExplainVectors(t *testing.T) {
	for _, v := range testkit.KKMVectors(t) {
		if v.Fault != "" {
			if e := kkm.ExplainAs(v.Frame, kkm.DirectionRequest); e.OK() {
				t.Errorf("%s: no error found in a frame with fault %q", v.Name, v.Fault)
			}
			continue
		}
		e := kkm.Explain(v.Frame)
		if string(e.Direction) != v.Direction {
			t.Errorf("%s: Direction = %q, want %q", v.Name, e.Direction, v.Direction)
		}
		for _, f := range e.Findings {
			// Three requests are well formed and still break a rule that has
			// to do with their form: they are refused by their content.
			switch {
			case f.Severity == kkm.SeverityWarning && (f.Key == "payload.field.unknown" || f.Key == "command.unsupported"):
			case v.Name == "check-date-31-february" && f.Key == "payload.datetime":
			default:
				t.Errorf("%s: %+v, want no finding", v.Name, f)
			}
		}
		var got, want any
		if err := json.Unmarshal(e.Payload, &got); err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if err := json.Unmarshal(v.Message, &want); err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: Payload = %s, want %s", v.Name, e.Payload, v.Message)
		}
	}
}

// An explanation is bounded, however much is wrong.
func TestExplainNoise(t *testing.T) {
	h := kkm.Header{Version: kkm.V203, Size: 1 << 16}
	frame, _ := h.AppendBinary(nil)
	for len(frame) < 1<<16 {
		frame = append(frame, 0x78, 0x01) // field 15, which nobody knows
	}
	e := kkm.Explain(frame)
	if n := len(e.Findings); n > 60 {
		t.Errorf("%d findings, want a bounded number", n)
	}
}
