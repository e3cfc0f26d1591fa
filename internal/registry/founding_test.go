package registry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

func report(drive string) registry.Report {
	return registry.Report{
		By: "report", XIN: "7704358518", RegistrationNumber: "0000012345055778", SerialNumber: "00106900000001", Drive: drive,
		Ended: func(s *fiscal.State) (bool, error) { return s.LastNumber == 1, nil },
	}
}

// A drive that nobody has entered is led to a new register of a taxpayer who is
// written down, to the register whose drive has ended, and to none of anybody
// else.
func TestFound(t *testing.T) {
	s := openBy(t, &kkt.Rules{})
	if _, err := s.Found(t.Context(), report("9999078902001234")); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("of a stranger: %v, want NotFound", err)
	}
	owner, err := s.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}})
	if err != nil {
		t.Fatal(err)
	}
	place, err := s.Found(t.Context(), report("9999078902001234"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Show(t.Context(), place.Register)
	if err != nil || l.Card.Taxpayer != owner.ID || !l.Card.Provisional || l.Card.Drive != "9999078902001234" || l.State.LastNumber != 1 {
		t.Errorf("founded: %+v, %v", l.Card, err)
	}
	if p, err := s.store.Find(t.Context(), fiscal.Address{Kind: fiscal.ByDrive, Name: "9999078902001234"}); err != nil || p != place {
		t.Errorf("Find(drive) = %+v, %v; want %+v", p, err, place)
	}

	made, err := s.AddRegister(t.Context(), russianOf("9999078902001236"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Found(t.Context(), report("9999078902001237"))
	if err != nil || found != made.Place {
		t.Errorf("a register whose drive has ended: %+v, %v; want %+v", found, err, made.Place)
	}
	for name, change := range map[string]func(*registry.Report){
		"the drive goes on":           func(r *registry.Report) { r.Ended = func(*fiscal.State) (bool, error) { return false, nil } },
		"of another owner":            func(r *registry.Report) { r.XIN = "7704211201" },
		"of another device":           func(r *registry.Report) { r.SerialNumber = "9" },
		"the drive is in another one": func(r *registry.Report) { r.Drive = "9999078902001234" },
	} {
		in := report("9999078902001238")
		change(&in)
		if _, err := s.Found(t.Context(), in); !errors.Is(err, fiscal.NotFound) {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	if err := s.Block(t.Context(), made.Card.Register, "test", "no contract"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Found(t.Context(), report("9999078902001238")); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("of a blocked register: %v, want NotFound", err)
	}
}

func russianOf(drive string) registry.NewRegister {
	r := russian()
	r.Drive = drive
	return r
}

// However many reports come, they found a bounded number of registers a day.
func TestFoundBounded(t *testing.T) {
	s := openBy(t, &kkt.Rules{})
	if _, err := s.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}}); err != nil {
		t.Fatal(err)
	}
	founded := 0
	for i := range registry.FoundedPerDay + 20 {
		in := report("99990789020" + string(rune('0'+i/100)) + "0" + string(rune('0'+i/10%10)) + "0" + string(rune('0'+i%10)))
		in.RegistrationNumber = in.Drive // of a register that nobody knows
		switch _, err := s.Found(t.Context(), in); {
		case err == nil:
			founded++
		case !errors.Is(err, fiscal.NotFound):
			t.Fatal(err)
		}
	}
	if founded != registry.FoundedPerDay {
		t.Errorf("%d registers were founded in a day, want %d", founded, registry.FoundedPerDay)
	}
}

// downStore cannot store registers while it is down.
type downStore struct {
	*testkit.MemStore
	down bool
}

func (s *downStore) AddRegister(ctx context.Context, p fiscal.Partition, card *fiscal.Card, addresses []fiscal.Address) error {
	if s.down {
		return &fiscal.Error{Reason: fiscal.StoreDown}
	}
	return s.MemStore.AddRegister(ctx, p, card, addresses)
}

// Reports that come again and again while nothing can be stored do not use up
// what may be founded in a day.
func TestFoundAfterOutage(t *testing.T) {
	o := openBy(t, &kkt.Rules{})
	store := &downStore{MemStore: o.store}
	s := registry.New(store, o.intake, time.Now)
	if _, err := s.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}}); err != nil {
		t.Fatal(err)
	}
	store.down = true
	for range registry.FoundedPerDay + 1 {
		if _, err := s.Found(t.Context(), report("9999078902001234")); !errors.Is(err, fiscal.Unavailable) {
			t.Fatalf("while the store is down: %v, want Unavailable", err)
		}
	}
	store.down = false
	if _, err := s.Found(t.Context(), report("9999078902001234")); err != nil {
		t.Errorf("afterwards: %v, want a register", err)
	}
}

// A register of Russia of which only the drive is known waits for its report;
// Kazakhstan's have no report.
func TestPartlyKnown(t *testing.T) {
	s := openBy(t, &kkt.Rules{})
	in := registry.NewRegister{By: "test", Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}, Drive: "9999078902001234"}
	made, err := s.AddRegister(t.Context(), in)
	if err != nil || !made.Card.Provisional || made.Card.SerialNumber != "" {
		t.Fatalf("AddRegister(%+v) = %+v, %v", in, made.Card, err)
	}
	in.Title, in.Drive = fiscal.Text{}, "9999078902001235" // the owner is known by now
	if made, err := s.AddRegister(t.Context(), in); err != nil || made.Card.Title.RU != "ООО Ромашка" {
		t.Errorf("a second one: %+v, %v", made.Card, err)
	}
	if card, err := s.ChangeCard(t.Context(), made.Card.Register, "test", func(c *fiscal.Card) error { c.Model = "АТОЛ 91Ф"; return nil }); err != nil || card.Model != "АТОЛ 91Ф" {
		t.Errorf("a model where none was: %+v, %v", card, err)
	}
	if _, err := s.ChangeCard(t.Context(), made.Card.Register, "test", func(c *fiscal.Card) error { c.Model = "other"; return nil }); !errors.Is(err, fiscal.Invalid) {
		t.Errorf("another model: %v, want Invalid", err)
	}
	for field, change := range map[string]func(*registry.NewRegister){
		"serial_number":  func(r *registry.NewRegister) { r.SerialNumber = "" },
		"outlet_address": func(r *registry.NewRegister) { r.OutletAddress = fiscal.Text{} },
	} {
		in := russianOf("9999078902001239")
		in.XIN, in.RegistrationNumber = "7704358518", "0000012345055778"
		change(&in)
		var e *fiscal.Error
		if _, err := s.AddRegister(t.Context(), in); !errors.As(err, &e) || e.Kind() != fiscal.Invalid {
			t.Errorf("registered and without %s: %v, want Invalid", field, err)
		}
	}
}
