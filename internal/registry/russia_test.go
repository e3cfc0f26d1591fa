package registry_test

import (
	"errors"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/registry"
)

// russian is a register of Russia with numbers that check each other.
func russian() registry.NewRegister {
	return registry.NewRegister{
		By: "test", Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}, OutletAddress: fiscal.Text{RU: "Москва, ул. Тверская, 1"},
		Model: "АТОЛ 91Ф", SerialNumber: "00106900000001", RegistrationNumber: "0000012345055778", Drive: "9999078902001234",
	}
}

// A register of Russia is found by its drive, has no token, and its numbers
// must check each other.
func TestRussianRegister(t *testing.T) {
	s := openBy(t, &kkt.Rules{})
	made, err := s.AddRegister(t.Context(), russian())
	if err != nil || made.Token != 0 || made.Card.Zone != "Europe/Moscow" || made.Card.Drive != "9999078902001234" {
		t.Fatalf("AddRegister = %+v, %v", made, err)
	}
	found := func(drive string) {
		t.Helper()
		p, err := s.store.Find(t.Context(), fiscal.Address{Kind: fiscal.ByDrive, Name: drive})
		if err != nil || p != made.Place {
			t.Errorf("Find(drive %s) = %+v, %v; want %+v", drive, p, err, made.Place)
		}
	}
	found("9999078902001234")

	card, err := s.ChangeCard(t.Context(), made.Card.Register, "test", func(c *fiscal.Card) error { c.Drive = "9999078902001235"; return nil })
	if err != nil || card.Version != 2 {
		t.Fatalf("ChangeCard = %+v, %v", card, err)
	}
	found("9999078902001234") // it may hold documents that have not come
	found("9999078902001235")

	for _, tt := range []struct {
		field  string
		change func(*registry.NewRegister)
	}{
		{"xin", func(r *registry.NewRegister) { r.XIN = "7704358519" }},
		{"drive", func(r *registry.NewRegister) { r.Drive = "" }},
		{"drive", func(r *registry.NewRegister) { r.Drive = "999907890200123" }},
		{"drive", func(r *registry.NewRegister) { r.Drive = "999907890200123x" }},
		{"registration_number", func(r *registry.NewRegister) { r.SerialNumber = "00106900000002" }},
		{"registration_number", func(r *registry.NewRegister) { r.RegistrationNumber = "0000012345055779" }},
	} {
		in := russian()
		tt.change(&in)
		var e *fiscal.Error
		if _, err := s.AddRegister(t.Context(), in); !errors.As(err, &e) || e.Kind() != fiscal.Invalid || e.Field != tt.field {
			t.Errorf("AddRegister(%+v) = %v, want a complaint about %s", in, err, tt.field)
		}
	}
	other := russian()
	other.SerialNumber, other.RegistrationNumber = "00106900000002", ""
	var e *fiscal.Error
	if _, err := s.AddRegister(t.Context(), other); !errors.As(err, &e) || e.Reason != fiscal.AlreadyThere || e.Field != "drive" {
		t.Errorf("a second register with the drive: %v, want AlreadyThere (drive)", err)
	}
	other.Drive = "9999078902001236"
	if made, err := s.AddRegister(t.Context(), other); err != nil || !made.Card.Provisional {
		t.Errorf("without a registration number: %+v, %v; want a provisional one", made.Card, err)
	}
}
