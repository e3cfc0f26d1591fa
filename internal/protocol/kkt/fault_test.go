package kkt_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
)

func TestReactionTo(t *testing.T) {
	tests := []struct {
		err  error
		want kkt.Reaction
		kind fiscal.Kind
	}{
		{&kkt.SyntaxError{Fault: kkt.FaultFrameCRC}, kkt.ReactClose, fiscal.Invalid},
		{fmt.Errorf("read: %w", &kkt.SyntaxError{Fault: kkt.FaultDrives}), kkt.ReactIncident, fiscal.Invalid},
		{&kkt.SyntaxError{Fault: kkt.FaultNumbers}, kkt.ReactIncident, fiscal.Invalid},
		{&kkt.SyntaxError{Fault: kkt.FaultUnreadable}, kkt.ReactRefuse, fiscal.Invalid},
		{kkt.ErrSignInvalid, kkt.ReactQuarantine, fiscal.Unauthenticated},
		{fmt.Errorf("open: %w", kkt.ErrCannotDecrypt), kkt.ReactQuarantine, fiscal.Unauthenticated},
		{kkt.ErrUnknownDrive, kkt.ReactQuarantine, fiscal.Unauthenticated},
		{kkt.ErrKeyUnavailable, kkt.ReactClose, fiscal.Unavailable},
		{kkt.ErrTemporary, kkt.ReactClose, fiscal.Unavailable},
		{&fiscal.Error{Reason: fiscal.StoreDown}, kkt.ReactClose, fiscal.Unavailable},
		{context.DeadlineExceeded, kkt.ReactClose, fiscal.Internal},
	}
	for _, tt := range tests {
		if got := kkt.ReactionTo(tt.err); got != tt.want {
			t.Errorf("ReactionTo(%v) = %v, want %v", tt.err, got, tt.want)
		}
		if tt.kind != fiscal.Internal && !errors.Is(tt.err, tt.kind) {
			t.Errorf("%v is not %v", tt.err, tt.kind)
		}
	}
	if got := kkt.ReactionTo(nil); got != kkt.ReactNothing {
		t.Errorf("ReactionTo(nil) = %v", got)
	}
}

// Every fault has a name of its own and a reaction; only a document that was
// authenticated is ever acknowledged.
func TestFaults(t *testing.T) {
	names := map[string]bool{"": true, "none": true, "unknown": true}
	for _, f := range kkt.Faults() {
		if names[f.String()] {
			t.Errorf("fault %d: name %q is taken", f, f)
		}
		names[f.String()] = true
		if f.Reaction() == kkt.ReactNothing || f.Reaction() == kkt.ReactRefuse && f != kkt.FaultUnreadable {
			t.Errorf("fault %v: reaction %v", f, f.Reaction())
		}
	}
	if unknown := kkt.Fault(250); unknown.Reaction() != kkt.ReactClose || unknown.String() != "unknown" {
		t.Errorf("fault 250 = %v, %v", unknown, unknown.Reaction())
	}
}
