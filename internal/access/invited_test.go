package access_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// TestInvitationsAreBounded: letters to people who never asked for them are few,
// to one address and from one organization, however an invitation is taken back
// between them.
func TestInvitationsAreBounded(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop := h.taxpayer("960624350642")
	owner := h.person("owner@example.kz")
	h.must(h.Found(t.Context(), owner, shop, "Казына"))
	owner = h.again(owner)
	invite := func(email string) error {
		return h.Invite(t.Context(), owner, email, access.Viewer, nil, "Казына", "ru")
	}
	for range 3 {
		h.must(invite("asel@example.kz"))
		h.must(h.Withdraw(t.Context(), owner, "asel@example.kz"))
	}
	letters := len(h.letters)
	h.wants("a fourth letter", invite("asel@example.kz"), fiscal.RateLimited, "email")
	if len(h.letters) != letters {
		t.Error("a letter went out all the same")
	}
	for n := range 97 {
		h.must(invite(fmt.Sprintf("n%d@example.kz", n)))
	}
	h.wants("one more than an organization sends in an hour", invite("late@example.kz"), fiscal.RateLimited, "email")
	h.clock = h.clock.Add(time.Hour)
	h.must(invite("asel@example.kz"))
}

// TestKeysEndWithThePassword: a new password ends the keys that the person made,
// and those of nobody else; each end stands in the organization's journal.
func TestKeysEndWithThePassword(t *testing.T) {
	h := newHouse(t, access.Config{})
	shop := h.taxpayer("960624350642")
	owner, helper := h.person("owner@example.kz"), h.person("helper@example.kz")
	h.must(h.Found(t.Context(), owner, shop, "Казына"))
	owner = h.again(owner)
	h.must(h.Invite(t.Context(), owner, "helper@example.kz", access.Administrator, nil, "Казына", "ru"))
	h.must(h.Join(t.Context(), helper, shop))
	helper = h.again(helper)
	kept, _ := h.keep(owner, access.SeeStatus)
	const other = "Тауда бес арқар жүр"
	operator := access.Operator{Service: h.Service, By: "test"}
	for _, step := range []struct {
		what   string
		change func() error
	}{
		{"changed", func() error { return h.ChangePassword(t.Context(), helper, strong, other) }},
		{"set by the operator", func() error { return operator.SetPassword(t.Context(), "helper@example.kz", strong, false) }},
	} {
		token, _ := h.keep(helper, access.SeeStatus)
		h.must(step.change())
		_, _, err := h.ResumeKey(t.Context(), token, here)
		h.wants("a key after the password was "+step.what, err, fiscal.Unauthenticated, "key")
		if got := h.acts(shop, 2); !slices.Equal(got, []access.Act{access.ActKeyEnded, access.ActKeyMade}) {
			t.Errorf("after the password was %s the journal ends with %v, want the key's making and end", step.what, got)
		}
	}
	if _, _, err := h.ResumeKey(t.Context(), kept, here); err != nil {
		t.Errorf("another's key: %v", err)
	}
	if n, err := access.VerifyAudit(t.Context(), h.db, shop); err != nil || n == 0 {
		t.Errorf("VerifyAudit = %d, %v", n, err)
	}
}
