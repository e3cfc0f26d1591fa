package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/authority/sandbox"
	"openofd/internal/cabinet"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/observe"
)

// TestDayEndsAtTheAuthority shows what follows the end of a day between an
// operator and an authority: receipts are forwarded, the day's summaries go, the
// authority's counts agree with ours, hashes included; when it states other sums
// that is named and kept, by the timetable, the command line and the page alike.
//
// Req: O-110, O-111, N-003
func TestDayEndsAtTheAuthority(t *testing.T) {
	today := oneDay(almaty)
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	far, err := sandbox.Open(t.Context(), sandbox.Config{Dir: t.TempDir(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	var summaries, reports, lies atomic.Int64
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case kgd.PathSummaries:
			summaries.Add(1)
		case kgd.PathReports:
			reports.Add(1)
		case kgd.PathCounts:
			if lies.Load() > 0 {
				w.Header().Set("Content-Type", kgd.TypeJSON)
				fmt.Fprint(w, `{"counts":[{"register":7,"registration_number":"1","documents":3,"receipts":{"sale":{"count":3,"sum":"1.00"}},"last":9,"chain_hash":""}],"next":""}`)
				return
			}
		}
		far.Handler().ServeHTTP(w, r)
	}))
	defer door.Close()

	s := localSettings(t)
	s.Now, s.KGD.URL = clock, config.FarURL{URL: door.URL}
	o := mustStart(t, s)
	sc := &script{t: t, dir: t.TempDir(), names: map[string]string{"data": s.Data}}
	sc.names["dir"] = sc.dir
	shops := []*loadShop{newLoadShop(t, sc, 0, o.KKMAddr), newLoadShop(t, sc, 1, o.KKMAddr)}
	idle := newShop(t, o, "IDLE")
	for range 3 {
		sellOne(t, shops[0])
	}
	sellOne(t, shops[1])
	if _, err := shops[1].reg.CloseShift(t.Context(), fiscal.Cashier{Code: 1}, true); err != nil {
		t.Fatal(err)
	}
	until(t, "all is forwarded", func() bool {
		return behind(t, o, delivery.IDOf(kgd.Name)) == 0 && behind(t, o, cabinet.FollowerID()) == 0
	})
	for _, shop := range shops { // what a summary says is what the register's own counters say
		place := fiscal.Place{Register: fiscal.RegisterID(shop.id)}
		row, err := o.store.Row(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		days, err := o.store.DaySummaries(t.Context(), 0, []fiscal.DayOf{{Register: place.Register}})
		if err != nil || len(days) != 1 || days[0].Drawer != row.State.Counters.Cash || days[0].Receipts[0].Sum != row.State.Counters.GrandTotals[0] {
			t.Errorf("register %d: summary %+v, %v, want the state's %v in the drawer and sales of %v", shop.id, days, err, row.State.Counters.Cash, row.State.Counters.GrandTotals[0])
		}
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}

	// The next morning.
	ahead.Store(int64(time.Until((today + 86_400).Instant(almaty).Add(4 * time.Hour))))
	s.Metrics = observe.NewRegistry()
	o = mustStart(t, s)
	defer o.stop()
	var all []delivery.Reconciliation
	until(t, "the evening is done", func() bool {
		if all, err = o.store.Reconciliations(t.Context(), kgd.Name, 0, 10); err != nil {
			t.Fatal(err)
		}
		kept, err := o.store.Reports(t.Context(), kgd.Name, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		return len(all) > 0 && all[0].Day == today && len(kept) > 0 && kept[0].Day == today && !kept[0].Sent.IsZero()
	})
	if a := all[0]; a.Differences != 0 || a.Failure != "" || a.Registers != 2 || a.Documents != 6 || a.Day != today {
		t.Errorf("the day came to %+v, want 2 registers, 6 documents, no difference", a)
	}
	if summaries.Load() == 0 || reports.Load() == 0 {
		t.Errorf("%d batches of summaries and %d reports came, want some", summaries.Load(), reports.Load())
	}
	sent, err := o.store.SentDays(t.Context(), kgd.Name)
	if err != nil || !slices.ContainsFunc(sent, func(d delivery.DayPart) bool { return d.Day == today && d.Partition == delivery.WholeDay }) {
		t.Errorf("summaries were sent as far as %+v, %v, want the whole day", sent, err)
	}

	// Somebody of the staff asks, and the authority lies.
	lies.Store(1)
	room := o.rooms.evenings
	if err := room.Compare(t.Context(), today, "aida@example.kz"); err != nil {
		t.Fatal(err)
	}
	until(t, "it is compared", func() bool { return room.Comparing() == 0 })
	shown, err := room.Comparisons(t.Context(), 0, 10)
	if err != nil || len(shown) != len(all)+1 || shown[0].By != "aida@example.kz" || shown[0].Differences != 3 || shown[0].Open != 3 || shown[0].Resent != 6 {
		t.Fatalf("comparisons %+v, %v, want the newest with 3 differences that are left", shown, err)
	}
	one, err := room.Comparison(t.Context(), shown[0].ID)
	if err != nil || len(one.Found) != 3 || one.Found[0].Kind != string(delivery.MissingHere) || one.Found[1].Kind != string(delivery.MissingThere) {
		t.Errorf("comparison %+v, %v, want one that is missing here and two there", one, err)
	}
	if days, err := room.Reports(t.Context(), 0, 10); err != nil || len(days) == 0 || days[0].Documents < 6 || days[0].Active != 3 || !days[0].Compared {
		t.Errorf("reports %+v, %v, want one of 6 documents and 3 registers, of which %d is idle", days, err, idle.Card.Register)
	}
	if v := gaugeValue(t, s.Metrics, "ofd_reconcile_open_differences", 0); v != 3 {
		t.Errorf("ofd_reconcile_open_differences is %v, want 3", v)
	}

	// By hand, of the day before, on which nothing was sold.
	lies.Store(0)
	yesterday := (today - 86_400).UTC().Format(time.DateOnly)
	sc.run(exitOK, "reconcile --day "+yesterday+" --kgd-url "+door.URL+" --data "+s.Data)
	if !strings.Contains(sc.stdout, "Both sides agree") {
		t.Errorf("ofd reconcile says %q, want that both sides agree", sc.stdout)
	}
	sc.run(exitFailed, "reconcile --day "+today.UTC().Format(time.DateOnly)+" --kgd-url "+door.URL+" --data "+s.Data)
}

// oneDay is the day on which a test sells. It waits for the next one when this one
// is nearly over.
func oneDay(zone *time.Location) fiscal.WallTime {
	now := fiscal.WallIn(time.Now(), zone)
	if left := now.Day() + 86_400 - now; left < 90 {
		time.Sleep(time.Duration(left+1) * time.Second)
	}
	return fiscal.WallIn(time.Now(), zone).Day()
}

// until waits for a condition, for a long time.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("a minute has gone by before %s", what)
		}
	}
}

// behind is how many entries a follower has to go.
func behind(t *testing.T, o *operator, id follow.ID) uint64 {
	t.Helper()
	s, err := follow.Stands(context.Background(), o.store, id)
	if err != nil {
		t.Fatal(err)
	}
	return s.Entries
}
