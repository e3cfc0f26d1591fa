package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlite"
)

// TestClockJumps: the operator's clock goes back an hour and ahead two days,
// into the next month, and back, under load. No month goes back, nothing that
// was answered is lost or stored twice, every register goes on.
//
// Req: P-006, O-076
func TestClockJumps(t *testing.T) {
	var jump atomic.Int64
	start := time.Now()
	base := time.Date(start.Year(), start.Month()+1, 0, 12, 0, 0, 0, time.UTC) // the last day of this month
	s := localSettings(t)
	s.Now = func() time.Time { return base.Add(time.Since(start) + time.Duration(jump.Load())) }
	o := mustStart(t, s)
	sc := &script{t: t, dir: t.TempDir(), names: map[string]string{"data": s.Data}}
	sc.names["dir"] = sc.dir
	var shops []*loadShop
	for i := range 8 {
		shops = append(shops, newLoadShop(t, sc, i, o.KKMAddr))
	}
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	var tooLong atomic.Int64
	for i, shop := range shops {
		own := rand.New(rand.NewPCG(uint64(i), 0))
		work.Go(func() {
			for shop.sell(ctx, own); errors.Is(shop.err, fiscal.ShiftTooLong); shop.sell(ctx, own) {
				tooLong.Add(1) // two days are over for the operator: as the law has it, the shift is closed first
				_, shop.err = shop.reg.CloseShift(context.WithoutCancel(ctx), fiscal.Cashier{Code: 1}, false)
				if shop.err != nil {
					return
				}
			}
		})
	}
	for _, by := range []time.Duration{-time.Hour, 48 * time.Hour, 0, 48 * time.Hour, -time.Hour} {
		sellMore(t, shops)
		jump.Store(int64(by))
	}
	sellMore(t, shops)
	stop()
	work.Wait()
	for _, shop := range shops {
		if shop.err != nil {
			t.Errorf("register %d: %v", shop.id, shop.err)
		}
		sellOne(t, shop)
	}
	if _, err := verifyStore(t.Context(), o.core, nil); err != nil {
		t.Error(err)
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	checkStored(t, s.Data, shops)

	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: s.Data, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var last *journal.Entry
	back, months := 0, 1
	for e := range receipts(t, db) {
		if last != nil {
			if e.Month < last.Month {
				t.Fatalf("entry %d is of month %d, after one of %d", e.Seq, e.Month, last.Month)
			}
			if e.Month > last.Month {
				months++
			}
			if e.ReceivedAt.Before(last.ReceivedAt.Add(-time.Minute)) {
				back++
			}
		}
		last = e
	}
	if back == 0 || months != 2 || tooLong.Load() == 0 {
		t.Errorf("the clock went back %d times in the journal, over %d months, %d shifts were too long; want some, 2, some", back, months, tooLong.Load())
	}
	sc.at = "verify"
	sc.run(exitOK, "verify --json")
	var v verified
	if err := json.Unmarshal([]byte(sc.stdout), &v); err != nil || !v.OK {
		t.Errorf("verify in another process: %+v, %v", v, err)
	}
}
