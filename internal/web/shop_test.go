package web

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

// shop is a Checker that holds receipts by code and keeps the promises of the
// real one: contents only when all that is given fits.
type shop struct {
	receipts map[string]*cabinet.Found
	fails    error // what every check answers, if set
}

func (s *shop) Check(_ context.Context, q cabinet.Query) (cabinet.Result, error) {
	if s.fails != nil {
		return cabinet.Result{}, s.fails
	}
	found := s.receipts[q.Code]
	if q.Country == fiscal.Russia {
		found = s.receipts[driveKey(q.Drive, uint64(q.Number))]
		if found != nil && found.Document.FiscalSign == uint64(q.Sign) {
			if differs := differsRussian(&q, found); differs != nil {
				return cabinet.Result{Verdict: cabinet.Differs, Query: q, Differs: differs}, nil
			}
			return cabinet.Result{Verdict: cabinet.Genuine, Query: q, Found: found}, nil
		}
		if now().Sub(q.Time.UTC()) < 30*24*time.Hour {
			return cabinet.Result{Verdict: cabinet.NotYet, Query: q, LookAgain: q.Time.Add(30 * 24 * time.Hour)}, nil
		}
		return cabinet.Result{Verdict: cabinet.None, Query: q}, nil
	}
	if found == nil || found.Card.RegistrationNumber != q.RegistrationNumber {
		if now().Sub(q.Time.UTC()) < 72*time.Hour {
			return cabinet.Result{Verdict: cabinet.NotYet, Query: q, LookAgain: q.Time.Add(72 * time.Hour)}, nil
		}
		return cabinet.Result{Verdict: cabinet.None, Query: q}, nil
	}
	var differs []cabinet.Param
	if q.Sum != nil && *q.Sum != found.Document.Total {
		differs = append(differs, cabinet.ParamSum)
	}
	if q.Time != found.Document.DeviceTime {
		differs = append(differs, cabinet.ParamTime)
	}
	if differs != nil {
		return cabinet.Result{Verdict: cabinet.Differs, Query: q, Differs: differs}, nil
	}
	return cabinet.Result{Verdict: cabinet.Genuine, Query: q, Found: found}, nil
}

func now() time.Time { return time.Date(2026, 3, 14, 7, 0, 0, 0, time.UTC) }

func at(year, month, day, hour, minute, second int) fiscal.WallTime {
	t, ok := fiscal.WallDate(year, month, day, hour, minute, second)
	if !ok {
		panic("no such time")
	}
	return t
}

var operator = fiscal.Operator{
	Title:   fiscal.Text{KK: "«Ашық ФДО» ЖШС", RU: "ТОО «Открытый ОФД»", EN: "Open OFD LLP"},
	BIN:     "960640000017",
	Address: fiscal.Text{KK: "Астана қ., Мәңгілік Ел даңғылы, 55", RU: "г. Астана, пр. Мәңгілік Ел, 55", EN: "55 Mangilik El Avenue, Astana"},
	Site:    "https://ofd.example",
}

func card() fiscal.Card {
	return fiscal.Card{
		Register: 200145, Version: 2, Country: fiscal.Kazakhstan, XIN: "960624350642",
		Title:          fiscal.Text{KK: "«Әсем Дүкен» ЖШС", RU: "ТОО «Асем Дукен»"},
		LegalAddress:   fiscal.Text{RU: "г. Алматы, ул. Сатпаева, 90"},
		VATCertificate: "60001 0012345",
		OutletTitle:    fiscal.Text{KK: "«Әсем» дүкені", RU: "Магазин «Асем»"},
		OutletAddress:  fiscal.Text{KK: "Алматы қ., Бостандық ауданы, Абай даңғылы, 10, 1-қабат", RU: "г. Алматы, Бостандыкский район, пр. Абая, 10, 1-й этаж"},
		Zone:           "Asia/Almaty", Model: "Касса Про 3", SerialNumber: "SWK00032944", RegistrationNumber: "010101907421",
	}
}

func vat(percent uint32, sum fiscal.Money) []fiscal.Tax {
	return []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: percent, Sum: sum, Included: true}}
}

// sale is a receipt with everything that a receipt of a shop can have: all
// letters that Kazakh has and Russian has not, marks, discounts, a storno, two
// rates of VAT, card and mobile payment, a buyer.
func sale() *cabinet.Found {
	return &cabinet.Found{Card: card(), Document: fiscal.Document{
		Record: fiscal.Record{
			Register: 200145, Number: 1042, CardVersion: 2, Kind: fiscal.DocReceipt, Op: fiscal.OpSale, Shift: 128,
			DeviceTime: at(2026, 3, 14, 9, 12, 41), ReceivedAt: time.Date(2026, 3, 14, 4, 12, 43, 117000, time.UTC),
			FiscalSign: 362397639340, Total: 2345610,
		},
		Receipt: &fiscal.Receipt{
			Op: fiscal.OpSale, Time: at(2026, 3, 14, 9, 12, 41), Cashier: fiscal.Cashier{Code: 7, Name: "Ізбасарова Ұлпан"},
			Items: []fiscal.Item{
				{Kind: fiscal.ItemGoods, Name: "Сүт «Әже», 2,5 %, 1 л", Section: "1", Quantity: 2 * fiscal.OneUnit, Unit: "796", Price: 61500, Cost: 123000, Taxes: vat(16000, 16966), Barcode: "4870204390014", NTIN: "0200034567890"},
				{Kind: fiscal.ItemGoods, Name: "Ғажайып өрік, кептірілген", Section: "1", Quantity: 1_255_000, Unit: "116", Price: 420000, Cost: 527100, Taxes: vat(16000, 72703)},
				{Kind: fiscal.ItemDiscount, Name: "Наурыз", Cost: 27100},
				{Kind: fiscal.ItemGoods, Name: "Қымыз Һәм шұбат жинағы (ұзақ атауы бар тауар, ол бір жолға сыймайды)", Section: "2", Quantity: fiscal.OneUnit, Unit: "778", Price: 1650000, Cost: 1650000, Taxes: vat(12000, 176786), ExciseStamps: []string{"010487020439001421Xy7%kPqZ<91KZF0", "010487020439001421Ab3&mNoP>91KZF0"}},
				{Kind: fiscal.ItemGoods, Name: "Пакет", Section: "1", Quantity: fiscal.OneUnit, Unit: "796", Price: 5000, Cost: 5000},
				{Kind: fiscal.ItemGoods, Storno: true, Name: "Пакет", Section: "1", Quantity: fiscal.OneUnit, Unit: "796", Price: 5000, Cost: 5000},
				{Kind: fiscal.ItemGoods, Name: "Үйге жеткізу", Code: 9001, Section: "3", Quantity: fiscal.OneUnit, Unit: "5114", Price: 122610, Cost: 122610},
			},
			Payments: []fiscal.Payment{
				{Kind: fiscal.PayCard, Sum: 2000000, Requisites: []fiscal.Requisite{{Key: "pos_terminal_id", Value: "KZ004512"}, {Key: "pos_rrn", Value: "607314559201"}, {Key: "auxiliary.secret", Value: "not for buyers"}}},
				{Kind: fiscal.PayMobile, Sum: 345610, Requisites: []fiscal.Requisite{{Key: "qr_id", Value: "KP-88120033"}}},
			},
			Total:    2345610,
			Discount: &fiscal.Modifier{Name: "Тұрақты сатып алушы", Sum: 50000},
			Buyer:    fiscal.Buyer{XIN: "850101300019", Phone: "+77010000000", Email: "buyer@example.kz"},
		},
		Extra: []fiscal.Requisite{{Key: "shift_document_number", Value: "17"}},
	}}
}

// taxi is an autonomous receipt paid in cash.
func taxi() *cabinet.Found {
	f := sale()
	d := &f.Document
	d.Flags, d.DeviceNumber, d.Total, d.FiscalSign = fiscal.FlagReplay, 1773456789, 350000, 715520093118
	d.DeviceTime, d.ReceivedAt = at(2026, 3, 13, 23, 59, 58), time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	d.Receipt = &fiscal.Receipt{
		Op: fiscal.OpSale, Time: d.DeviceTime, Cashier: fiscal.Cashier{Code: 3},
		Items:      []fiscal.Item{{Kind: fiscal.ItemGoods, Name: "Жолаушы тасымалы / Перевозка пассажира", Section: "1", Quantity: 12_400_000, Unit: "008", Price: 28226, Cost: 350000}},
		Payments:   []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 350000}},
		Total:      350000,
		Taken:      500000,
		ChangeDue:  150000,
		Requisites: []fiscal.Requisite{{Key: "domain", Value: "taxi", Children: []fiscal.Requisite{{Key: "car_number", Value: "123 ABC 02"}, {Key: "is_order", Value: "true"}}}},
	}
	return f
}

// returned is a return that names its parent.
func returned() *cabinet.Found {
	f := sale()
	d := &f.Document
	d.Op, d.Total, d.FiscalSign, d.DeviceTime = fiscal.OpSaleReturn, 123000, 480019273645, at(2026, 3, 14, 10, 0, 0)
	d.Receipt = &fiscal.Receipt{
		Op: fiscal.OpSaleReturn, Time: d.DeviceTime, Cashier: fiscal.Cashier{Code: 7, Name: "Ізбасарова Ұлпан"},
		Items:    []fiscal.Item{{Kind: fiscal.ItemGoods, Name: "Сүт «Әже», 2,5 %, 1 л", Section: "1", Quantity: 2 * fiscal.OneUnit, Unit: "796", Price: 61500, Cost: 123000, Taxes: vat(16000, 16966)}},
		Payments: []fiscal.Payment{{Kind: fiscal.PayCard, Sum: 123000}},
		Total:    123000,
		Parent:   &fiscal.ParentReceipt{FiscalSign: "362397639340", Time: at(2026, 3, 14, 9, 12, 41), RegistrationNumber: "010101907421", Total: 2345610},
	}
	return f
}

// scrap is a purchase from the public that the register took back, on a
// register whose number is provisional.
func scrap() *cabinet.Found {
	f := sale()
	d := &f.Document
	d.Op, d.Total, d.FiscalSign, d.DeviceTime = fiscal.OpPurchase, 4200000, 591827364501, at(2026, 3, 14, 11, 30, 5)
	d.Receipt = &fiscal.Receipt{
		Op: fiscal.OpPurchase, Time: d.DeviceTime, Cashier: fiscal.Cashier{Code: 1, Name: "Касымов А."},
		Items:    []fiscal.Item{{Kind: fiscal.ItemGoods, Name: "Лом чёрных металлов", Section: "1", Quantity: 600 * fiscal.OneUnit, Unit: "116", Price: 7000, Cost: 4200000}},
		Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 4200000}},
		Total:    4200000,
	}
	f.Canceled = &cabinet.Cancellation{Time: at(2026, 3, 14, 11, 31, 0), ReceivedAt: time.Date(2026, 3, 14, 6, 31, 0, 0, time.UTC)}
	f.Card.Provisional, f.Card.VATCertificate = true, ""
	return f
}

func newShop(t testing.TB) *shop {
	s := &shop{receipts: map[string]*cabinet.Found{}}
	for _, f := range russianReceipts(t) {
		s.receipts[driveKey(f.Document.Drive, f.Document.DeviceNumber)] = f
	}
	for _, f := range []*cabinet.Found{sale(), taxi(), returned(), scrap()} {
		s.receipts[strconv.FormatUint(f.Document.FiscalSign, 10)] = f
		s.receipts[f.PrintedCode()] = f
	}
	return s
}

// queries are checks by name.
func queries(t testing.TB) map[string]string {
	of := (*cabinet.Found).Query
	all := map[string]string{
		"sale":     of(sale()),
		"taxi":     of(taxi()),
		"returned": of(returned()),
		"scrap":    of(scrap()),
		"differs":  "i=362397639340&f=010101907421&s=23456.00&t=20260314T091300",
		"not_yet":  "i=777777777777&f=010101907421&s=1777.50&t=20260314T091241",
		"none":     "i=777777777777&f=010101907421&s=1777.50&t=20240101T091241",

		"ru-differs": "t=20260314T0913&s=110.00&fn=" + drive + "&i=1002&fp=2952594410&n=2",
		"ru-not_yet": "t=20260314T0912&s=110.00&fn=" + drive + "&i=9999&fp=1&n=1",
		"ru-none":    "t=20240101T0912&s=110.00&fn=" + drive + "&i=9999&fp=1&n=1",
	}
	for name, f := range russianReceipts(t) {
		all[name] = of(f)
	}
	return all
}

// door is a running door over the shop.
func door(t *testing.T, cfg Config, checker Checker) *httptest.Server {
	t.Helper()
	return doorOf(t, cfg, checker, russianOperator())
}

// doorOf is the door of an operator.
func doorOf(t *testing.T, cfg Config, checker Checker, self fiscal.Operator) *httptest.Server {
	t.Helper()
	h, err := New(cfg, checker, self, slog.New(slog.DiscardHandler), now)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config = NewServer(h, slog.New(slog.DiscardHandler))
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// get asks the door; headers are names and values in turn.
func get(t *testing.T, s *httptest.Server, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return do(t, s, http.MethodGet, path, headers...)
}

func do(t *testing.T, s *httptest.Server, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := new(bytes.Buffer)
	if _, err := body.ReadFrom(res.Body); err != nil {
		t.Fatal(fmt.Errorf("read the answer to %s: %w", path, err))
	}
	return res, body.String()
}
