package kkt_test

import (
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// A register of Russia whose contract is over gets no reply to what it made
// after the days of grace; what it made before them is acknowledged for as long
// as a drive may hold it back, and where the operator only warns everything is.
//
// Req: P-015
func TestContractOver(t *testing.T) {
	const grace, offline = 10 * 24 * time.Hour, 30 * 24 * time.Hour
	v := testkit.KKTVectorNamed(t, "open-shift-1.05")
	law := func(fiscal.WallTime) kkt.Law { return kkt.Law{Shift: 24 * time.Hour, Offline: offline, Grace: grace} }
	first := newDesk(t)
	first.now = at(2025, 11, 23, 12)
	first.act(fiscal.Act{Kind: fiscal.ActRegister})
	if got, err := first.take(v.Message); err != nil || got.Answer == nil {
		t.Fatal(told(got, err))
	}
	made := time.Unix(int64(first.last().DeviceTime), 0).UTC() // the desk's zone is UTC
	for _, tt := range []struct {
		name    string
		end     time.Time // of service
		now     time.Time
		warn    bool
		refused bool
		flag    bool
	}{
		{"made before the end", made.Add(time.Second), made.Add(time.Minute), false, false, false},
		{"made at the end", made, made.Add(time.Minute), false, true, false},
		{"made before, come too late", made.Add(time.Second), made.Add(offline + time.Minute), false, true, false},
		{"only warned", made, made.Add(time.Minute), true, false, true},
	} {
		d := newDesk(t)
		d.rules.Law, d.rules.Service = law, fiscal.ServiceRule{Refuse: !tt.warn}
		d.card.Service = fiscal.Service{Contract: 3, Ended: tt.end.Add(-grace)}
		d.now = at(2025, 11, 23, 12)
		d.act(fiscal.Act{Kind: fiscal.ActRegister})
		d.now = tt.now
		got, err := d.take(v.Message)
		switch {
		case err != nil, tt.refused != (got.Reason == fiscal.NoService), tt.refused != (got.Answer == nil):
			t.Errorf("%s: %s; refused should be %v", tt.name, told(got, err), tt.refused)
		case !tt.refused && d.last().Flags.Has(fiscal.FlagNoService) != tt.flag:
			t.Errorf("%s: findings %v", tt.name, d.last().Flags)
		}
	}
}
