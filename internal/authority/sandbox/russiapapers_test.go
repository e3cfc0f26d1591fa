package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/link"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// TestRussianApplications: a number that checks itself, once, and what follows
// for the register, in the words of Russia's tax service.
//
// Req: O-063, O-065
func TestRussianApplications(t *testing.T) {
	t.Parallel()
	f := open(t, Config{DecideAfter: -1})
	n := 0
	step := func(a fns.Application) fns.Decision {
		t.Helper()
		n++
		a.ID = fmt.Sprintf("east-%d", n)
		number := f.submit(a)
		if again := f.submit(a); again != number || !strings.HasPrefix(number, "RU-") {
			t.Errorf("application %s is called %q, then %q", a.ID, number, again)
		}
		all := f.decidedAt(fns.PathDecisions, n)
		if d := fns.Decision(all[n-1]); d.ID == a.ID && d.Number == number {
			return d
		}
		t.Fatalf("decision %d is %+v, want that on %s", n, all[n-1], a.ID)
		return fns.Decision{}
	}
	why := russianReasons()
	enrol := russianPaper("", fns.ApplicationRegister, ownerINN, "12345")
	d := step(enrol)
	if !d.Granted || !fiscal.ValidRussianNumber(d.RegistrationNumber, ownerINN, "12345") {
		t.Fatalf("%+v, want a number that checks itself", d)
	}
	given := d.RegistrationNumber
	refused := func(name string, a fns.Application, want fiscal.Text) {
		t.Helper()
		if d := step(a); d.Granted || d.Why != want || d.RegistrationNumber != "" {
			t.Errorf("%s: %+v, want it refused: %s", name, d, want.RU)
		}
	}
	about := func(kind, number, inn string) fns.Application {
		a := russianPaper("", kind, fiscal.XIN(inn), "12345")
		a.RegistrationNumber = number
		return a
	}
	const stranger = "7707083893"
	refused("the same register twice", enrol, why.twice)
	other := russianPaper("", fns.ApplicationRegister, ownerINN, "12345")
	other.Drive = "9999078900000001"
	refused("the same register with another drive", other, why.twice)
	thief := russianPaper("", fns.ApplicationRegister, stranger, "777")
	thief.Drive = enrol.Drive
	refused("the drive of another's register", thief, why.drive)
	refused("a stranger's change", about(fns.ApplicationChange, given, stranger), why.other)
	refused("a change of nothing", about(fns.ApplicationChange, "", ownerINN), why.number)
	lies := about(fns.ApplicationChange, given, ownerINN)
	lies.Content = []byte(strings.Replace(string(lies.Content), ownerINN, stranger, 1))
	refused("another's INN inside", lies, why.owner)
	changed := about(fns.ApplicationChange, given, ownerINN)
	changed.Drive = "9999078900000002"
	if d := step(changed); !d.Granted || d.RegistrationNumber != given {
		t.Errorf("another drive: %+v, want it granted with the number that is there", d)
	}
	if d := step(thief); !d.Granted { // the drive is free now
		t.Errorf("the drive that went out: %+v, want it granted", d)
	}
	if d := step(about(fns.ApplicationDeregister, given, ownerINN)); !d.Granted {
		t.Errorf("taken off: %+v", d)
	}
	refused("a change of what is off", about(fns.ApplicationChange, given, ownerINN), why.gone)
	if d := step(enrolAgain(enrol)); !d.Granted || d.RegistrationNumber == given || !fiscal.ValidRussianNumber(d.RegistrationNumber, ownerINN, "12345") {
		t.Errorf("a register that came back: %+v, want another number", d)
	}
	if all := f.decided(0); len(all) != 0 {
		t.Errorf("Kazakhstan's authority tells of %+v", all)
	}
}

// enrolAgain is the same register with a new drive.
func enrolAgain(a fns.Application) fns.Application {
	a.Drive = "9999078900000003"
	return a
}

// TestRussianApplicationForm: what is no application is 422, and is not tried
// again.
func TestRussianApplicationForm(t *testing.T) {
	t.Parallel()
	f := open(t, Config{ByPerson: true})
	for name, change := range map[string]func(*fns.Application){
		"format":              func(a *fns.Application) { a.Format = "kgd/1" },
		"form":                func(a *fns.Application) { a.Form = fns.FormDeregister },
		"kind":                func(a *fns.Application) { a.Kind, a.Form = "wish", "" },
		"drive":               func(a *fns.Application) { a.Drive = "999907890000000x" },
		"registration_number": func(a *fns.Application) { a.RegistrationNumber = "12" },
		"inn":                 func(a *fns.Application) { a.INN = "7704358519" },
		"id":                  func(a *fns.Application) { a.ID = "a b" },
		"register":            func(a *fns.Application) { a.Register = 0 },
		"signed_at":           func(a *fns.Application) { a.SignedAt = a.SignedAt.Add(7 * 24 * time.Hour) },
		"content":             func(a *fns.Application) { a.Content = []byte("dear sirs") },
		"signature":           func(a *fns.Application) { a.Signature = nil },
	} {
		a := russianPaper("x-1", fns.ApplicationRegister, ownerINN, "1")
		change(&a)
		status, answer, err := f.send("POST", fns.PathApplications, a)
		var p struct{ Detail string }
		if bad := json.Unmarshal(answer, &p); err != nil || bad != nil || status != http.StatusUnprocessableEntity || !strings.HasPrefix(p.Detail, name) && name != "kind" {
			t.Errorf("%s: %d %s, %v, want 422 that names it", name, status, answer, err)
		}
	}
	f.must(http.StatusUnprocessableEntity, nil, "POST", fns.PathApplications, "no JSON")
}

// TestRussianClient: our own client and this authority understand each other,
// through every way of breaking down.
//
// Req: O-063
func TestRussianClient(t *testing.T) {
	t.Parallel()
	f := open(t, Config{DecideAfter: -1})
	c, err := fns.Open(link.Config{URL: f.url}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	a := russianPaper("c-1", fns.ApplicationRegister, ownerINN, "1")
	s := delivery.Submission{
		ID: a.ID, Country: fiscal.Russia, Kind: registry.Enrol, XIN: a.INN, Register: a.Register, Drive: a.Drive, Content: a.Content, Signature: a.Signature, SignedAt: a.SignedAt,
		Control: []registry.FieldError{{Field: "model", Reason: fiscal.BadValue, Only: true}},
	}
	for kind, want := range map[FaultKind]delivery.Trouble{
		Broken: delivery.Failing, Busy: delivery.Failing, Rubbish: delivery.Rubbish, Empty: delivery.EmptyAnswer,
		Half: delivery.CutAnswer, Foreign: delivery.ForeignAnswer, Elsewhere: delivery.Elsewhere,
	} {
		for place, ask := range map[Place]func() error{
			atApplications: func() error { _, err := c.Submit(ctx, s); return err },
			atDocuments: func() error {
				_, err := c.Send(ctx, []delivery.Document{{ID: "9999078902001234-1", Body: []byte("{\"id\":\"9999078902001234-1\"}\n")}})
				return err
			},
		} {
			if _, err := f.AddFault(Fault{Kind: kind, Place: place, Next: 1}); err != nil {
				t.Fatal(err)
			}
			if err := ask(); !errors.Is(err, want) || !errors.Is(err, fiscal.Unavailable) {
				t.Errorf("%s of %s: %v, want %s", kind, place, err, want)
			}
		}
	}
	number, err := c.Submit(ctx, s)
	if err != nil || number == "" {
		t.Fatalf("Submit = %q, %v", number, err)
	}
	if refused, err := c.Send(ctx, []delivery.Document{{ID: "9999078902001234-1", Body: []byte("{\"id\":\"9999078902001234-1\"}\n")}}); err != nil || len(refused) != 1 {
		t.Errorf("a document that is none: %+v, %v, want it refused", refused, err)
	}
	f.decidedAt(fns.PathDecisions, 1)
	ds, place, err := c.Decisions(ctx, "", 10)
	if err != nil || len(ds) != 1 || ds[0].ID != a.ID || ds[0].Number != number || !ds[0].Granted || place == "" {
		t.Errorf("Decisions = %+v, %q, %v, want one grant", ds, place, err)
	}

	// A refusal proves nothing while the clock is wrong.
	clock, err := f.AddFault(Fault{Kind: WrongClock, Seconds: -3 * 24 * 60 * 60})
	if err != nil {
		t.Fatal(err)
	}
	s.ID = "c-2"
	if _, err := c.Submit(ctx, s); !errors.Is(err, delivery.WrongClock) || !errors.Is(err, fiscal.Unavailable) {
		t.Errorf("signed in its future: %v, want it tried again", err)
	}
	if err := f.RemoveFault(clock.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Submit(ctx, s); err != nil {
		t.Errorf("with the clock right: %v", err)
	}
	var rejected *delivery.Rejected
	if _, err := c.Submit(ctx, delivery.Submission{ID: "c-3"}); !errors.As(err, &rejected) {
		t.Errorf("what is no application: %v, want it rejected", err)
	}
}
