package main

import (
	"reflect"
	"strings"
	"testing"

	"openofd/internal/fiscal"
)

func TestCatalogFiles(t *testing.T) {
	want := []fiscal.CatalogElement{
		{ID: 1, Group: true, Title: fiscal.Text{KK: "Нан", RU: "Хлеб"}},
		{
			ID: 2, Parent: 1, Title: fiscal.Text{RU: "Батон, нарезной"}, Barcode: "4870001000012", SalePrice: 25050,
			VATPercent: 12_000, DiscountPercent: 2_500, Unit: "796", UnitCount: 250, Fractional: true,
		},
	}
	files := map[string]string{
		"commas": "id,parent,group,title_ru,title_kk,barcode,sale_price,vat_percent,discount_percent,unit,unit_count,fractional\n" +
			"1,,yes,Хлеб,Нан,,,,,,,\n" +
			"2,1,no,\"Батон, нарезной\",,4870001000012,250.50,12,2.5,796,0.25,1\n",
		"semicolons": "\xEF\xBB\xBFID;Parent;Group;Title;Title_KK;Barcode;Sale_Price;VAT_Percent;Discount_Percent;Unit;Unit_Count;Fractional\r\n" +
			"1;;да;Хлеб;Нан;;;;;;;\r\n" +
			"2;1;;Батон, нарезной;;4870001000012;250,5;12;2,5;796;0,25;иә\r\n",
	}
	for name, text := range files {
		got, err := parseCatalogCSV([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	const json = `{"elements":[{"id":1,"group":true,"title":{"kk":"Нан","ru":"Хлеб"}},
		{"id":2,"parent":1,"title":{"ru":"Батон, нарезной"},"barcode":"4870001000012","sale_price":"250.50",
		 "vat_percent":12000,"discount_percent":2500,"unit":"796","unit_count":250,"fractional":true}]}`
	got, err := parseCatalogJSON([]byte(json))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("json: %+v, %v; want %+v", got, err, want)
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(json, `{"elements":`), "}")
	if got, err := parseCatalogJSON([]byte(bare)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("bare list: %+v, %v; want %+v", got, err, want)
	}
	if err := checkCatalog(want); err != nil {
		t.Errorf("checkCatalog() = %v", err)
	}
}

func TestBadCatalogFiles(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a.csv", "id,colour\n1,red\n", `unknown column "colour"`},
		{"a.csv", "id,sale_price\n1,10\n2,ten\n", `line 3, sale_price: "ten" cannot be read`},
		{"a.csv", "id,vat_percent\n1,12.3456\n", `line 2, vat_percent: "12.3456" cannot be read`},
		{"a.csv", "id,title\n1\n", "wrong number of fields"},
		{"a.csv", "", "heading: EOF"},
		{"a.json", `{"elements":[{"id":1,"colour":"red"}]}`, `unknown field "colour"`},
		{"a.json", "{\"elements\":[\n{\"id\":\"one\"}]}", "near line 2"},
		{"a.json", `[] []`, "more than one JSON document"},
		{"a.json", `[]`, "holds no elements"},
		{"a.json", `[{"title":{"ru":"x"}}]`, "element 1 of the file has no id"},
		{"a.json", `[{"id":1}]`, "element 1 has no title"},
		{"a.json", `[{"id":1,"title":{"ru":"x"}},{"id":1,"title":{"ru":"x"}}]`, "id 1 comes twice"},
		{"a.json", `[{"id":1,"parent":7,"title":{"ru":"x"}}]`, "lies in group 7, which is not in the file"},
		{"a.json", `[{"id":1,"title":{"ru":"x"}},{"id":2,"parent":1,"title":{"ru":"x"}}]`, "lies in 1, which is no group"},
		{"a.json", `[{"id":1,"parent":2,"group":true,"title":{"ru":"x"}},{"id":2,"parent":1,"group":true,"title":{"ru":"x"}}]`, "lies within itself"},
		{"a.json", `[{"id":1,"title":{"ru":"x"},"sale_price":"-1"}]`, "an amount below zero"},
		{"a.json", `[{"id":1,"title":{"ru":"x"},"barcode":"5"},{"id":2,"title":{"ru":"x"},"barcode":"5"}]`, "elements 1 and 2 have one barcode, 5"},
	}
	for _, tt := range tests {
		parse := parseCatalogJSON
		if tt.name == "a.csv" {
			parse = parseCatalogCSV
		}
		elements, err := parse([]byte(tt.text))
		if err == nil {
			err = checkCatalog(elements)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q: %v, want %q in it", tt.name, tt.text, err, tt.want)
		}
	}
}
