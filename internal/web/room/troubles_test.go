package room

import (
	"testing"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// Every trouble has words, and is found again in an error's text, which never
// names two.
func TestTroublesHaveWords(t *testing.T) {
	for _, one := range delivery.Troubles() {
		if troubleKeys[one] == "" {
			t.Errorf("%q has no words", one)
		}
		text := (&fiscal.Error{Of: fiscal.Unavailable, Field: "fns", Msg: "the far end did not take it", Err: one}).Error()
		if got := delivery.TroubleIn("submit application x: " + text); got != one {
			t.Errorf("%q tells of %q, want %q", text, got, one)
		}
	}
	if got := delivery.TroubleIn("unavailable: the disk is full"); got != "" {
		t.Errorf("a full disk tells of %q", got)
	}
	if len(troubleKeys) != len(delivery.Troubles()) {
		t.Errorf("%d words for %d troubles", len(troubleKeys), len(delivery.Troubles()))
	}
}
