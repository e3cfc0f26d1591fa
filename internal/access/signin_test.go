package access_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// TestSignUp walks from an address to a person, with everything that can go
// wrong on the way.
//
// Req: E-025, E-026, E-027, E-028, E-029, P-046
func TestSignUp(t *testing.T) {
	h := newHouse(t, access.Config{})
	for _, email := range []string{"", "asel", "asel@kz", "a@b@example.kz", "asel@example..kz", "a b@example.kz", "asel@example.k", strings.Repeat("a", 65) + "@example.kz", "<asel>@example.kz"} {
		if err := h.SignUp(t.Context(), email, "kk"); !errors.Is(err, fiscal.Invalid) {
			t.Errorf("SignUp(%q): error %v, want Invalid", email, err)
		}
	}
	h.must(h.SignUp(t.Context(), " Asel@Example.KZ ", "kk"))
	code := h.letter(access.MailSignUp, "asel@example.kz").Code
	if strings.Contains(fmt.Sprint(h.acts(0, 9)), code) {
		t.Error("the code stands in the audit")
	}
	h.wants("a second letter at once", h.SignUp(t.Context(), "asel@example.kz", "kk"), fiscal.RateLimited, "email")
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	in := access.NewUser{Email: "asel@example.kz", Code: wrong, Name: "Әсел", Password: strong, Language: "kk"}
	confirm := func() error { _, _, err := h.Confirm(t.Context(), in, here); return err }
	h.wants("a wrong code", confirm(), fiscal.BadValue, "code")
	in.Code = ""
	h.wants("no code", confirm(), fiscal.MissingParameter, "code")
	in.Code, in.Name = code, "  "
	h.wants("no name", confirm(), fiscal.MissingParameter, "name")
	in.Name, in.Password = "Әсел", "12345"
	h.wants("a short password", confirm(), fiscal.BadValue, "password")
	in.Password = strong

	h.clock = h.clock.Add(16 * time.Minute)
	h.wants("an expired code", confirm(), fiscal.BadValue, "code")
	h.must(h.SignUp(t.Context(), "asel@example.kz", "kk"))
	in.Code = h.letter(access.MailSignUp, "asel@example.kz").Code
	in.Code = in.Code[:3] + " " + in.Code[3:]
	token, u, err := h.Confirm(t.Context(), in, here)
	h.must(err)
	if u.ID == 0 || u.Name != "Әсел" || len(token) != access.TokenLen {
		t.Errorf("Confirm = %+v, token of %d", u, len(token))
	}
	h.wants("a code that was used", confirm(), fiscal.BadValue, "code")
	if got, want := h.acts(0, 9), []access.Act{access.ActSignedUp}; !slices.Equal(got, want) {
		t.Errorf("audit = %v, want %v", got, want)
	}

	// Who is there already learns it by letter alone.
	h.clock = h.clock.Add(time.Hour)
	h.must(h.SignUp(t.Context(), "asel@example.kz", "ru"))
	if m := h.letter(access.MailAlreadyThere, "asel@example.kz"); m.Code != "" || m.Language != "kk" {
		t.Errorf("letter %+v, want no code, in their language", m)
	}
	for n := range 1000 {
		in.Code = fmt.Sprintf("%06d", n)
		if n > 5 {
			break
		}
		if confirm() == nil {
			t.Fatal("a second person with one address")
		}
	}
}

// TestCodeTries: a code dies of five wrong tries, and further letters do not
// give more within its quarter of an hour.
func TestCodeTries(t *testing.T) {
	h := newHouse(t, access.Config{})
	h.must(h.SignUp(t.Context(), "asel@example.kz", "kk"))
	right := h.letter(access.MailSignUp, "asel@example.kz").Code
	try := func(code string) error {
		_, _, err := h.Confirm(t.Context(), access.NewUser{Email: "asel@example.kz", Code: code, Name: "Ә", Password: strong}, here)
		return err
	}
	for i := range 5 {
		if i == 3 {
			h.clock = h.clock.Add(time.Minute)
			h.must(h.SignUp(t.Context(), "asel@example.kz", "kk"))
			right = h.letter(access.MailSignUp, "asel@example.kz").Code
		}
		h.wants("a wrong code", try("x"), fiscal.BadValue, "code")
	}
	h.wants("the right code after five wrong ones", try(right), fiscal.BadValue, "code")
	h.clock = h.clock.Add(20 * time.Minute)
	h.must(h.SignUp(t.Context(), "asel@example.kz", "kk"))
	h.must(try(h.letter(access.MailSignUp, "asel@example.kz").Code))
}

func TestSignUpClosed(t *testing.T) {
	h := newHouse(t, access.Config{Closed: true})
	h.wants("SignUp", h.SignUp(t.Context(), "asel@example.kz", "kk"), fiscal.Denied, "sign_up")
}

// TestPasswordRules names why a password is refused.
func TestPasswordRules(t *testing.T) {
	h := newHouse(t, access.Config{})
	for _, tt := range []struct{ password, want string }{
		{"короткий", "short"}, {strings.Repeat("ұ", 65), "long"}, {"1234567890", "known"}, {"Password123", "known"}, {"qwertyuiop", "known"},
		{"aaaaaaaaaaaa", "known"}, {"abcdefghijkl", "known"}, {"abababababab", "known"}, {"asel@example.kz", "own"}, {"beautiful1!", "known"},
		{"бір ат екі ат үш ат", ""}, {"xkcd-correct-battery", ""},
	} {
		h.clock = h.clock.Add(time.Hour)
		email := "asel@example.kz"
		if tt.want == "" {
			email = fmt.Sprintf("p%d@example.kz", len(tt.password))
		}
		h.must(h.SignUp(t.Context(), email, "kk"))
		_, _, err := h.Confirm(t.Context(), access.NewUser{Email: email, Code: h.letters[len(h.letters)-1].Code, Name: "Ә", Password: tt.password}, here)
		var e *fiscal.Error
		got := ""
		if errors.As(err, &e) {
			got = e.Msg
		}
		if got != tt.want {
			t.Errorf("password %q: %v, want %q", tt.password, err, tt.want)
		}
	}
}

// TestSignIn: the same word for who is not there and for a wrong password, a
// lock after five failures that the right password does not open, and a letter
// about it.
func TestSignIn(t *testing.T) {
	h := newHouse(t, access.Config{})
	h.person("asel@example.kz")
	signIn := func(email, password string) error {
		_, _, err := h.SignIn(t.Context(), email, password, here)
		return err
	}
	a, b := signIn("nobody@example.kz", strong), signIn("asel@example.kz", strong+"!")
	if a == nil || b == nil || a.Error() != b.Error() {
		t.Errorf("nobody: %v, wrong password: %v; want the same words", a, b)
	}
	h.wants("no address", signIn("", strong), fiscal.Unauthenticated, "password")
	h.must(signIn("ASEL@example.kz", strong)) // counts anew
	for range 5 {
		h.wants("a wrong password", signIn("asel@example.kz", "x"), fiscal.Unauthenticated, "password")
	}
	h.letter(access.MailLocked, "asel@example.kz")
	err := signIn("asel@example.kz", strong)
	var wait *access.Wait
	if !errors.Is(err, fiscal.RateLimited) || !errors.As(err, &wait) || wait.For != time.Minute {
		t.Errorf("while locked: %v, want a wait of a minute", err)
	}
	h.clock = h.clock.Add(time.Minute)
	h.wants("a sixth failure", signIn("asel@example.kz", "x"), fiscal.Unauthenticated, "password")
	h.clock = h.clock.Add(time.Minute)
	h.wants("locked for longer", signIn("asel@example.kz", strong), fiscal.RateLimited, "user")
	h.clock = h.clock.Add(time.Minute)
	h.must(signIn("asel@example.kz", strong))
	if got := h.acts(0, 3); !slices.Equal(got, []access.Act{access.ActSignedIn, access.ActLocked, access.ActLocked}) {
		t.Errorf("audit = %v", got)
	}
	all, err := h.db.Audit(t.Context(), 0, 0, 100)
	h.must(err)
	slices.Reverse(all)
	h.must(access.VerifyChain(all))
}

// TestReset: a code from a letter sets a password, and every session ends.
func TestReset(t *testing.T) {
	h := newHouse(t, access.Config{})
	a := h.person("asel@example.kz")
	h.must(h.Forgot(t.Context(), "nobody@example.kz", "ru"))
	if m := h.letter(access.MailResetUnknown, "nobody@example.kz"); m.Code != "" {
		t.Error("a code for who is not there")
	}
	h.must(h.Forgot(t.Context(), "asel@example.kz", "ru"))
	code := h.letter(access.MailReset, "asel@example.kz").Code
	token, half, err := h.Reset(t.Context(), "asel@example.kz", code, "Жаңа құпия сөз", here)
	h.must(err)
	h.letter(access.MailPasswordIsNew, "asel@example.kz")
	if half {
		t.Error("half a session without a second factor")
	}
	if live, err := h.Sessions(t.Context(), h.actor(token)); err != nil || len(live) != 1 {
		t.Errorf("%d sessions, %v, want the new one alone", len(live), err)
	}
	if _, _, err := h.SignIn(t.Context(), a.User.Email, strong, here); !errors.Is(err, fiscal.Unauthenticated) {
		t.Errorf("the old password: %v", err)
	}
	if _, _, err := h.Reset(t.Context(), "asel@example.kz", code, "Тағы бір құпия", here); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("the code again: %v", err)
	}
}

// TestSessions: they end by rest, by age, by hand, and nobody else's can be
// touched.
//
// Req: P-084
func TestSessions(t *testing.T) {
	h := newHouse(t, access.Config{})
	h.person("asel@example.kz")
	other := h.person("berik@example.kz")
	in := func() string {
		token, _, err := h.SignIn(t.Context(), "asel@example.kz", strong, here)
		h.must(err)
		return token
	}
	one, two := in(), in()
	a := h.actor(one)
	for _, token := range []string{"", "x", strings.Repeat("A", access.TokenLen)} {
		if _, err := h.Resume(t.Context(), token, here); !errors.Is(err, fiscal.Unauthenticated) {
			t.Errorf("Resume(%q): %v", token, err)
		}
	}
	h.wants("another's session", h.EndSession(t.Context(), other, a.Session), fiscal.NotFound, "session")
	h.must(h.EndOthers(t.Context(), a))
	if _, err := h.Resume(t.Context(), two, here); !errors.Is(err, fiscal.Unauthenticated) {
		t.Errorf("a session that was ended: %v", err)
	}
	start := h.clock
	for h.clock.Sub(start) < 30*24*time.Hour-11*time.Hour {
		h.clock = h.clock.Add(11 * time.Hour)
		h.actor(one)
	}
	h.clock = start.Add(30*24*time.Hour + time.Second)
	if _, err := h.Resume(t.Context(), one, here); !errors.Is(err, fiscal.Unauthenticated) {
		t.Errorf("after 30 days: %v", err)
	}
	three := in()
	h.clock = h.clock.Add(12*time.Hour + time.Second)
	if _, err := h.Resume(t.Context(), three, here); !errors.Is(err, fiscal.Unauthenticated) {
		t.Errorf("after a rest of 12 hours: %v", err)
	}
	if n, err := h.Sweep(t.Context()); err != nil || n < 2 {
		t.Errorf("Sweep = %d, %v", n, err)
	}
	four := in()
	h.must(h.EndSession(t.Context(), h.actor(four), h.actor(four).Session))
	if got := h.acts(0, 1); got[0] != access.ActSignedOut {
		t.Errorf("audit = %v", got)
	}
}
