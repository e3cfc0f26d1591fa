package ui

import (
	"reflect"
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
	want := []Requisite{
		{Key: "domain", Title: "Отрасль", Value: "такси", Plain: "такси", Code: "taxi"},
		{Key: "car_number", Title: "Номер машины", Value: "123 ABC 02", Plain: "123 ABC 02"},
		{Key: "is_order", Title: "По заказу", Value: "нет", Plain: "нет", Code: "false"},
	}
	if got := locales(t)["ru"].Requisites(list, 0); !reflect.DeepEqual(got, want) {
		t.Errorf("Requisites = %v, want %v", got, want)
	}
}

// TestRequisitesOfRussia: amounts, times, masks, enumerations, groups, old
// rates, and data of the buyer.
func TestRequisitesOfRussia(t *testing.T) {
	list := []fiscal.Requisite{
		{Key: "nds18", Value: "1234.50", Type: fiscal.ValueMoney},
		{Key: "appliedTaxationType", Value: "34", Type: fiscal.ValueMask},
		{Key: "appliedTaxationType", Value: "128", Type: fiscal.ValueMask},
		{Key: "correctionBase", Children: []fiscal.Requisite{{Key: "correctionDocumentDate", Value: "2018-11-20 00:00:00", Type: fiscal.ValueTime}}},
		{Key: "operationalDetails", Children: []fiscal.Requisite{{Key: "dateTime", Value: "2018-11-20 10:05:00", Type: fiscal.ValueTime}}},
		{Key: "nds", Value: "1"},
		{Key: "nds", Value: "99"},
		{Key: "tag9999", Value: "AAAA"},
		{Key: "buyerPhoneOrAddress", Value: "buyer@example.ru", Personal: true},
		{Key: "buyerPhoneOrAddress", Value: "+79161234567", Personal: true},
		{Key: "buyer", Value: "Иванов Иван", Personal: true},
		{Key: "buyerDocumentCode", Value: "21", Personal: true},
	}
	var said []string
	var say func([]Requisite)
	say = func(all []Requisite) {
		for _, q := range all {
			said = append(said, q.Title+"="+seen.Replace(q.Value)+"="+q.Plain)
			say(q.Children)
		}
	}
	day, _ := fiscal.WallDate(2018, 12, 31, 23, 59, 59)
	say(locales(t)["ru"].Requisites(list, day))
	want := []string{
		"в том числе НДС 18 %=1_234,50~₽=1234.50", "СНО=УСН доход, Патент=УСН доход, Патент", "СНО=128=128",
		"Основание для коррекции==", "Дата исправляемого расчёта=20.11.2018=2018-11-20T00:00:00",
		"Операционный реквизит чека==", "Дата и время=20.11.2018~10:05=2018-11-20T10:05:00",
		"НДС=НДС 18 %=НДС 18 %", "НДС=99=99",
		"Телефон или эл. почта покупателя=b•••@example.ru=b•••@example.ru", "Телефон или эл. почта покупателя=••••••••4567=••••••••4567",
		"Покупатель=И••• И•••=И••• И•••", "Вид документа (код)=••=••",
	}
	if got := strings.Join(said, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("Requisites say\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if got := locales(t)["ru"].Requisites(list[:1], day+1)[0].Title; got != "в том числе НДС 20 %" {
		t.Errorf("from 2019 on it is %q", got)
	}
}
