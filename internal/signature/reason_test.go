package signature

import (
	"errors"
	"os"
	"strings"
	"testing"

	"openofd/internal/fiscal"
)

// TestReasons: each reason has its own name, words that end as sentences do,
// advice, and a Kind that is not our own fault.
func TestReasons(t *testing.T) {
	seen := make(map[string]Reason)
	for _, r := range Reasons() {
		for _, text := range []string{r.String(), r.What()} {
			if other, twice := seen[text]; twice || text == "" {
				t.Errorf("%q of %d belongs to %d as well", text, r, other)
			}
			seen[text] = r
		}
		if !strings.HasSuffix(r.What(), ".") || r.Advice() == "" {
			t.Errorf("%v: %q, advice %q; want a sentence and advice", r, r.What(), r.Advice())
		}
		if r.Kind() == fiscal.Internal {
			t.Errorf("%v has no Kind", r)
		}
		err := crossing(&Refusal{Reason: r, Detail: "why"})
		var crossed *fiscal.Error
		if !errors.Is(err, r) || !errors.Is(err, r.Kind()) || !errors.As(err, &crossed) || crossed.Kind() != r.Kind() {
			t.Errorf("%v does not cross a package border: %v", r, err)
		}
		if got := RefusalOf(err); got == nil || got.Reason != r || !strings.Contains(err.Error(), "why") {
			t.Errorf("RefusalOf(%v) = %v, want %v", err, got, r)
		}
	}
	if r := RefusalOf(errors.New("other")); r != nil {
		t.Errorf("RefusalOf(another error) = %v, want nil", r)
	}
}

// TestEveryReasonIsShown: no reason stands in the list that no test shows.
func TestEveryReasonIsShown(t *testing.T) {
	shown := map[Reason]bool{ // by tests of their own
		TooLarge: true, NoContent: true, ContentDiffers: true, DigestDiffers: true, WrongSignature: true,
		SignedAhead: true, SignedOutOfTerm: true, RevocationUnknown: true, RevocationStale: true,
		OtherTaxpayer: true, PersonalKey: true, NoRightToSign: true, OtherKeyKind: true,
	}
	for _, tt := range refused {
		shown[tt.want] = true
	}
	for _, r := range Reasons() {
		if !shown[r] {
			t.Errorf("no test shows %v", r)
		}
	}
}

// TestReasonsInTheDocs: docs/signatures.md tells every reason as it is.
func TestReasonsInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/signatures.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Reasons() {
		if line := "| `" + r.String() + "` | " + r.Kind().String() + " | " + r.What() + " |\n"; !strings.Contains(string(page), line) {
			t.Errorf("docs/signatures.md lacks the line\n%s", line)
		}
	}
}
