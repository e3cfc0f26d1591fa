package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/authority/link"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// paper is an application about a register of Kazakhstan as an operator sends it.
func paper(id, kind string, xin fiscal.XIN, serial string) kgd.Application {
	return kgd.Application{
		Format: kgd.Format, ID: id, Kind: kind, Country: fiscal.Kazakhstan, Register: 200145, BIN: xin, SignedAt: time.Now().UTC(),
		Content:   fmt.Appendf(nil, `{"format":"ofd-application/1","operator":{"bin":"1"},"form":{"xin":%q,"title":{"ru":"ТОО"},"model":"Пион-102Ф","serial_number":%q}}`, xin, serial),
		Signature: []byte{0x30, 0x80, 1, 2}, Control: []kgd.FieldError{},
	}
}

// russianPaper is one about a register of Russia, whose drive ends in its serial
// number.
func russianPaper(id, kind string, inn fiscal.XIN, serial string) fns.Application {
	k := paper(id, kind, inn, serial)
	return fns.Application{
		Format: fns.Format, ID: id, Form: fns.FormOf(kind), Kind: kind, Register: k.Register, INN: inn, Drive: pad(serial, 16), SignedAt: k.SignedAt,
		Content: k.Content, Signature: k.Signature, Control: []fns.FieldError{},
	}
}

// submit hands over an application of either country.
func (f *far) submit(a any) string {
	f.Helper()
	var got kgd.ApplicationTaken
	id, path := "", kgd.PathApplications
	switch a := a.(type) {
	case kgd.Application:
		id = a.ID
	case fns.Application:
		id, path = a.ID, fns.PathApplications
	}
	f.must(http.StatusOK, &got, "POST", path, a)
	if got.ID != id {
		f.Errorf("the answer to application %q is to %q", id, got.ID)
	}
	return got.Number
}

// decided waits until there are so many decisions of Kazakhstan's authority, and
// returns all of them; decidedAt those of either.
func (f *far) decided(n int) []kgd.Decision {
	f.Helper()
	return f.decidedAt(kgd.PathDecisions, n)
}

func (f *far) decidedAt(path string, n int) []kgd.Decision {
	f.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var all []kgd.Decision
		for after := ""; ; {
			var page kgd.Decisions
			f.must(http.StatusOK, &page, "GET", path+"?limit=2&after="+after, nil)
			all = append(all, page.Decisions...)
			if len(page.Decisions) == 0 {
				break
			}
			after = page.Next
		}
		if len(all) >= n {
			return all
		}
		if time.Now().After(end) {
			f.Fatalf("%d decisions, want %d", len(all), n)
		}
	}
}

// TestApplications: registered with a number that was never given, once, and what
// follows for the register.
//
// Req: O-063, O-065
func TestApplications(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, Config{Dir: dir, DecideAfter: -1})
	a := paper("north-1", kgd.ApplicationRegister, ownerBIN, "SN0001")
	number := f.submit(a)
	if again := f.submit(a); again != number || number == "" {
		t.Errorf("the same application is called %q, then %q", number, again)
	}
	other := a
	other.Kind = kgd.ApplicationDeregister
	f.must(http.StatusConflict, nil, "POST", kgd.PathApplications, other)

	f.submit(paper("north-3", kgd.ApplicationRegister, ownerBIN, "SN0001")) // twice
	all := f.decided(2)
	if d := all[0]; d.ID != "north-1" || d.Number != number || !d.Granted || len(d.RegistrationNumber) != 12 || !digits(d.RegistrationNumber, 12, 12) {
		t.Errorf("Kazakhstan: %+v", d)
	}
	if d := all[1]; d.Granted || d.Why.KK == "" || d.Why.RU == "" || d.RegistrationNumber != "" {
		t.Errorf("the same register twice: %+v, want a refusal in words", d)
	}
	given := all[0].RegistrationNumber

	// A change keeps the number; a stranger may not have it; taken off, it is gone.
	step := func(id, kind string, xin fiscal.XIN, number string) {
		a := paper(id, kind, xin, "SN0001")
		a.RegistrationNumber = number
		f.submit(a)
	}
	step("north-4", kgd.ApplicationChange, ownerBIN, given)
	f.decided(3)
	step("north-5", kgd.ApplicationDeregister, "190340024183", given)
	f.decided(4)
	step("north-6", kgd.ApplicationDeregister, ownerBIN, given)
	f.decided(5)
	step("north-7", kgd.ApplicationChange, ownerBIN, given)
	step("north-8", kgd.ApplicationChange, ownerBIN, "")
	f.decided(7)
	f.submit(paper("north-9", kgd.ApplicationRegister, ownerBIN, "SN0001"))
	got := ""
	for _, d := range f.decided(8)[2:] {
		got += fmt.Sprintf("%s %t %t; ", d.ID, d.Granted, d.RegistrationNumber == given)
		if d.ID == "north-9" && d.RegistrationNumber == "" {
			t.Error("nothing was given to a register that came back")
		}
	}
	if want := "north-4 true true; north-5 false false; north-6 true true; north-7 false false; north-8 false false; north-9 true false; "; got != want {
		t.Errorf("decisions:\n%s\nwant\n%s", got, want)
	}
}

// TestApplicationForm: what is no application is 422, and is not tried again.
func TestApplicationForm(t *testing.T) {
	t.Parallel()
	f := open(t, Config{ByPerson: true})
	for name, change := range map[string]func(*kgd.Application){
		"another format":     func(a *kgd.Application) { a.Format = "kgd/9" },
		"no id":              func(a *kgd.Application) { a.ID = "" },
		"an id with a space": func(a *kgd.Application) { a.ID = "a b" },
		"another kind":       func(a *kgd.Application) { a.Kind = "wish" },
		"another country":    func(a *kgd.Application) { a.Country = "ru" },
		"wrong check digit":  func(a *kgd.Application) { a.BIN = "220540013370" },
		"no register":        func(a *kgd.Application) { a.Register = 0 },
		"never signed":       func(a *kgd.Application) { a.SignedAt = time.Time{} },
		"signed next week":   func(a *kgd.Application) { a.SignedAt = a.SignedAt.Add(7 * 24 * time.Hour) },
		"content is none":    func(a *kgd.Application) { a.Content = []byte("dear sirs") },
		"signature is none":  func(a *kgd.Application) { a.Signature = []byte("J. Doe") },
	} {
		a := paper("x-1", kgd.ApplicationRegister, ownerBIN, "1")
		change(&a)
		if status, answer, err := f.send("POST", kgd.PathApplications, a); err != nil || status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s, %v, want 422", name, status, answer, err)
		}
	}
	f.must(http.StatusUnprocessableEntity, nil, "POST", kgd.PathApplications, "no JSON")
}

// TestKnown: once anybody is on record in a country, others are not.
//
// Req: O-058, O-059
func TestKnown(t *testing.T) {
	t.Parallel()
	known, err := ParseKnown("known", []byte("# who may\n\nkz taxpayer "+ownerBIN+" ТОО «Рахмет»\nkz model Пион-102Ф\n"))
	if err != nil || len(known) != 2 || known[0].Title != "ТОО «Рахмет»" || known[1].Name != "Пион-102Ф" {
		t.Fatalf("ParseKnown = %+v, %v", known, err)
	}
	for _, bad := range []string{"kz taxpayer", "kz taxpayer 1 X", "xx model Y", "kz person 1"} {
		if _, err := ParseKnown("known", []byte("\n"+bad)); err == nil || !strings.HasPrefix(err.Error(), "known:2: ") {
			t.Errorf("ParseKnown(%q) = %v, want a complaint about line 2", bad, err)
		}
	}
	f := open(t, Config{DecideAfter: -1, Known: known})
	f.submit(paper("a-1", kgd.ApplicationRegister, ownerBIN, "1"))
	f.submit(paper("a-2", kgd.ApplicationRegister, "190340024183", "2"))
	a := paper("a-3", kgd.ApplicationRegister, ownerBIN, "3")
	a.Content = []byte(strings.Replace(string(a.Content), "Пион-102Ф", "Пион-1", 1))
	f.submit(a)
	f.submit(russianPaper("a-4", kgd.ApplicationRegister, ownerINN, "4")) // there all are
	if all := f.decidedAt(fns.PathDecisions, 1); !all[0].Granted {
		t.Errorf("Russia, where nobody is on record: %+v, want a grant", all[0])
	}
	a = paper("a-5", kgd.ApplicationRegister, ownerBIN, "5")
	a.Content = []byte(strings.Replace(string(a.Content), ownerBIN, "190340024183", 1))
	f.submit(a)
	got := ""
	for _, d := range f.decided(4) {
		got += fmt.Sprintf("%s %t %s; ", d.ID, d.Granted, d.Why.EN)
	}
	why := kazakhReasons()
	want := "a-1 true ; a-2 false " + why.taxpayer.EN + "; a-3 false " + why.model.EN + "; a-5 false " + why.owner.EN + "; "
	if got != want {
		t.Errorf("decisions:\n%s\nwant\n%s", got, want)
	}
}

// TestDecidedByPerson: nothing is decided until somebody does, and then once.
func TestDecidedByPerson(t *testing.T) {
	t.Parallel()
	f := open(t, Config{ByPerson: true})
	one, two := f.submit(paper("p-1", kgd.ApplicationRegister, ownerBIN, "1")), f.submit(russianPaper("p-2", kgd.ApplicationRegister, ownerINN, "2"))
	if err := f.Decide(t.Context(), two, Verdict{Grant: true, Number: "1234567890123456"}); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("a number that does not check itself: %v, want Invalid", err)
	}
	if err := f.Decide(t.Context(), one, Verdict{}); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("a refusal without words: %v, want Invalid", err)
	}
	if err := f.Decide(t.Context(), "KZ-1999-000001", Verdict{Grant: true}); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("an application that is not there: %v, want NotFound", err)
	}
	if err := f.Decide(t.Context(), two, Verdict{Why: fiscal.Text{RU: "Нет подписи руководителя."}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Decide(t.Context(), one, Verdict{Grant: true, Number: "620300471826"}); err != nil {
		t.Fatal(err)
	}
	if err := f.Decide(t.Context(), one, Verdict{Grant: true}); !errors.Is(err, fiscal.Conflict) {
		t.Errorf("decided again: %v, want Conflict", err)
	}
	kazakh, russian := f.decided(1), f.decidedAt(fns.PathDecisions, 1)
	if len(kazakh) != 1 || len(russian) != 1 || russian[0].ID != "p-2" || russian[0].Why.RU != "Нет подписи руководителя." || kazakh[0].RegistrationNumber != "620300471826" {
		t.Errorf("decisions: %+v and %+v, want each country's own", kazakh, russian)
	}
}

// TestClient: our own client and this authority understand each other.
//
// Req: O-063, O-105
func TestClient(t *testing.T) {
	t.Parallel()
	f := open(t, Config{DecideAfter: -1})
	c, err := kgd.Open(link.Config{URL: f.url}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	var docs []delivery.Document
	for i := int64(1); i <= 5; i++ {
		d := sale(7, i, 100_00)
		if i == 3 {
			d.Total++
		}
		docs = append(docs, delivery.Document{ID: d.ID, Body: []byte(ndjson(t, d))})
	}
	for range 2 {
		if refused, err := c.Send(ctx, docs); err != nil || len(refused) != 1 || refused[0].ID != "7-3" {
			t.Fatalf("Send = %+v, %v, want 7-3 refused", refused, err)
		}
	}
	all, next, err := c.Counts(ctx, fiscal.WallTime(atNine.Unix()).Day(), "", 10)
	if err != nil || next != "" || len(all) != 1 || all[0].Documents != 4 || all[0].Receipts[0].Sum != 400_00 || all[0].Last != 5 {
		t.Errorf("Counts = %+v, %q, %v", all, next, err)
	}
	a := paper("c-1", kgd.ApplicationRegister, ownerBIN, "1")
	number, err := c.Submit(ctx, delivery.Submission{ID: a.ID, Country: a.Country, Kind: registry.Enrol, XIN: a.BIN, Register: a.Register, Content: a.Content, Signature: a.Signature, SignedAt: a.SignedAt})
	if err != nil || number == "" {
		t.Fatalf("Submit = %q, %v", number, err)
	}
	var rejected *delivery.Rejected
	if _, err := c.Submit(ctx, delivery.Submission{ID: "c-2", Country: "xx"}); !errors.As(err, &rejected) {
		t.Errorf("what is no application: %v, want it rejected", err)
	}
	f.decided(1)
	ds, place, err := c.Decisions(ctx, "", 10)
	if err != nil || len(ds) != 1 || ds[0].ID != a.ID || ds[0].Number != number || !ds[0].Granted || place == "" {
		t.Errorf("Decisions = %+v, %q, %v", ds, place, err)
	}
	if ds, again, err := c.Decisions(ctx, place, 10); err != nil || len(ds) != 0 || again != place {
		t.Errorf("Decisions behind the last = %+v, %q, %v, want none and the same place", ds, again, err)
	}
	if err := c.SendReport(ctx, fiscal.WallTime(atNine.Unix()), time.Now(), []byte(`{"availability":"100"}`)); err != nil {
		t.Errorf("SendReport: %v", err)
	}
}
