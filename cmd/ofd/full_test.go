package main

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm"
	"openofd/internal/store/sqlite"
	"openofd/internal/testkit"
)

// TestDiskFull: without room on the disk a register hears 254 and nothing is
// stored; with room again the same request is accepted, without a restart.
//
// Req: P-005, P-006, O-077
func TestDiskFull(t *testing.T) {
	v := newVectorOperator(t, 305512)
	v.player(t).SetClock(time.Date(2026, 3, 14, 4, 0, 5, 0, time.UTC))
	token, err := v.o.registry.Token(t.Context(), 305512, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.o.store.engine.(*sqlite.DB).Limit(t.Context(), 1); err != nil { // what is there stays, nothing fits
		t.Fatal(err)
	}
	frame := bytes.Clone(testkit.KKMDeposit(t))
	accepted := 0
	send := func() uint32 {
		t.Helper()
		binary.LittleEndian.PutUint32(frame[12:], token)
		binary.LittleEndian.PutUint16(frame[16:], uint16(accepted+1))
		answer, _ := v.exchange(t, frame, 0)
		if answer == nil {
			t.Fatalf("no answer after %d deposits", accepted)
		}
		m, err := kkm.ParseResponse(answer[kkm.HeaderLen:])
		if err != nil {
			t.Fatal(err)
		}
		if m.GetResult().GetResultCode() == kkm.CodeOK {
			accepted++
			token = binary.LittleEndian.Uint32(answer[12:])
		}
		return m.GetResult().GetResultCode()
	}
	code := kkm.CodeOK
	for n := 0; code == kkm.CodeOK; n++ {
		if n > 5000 {
			t.Fatal("5000 deposits fit on a full disk")
		}
		code = send()
	}
	for range 3 {
		if code != kkm.CodeUnavailable {
			t.Fatalf("code %d on a full disk, want 254", code)
		}
		code = send()
	}
	before := accepted
	if err := v.o.store.engine.(*sqlite.DB).Limit(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if code := send(); code != kkm.CodeOK {
		t.Fatalf("code %d with room again, want 0", code)
	}
	row, err := v.o.store.Row(t.Context(), v.place)
	if err != nil {
		t.Fatal(err)
	}
	if got := row.State.Counters.Moves[fiscal.OpCashIn.Index()].Count; got != int64(accepted) || accepted != before+1 {
		t.Errorf("%s deposits counted, %d were accepted", strconv.FormatInt(got, 10), accepted)
	}
	if _, err := verifyStore(t.Context(), v.o.core, nil); err != nil {
		t.Error(err)
	}
}
