package postgres

import (
	"testing"
	"time"

	"openofd/internal/delivery"
)

// TestLeaseRunsOut shows that a lease is another's once its span is over by the
// server's clock, and at once when it is given back.
func TestLeaseRunsOut(t *testing.T) {
	db := installation(t)
	id := delivery.IDOf("fns")
	lease := func(holder string, span time.Duration) bool {
		t.Helper()
		ok, err := db.Lease(t.Context(), id, 3, holder, span)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !lease("a", time.Hour) || lease("b", time.Hour) {
		t.Fatal("want the lease given to a, and refused to b")
	}
	if ok, err := db.Lease(t.Context(), id, 2, "b", time.Hour); err != nil || !ok {
		t.Errorf("the lease of another group = %t, %v, want it", ok, err)
	}
	if err := db.Release(t.Context(), id, 3, "a"); err != nil {
		t.Fatal(err)
	}
	if !lease("b", 50*time.Millisecond) {
		t.Error("b's lease was refused after a gave it back")
	}
	for until := time.Now().Add(20 * time.Second); !lease("c", time.Hour); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("b's lease of 50 ms does not end")
		}
	}
	if lease("b", time.Hour) {
		t.Error("b got back what had run out and is c's")
	}
}
