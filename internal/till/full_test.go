package till_test

import (
	"errors"
	"fmt"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// On a full disk nothing is printed and the error says so; what was made stays,
// and with room again the register goes on, with the same draft too.
//
// Req: E-014, T-089, P-005
func TestDiskFull(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	sold := 0
	sell := func() (till.Document, error) {
		return s.Form(ctx, s.seat(), s.id, cash(fmt.Sprint(sold), 100_00), false)
	}
	for ; sold < 3; sold++ {
		if _, err := sell(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Limit(ctx, 1); err != nil { // what is there stays, nothing fits
		t.Fatal(err)
	}
	var full error
	for ; full == nil && sold < 2000; sold++ {
		_, full = sell()
	}
	sold-- // the one that was not made
	if !errors.Is(full, fiscal.Unavailable) {
		t.Fatalf("after %d receipts on a full disk: %v, want Unavailable", sold, full)
	}
	for range 3 {
		if _, err := sell(); !errors.Is(err, fiscal.Unavailable) {
			t.Errorf("again on a full disk: %v", err)
		}
	}
	if err := s.Ready(ctx); err != nil {
		t.Logf("readiness says %v", err)
	}
	if err := s.Limit(ctx, 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it sells again", func() bool {
		_, err := sell()
		return err == nil
	})
	sold++
	all, _, err := s.History(ctx, s.seat(), s.id, till.HistoryQuery{})
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	if all[0].Number != uint64(sold) {
		t.Errorf("the last receipt has the number %d, want %d", all[0].Number, sold)
	}
	eventually(t, "the operator has each once", func() bool {
		l, err := s.operator.registry.Show(ctx, s.id)
		return err == nil && uint64(l.State.LastNumber) == uint64(sold)+2 && l.State.Counters.Cash == fiscal.Money(sold)*100_00
	})
}
