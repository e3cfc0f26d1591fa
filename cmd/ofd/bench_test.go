package main

import (
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// TestBenchRegisters shows that a load's registers are ones that the registry
// takes, and that each taxpayer has ten.
func TestBenchRegisters(t *testing.T) {
	for name, tt := range map[string]struct {
		load  benchProtocol
		right func(fiscal.XIN) bool
	}{
		"kkm": {benchKKM{}, func(x fiscal.XIN) bool { return fiscal.CheckXIN(x, "bin") == nil }},
		"kkt": {benchKKT{}, func(x fiscal.XIN) bool { return fiscal.ValidINN(string(x)) }},
	} {
		owners, drives, series := make(map[fiscal.XIN]int), make(map[string]bool), time.Now().UnixMicro()
		for i := range 30_000 {
			r := tt.load.register(series, i)
			if !tt.right(r.XIN) {
				t.Fatalf("%s: register %d: %q", name, i, r.XIN)
			}
			if r.Country == fiscal.Russia && (len(r.Drive) != 16 || drives[r.Drive]) {
				t.Fatalf("%s: register %d: drive %q", name, i, r.Drive)
			}
			owners[r.XIN]++
			drives[r.Drive] = true
		}
		if len(owners) != 3000 {
			t.Errorf("%s: %d taxpayers, want 3000", name, len(owners))
		}
		for x, n := range owners {
			if n != 10 {
				t.Errorf("%s: taxpayer %s has %d registers, want 10", name, x, n)
			}
		}
	}
}
