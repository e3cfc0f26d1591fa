package kkm_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit"
)

// Ordinary requests take the fast way, or it is there for nothing.
func TestDecodeFastTakesVectors(t *testing.T) {
	for _, v := range testkit.KKMVectors(t) {
		if !v.Request() || v.Fault != "" && v.Fault != "body" && v.Fault != "command" {
			continue
		}
		if got := kkm.DecodeFast(v.Frame[kkm.HeaderLen:]) != nil; got != (v.Name != "unknown-field-ignored") {
			t.Errorf("%s: read on the fast way: %v", v.Name, got)
		}
	}
}

// What the fast way reads is what check and the protobuf decoder read.
func FuzzDecodeFast(f *testing.F) {
	for _, v := range testkit.KKMVectors(f) {
		if v.Request() && len(v.Frame) >= kkm.HeaderLen {
			f.Add(v.Frame[kkm.HeaderLen:])
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		fast := kkm.DecodeFast(payload)
		if fast == nil {
			return
		}
		slow, err := kkm.DecodeSlow(payload)
		if err != nil {
			t.Fatalf("fast reads %x as %v, slow says %v", payload, fast, err)
		}
		if !proto.Equal(fast, slow) {
			t.Errorf("fast reads %x as %v, slow as %v", payload, fast, slow)
		}
	})
}

// Every field of every message, filled by the protobuf library, is read.
func TestDecodeFastEveryField(t *testing.T) {
	full := fill(new(kkmpb.Request).ProtoReflect(), 0).Interface()
	payload, err := proto.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	got := kkm.DecodeFast(payload)
	if got == nil || !proto.Equal(got, full) {
		t.Errorf("DecodeFast = %v, want %v", got, full)
	}
	// With any one byte cut off the end it is no longer whole.
	for n := range payload {
		if m := kkm.DecodeFast(payload[:n]); m != nil {
			if slow, err := kkm.DecodeSlow(payload[:n]); err != nil || !proto.Equal(m, slow) {
				t.Fatalf("DecodeFast reads the first %d bytes as %v, slow says %v, %v", n, m, slow, err)
			}
		}
	}
}
