package kkm_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/testkit"
)

// What was released leaves nothing behind: requests of all kinds, read one
// after the other in the same memory, are what they are when read alone, and
// strings that were taken from earlier ones stay good.
func TestDecodeAgain(t *testing.T) {
	full, err := proto.Marshal(fill(new(kkmpb.Request).ProtoReflect(), 0).Interface())
	if err != nil {
		t.Fatal(err)
	}
	payloads := [][]byte{full, full[:len(full)-1], fiveItems(t)[kkm.HeaderLen:]}
	for _, v := range testkit.KKMVectors(t) {
		if v.Request() && len(v.Frame) >= kkm.HeaderLen {
			payloads = append(payloads, v.Frame[kkm.HeaderLen:])
		}
	}
	var kept, copies []string
	read := 0
	for range 50 * len(payloads) {
		payload := payloads[rand.IntN(len(payloads))]
		r := kkm.ParseRequest(kkm.Header{Version: kkm.V203}, payload)
		slow, err := kkm.DecodeSlow(payload)
		if r.Msg == nil || err != nil {
			if (r.Msg == nil) != (err != nil) && !r.Trimmed {
				t.Fatalf("ParseRequest reads %x as %v, alone it is %v, %v", payload, r.Msg, slow, err)
			}
			r.Release()
			continue
		}
		read++
		if !proto.Equal(r.Msg, slow) {
			t.Fatalf("ParseRequest reads %x as %v, alone it is %v", payload, r.Msg, slow)
		}
		if r.Msg.Ticket != nil {
			if got, want := kkm.Opened(&r), kkm.OpenedAlone(slow.Ticket); !reflect.DeepEqual(got, want) {
				t.Fatalf("the receipt in %x is %+v, alone it is %+v", payload, got, want)
			}
		}
		name := r.Msg.GetTicket().GetOperator().GetName()
		kept, copies = append(kept, name), append(copies, strings.Clone(name))
		r.Release()
	}
	if read == 0 {
		t.Fatal("no request was read")
	}
	for i := range kept {
		if kept[i] != copies[i] {
			t.Fatalf("a string that was %q is %q now", copies[i], kept[i])
		}
	}
}
