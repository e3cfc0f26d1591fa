package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"openofd/internal/fiscal"
)

// seen shows spaces that eyes cannot tell apart.
var seen = strings.NewReplacer(thin, "_", nbsp, "~")

func TestFormat(t *testing.T) {
	all := locales(t)
	wall, _ := fiscal.WallDate(2026, 3, 14, 9, 5, 0)
	received := time.Date(2026, 3, 14, 4, 5, 2, 999000, time.UTC)
	tests := []struct{ name, got, want string }{
		{"small", all["ru"].Money(5), "0,05~₸"},
		{"tenge", all["ru"].Money(177750), "1_777,50~₸"},
		{"hundreds", all["ru"].Money(99999), "999,99~₸"},
		{"millions", all["kk"].Money(123456789), "1_234_567,89~₸"},
		{"English", all["en"].Money(123456789), "1_234_567.89~₸"},
		{"negative", all["en"].Amount(-100), "−1.00"},
		{"largest", all["ru"].Amount(fiscal.MaxMoney), "90_000_000_000_000_000,00"},
		{"piece", all["ru"].Quantity(fiscal.OneUnit), "1"},
		{"grams", all["ru"].Quantity(1_255_000), "1,255"},
		{"many", all["en"].Quantity(12_345_500_000), "12_345.5"},
		{"taken back", all["ru"].Quantity(-2_500_000), "−2,5"},
		{"rate", all["ru"].Percent(16000), "16~%"},
		{"odd rate", all["kk"].Percent(12505), "12,505~%"},
		{"rate in English", all["en"].Percent(500), "0.5%"},
		{"time", all["ru"].Time(wall), "14.03.2026~09:05:00"},
		{"date", all["ru"].Date(wall), "14 марта 2026 года, 09:05"},
		{"date in Kazakh", all["kk"].Date(wall), "2026 жылғы 14 наурыз, 09:05"},
		{"date in English", all["en"].Date(wall), "14 March 2026, 09:05"},
		{"moment", all["ru"].Moment(received, time.FixedZone("", 5*3600)), "14.03.2026~09:05:02 (UTC+5)"},
		{"moment at half an hour", all["ru"].Moment(received, time.FixedZone("", -(3*3600+1800))), "14.03.2026~00:35:02 (UTC-3:30)"},
		{"unit", all["kk"].Unit("796"), "дана"},
		{"unit without a word", all["ru"].Unit("777"), "[777]"},
		{"no unit", all["ru"].Unit("000"), ""},
		{"digits", Digits("362397639340"), "3623_9763_9340"},
		{"few digits", Digits("1001"), "1001"},
	}
	for _, tt := range tests {
		if got := seen.Replace(tt.got); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestRequisites(t *testing.T) {
	list := []fiscal.Requisite{
		{Key: "domain", Value: "taxi", Children: []fiscal.Requisite{{Key: "car_number", Value: "123 ABC 02"}, {Key: "is_order", Value: "false"}}},
		{Key: "auxiliary.loyalty", Value: "77"}, // a device's own name
		{Key: "account_number"},                 // empty
	}
	want := []Requisite{{"domain", "Отрасль", "такси"}, {"car_number", "Номер машины", "123 ABC 02"}, {"is_order", "По заказу", "нет"}}
	if got := locales(t)["ru"].Requisites(list); !slices.Equal(got, want) {
		t.Errorf("Requisites = %v, want %v", got, want)
	}
}
