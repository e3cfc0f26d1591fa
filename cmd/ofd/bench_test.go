package main

import (
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// TestBenchRegisters shows that a load's registers are ones that the registry
// takes, and that each taxpayer has ten.
func TestBenchRegisters(t *testing.T) {
	owners := make(map[fiscal.XIN]int)
	for i := range 30_000 {
		r := benchRegister(time.Now().UnixMicro(), i)
		if err := fiscal.CheckXIN(r.XIN, "bin"); err != nil {
			t.Fatalf("register %d: %v", i, err)
		}
		owners[r.XIN]++
	}
	if len(owners) != 3000 {
		t.Errorf("%d taxpayers, want 3000", len(owners))
	}
	for x, n := range owners {
		if n != 10 {
			t.Errorf("taxpayer %s has %d registers, want 10", x, n)
		}
	}
}
