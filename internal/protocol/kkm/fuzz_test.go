package kkm_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit"
)

// What parses writes back the same bytes, and the door's decision follows from
// the header.
func FuzzHeader(f *testing.F) {
	for _, v := range testkit.KKMVectors(f) {
		f.Add(v.Frame[:min(len(v.Frame), kkm.HeaderLen)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := kkm.ParseHeader(b)
		again, admission, _ := kkm.Admit(b, 1000)
		if (err != nil) != (admission == kkm.AdmitDrop) || again != h {
			t.Fatalf("ParseHeader(%x) = %+v, %v, but Admit = %+v, %v", b, h, err, again, admission)
		}
		if err != nil {
			return
		}
		if (h.Size > 1000) != (admission == kkm.AdmitRefuse) {
			t.Errorf("Admit(%x) = %v with SIZE %d and limit 1000", b, admission, h.Size)
		}
		if out, _ := h.AppendBinary(nil); !bytes.Equal(out, b[:kkm.HeaderLen]) {
			t.Errorf("AppendBinary = %x, want %x", out, b[:kkm.HeaderLen])
		}
	})
}

// What parses re-encodes to the same message and fault, and the form check
// agrees with the protobuf decoder.
func FuzzRequest(f *testing.F) {
	addPayloads(f)
	f.Fuzz(func(t *testing.T, version uint16, payload []byte) {
		h := kkm.Header{Version: kkm.Version(version)}
		before := bytes.Clone(payload)
		r := kkm.ParseRequest(h, payload)
		if !bytes.Equal(before, payload) {
			t.Fatalf("ParseRequest changed its input %x", before)
		}
		if r.Fault == kkm.FaultVersion {
			return
		}
		var plain kkmpb.Request
		err := proto.Unmarshal(payload, &plain)
		if r.Msg == nil {
			checkRefusedForm(t, h, payload, r, &plain, err)
			return
		}
		if !r.Trimmed && (err != nil || !proto.Equal(&plain, r.Msg)) {
			t.Errorf("ParseRequest(%x) = %v, the decoder says %v, %v", payload, r.Msg, &plain, err)
		}
		frame, err := kkm.AppendRequest(nil, h, r.Msg)
		if err != nil {
			t.Fatalf("%v does not encode: %v", r.Msg, err)
		}
		back := kkm.ParseRequest(h, frame[kkm.HeaderLen:])
		if back.Fault != r.Fault || back.Command != r.Command || !proto.Equal(back.Msg, r.Msg) {
			t.Errorf("re-encoded: %v %d %v (%v), want %v %d %v", back.Fault, back.Command, back.Msg, back.Err, r.Fault, r.Command, r.Msg)
		}
	})
}

// checkRefusedForm: a payload may be refused only if the decoder refuses it, or
// if it is told apart from what the decoder reads by a string that is not
// UTF-8 or a message that came in parts.
func checkRefusedForm(t *testing.T, h kkm.Header, payload []byte, r kkm.Request, plain *kkmpb.Request, err error) {
	t.Helper()
	if r.Fault != kkm.FaultPayload || r.Err == nil {
		t.Fatalf("ParseRequest(%x) = %v, %v, without a message", payload, r.Fault, r.Err)
	}
	if r.Err.Off < kkm.HeaderLen || r.Err.Off > kkm.HeaderLen+len(payload) {
		t.Errorf("ParseRequest(%x) finds fault with byte %d of %d", payload, r.Err.Off, kkm.HeaderLen+len(payload))
	}
	if err != nil {
		return
	}
	frame, err := kkm.AppendRequest(nil, h, plain)
	if err != nil {
		t.Fatalf("%v does not encode: %v", plain, err)
	}
	whole := kkm.ParseRequest(h, frame[kkm.HeaderLen:])
	if whole.Fault == kkm.FaultPayload && whole.Err.Why != "not UTF-8" {
		t.Errorf("ParseRequest(%x): %v, though the decoder reads %v", payload, whole.Err, plain)
	}
}

// Any input is explained, and what is explained agrees with what is parsed.
func FuzzExplain(f *testing.F) {
	for _, v := range testkit.KKMVectors(f) {
		f.Add(v.Frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, d := range []kkm.Direction{kkm.DirectionUnknown, kkm.DirectionResponse, kkm.DirectionRequest} {
			e := kkm.ExplainAs(frame, d)
			if _, err := json.Marshal(e); err != nil {
				t.Fatalf("ExplainAs(%x, %q) does not marshal: %v", frame, d, err)
			}
			for _, f := range e.Findings {
				if f.Offset < 0 || f.Offset > len(frame) {
					t.Errorf("ExplainAs(%x, %q) points at byte %d of %d: %+v", frame, d, f.Offset, len(frame), f)
				}
			}
		}
		h, admission, _ := kkm.Admit(frame, 0)
		if admission != kkm.AdmitRead || int(h.Size) != len(frame) || !h.Version.Known() {
			if kkm.ExplainAs(frame, kkm.DirectionRequest).OK() && int(h.Size) >= len(frame) {
				t.Errorf("ExplainAs(%x) finds nothing wrong with a bad header", frame)
			}
			return
		}
		r := kkm.ParseRequest(h, frame[kkm.HeaderLen:])
		e := kkm.ExplainAs(frame, kkm.DirectionRequest)
		if r.Fault != kkm.FaultNone && e.OK() {
			t.Errorf("ParseRequest(%x) = %v, %v, but the explanation finds nothing: %+v", frame, r.Fault, r.Err, e.Findings)
		}
		if r.Fault == kkm.FaultNone && slices.ContainsFunc(e.Findings, breaksForm) {
			t.Errorf("ParseRequest(%x) finds nothing, but the explanation does: %+v", frame, e.Findings)
		}
	})
}

// breaksForm tells findings about the form from those about values, which the
// rules judge.
func breaksForm(f kkm.Finding) bool {
	switch f.Key {
	case "payload.datetime", "payload.coins", "payload.enum", "more":
		return false
	}
	return f.Severity == kkm.SeverityError
}

func addPayloads(f *testing.F) {
	f.Helper()
	for _, v := range testkit.KKMVectors(f) {
		f.Add(v.Version, v.Frame[kkm.HeaderLen:])
	}
	f.Add(uint16(kkm.V203), fiveItems(f)[kkm.HeaderLen:])
	f.Add(uint16(kkm.V124), ticket124WithIIN(f)[kkm.HeaderLen:])
}
