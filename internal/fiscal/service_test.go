package fiscal_test

import (
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// Service ends so long after the contract, to the second; what was made in time
// is taken for as long as autonomous work may last.
//
// Req: P-015
func TestServiceOver(t *testing.T) {
	end := time.Date(2026, 3, 10, 6, 0, 0, 0, time.UTC) // of the contract
	const grace, offline = 10 * 24 * time.Hour, 72 * time.Hour
	over := end.Add(grace)
	ended := fiscal.Card{Zone: "Asia/Almaty", RegisteredAt: end, Service: fiscal.Service{Contract: 3, Ended: end}}
	held := fiscal.Card{Zone: "Asia/Almaty", RegisteredAt: end, Service: fiscal.Service{Contract: 4}}
	none := fiscal.Card{Zone: "Asia/Almaty", RegisteredAt: end}
	wall := func(at time.Time) fiscal.WallTime { return fiscal.WallIn(at, ended.Location()) }
	for _, tt := range []struct {
		name     string
		card     *fiscal.Card
		required bool
		now      time.Time
		made     time.Time
		want     bool
	}{
		{"in the days of grace", &ended, false, over.Add(-time.Second), over.Add(-time.Second), false},
		{"behind them", &ended, false, over, over, true},
		{"made before, come late", &ended, false, over.Add(offline - time.Second), over.Add(-time.Second), false},
		{"made before, come too late", &ended, false, over.Add(offline), over.Add(-time.Second), true},
		{"a contract that holds", &held, true, over.AddDate(9, 0, 0), over.AddDate(9, 0, 0), false},
		{"no contract, and none asked for", &none, false, over.AddDate(9, 0, 0), over.AddDate(9, 0, 0), false},
		{"no contract, asked for, in the days of grace", &none, true, over.Add(-time.Second), over.Add(-time.Second), false},
		{"no contract, asked for", &none, true, over, over, true},
	} {
		r := fiscal.ServiceRule{Required: tt.required}
		if got := r.Over(tt.card, grace, offline, tt.now, wall(tt.made)); got != tt.want {
			t.Errorf("%s: Over() = %v, want %v", tt.name, got, tt.want)
		}
	}
}
