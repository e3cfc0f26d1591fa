package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
)

// fields are the fields of findings, those that only warn in parentheses.
func fields(all []registry.FieldError) string {
	var s []string
	for _, e := range all {
		f := e.Field
		if e.Only {
			f = "(" + f + ")"
		}
		s = append(s, f)
	}
	return strings.Join(s, " ")
}

// An application goes its whole way: drafted from what is known, its findings
// named, signed by the right person, carried, granted, written on the card once;
// then a change that is refused and sent again, then the end of the register.
//
// Req: O-053, O-054, O-055, O-056, O-057, O-063, O-064, O-065, P-048, P-049, P-052, E-065, E-075, E-077, E-078, E-079, E-080, E-084, O-088, O-089
func TestApplicationLife(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	_, err := b.RecordPaper(ctx, b.owner.Taxpayer, "command line", "ДУ-17")
	b.must(err)
	r := b.register("EK-000001")

	_, err = b.DraftApplication(ctx, b.owner, r, registry.Reenrol)
	b.wants("a change of what is not on record", err, fiscal.Conflict, "register")
	app, err := b.DraftApplication(ctx, b.owner, r, registry.Enrol)
	b.must(err)
	if f := app.Form; f.XIN != trader || f.OutletTitle.RU != "Лавка" || f.Where != b.outlet.Where || f.Connection != fiscal.ConnectionWired || f.SerialNumber != "EK-000001" {
		t.Errorf("the draft is filled in with %+v", f)
	}
	_, err = b.DraftApplication(ctx, b.owner, r, registry.Enrol)
	b.wants("a second draft", err, fiscal.AlreadyThere, "")

	// Every wrong field at once; the draft stays.
	form := app.Form
	form.XIN, form.Name, form.ManufactureYear, form.Connection, form.Where.House = "960624350640", " ", 1900, fiscal.ConnectionWireless, ""
	app, found, err := b.SetApplication(ctx, b.owner, app.ID, form)
	b.must(err)
	if got, want := fields(found), "xin house name manufacture_year connection sim"; got != want {
		t.Errorf("findings %q, want %q", got, want)
	}
	_, err = b.ApplicationContent(ctx, b.owner, app.ID)
	var wrong registry.FieldErrors
	if b.wants("content of what is wrong", err, fiscal.Invalid, "xin"); !errors.As(err, &wrong) || len(wrong) != 6 {
		t.Errorf("the error holds %d findings, want 6", len(wrong))
	}
	form = app.Form
	form.XIN, form.Name, form.ManufactureYear, form.Connection, form.Where.House = trader, "Касса  у входа", 2026, fiscal.ConnectionWired, "12"
	form.Parts = []fiscal.Part{{Kind: fiscal.PartPrinter}, {Kind: fiscal.PartSoftware, Maker: "E-kassa", Version: "1.4"}}
	app, found, err = b.SetApplication(ctx, b.owner, app.ID, form)
	if b.must(err); len(found) != 0 || app.Form.Name != "Касса у входа" || len(app.Form.Parts) != 1 || !strings.Contains(app.Form.OutletAddress.RU, "12") {
		t.Errorf("kept %+v with findings %q", app.Form, fields(found))
	}

	// What is shown is what is signed, and by the taxpayer alone.
	content, err := b.ApplicationContent(ctx, b.owner, app.ID)
	b.must(err)
	var said struct {
		Format string
		Form   registry.ApplicationForm
	}
	if err := json.Unmarshal(content, &said); err != nil || said.Format != "ofd-application/1" || !reflect.DeepEqual(said.Form, app.Form) {
		t.Errorf("content %s, %v; want the form", content, err)
	}
	_, err = b.SignApplication(ctx, b.owner, app.ID, []byte("nothing"))
	if refusal := signature.RefusalOf(err); refusal == nil || refusal.Reason != signature.DigestDiffers {
		t.Errorf("a signature of something else: %v", err)
	}
	b.pen.owner.IIN = "870412300458"
	_, err = b.SignApplication(ctx, b.owner, app.ID, b.pen.sign(content))
	if refusal := signature.RefusalOf(err); refusal == nil || refusal.Reason != signature.OtherTaxpayer {
		t.Errorf("a stranger's signature: %v", err)
	}
	b.pen.owner.IIN = trader
	technician := *b.owner
	technician.Member.Role = access.Technician
	_, err = b.SignApplication(ctx, &technician, app.ID, b.pen.sign(content))
	b.wants("a technician's signature", err, fiscal.Denied, "apply")
	app, err = b.SignApplication(ctx, b.owner, app.ID, b.pen.sign(content))
	if b.must(err); app.Status != registry.Sent {
		t.Errorf("signed: %s", app.Status)
	}
	_, _, err = b.SetApplication(ctx, b.owner, app.ID, form)
	b.wants("a change of what is signed", err, fiscal.Conflict, "status")

	// The authority is away, then grants.
	number := "620100000017"
	far := &authority{away: errors.New("no route to 10.1.2.3:443"), decide: func(delivery.Submission) delivery.Decision {
		return delivery.Decision{Granted: true, RegistrationNumber: number}
	}}
	c := b.courier(far)
	b.carry(c)
	got, es, err := b.Application(ctx, b.owner, app.ID)
	if b.must(err); got.Tries != 1 || got.LastError != "no route to 10.1.2.3:443" || !got.NextTry.After(b.now()) || es[len(es)-1].What != registry.WasDelayed || es[len(es)-1].Detail != "" {
		t.Errorf("with the authority away, of which a taxpayer learns no addresses: tries %d, %q, next %v, events %+v", got.Tries, got.LastError, got.NextTry, es)
	}
	b.pass(100 * time.Hour)
	if got.Overdue(b.now()) != true {
		t.Error("four days later it is not overdue")
	}
	if counts, err := b.db.CountApplications(ctx, "kz", b.now().Add(-registry.DecisionTerm(fiscal.Kazakhstan, b.now()))); err != nil || counts.Overdue != 1 {
		t.Errorf("overdue %+v, %v", counts, err)
	}
	far.away = nil
	b.carry(c)
	got, es, err = b.Application(ctx, b.owner, app.ID)
	if b.must(err); got.Status != registry.Granted || got.RegistrationNumber != number || got.AppliedAt.IsZero() || got.Open() {
		t.Errorf("granted: %+v", got)
	}
	var happened []registry.Happening
	for _, e := range es {
		happened = append(happened, e.What)
	}
	if want := []registry.Happening{"drafted", "signed", "delayed", "taken", "granted", "applied"}; !slices.Equal(happened, want) {
		t.Errorf("events %v, want %v", happened, want)
	}
	if s := far.given[far.order[0]]; !bytes.Equal(s.Content, content) || !bytes.Equal(s.Signature, b.pen.sign(content)) || s.ID != fmt.Sprintf("test-%d", app.ID) {
		t.Errorf("the authority was given %+v", s)
	}
	cards, err := b.Cards(ctx, b.owner, r)
	b.must(err)
	if card := cards[0]; card.RegistrationNumber != number || card.Provisional || card.Name != "Касса у входа" || card.Connection != fiscal.ConnectionWired || len(card.Parts) != 1 || card.Application != int64(app.ID) {
		t.Errorf("the card is %+v", card)
	}
	if cards[len(cards)-1].Name != "Касса EK-000001" {
		t.Errorf("the first card says %q now", cards[len(cards)-1].Name)
	}
	_, err = b.DraftApplication(ctx, b.owner, r, registry.Enrol)
	b.wants("once more on the record", err, fiscal.Conflict, "register")

	// A grant that is written again changes nothing, even after a person's change.
	b.must(b.Arrange(ctx, b.owner, r, "Касса 7", 0))
	before, err := b.Cards(ctx, b.owner, r)
	b.must(err)
	b.must(b.service.Carry(ctx, &got))
	if after, err := b.Cards(ctx, b.owner, r); err != nil || len(after) != len(before) {
		t.Errorf("carried again there are %d cards, want %d", len(after), len(before))
	}

	// A change, refused, and begun anew with the same form.
	change, err := b.DraftApplication(ctx, b.owner, r, registry.Reenrol)
	b.must(err)
	change.Form.Reasons = []registry.ApplicationReason{registry.ForMode}
	change.Form.Parts = []fiscal.Part{{Kind: fiscal.PartSoftware, Version: "1.5"}}
	far.decide = func(delivery.Submission) delivery.Decision {
		return delivery.Decision{Why: fiscal.Text{RU: "Адрес не найден"}}
	}
	b.sign(&change)
	b.carry(c)
	got, _, err = b.Application(ctx, b.owner, change.ID)
	if b.must(err); got.Status != registry.Refused || got.Why.RU != "Адрес не найден" {
		t.Errorf("refused: %+v", got)
	}
	b.wants("withdrawing what is decided", b.WithdrawApplication(ctx, b.owner, change.ID), fiscal.Conflict, "status")
	anew, err := b.ResendApplication(ctx, b.owner, change.ID)
	if b.must(err); anew.ID == change.ID || !reflect.DeepEqual(anew.Form, got.Form) || anew.Status != registry.Draft {
		t.Errorf("anew: %+v", anew)
	}
	b.must(b.WithdrawApplication(ctx, b.owner, anew.ID))

	// And the end.
	end, err := b.DraftApplication(ctx, b.owner, r, registry.Remove)
	b.must(err)
	end.Form.Reasons = []registry.ApplicationReason{registry.ForClosing}
	far.decide = func(delivery.Submission) delivery.Decision { return delivery.Decision{Granted: true} }
	b.sign(&end)
	b.carry(c)
	if s, err := b.Register(ctx, b.owner, r); err != nil || s.State.Status != fiscal.StatusDeregistered {
		t.Errorf("the register is %v, %v", s.State.Status, err)
	}
	page, err := b.Applications(ctx, b.owner, registry.ApplicationQuery{Register: r, Limit: 3})
	if b.must(err); len(page.Applications) != 3 || page.Next == "" || page.Applications[0].ID != end.ID {
		t.Errorf("the first page has %d, next %q", len(page.Applications), page.Next)
	}
	page, err = b.Applications(ctx, b.owner, registry.ApplicationQuery{Register: r, Limit: 3, After: page.Next})
	if b.must(err); len(page.Applications) != 1 || page.Next != "" {
		t.Errorf("the second page has %d, next %q", len(page.Applications), page.Next)
	}
	for order, want := range map[registry.ApplicationOrder][]registry.ApplicationID{
		registry.Newest: {4, 3, 2, 1}, registry.Oldest: {1, 2, 3, 4}, registry.ByItsRegister: {4, 3, 2, 1}, registry.ByItsStatus: {2, 4, 1, 3},
	} {
		var got []registry.ApplicationID
		for q := (registry.ApplicationQuery{Order: order, Limit: 1}); ; {
			page, err := b.Applications(ctx, b.owner, q)
			b.must(err)
			for _, one := range page.Applications {
				got = append(got, one.ID)
			}
			if q.After = page.Next; q.After == "" || len(got) > len(want) {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("page by page by %s: %v, want %v", order, got, want)
		}
	}
	for _, q := range []registry.ApplicationQuery{{Order: "price"}, {Order: registry.ByItsStatus, After: "7"}, {Order: registry.ByItsRegister, After: "x.7"}, {After: "1.7"}} {
		if _, err := b.Applications(ctx, b.owner, q); !errors.Is(err, fiscal.BadValue) {
			t.Errorf("Applications(%+v) = %v, want bad_value", q, err)
		}
	}
}

// sign keeps a draft and signs it.
func (b *bureau) sign(a *registry.Application) {
	b.Helper()
	_, found, err := b.SetApplication(b.Context(), b.owner, a.ID, a.Form)
	if b.must(err); len(registry.Blocking(found)) > 0 {
		b.Fatalf("application %d: %s", a.ID, fields(found))
	}
	content, err := b.ApplicationContent(b.Context(), b.owner, a.ID)
	b.must(err)
	_, err = b.SignApplication(b.Context(), b.owner, a.ID, b.pen.sign(content))
	b.must(err)
}

// A grant that no card can hold waits for a person, and holds up no other.
func TestGrantThatCannotStand(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	_, err := b.RecordPaper(ctx, b.owner.Taxpayer, "command line", "1")
	b.must(err)
	var apps []registry.Application
	for _, serial := range []string{"EK-1", "EK-2"} {
		app, err := b.DraftApplication(ctx, b.owner, b.register(serial), registry.Enrol)
		b.must(err)
		b.sign(&app)
		apps = append(apps, app)
	}
	far := &authority{decide: func(s delivery.Submission) delivery.Decision {
		number := "620100000017"
		if s.Register == apps[0].Register {
			number = "none"
		}
		return delivery.Decision{Granted: true, RegistrationNumber: number}
	}}
	b.carry(b.courier(far))
	first, es, err := b.Application(ctx, b.owner, apps[0].ID)
	if b.must(err); !first.Open() || first.LastError == "" || es[len(es)-1].What != registry.WasStuck || es[len(es)-1].Detail != "" {
		t.Errorf("the first is %+v, after %+v, want it stuck, and no error of ours told", first, es)
	}
	if second, _, err := b.Application(ctx, b.owner, apps[1].ID); err != nil || second.Open() {
		t.Errorf("the second is %+v, %v", second, err)
	}
	if counts, err := b.db.CountApplications(ctx, "kz", b.now()); err != nil || counts.Open[registry.Granted] != 1 {
		t.Errorf("counted %+v, %v", counts, err)
	}
	if again, err := b.HurryApplication(ctx, apps[0].ID, "command line"); err != nil || again.NextTry.After(b.now()) {
		t.Errorf("hurried: %+v, %v", again, err)
	}
	_, err = b.HurryApplication(ctx, apps[1].ID, "command line")
	b.wants("hurrying what is over", err, fiscal.Conflict, "status")
}

// dies is a courier's world in which a third of the steps are done and reported
// as failed, or not done at all, as if the process had been killed.
type dies struct {
	delivery.CourierStore
	delivery.Grants
	*authority
	chance *mathrand.Rand
}

var errDied = errors.New("killed")

func (d *dies) step() error {
	if d.chance.IntN(3) == 0 {
		return errDied
	}
	return nil
}

func (d *dies) Submit(ctx context.Context, s delivery.Submission) (string, error) {
	number, err := d.authority.Submit(ctx, s)
	return number, errors.Join(err, d.step())
}

func (d *dies) SetApplication(ctx context.Context, a *registry.Application, es ...registry.ApplicationEvent) error {
	if err := d.step(); err != nil {
		return err // not even done
	}
	return errors.Join(d.CourierStore.SetApplication(ctx, a, es...), d.step())
}

func (d *dies) KeepDecisions(ctx context.Context, m registry.Bookmark, all []delivery.Decided) error {
	if err := d.step(); err != nil {
		return err
	}
	return errors.Join(d.CourierStore.KeepDecisions(ctx, m, all), d.step())
}

func (d *dies) Carry(ctx context.Context, a *registry.Application) error {
	return errors.Join(d.Grants.Carry(ctx, a), d.step())
}

// Wherever a courier dies, each application reaches the authority once, and each
// grant its register once.
//
// Req: O-060, O-063, O-065
func TestCourierDies(t *testing.T) {
	b := newBureau(t)
	ctx := t.Context()
	_, err := b.RecordPaper(ctx, b.owner.Taxpayer, "command line", "1")
	b.must(err)
	const all = 5
	var apps []registry.Application
	versions := map[fiscal.RegisterID]int{}
	for i := range all {
		app, err := b.DraftApplication(ctx, b.owner, b.register(fmt.Sprintf("EK-%d", i)), registry.Enrol)
		b.must(err)
		b.sign(&app)
		apps = append(apps, app)
		cards, err := b.Cards(ctx, b.owner, app.Register)
		b.must(err)
		versions[app.Register] = len(cards)
	}
	far := &authority{given: map[string]delivery.Submission{}, decide: func(s delivery.Submission) delivery.Decision {
		return delivery.Decision{Granted: true, RegistrationNumber: fmt.Sprintf("6201%08d", s.Register)}
	}}
	const seed = 7 // the same deaths each time
	d := &dies{CourierStore: b.db, Grants: b.service, authority: far, chance: mathrand.New(mathrand.NewPCG(seed, seed))}
	c := delivery.NewCourier(delivery.CourierConfig{Installation: "test", Country: fiscal.Kazakhstan, Page: 2}, d, d, d, quiet, nil, b.now, func(n int64) int64 { return 0 })
	left := all
	for round := 0; left > 0; round++ {
		if round == 200 {
			t.Fatalf("after %d rounds %d are open", round, left)
		}
		_, _ = c.Carry(ctx)
		_, _ = c.Fetch(ctx)
		b.pass(time.Hour) // what the dead held is free again
		left = 0
		for _, app := range apps {
			if got, _, err := b.Application(ctx, b.owner, app.ID); err != nil || got.Open() {
				left++
			}
		}
	}
	if len(far.order) != all {
		t.Errorf("the authority has %d applications, want %d: %v", len(far.order), all, far.order)
	}
	for _, app := range apps {
		cards, err := b.Cards(ctx, b.owner, app.Register)
		if b.must(err); len(cards) != versions[app.Register]+1 || cards[0].RegistrationNumber != fmt.Sprintf("6201%08d", app.Register) {
			t.Errorf("register %d has %d cards, the last with %s; want one more than %d", app.Register, len(cards), cards[0].RegistrationNumber, versions[app.Register])
		}
		_, es, err := b.Application(ctx, b.owner, app.ID)
		b.must(err)
		n := map[registry.Happening]int{}
		for _, e := range es {
			n[e.What]++
		}
		if n[registry.WasGranted] != 1 || n[registry.WasApplied] != 1 {
			t.Errorf("application %d: events %v, want one grant and one that it was applied", app.ID, n)
		}
	}
}
