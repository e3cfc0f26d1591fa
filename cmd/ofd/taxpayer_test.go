package main

import (
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// A day begins where the taxpayer is at home: 22:30 in Moscow is the next day
// in Almaty.
func TestHome(t *testing.T) {
	at := time.Date(2026, 3, 13, 19, 30, 0, 0, time.UTC)
	for country, want := range map[fiscal.Country]string{fiscal.Kazakhstan: "2026-03-14", fiscal.Russia: "2026-03-13"} {
		if got := at.In(home(country)).Format("2006-01-02"); got != want {
			t.Errorf("%v in %s is %s, want %s", at, country, got, want)
		}
	}
}
