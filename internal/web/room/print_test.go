package room

import (
	"os"
	"strings"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web/pdf"
	"openofd/internal/web/ui"
)

func printCard(country fiscal.Country) fiscal.Card {
	return fiscal.Card{
		Register: 200145, Country: country, XIN: "960624350642", Title: fiscal.Text{KK: "«Әсем Дүкен» ЖШС", RU: "ТОО «Асем Дукен»"},
		OutletAddress: fiscal.Text{KK: "Алматы қ., Абай даңғылы, 10", RU: "г. Алматы, пр. Абая, 10"}, Zone: "Asia/Almaty",
		SerialNumber: "SWK00032944", RegistrationNumber: "010101907421",
	}
}

func printables(t *testing.T) map[string]*cabinet.Found {
	t.Helper()
	at, ok := fiscal.WallDate(2026, 3, 14, 21, 5, 0)
	if !ok {
		t.Fatal("no such time")
	}
	record := func(kind fiscal.DocumentKind) fiscal.Record {
		return fiscal.Record{Register: 200145, Number: 77, Kind: kind, Shift: 12, DeviceTime: at, ReceivedAt: time.Date(2026, 3, 14, 16, 5, 1, 0, time.UTC), FiscalSign: 362397639340}
	}
	var counters fiscal.Counters
	counters.Receipt(&fiscal.Receipt{Op: fiscal.OpSale, Total: 1_234_500, Items: []fiscal.Item{
		{Kind: fiscal.ItemGoods, Section: "1", Cost: 1_250_000, Taxes: []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16_000, Sum: 172_414, Included: true}}},
		{Kind: fiscal.ItemDiscount, Cost: 15_500},
	}, Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 1_000_000}, {Kind: fiscal.PayCard, Sum: 234_500}}}, false, 1)
	counters.Move(fiscal.OpCashIn, 500_000, false)
	report := fiscal.Document{Record: record(fiscal.DocShiftClose), Report: &fiscal.Report{Kind: fiscal.ReportZ, Time: at, Shift: fiscal.Shift{Number: 12, OpenedAt: at - 36_000, ClosedAt: at}, Counters: counters}}
	move := fiscal.Document{Record: record(fiscal.DocCashMove), Move: &fiscal.CashMove{Op: fiscal.OpCashOut, Time: at, Sum: 700_000, Auto: true, Cashier: fiscal.Cashier{Name: "Ізбасарова Ұлпан"}}}
	russian := fiscal.Document{Record: record(fiscal.DocShiftOpen), Extra: []fiscal.Requisite{{Key: "operator", Value: "Иванова А. А."}}}
	russian.Drive, russian.DeviceNumber = "9999078902001234", 1001
	return map[string]*cabinet.Found{
		"report": {Document: report, Card: printCard(fiscal.Kazakhstan)}, "move": {Document: move, Card: printCard(fiscal.Kazakhstan)}, "russia": {Document: russian, Card: printCard(fiscal.Russia)},
	}
}

// TestPrint: reports, moves and contracts on paper hold what their pages show.
//
// Req: O-008, T-041
func TestPrint(t *testing.T) {
	locales, err := ui.LoadLocales()
	if err != nil {
		t.Fatal(err)
	}
	sheets := map[string]*pdf.Sheet{}
	for name, found := range printables(t) {
		for lang, l := range locales {
			sheets[name+"."+lang] = newPaper(l, found)
		}
	}
	zone := time.FixedZone("", 5*3600)
	a := &visitor{Actor: &access.Actor{}, Organization: Organization{Zone: zone}, locale: locales["kk"]}
	sheets["contract.kk"] = printContract(a, &registry.Contract{
		ID: 7, Kind: registry.ContractSigned, At: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC), By: "owner@shop.example", Method: "GOST R 34.10-2012, 256 bits",
		Content: []byte("ШАРТ\n\nКүні: 14.03.2026\nФДО: «Ашық ФДО» ЖШС\n"), Owner: &signature.Owner{Name: "ІЗБАСАРОВА ҰЛПАН", Organization: "«Әсем Дүкен» ЖШС", BIN: "960624350642", Serial: "1A2B"},
		Verdict: &registry.Verdict{Verdict: signature.Verdict{SignedAt: time.Date(2026, 3, 14, 8, 59, 0, 0, time.UTC), Revocation: true}},
	})
	sheets["application.kk"] = printApplication(a, &registry.Application{
		ID: 17, Country: fiscal.Kazakhstan, Kind: registry.Enrol, Status: registry.Refused, Number: "KGD-5", Why: fiscal.Text{KK: "Модель табылмады"}, SignedAt: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC),
		Form:  registry.ApplicationForm{XIN: "960624350642", Title: fiscal.Text{KK: "«Әсем Дүкен» ЖШС"}, Name: "Касса 1", Model: "ПОРТ", SerialNumber: "SWK00032944"},
		Paper: registry.Paper{Owner: &signature.Owner{Name: "ІЗБАСАРОВА ҰЛПАН", Serial: "1A2B"}, Method: "RSA"},
	}, []registry.ApplicationEvent{{At: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC), What: registry.WasSigned, By: "owner@shop.example"}, {What: registry.WasHurried, By: "command line"}})
	for name, want := range map[string][]string{
		"application.kk": {"№ 17", "KGD-5", "Модель табылмады", "«Әсем Дүкен» ЖШС", "SWK00032944", "ІЗБАСАРОВА ҰЛПАН", "owner@shop.example", "14.03.2026 14:00:00", "оператор"},
		"report.kk":      {"Z-есеп", "«Әсем Дүкен» ЖШС", "ТОО «Асем Дукен»", "№ 12", "14.03.2026 21:05:00", "12 345,00", "10 000,00", "2 345,00", "155,00", "1 724,14", "5 000,00", "15 000,00 ₸", "SWK00032944", "0101 0190 7421"},
		"report.en":      {"Z report", "12 345.00", "15 000.00 ₸"},
		"move.ru":        {"7 000,00 ₸", "Ізбасарова Ұлпан", "3623 9763 9340", "12"},
		"russia.ru":      {"9999078902001234", "1001", "Иванова А. А."},
		"contract.kk":    {"ШАРТ", "Күні: 14.03.2026", "owner@shop.example", "ІЗБАСАРОВА ҰЛПАН", "960624350642", "1A2B", "14.03.2026 13:59:00", "GOST"},
	} {
		s := sheets[name]
		text := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(s.String())
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q:\n%s", name, w, text)
			}
		}
	}
	for name, s := range sheets {
		for _, paper := range []pdf.Paper{pdf.Roll, pdf.A4} {
			b, err := s.Bytes(paper)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if dir := os.Getenv("PRINT_DIR"); dir != "" && paper == pdf.Roll == (name != "contract.kk" && name != "application.kk") {
				if err := os.WriteFile(dir+"/"+name+".pdf", b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
