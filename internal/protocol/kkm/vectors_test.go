package kkm_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit"
)

// Every vector: the header reads and writes back, the payload is the message
// given, the message makes an equal message again, and the malformed ones are
// told by the fault and reaction that belong to them.
func TestVectors(t *testing.T) {
	for _, v := range testkit.KKMVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			h, admission, err := kkm.Admit(v.Frame, 0)
			if v.Fault == "header" {
				checkDoor(t, v, admission, err)
				return
			}
			if err != nil || admission != kkm.AdmitRead {
				t.Fatalf("Admit(%x) = %v, %v, want AdmitRead", v.Frame[:kkm.HeaderLen], admission, err)
			}
			if uint16(h.Version) != v.Version || int(h.Size) != len(v.Frame) {
				t.Errorf("header = %+v, want version %d, size %d", h, v.Version, len(v.Frame))
			}
			if b, _ := h.AppendBinary(nil); !bytes.Equal(b, v.Frame[:kkm.HeaderLen]) {
				t.Errorf("AppendBinary = %x, want %x", b, v.Frame[:kkm.HeaderLen])
			}
			if v.Request() {
				checkRequest(t, v, h)
			} else {
				checkResponse(t, v, h)
			}
		})
	}
}

func checkDoor(t *testing.T, v testkit.Vector, got kkm.Admission, err error) {
	want := kkm.AdmitRefuse
	if v.Want.Silent {
		want = kkm.AdmitDrop
	}
	if got != want || err == nil || !v.Want.Close {
		t.Errorf("Admit(%x) = %v, %v, want %v", v.Frame, got, err, want)
	}
}

func checkRequest(t *testing.T, v testkit.Vector, h kkm.Header) {
	r := kkm.ParseRequest(h, v.Frame[kkm.HeaderLen:])
	if v.Fault != "" {
		if r.Fault.String() != v.Fault {
			t.Errorf("Fault = %v (%v), want %s", r.Fault, r.Err, v.Fault)
		}
		if r.Fault.Code() != v.Want.Code || r.Fault.Closes() != v.Want.Close {
			t.Errorf("Fault %v: code %d, closes %v, want %+v", r.Fault, r.Fault.Code(), r.Fault.Closes(), v.Want)
		}
		if (r.Err != nil) != (r.Fault == kkm.FaultPayload) {
			t.Errorf("Fault %v comes with error %v", r.Fault, r.Err)
		}
		return
	}
	if r.Fault != kkm.FaultNone || r.Trimmed {
		t.Fatalf("Fault = %v (%v), Trimmed = %v, want neither", r.Fault, r.Err, r.Trimmed)
	}
	if r.Command != int32(r.Msg.GetCommand()) {
		t.Errorf("Command = %d, want %d", r.Command, r.Msg.GetCommand())
	}
	checkJSON(t, v, r.Msg)
	again, err := kkm.AppendRequest(nil, h, r.Msg)
	if err != nil {
		t.Fatal(err)
	}
	if back := kkm.ParseRequest(h, again[kkm.HeaderLen:]); !proto.Equal(back.Msg, r.Msg) {
		t.Errorf("re-encoded = %v, want %v", back.Msg, r.Msg)
	}
}

func checkResponse(t *testing.T, v testkit.Vector, h kkm.Header) {
	msg, err := kkm.ParseResponse(v.Frame[kkm.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, v, msg)
	// Answers are written by the same encoder, so even the bytes must agree.
	again, err := kkm.AppendResponse([]byte("before"), h, msg)
	if err != nil {
		t.Fatal(err)
	}
	if want := append([]byte("before"), v.Frame...); !bytes.Equal(again, want) {
		t.Errorf("AppendResponse = %x, want %x", again, want)
	}
}

// checkJSON compares a message with the vector's both ways: as the message
// that the JSON makes, and as the JSON that the message makes, which shows the
// field names too.
func checkJSON(t *testing.T, v testkit.Vector, got proto.Message) {
	t.Helper()
	want := got.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal(v.Message, want); err != nil {
		t.Fatal(err)
	}
	known := proto.Clone(got)
	known.ProtoReflect().SetUnknown(nil) // the vector with an unknown field does not show it
	if !proto.Equal(known, want) {
		t.Errorf("message = %v, want %v", got, want)
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var gotTree, wantTree any
	if err := json.Unmarshal(text, &gotTree); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(v.Message, &wantTree); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotTree, wantTree) {
		t.Errorf("JSON = %s, want %s", text, v.Message)
	}
}

// What the faulty vectors have to be answered with, made from the header and
// the command alone.
func TestRefuseVectors(t *testing.T) {
	for _, v := range testkit.KKMVectors(t) {
		if v.Fault == "" || v.Want.Silent {
			continue
		}
		h, _, _ := kkm.Admit(v.Frame, 0)
		r := kkm.Request{Header: h}
		if v.Fault != "header" {
			r = kkm.ParseRequest(h, v.Frame[kkm.HeaderLen:])
		}
		frame := kkm.Refuse(h, r.Command, v.Want.Code, "нет")
		back, err := kkm.ParseHeader(frame)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		want := h
		want.Size = uint32(len(frame))
		if back != want {
			t.Errorf("%s: header of the refusal = %+v, want %+v", v.Name, back, want)
		}
		msg, err := kkm.ParseResponse(frame[kkm.HeaderLen:])
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if int32(msg.GetCommand()) != r.Command || msg.GetResult().GetResultCode() != v.Want.Code {
			t.Errorf("%s: refusal = %v, want command %d, code %d", v.Name, msg, r.Command, v.Want.Code)
		}
	}
}

// The commands that broken requests have to get back.
func TestCommandOfBrokenRequest(t *testing.T) {
	want := map[string]int32{
		"protobuf-truncated":                    int32(kkmpb.CommandTypeEnum_COMMAND_TICKET),
		"payload-random":                        0,
		"payload-empty":                         0,
		"command-unknown-42":                    42,
		"command-wrong-wiretype":                0,
		"command-negative-enum":                 -1,
		"command-ticket-without-body":           int32(kkmpb.CommandTypeEnum_COMMAND_TICKET),
		"ticket-missing-required-amounts":       int32(kkmpb.CommandTypeEnum_COMMAND_TICKET),
		"ticket-missing-required-operator-code": int32(kkmpb.CommandTypeEnum_COMMAND_TICKET),
		"version-zero":                          0,
		"version-300":                           0,
		"text-not-utf8":                         int32(kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT),
	}
	for _, v := range testkit.KKMVectors(t) {
		command, ok := want[v.Name]
		if !ok {
			continue
		}
		delete(want, v.Name)
		h, _ := kkm.ParseHeader(v.Frame)
		if r := kkm.ParseRequest(h, v.Frame[kkm.HeaderLen:]); r.Command != command {
			t.Errorf("%s: Command = %d, want %d", v.Name, r.Command, command)
		}
	}
	if len(want) > 0 {
		t.Errorf("vectors missing: %v", want)
	}
}
