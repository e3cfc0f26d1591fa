package storetest

import (
	"bytes"
	"reflect"
	"sync"
	"time"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
)

// draftOf is an application of a till, not yet stored.
func draftOf(t *till) registry.Application {
	return registry.Application{
		Taxpayer: t.card.Taxpayer, Register: t.place.Register, Country: fiscal.Kazakhstan, Kind: registry.Enrol, Status: registry.Draft,
		Form:    registry.ApplicationForm{XIN: "210140012347", Name: "Касса 1", Model: "E-kassa", Parts: []fiscal.Part{{Kind: fiscal.PartSoftware, Version: "1.4"}}},
		Created: morning, Changed: morning, By: "asel@example.kz",
	}
}

func happened(what registry.Happening, s registry.ApplicationStatus) registry.ApplicationEvent {
	return registry.ApplicationEvent{At: morning, What: what, By: "asel@example.kz", Status: s}
}

// sign makes a draft a signed application.
func (w *world) sign(a *registry.Application) {
	w.Helper()
	a.Status, a.SignedAt, a.NextTry, a.SignedBy = registry.Sent, morning.Add(time.Minute), morning.Add(time.Minute), a.By
	a.Paper = registry.Paper{Method: "RSA", Owner: &signature.Owner{Country: "kz", IIN: "960624350642"}, Content: []byte("{}\n\x00"), Signature: []byte{0x30, 0},
		Control: []registry.FieldError{{Field: "title", Reason: fiscal.BadValue, Detail: "differs", Only: true}}}
	w.must(w.SetApplication(w.Context(), a, happened(registry.WasSigned, registry.Sent)))
}

// applications shows how applications are kept: one open of a register, each
// change on the version it was made from, what was signed and what was decided
// for ever, nobody's in another's list.
//
// Req: O-053, O-088, P-049, P-052, E-084
func applications(w *world) {
	ctx := w.Context()
	other := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "220540013371", Title: fiscal.Text{RU: "ИП Оспанов"}, Created: morning}
	w.must(w.AddTaxpayer(ctx, &other))
	one, two := w.till("one"), w.till("two")

	a := draftOf(one)
	w.must(w.AddApplication(ctx, &a, happened(registry.WasDrafted, registry.Draft)))
	second := draftOf(one)
	w.wants("a second open application", w.AddApplication(ctx, &second, happened(registry.WasDrafted, registry.Draft)), fiscal.AlreadyThere)
	b := draftOf(two)
	w.must(w.AddApplication(ctx, &b, happened(registry.WasDrafted, registry.Draft)))

	stale := a
	a.Form.Name = "Касса у входа"
	w.must(w.SetApplication(ctx, &a))
	w.wants("a change of what has moved on", w.SetApplication(ctx, &stale), fiscal.StateMoved)
	w.sign(&a)

	got, es, err := w.ApplicationOf(ctx, a.Taxpayer, a.ID)
	if w.must(err); !reflect.DeepEqual(got, a) {
		w.Errorf("ApplicationOf() = %+v, want %+v", got, a)
	}
	if len(es) != 2 || es[0].What != registry.WasDrafted || es[1].What != registry.WasSigned || es[1].Number != 2 || !es[1].At.Equal(morning) {
		w.Errorf("events = %+v", es)
	}
	_, _, err = w.ApplicationOf(ctx, other.ID, a.ID)
	w.wants("another's application", err, fiscal.NotFound)
	list, err := w.ApplicationsOf(ctx, registry.ApplicationScan{Taxpayer: a.Taxpayer, Limit: 10})
	if w.must(err); len(list) != 2 || list[0].ID != b.ID || list[1].ID != a.ID || list[1].Content != nil || list[1].Form.Name != a.Form.Name {
		w.Errorf("ApplicationsOf() = %+v, want %d and %d without papers", list, b.ID, a.ID)
	}
	for _, q := range []struct {
		scan registry.ApplicationScan
		want int
	}{
		{registry.ApplicationScan{Taxpayer: other.ID, Limit: 10}, 0},
		{registry.ApplicationScan{Limit: 10}, 2},
		{registry.ApplicationScan{Status: registry.Sent, Limit: 10}, 1},
		{registry.ApplicationScan{Kind: registry.Remove, Limit: 10}, 0},
		{registry.ApplicationScan{Register: two.place.Register, Limit: 10}, 1},
		{registry.ApplicationScan{Before: b.ID, Limit: 10}, 1},
		{registry.ApplicationScan{Limit: 1}, 1},
		{registry.ApplicationScan{Order: registry.Oldest, Before: a.ID, Limit: 10}, 1},
		{registry.ApplicationScan{Order: registry.ByItsRegister, Behind: one.place.Register, Before: a.ID, Limit: 10}, 1},
		{registry.ApplicationScan{Order: registry.ByItsRegister, Behind: two.place.Register, Before: b.ID, Limit: 10}, 0},
	} {
		if all, err := w.ApplicationsOf(ctx, q.scan); err != nil || len(all) != q.want {
			w.Errorf("ApplicationsOf(%+v) = %d, %v; want %d", q.scan, len(all), err, q.want)
		}
	}

	for _, order := range []registry.ApplicationOrder{registry.Oldest, registry.ByItsRegister} {
		if all, err := w.ApplicationsOf(ctx, registry.ApplicationScan{Order: order, Limit: 10}); err != nil || len(all) != 2 || all[0].ID != a.ID {
			w.Errorf("ApplicationsOf by %s = %+v, %v; want %d first", order, all, err, a.ID)
		}
	}

	forged := a
	forged.Form.Name = "Другая"
	if w.SetApplication(ctx, &forged) == nil {
		w.Error("a signed form was changed")
	}
	a.Status, a.DecidedAt, a.Why, a.NextTry = registry.Refused, morning, fiscal.Text{RU: "Нет такой модели"}, time.Time{}
	w.must(w.SetApplication(ctx, &a, happened(registry.WasRefused, registry.Refused)))
	forged = a
	forged.Why.RU = "Пожалуйста"
	if w.SetApplication(ctx, &forged) == nil {
		w.Error("a decision was changed")
	}
	forged = a
	forged.Status = registry.Granted
	if w.SetApplication(ctx, &forged) == nil {
		w.Error("a refusal became a grant")
	}
	for _, sql := range []string{
		`DELETE FROM applications`, `UPDATE applications SET taxpayer = 2`, `UPDATE application_papers SET taxpayer = 2`, `DELETE FROM application_papers`,
		`UPDATE application_events SET number = 9`, `DELETE FROM application_events`,
	} {
		if w.Exec(ctx, sql) == nil {
			w.Errorf("%s was done", sql)
		}
	}
	w.must(w.AddApplication(ctx, &second, happened(registry.WasDrafted, registry.Draft))) // the refused one is over
	if got, _, err := w.ApplicationOf(ctx, 0, a.ID); err != nil || got.Why != a.Why || !bytes.Equal(got.Content, a.Content) {
		w.Errorf("the refused one is %+v, %v", got, err)
	}
}

// applicationsOnTheirWay shows what a courier relies on: takers share what is
// due, a decision moves with its bookmark or not at all, and what is late is
// counted.
//
// Req: O-060, O-063, E-079
func applicationsOnTheirWay(w *world) {
	ctx := w.Context()
	const all = 8
	made := make([]registry.Application, all)
	for i := range made {
		made[i] = draftOf(w.till(string(rune('a' + i))))
		w.must(w.AddApplication(ctx, &made[i], happened(registry.WasDrafted, registry.Draft)))
	}
	noon := morning.Add(3 * time.Hour)
	if none, err := w.TakeApplications(ctx, "kz", noon, noon.Add(time.Minute), all); err != nil || len(none) != 0 {
		w.Errorf("drafts are taken: %+v, %v", none, err)
	}
	for i := range made {
		w.sign(&made[i])
	}
	if none, err := w.TakeApplications(ctx, "ru", noon, noon.Add(time.Minute), all); err != nil || len(none) != 0 {
		w.Errorf("another country's are taken: %+v, %v", none, err)
	}
	other := w.Beside(w.T)
	var mu sync.Mutex
	var wg sync.WaitGroup
	times := map[registry.ApplicationID]int{}
	for _, e := range []Engine{w.Engine, other} {
		wg.Go(func() {
			for range all {
				some, err := e.TakeApplications(ctx, "kz", noon, noon.Add(time.Minute), 1)
				mu.Lock()
				if err != nil {
					w.Errorf("take: %v", err)
				}
				for _, a := range some {
					times[a.ID]++
					if !bytes.Equal(a.Content, made[0].Content) {
						w.Errorf("application %d comes without what was signed", a.ID)
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i := range made {
		if times[made[i].ID] != 1 {
			w.Errorf("application %d was taken %d times by two, want once", made[i].ID, times[made[i].ID])
		}
	}
	if again, err := w.TakeApplications(ctx, "kz", noon.Add(time.Hour), noon.Add(2*time.Hour), all); err != nil || len(again) != all {
		w.Errorf("after its taker's time %d are due, %v; want %d", len(again), err, all)
	}

	granted := made[0]
	granted.Status, granted.DecidedAt, granted.RegistrationNumber, granted.NextTry = registry.Granted, noon, "620100000017", noon
	moved := made[1]
	moved.Version--
	m := registry.Bookmark{Name: "decisions kgd", To: "7", At: noon}
	d := delivery.Decided{Application: granted, Event: happened(registry.WasGranted, registry.Granted)}
	w.wants("a page of which one application has moved on", w.KeepDecisions(ctx, m, []delivery.Decided{d, {Application: moved, Event: d.Event}}), fiscal.StateMoved)
	if place, err := w.BookmarkOf(ctx, m.Name); err != nil || place != "" {
		w.Errorf("BookmarkOf() = %q, %v behind a page that was not kept", place, err)
	}
	w.must(w.KeepDecisions(ctx, m, []delivery.Decided{d}))
	w.wants("the same page again", w.KeepDecisions(ctx, m, nil), fiscal.StateMoved)
	if place, err := w.BookmarkOf(ctx, m.Name); err != nil || place != "7" {
		w.Errorf("BookmarkOf() = %q, %v, want 7", place, err)
	}
	got, _, err := w.ApplicationOf(ctx, 0, granted.ID)
	if w.must(err); got.Status != registry.Granted || !got.Open() {
		w.Errorf("the granted one is %+v, want it open until its register has it", got)
	}
	c, err := w.CountApplications(ctx, "kz", noon)
	if w.must(err); c.Overdue != all-1 || c.Open[registry.Sent] != all-1 || c.Open[registry.Granted] != 1 {
		w.Errorf("CountApplications() = %+v", c)
	}
	// Papers in the order in which they came, for whoever brings them to cards.
	for i := range 3 {
		w.must(w.AddContract(ctx, &registry.Contract{Taxpayer: made[0].Taxpayer, At: noon, Kind: registry.ContractPaper, Number: string(rune('1' + i))}))
	}
	papers, err := w.ContractsAfter(ctx, 1, 10)
	if w.must(err); len(papers) != 2 || papers[0].ID != 2 || papers[0].Number != "2" || papers[1].Taxpayer != made[0].Taxpayer {
		w.Errorf("ContractsAfter(1) = %+v", papers)
	}
	w.must(w.MoveBookmark(ctx, registry.Bookmark{Name: "other", To: "2", At: noon}))
	w.wants("a bookmark from where it is not", w.MoveBookmark(ctx, registry.Bookmark{Name: "other", From: "1", To: "3", At: noon}), fiscal.StateMoved)

	got.AppliedAt, got.NextTry = noon, time.Time{}
	w.must(w.SetApplication(ctx, &got, happened(registry.WasApplied, registry.Granted)))
	if c, err := w.CountApplications(ctx, "kz", morning); err != nil || c.Overdue != 0 || c.Open[registry.Granted] != 0 {
		w.Errorf("CountApplications() = %+v, %v", c, err)
	}
}
