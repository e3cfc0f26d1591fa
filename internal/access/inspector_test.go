package access_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

// notary believes a file that is the content behind the number of its signer.
type notary struct{}

func (notary) Verify(file, content []byte) (*signature.Verdict, error) {
	who, text, ok := bytes.Cut(file, []byte("\x00"))
	if !ok || !bytes.Equal(text, content) {
		return nil, &fiscal.Error{Of: fiscal.Invalid, Field: "signature", Msg: "of another text"}
	}
	return &signature.Verdict{Owner: signature.Owner{IIN: fiscal.XIN(who), Serial: "0A1B", Issuer: "CN=ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ"}}, nil
}

func signed(who fiscal.XIN, text []byte) []byte { return append([]byte(who+"\x00"), text...) }

// inspector is somebody of an authority, known to a house.
func (h *house) inspector(email string, of access.Inspector) access.User {
	h.Helper()
	u, err := access.Operator{Service: h.Service, By: "test"}.AddInspector(h.Context(), access.NewUser{Email: email, Name: "Ержан Тексеруші", Password: strong, Language: "kk"}, of)
	h.must(err)
	return u
}

// half is the session of who has shown the password.
func (h *house) half(email string) string {
	h.Helper()
	token, half, err := h.SignIn(h.Context(), email, strong, here)
	h.must(err)
	if !half {
		h.Fatal("a password alone let an inspector in")
	}
	return token
}

// entered is an inspector who has shown the certificate too.
func (h *house) entered(email string, iin fiscal.XIN) *access.Actor {
	h.Helper()
	token := h.half(email)
	challenge, err := h.AskCertificate(h.Context(), token)
	h.must(err)
	text, err := h.CertificateText(h.Context(), token, challenge)
	h.must(err)
	full, err := h.SignInByCertificate(h.Context(), token, challenge, signed(iin, text), here)
	h.must(err)
	return h.actor(full)
}

func freeIIN(t *testing.T, start string) fiscal.XIN {
	for d := range 100 {
		x := fiscal.XIN(start + string(rune('0'+d/10)) + string(rune('0'+d%10)))
		if fiscal.CheckXIN(x, "iin") == nil {
			return x
		}
	}
	t.Fatalf("no IIN begins with %s", start)
	return ""
}

// TestInspectorSignsIn: an inspector comes in by password and a signature of
// this session's challenge, and by nothing less.
//
// Req: O-021, O-045
func TestInspectorSignsIn(t *testing.T) {
	h := newHouse(t, access.Config{Judge: notary{}, Site: "https://ofd.example"})
	mine, other := freeIIN(t, "9001013000"), freeIIN(t, "8506154005")
	h.inspector("a@kgd.example", access.Inspector{Authority: " МГД  Алматы ", IIN: mine, Serial: "0a:1b", Issuer: "орталық"})
	ctx := h.Context()
	token := h.half("a@kgd.example")
	if _, err := h.Resume(ctx, token, here); err == nil {
		t.Error("half a session is a whole one")
	}
	_, err := h.SecondFactor(ctx, token, "123456", here)
	h.wants("a number in the place of a certificate", err, fiscal.Unauthenticated, "session")
	challenge, err := h.AskCertificate(ctx, token)
	h.must(err)
	text, err := h.CertificateText(ctx, token, challenge)
	h.must(err)
	for _, want := range []string{"a@kgd.example", "https://ofd.example", challenge} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the text that is signed lacks %q:\n%s", want, text)
		}
	}
	_, err = h.SignInByCertificate(ctx, token, challenge, signed(other, text), here)
	h.wants("somebody else's certificate", err, fiscal.Unauthenticated, "signature")
	_, err = h.SignInByCertificate(ctx, token, challenge, signed(mine, []byte("другое")), here)
	h.wants("a signature of another text", err, fiscal.Invalid, "signature")
	_, err = h.SignInByCertificate(ctx, token, challenge[:20], signed(mine, text), here)
	h.wants("no challenge of ours", err, fiscal.Unauthenticated, "session")
	second := h.half("a@kgd.example")
	_, err = h.SignInByCertificate(ctx, second, challenge, signed(mine, text), here)
	h.wants("the challenge of another session", err, fiscal.Unauthenticated, "session")
	full, err := h.SignInByCertificate(ctx, token, challenge, signed(mine, text), here)
	h.must(err)
	_, err = h.SignInByCertificate(ctx, token, challenge, signed(mine, text), here)
	h.wants("the same signature again", err, fiscal.Unauthenticated, "session")
	a := h.actor(full)
	h.must(a.MustInspect())
	h.wants("an inspector is no staff", a.MustStaff(), fiscal.Denied, "staff")
	if got := h.acts(0, 4); got[0] != access.ActSignedIn || got[1] != access.ActSignInFailed || got[2] != access.ActSignInFailed {
		t.Errorf("the newest acts are %v", got)
	}

	// In time, and not too often.
	challenge, err = h.AskCertificate(ctx, second)
	h.must(err)
	text, err = h.CertificateText(ctx, second, challenge)
	h.must(err)
	for range 5 {
		if _, err := h.SignInByCertificate(ctx, second, challenge, signed(other, text), here); err == nil {
			t.Error("another's certificate is taken")
		}
	}
	_, err = h.SignInByCertificate(ctx, second, challenge, signed(mine, text), here)
	h.wants("a sixth try", err, fiscal.RateLimited, "user")
	h.clock = h.clock.Add(3 * time.Hour)
	third := h.half("a@kgd.example")
	challenge, err = h.AskCertificate(ctx, third)
	h.must(err)
	h.clock = h.clock.Add(10 * time.Minute)
	_, err = h.CertificateText(ctx, third, challenge)
	h.wants("a challenge that has ended", err, fiscal.Unauthenticated, "session")

	o := access.Operator{Service: h.Service, By: "test"}
	b := h.entered("a@kgd.example", mine)
	h.must(o.EndInspector(ctx, "a@kgd.example", false))
	_, err = h.OpenInspection(ctx, b, access.NewInspection{Number: "1", Date: "2026-11-20", Reason: "мониторинг продаж"})
	h.wants("a look of who was ended a moment ago", err, fiscal.Denied, "user")
	_, _, err = h.SignIn(ctx, "a@kgd.example", strong, here)
	h.wants("an inspector who was ended", err, fiscal.Denied, "user")
	h.wants("an end of who is no inspector", o.EndInspector(ctx, "nobody@example.kz", false), fiscal.NotFound, "user")
	for field, of := range map[string]access.Inspector{
		"authority": {IIN: mine}, "iin": {Authority: "МГД", IIN: "900101300009"}, "serial": {Authority: "МГД", IIN: mine, Serial: "xyz"},
	} {
		_, err := o.AddInspector(ctx, access.NewUser{Email: "b@kgd.example", Name: "Б", Password: strong}, of)
		h.wants("a bad "+field, err, fiscal.Invalid, field)
	}
}

// TestInspection: nothing is seen without a ground; each look stands on it and
// where the client sees it.
//
// Req: O-021, O-045, O-048
func TestInspection(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		h := newHouse(t, access.Config{Judge: notary{}, HideInspections: hidden})
		mine, ctx := freeIIN(t, "9001013000"), h.Context()
		of, another := h.taxpayer("190340024183"), h.taxpayer("210140012347")
		h.inspector("a@kgd.example", access.Inspector{Authority: "МГД", IIN: mine})
		a := h.entered("a@kgd.example", mine)
		if a.May(access.SeeStatus) || a.Must(access.SeeRevenue) == nil {
			t.Error("an inspector has a right in some organization")
		}
		h.wants("a look without a ground", h.Inspected(ctx, a, of, access.ActInspected, "receipts"), fiscal.Denied, "ground")
		for field, in := range map[string]access.NewInspection{
			"number": {Date: "2026-11-20", Reason: "камеральный контроль"}, "date": {Number: "7", Date: "2036-01-01", Reason: "камеральный контроль"}, "reason": {Number: "7", Date: "2026-11-20", Reason: "да"},
		} {
			_, err := h.OpenInspection(ctx, a, in)
			h.wants("a ground without "+field, err, fiscal.Invalid, field)
		}
		i, err := h.OpenInspection(ctx, a, access.NewInspection{Number: "7", Date: "2026-11-20", Reason: "камеральный контроль", Taxpayer: of, Subject: "Казына"})
		h.must(err)
		h.must(h.Inspected(ctx, a, 0, access.ActInspectedSearch, "190340024183"))
		h.must(h.Inspected(ctx, a, of, access.ActInspected, "receipts"))
		h.wants("a look at whom the ground does not concern", h.Inspected(ctx, a, another, access.ActInspected, "receipts"), fiscal.Denied, "inspection")
		chain := of
		if hidden {
			chain = 0
			if got := h.acts(of, 5); len(got) != 0 {
				t.Errorf("the client sees %v, and must not", got)
			}
		}
		all, err := h.db.Audit(ctx, chain, 0, 1)
		h.must(err)
		if len(all) != 1 || all[0].Act != access.ActInspected || all[0].Detail != i.Ground() || !strings.Contains(all[0].Object, "receipts") || all[0].Who != "a@kgd.example" {
			t.Errorf("hidden %v: the look is recorded as %+v", hidden, all)
		}
		got, looks, err := h.Looks(ctx, a, i.ID, 0, 10)
		h.must(err)
		if got.Looks != 2 || len(looks) != 2 || looks[0].Taxpayer != of || looks[1].Act != access.ActInspectedSearch {
			t.Errorf("on the ground %+v stand %+v", got, looks)
		}
		window := *a
		h.must(h.CloseInspection(ctx, a))
		h.wants("a look in another window after the end", h.Inspected(ctx, &window, of, access.ActInspected, "receipts"), fiscal.Denied, "ground")
		h.wants("a ground that was closed", h.ResumeInspection(ctx, a, i.ID), fiscal.NotFound, "inspection")

		client := h.person("owner@example.kz")
		_, err = h.Inspections(ctx, client, 0, 0, 10)
		h.wants("a client who lists grounds", err, fiscal.Denied, "staff")
		_, _, err = h.Looks(ctx, client, i.ID, 0, 10)
		h.wants("a client who reads looks", err, fiscal.Denied, "staff")
		_, err = h.OpenInspection(ctx, client, access.NewInspection{Number: "7", Date: "2026-11-20", Reason: "камеральный контроль"})
		h.wants("a client who opens a ground", err, fiscal.Denied, "inspector")
		h.inspector("b@kgd.example", access.Inspector{Authority: "МГД", IIN: mine})
		b := h.entered("b@kgd.example", mine)
		_, _, err = h.Looks(ctx, b, i.ID, 0, 10)
		h.wants("another inspector's looks", err, fiscal.NotFound, "inspection")
		h.wants("another inspector's ground", h.ResumeInspection(ctx, b, i.ID), fiscal.NotFound, "inspection")
	}
}
