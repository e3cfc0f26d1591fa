package kkm_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
)

// The builds of 1.2.4 that use three numbers in another sense are read, the
// same bytes of a later version are refused.
func TestTrimmed124(t *testing.T) {
	iin := protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), "880215300124")
	stamp := protowire.AppendString(protowire.AppendTag(nil, 8, protowire.BytesType), "АБ 1234567")
	printed := protowire.AppendString(protowire.AppendTag(nil, 5, protowire.BytesType), "000123")
	plain := fiveItems(t)

	for _, c := range []struct {
		name  string
		spoil func(*kkmpb.Request) // puts the foreign field in
	}{
		{"buyer's IIN", func(r *kkmpb.Request) {
			r.Ticket.ExtensionOptions = new(kkmpb.TicketRequest_ExtensionOptions)
			r.Ticket.ExtensionOptions.ProtoReflect().SetUnknown(iin)
		}},
		{"excise stamp", func(r *kkmpb.Request) {
			c := r.Ticket.Items[2].Commodity
			storno := &kkmpb.TicketRequest_StornoCommodity{
				SectionCode: c.SectionCode, Quantity: c.Quantity, Price: c.Price, Sum: c.Sum,
			}
			storno.ProtoReflect().SetUnknown(stamp)
			r.Ticket.Items[2].StornoCommodity = storno
		}},
		{"empty excise stamp", func(r *kkmpb.Request) {
			c := r.Ticket.Items[0].Commodity
			storno := &kkmpb.TicketRequest_StornoCommodity{
				SectionCode: c.SectionCode, Quantity: c.Quantity, Price: c.Price, Sum: c.Sum,
			}
			storno.ProtoReflect().SetUnknown([]byte{8<<3 | 2, 0})
			r.Ticket.Items[0].StornoCommodity = storno
		}},
		{"printed number", func(r *kkmpb.Request) {
			r.CloseShift = &kkmpb.CloseShiftRequest{CloseTime: kkm.NewDateTime(2021, 6, 9, 17, 0, 0)}
			r.CloseShift.ProtoReflect().SetUnknown(printed)
		}},
	} {
		msg := kkm.ParseRequest(kkm.Header{Version: kkm.V124}, plain[kkm.HeaderLen:]).Msg
		c.spoil(msg)
		frame, err := kkm.AppendRequest(nil, kkm.Header{}, msg)
		if err != nil {
			t.Fatal(err)
		}
		payload := frame[kkm.HeaderLen:]

		old := kkm.ParseRequest(kkm.Header{Version: kkm.V124}, payload)
		if old.Fault != kkm.FaultNone || !old.Trimmed || old.Err != nil {
			t.Errorf("%s at 1.2.4: fault %v (%v), trimmed %v, want a trimmed request", c.name, old.Fault, old.Err, old.Trimmed)
		} else if len(old.Msg.Ticket.Items) != 5 {
			t.Errorf("%s: %v has lost items", c.name, old.Msg)
		}
		if r := kkm.ParseRequest(kkm.Header{Version: kkm.V125}, payload); r.Fault != kkm.FaultPayload || r.Trimmed {
			t.Errorf("%s at 1.2.5: fault %v, trimmed %v, want %v", c.name, r.Fault, r.Trimmed, kkm.FaultPayload)
		}
	}
}

// A payload that stays broken without the three numbers is not trimmed.
func TestNotTrimmed(t *testing.T) {
	payload := append(ticket124WithIIN(t)[kkm.HeaderLen:], 0x12, 0x7F)
	r := kkm.ParseRequest(kkm.Header{Version: kkm.V124}, payload)
	if r.Fault != kkm.FaultPayload || r.Trimmed || r.Msg != nil {
		t.Errorf("ParseRequest(%x) = %+v, want %v", payload, r, kkm.FaultPayload)
	}
}

// The error of a broken payload names byte and field.
func TestSyntaxErrorOfPayload(t *testing.T) {
	for _, c := range brokenFrames(t) {
		h, admission, _ := kkm.Admit(c.frame, 0)
		if admission != kkm.AdmitRead || !strings.HasPrefix(c.key, "payload.") || c.key == "payload.field.wire" {
			continue
		}
		r := kkm.ParseRequest(h, c.frame[kkm.HeaderLen:])
		if r.Fault != kkm.FaultPayload {
			continue // told by Explain alone
		}
		if r.Err.Off != c.off || r.Err.Field != c.field {
			t.Errorf("%s: %v, want byte %d, %s", c.name, r.Err, c.off, c.field)
		}
	}
}

// Every number of the command field up to 200: known ones without a body are
// told from unknown ones, and the number comes back.
func TestCommandNumbers(t *testing.T) {
	needsBody := map[int32]bool{1: true, 2: true, 3: true, 4: true, 6: true, 8: true}
	known := map[int32]bool{0: true, 5: true, 7: true, 9: true, 100: true, 101: true, 127: true}
	for n := int32(-1); n <= 200; n++ {
		payload := protowire.AppendVarint([]byte{1 << 3}, uint64(int64(n)))
		want := kkm.FaultCommand
		if needsBody[n] {
			want = kkm.FaultBody
		} else if known[n] {
			want = kkm.FaultNone
		}
		r := kkm.ParseRequest(kkm.Header{Version: kkm.V203}, payload)
		if r.Fault != want || r.Command != n {
			t.Errorf("command %d: fault %v, command %d, want %v", n, r.Fault, r.Command, want)
		}
	}
}

// A repeated command counts by its last value, as for any decoder.
func TestCommandTwice(t *testing.T) {
	r := kkm.ParseRequest(kkm.Header{Version: kkm.V202}, []byte{0x08, 0x01, 0x08, 0x05})
	if r.Command != 5 || r.Fault != kkm.FaultNone {
		t.Errorf("Command = %d, fault %v, want 5 and none", r.Command, r.Fault)
	}
}

// What a request was read from may be overwritten afterwards: doors reuse
// their buffers.
func TestRequestKeepsNothingOfItsBytes(t *testing.T) {
	frame := fiveItems(t)
	frame = append(frame, 0xFA, 0x3E, 0x03, 'a', 'b', 'c') // a field nobody knows
	r := kkm.ParseRequest(kkm.Header{Version: kkm.V203}, frame[kkm.HeaderLen:])
	before := proto.Clone(r.Msg)
	for i := range frame {
		frame[i] = 0xEE
	}
	if !proto.Equal(before, r.Msg) {
		t.Errorf("message = %v, was %v before its bytes were overwritten", r.Msg, before)
	}
}

// A refusal that cannot be encoded would be our own bug; any text and number
// can.
func TestRefuse(t *testing.T) {
	h := kkm.Header{Version: 300, Size: 99, ID: 7, Token: 0xFFFFFFFF, ReqNum: 0xFFFF}
	frame := kkm.Refuse(h, -5, 4, "Неизвестная команда")
	got, err := kkm.ParseHeader(frame)
	h.Size = uint32(len(frame))
	if err != nil || got != h {
		t.Errorf("header = %+v, %v, want %+v", got, err, h)
	}
	msg, err := kkm.ParseResponse(frame[kkm.HeaderLen:])
	if err != nil || msg.GetCommand() != -5 || msg.GetResult().GetResultCode() != 4 || msg.GetResult().GetResultText() != "Неизвестная команда" {
		t.Errorf("payload = %v, %v", msg, err)
	}
}

// An answer without its result is our own bug and is not sent.
func TestAppendResponseIncomplete(t *testing.T) {
	dst := []byte("before")
	got, err := kkm.AppendResponse(dst, kkm.Header{}, &kkmpb.Response{Command: kkmpb.CommandTypeEnum_COMMAND_INFO.Enum()})
	if err == nil || !bytes.Equal(got, dst) {
		t.Errorf("AppendResponse = %q, %v, want an error and the buffer as it was", got, err)
	}
}

// An answer of another operator fills OrgRegInfo 6 with a number, as 2.0.2 has
// it; the rest of the answer is read.
func TestResponseWithTenantID(t *testing.T) {
	org := []byte{0x0A, 0x01, 'A', 6 << 3, 0x01}
	payload := []byte{0x08, 0x05, 0x12, 0x02, 0x08, 0x00}
	regInfo := append([]byte{3<<3 | 2, byte(len(org))}, org...)
	service := append([]byte{2<<3 | 2, byte(len(regInfo))}, regInfo...)
	payload = append(append(payload, 6<<3|2, byte(len(service))), service...)
	msg, err := kkm.ParseResponse(payload)
	if err != nil || msg.GetService().GetRegInfo().GetOrg().GetTitle() != "A" {
		t.Errorf("ParseResponse(%x) = %v, %v", payload, msg, err)
	}
}
