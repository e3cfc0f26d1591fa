package registry_test

import (
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// goodForm is a form without findings, of a country, with what it is held
// against.
func goodForm(c fiscal.Country) (registry.ApplicationForm, registry.Grounds) {
	f := registry.ApplicationForm{
		XIN: trader, Title: fiscal.Text{RU: "ИП Әсел"}, LegalAddress: fiscal.Text{RU: "Алматы"}, Outlet: 3, OutletTitle: fiscal.Text{RU: "Лавка"},
		Where: registry.Address{Region: "75", Locality: "Алматы", Street: "Абая", House: "10"}, Name: "Касса 1", Model: "Порт DPG-150ФKZ", SerialNumber: "1",
		ManufactureYear: 2026, Connection: fiscal.ConnectionWireless, SIM: "77010000000",
	}
	card := fiscal.Card{Country: c, XIN: trader, Model: f.Model, SerialNumber: "1", Provisional: true, RegistrationNumber: "990000000001"}
	if c == fiscal.Russia {
		f.XIN, f.Where, f.Model = "7704358518", registry.Address{Region: "77", Locality: "Москва", Street: "Арбат", House: "1"}, "АТОЛ 91Ф"
		f.Connection, f.SIM, f.Drive, f.Format = "", "", "9999078900004312", "1.2"
		card.XIN, card.Model, card.Drive = f.XIN, f.Model, f.Drive
	}
	t := registry.Taxpayer{Country: c, XIN: f.XIN, Title: f.Title}
	office := registry.NewOffice(nil, nil, nil, nil, fiscal.Operator{}, time.Now)
	return f, registry.Grounds{Taxpayer: &t, Outlets: []registry.Outlet{{ID: 3}}, Card: &card, Model: office.Model(c, f.Model), Now: time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC)}
}

// Each rule of the control, alone and with the field that it names.
//
// Req: O-057, O-058, O-059, E-050, E-051, E-052, E-054, E-055, E-056, E-060, E-062, E-063, E-064, E-070, E-072, E-073, F-040, F-042, P-062, P-063, P-064, P-065, P-102
func TestControl(t *testing.T) {
	type form = registry.ApplicationForm
	type grounds = registry.Grounds
	for _, tt := range []struct {
		name    string
		country fiscal.Country
		kind    registry.ApplicationKind
		change  func(f *form, g *grounds)
		want    string // field: detail
	}{
		{"good", fiscal.Kazakhstan, registry.Enrol, func(*form, *grounds) {}, ""},
		{"good in Russia", fiscal.Russia, registry.Enrol, func(*form, *grounds) {}, ""},
		{"no number of the taxpayer", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.XIN = "" }, "xin: missing_parameter"},
		{"somebody else's", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.XIN = "220540013371" }, "xin: other_taxpayer"},
		{"a wrong check digit", fiscal.Russia, registry.Enrol, func(f *form, _ *grounds) { f.XIN = "7704358519" }, "xin: check_digit"},
		{"another title", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Title.RU = "ИП Асель" }, "(title: differs)"},
		{"VAT without its certificate", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.VATPercent = 16_000 }, "(vat_certificate: expected)"},
		{"another's outlet", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Outlet = 4 }, "outlet: not_yours"},
		{"no region", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Where.Region = "" }, "region: missing_parameter"},
		{"a region of the neighbor", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Where.Region = "99" }, "region: not_listed"},
		{"a city of another region", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Where.Region = "71" }, "locality: other_region"},
		{"no street and no house", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Where.Street, f.Where.House = "", "" }, "street: missing_parameter; house: missing_parameter"},
		{"no name", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Name = "" }, "name: missing_parameter"},
		{"a name that is too long", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Name = strings.Repeat("к", 65) }, "name: too_long"},
		{"a model nobody knows", fiscal.Kazakhstan, registry.Enrol, func(f *form, g *grounds) { f.Model, g.Card.Model, g.Model = "Сундук", "", nil }, "model: not_listed"},
		{"another model than the register's", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Model = "E-kassa" }, "model: fixed"},
		{"another serial number", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.SerialNumber = "2" }, "serial_number: fixed"},
		{"no year", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.ManufactureYear = 0 }, "manufacture_year: missing_parameter"},
		{"a year to come", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.ManufactureYear = 2028 }, "manufacture_year: range"},
		{"a number that is none", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.RegistrationNumber = "12" }, "registration_number: form"},
		{"a Russian number that does not fit", fiscal.Russia, registry.Enrol, func(f *form, _ *grounds) { f.RegistrationNumber = "0000000001012345" }, "registration_number: form"},
		{"a drive in Kazakhstan", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Drive = "9999078900004312" }, "drive: not_here"},
		{"no drive in Russia", fiscal.Russia, registry.Enrol, func(f *form, _ *grounds) { f.Drive = "" }, "drive: missing_parameter"},
		{"a short drive", fiscal.Russia, registry.Enrol, func(f *form, _ *grounds) { f.Drive = "99" }, "drive: form"},
		{"a format that the model has not", fiscal.Russia, registry.Enrol, func(f *form, g *grounds) { g.Model = &registry.Model{Protocols: []string{"1.05"}} }, "ffd: not_of_model"},
		{"a part twice", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) {
			f.Parts = []fiscal.Part{{Kind: fiscal.PartPrinter, Model: "a"}, {Kind: fiscal.PartPrinter, Model: "b"}}
		}, "parts: twice"},
		{"no connection", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Connection, f.SIM = "", "" }, "connection: missing_parameter"},
		{"wireless without a card", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.SIM = "" }, "sim: missing_parameter"},
		{"a card in a wired one", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Connection = fiscal.ConnectionWired }, "sim: not_wireless"},
		{"a card that is none", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.SIM = "123" }, "sim: form"},
		{"the number printed on a card", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.SIM = "8999701560000000000" }, ""},
		{"software by the air", fiscal.Kazakhstan, registry.Enrol, func(f *form, g *grounds) {
			g.Model = &registry.Model{Kind: registry.ModelSystem, Connections: []fiscal.Connection{fiscal.ConnectionWired}}
		}, "connection: not_of_model"},
		{"reasons where none are asked", fiscal.Kazakhstan, registry.Enrol, func(f *form, _ *grounds) { f.Reasons = []registry.ApplicationReason{registry.ForName} }, "reasons: not_here"},
		{"a change of what is not on record", fiscal.Kazakhstan, registry.Reenrol, func(f *form, _ *grounds) { f.Reasons = []registry.ApplicationReason{registry.ForName} }, "registration_number: not_on_record"},
		{"a removal without a reason", fiscal.Kazakhstan, registry.Remove, func(f *form, g *grounds) {
			f.RegistrationNumber, g.Card.RegistrationNumber, g.Card.Provisional = "620100000017", "620100000017", false
		}, "reasons: missing_parameter"},
		{"a removal with the shift open", fiscal.Kazakhstan, registry.Remove, func(f *form, g *grounds) {
			f.RegistrationNumber, g.Card.RegistrationNumber, g.Card.Provisional = "620100000017", "620100000017", false
			f.Reasons, g.State = []registry.ApplicationReason{registry.ForTheft}, &fiscal.State{Shift: fiscal.Shift{Open: true}}
		}, "(register: shift_open)"},
		{"a reason of another kind", fiscal.Kazakhstan, registry.Remove, func(f *form, g *grounds) {
			f.RegistrationNumber, g.Card.RegistrationNumber, g.Card.Provisional = "620100000017", "620100000017", false
			f.Reasons = []registry.ApplicationReason{registry.ForDrive}
		}, "reasons: not_listed"},
		{"another reason, unsaid", fiscal.Kazakhstan, registry.Remove, func(f *form, g *grounds) {
			f.RegistrationNumber, g.Card.RegistrationNumber, g.Card.Provisional = "620100000017", "620100000017", false
			f.Reasons = []registry.ApplicationReason{registry.ForOther}
		}, "note: missing_parameter"},
	} {
		f, g := goodForm(tt.country)
		tt.change(&f, &g)
		var got []string
		for _, e := range registry.Control(tt.kind, &f, &g) {
			s := e.Field + ": " + e.Detail
			if e.Detail == "" {
				s += e.Reason.String()
			}
			if e.Only {
				s = "(" + s + ")"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, s, tt.want)
		}
	}
}

// What the control came to in the two sentences of the order.
//
// Req: O-061, O-062
func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		fields             []string
		taxpayer, register bool
	}{{nil, true, true}, {[]string{"title"}, false, true}, {[]string{"model"}, true, false}, {[]string{"xin", "sim"}, false, false}} {
		var all []registry.FieldError
		for _, f := range tt.fields {
			all = append(all, registry.FieldError{Field: f})
		}
		if a, b := registry.Matches(all); a != tt.taxpayer || b != tt.register {
			t.Errorf("Matches(%q) = %v, %v, want %v, %v", tt.fields, a, b, tt.taxpayer, tt.register)
		}
	}
}

// Models are found by their first letters, in whatever letters these are typed.
//
// Req: E-061, P-063
func TestSuggestModels(t *testing.T) {
	o := registry.NewOffice(nil, nil, nil, nil, fiscal.Operator{}, time.Now)
	own, err := registry.ReadModels("# ours\nkz\tПорт Новый\tПорт\tdevice\t-\twired\n")
	if err != nil {
		t.Fatal(err)
	}
	o.AddModels(own)
	for _, tt := range []struct {
		country fiscal.Country
		typed   string
		want    string // among the first; "" nothing
	}{
		{fiscal.Kazakhstan, "порт dpg-150", "Порт DPG-150ФKZ"}, // letters of two alphabets
		{fiscal.Kazakhstan, "ПОРТ DPG-150Ф", "Порт DPG-150ФKZ"},
		{fiscal.Kazakhstan, "port dpg150", "Порт DPG-150ФKZ"},
		{fiscal.Kazakhstan, "dpg-150", "Порт DPG-150ФKZ"}, // a word of it
		{fiscal.Kazakhstan, "е-касса", "E-kassa"},
		{fiscal.Kazakhstan, "Порт нов", "Порт Новый"},
		{fiscal.Russia, "atol 91", "АТОЛ 91Ф"},
		{fiscal.Russia, "эвотор ст5", "ЭВОТОР СТ5Ф"},
		{fiscal.Russia, "Инкотекс", "Меркурий-115Ф"}, // by its maker
		{fiscal.Russia, "порт dpg", ""},
		{fiscal.Kazakhstan, " - ", ""},
		{fiscal.Kazakhstan, "нет такой", ""},
	} {
		got := ""
		for _, m := range o.SuggestModels(tt.country, tt.typed, 5) {
			if got == "" || m.Name == tt.want {
				got = m.Name
			}
		}
		if got != tt.want {
			t.Errorf("SuggestModels(%s, %q) gives %q, want %q", tt.country, tt.typed, got, tt.want)
		}
	}
	for _, bad := range []string{"kz\tA", "us\tA\t-\tdevice\t-\twired", "kz\tA\t-\tbox\t-\twired", "kz\tA\t-\tdevice\t-\tradio", "kz\tA\t-\tsystem\t-\twireless", "kz\t-\t-\tdevice\t-\twired"} {
		if _, err := registry.ReadModels(bad); err == nil {
			t.Errorf("ReadModels(%q) = no error", bad)
		}
	}
	if kz, ru := registry.Models(fiscal.Kazakhstan), registry.Models(fiscal.Russia); len(kz) < 20 || len(ru) < 50 {
		t.Errorf("there are %d and %d models", len(kz), len(ru))
	}
}
