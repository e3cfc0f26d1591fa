package ffd_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// JSON makes a document that reads as the same JSON; where no number is padded
// and no text unpadded, the very bytes come again.
func TestVectorsFromJSON(t *testing.T) {
	same := 0
	for _, v := range testkit.KKTVectors(t) {
		if v.Document == nil {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			b, err := ffd.FromJSON(v.Document, unstated(v))
			if err != nil {
				t.Fatalf("FromJSON(%s) = %v", v.Document, err)
			}
			if bytes.Equal(b, documentOf(v)) {
				same++
			}
			o := ffd.JSON{}
			got := loose(t, parse(t, b, unstated(v)).AppendJSON(nil, o))
			want := loose(t, v.Document)
			for _, doc := range want.(map[string]any) {
				delete(doc.(map[string]any), "messageFiscalSign")
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("FromJSON, AppendJSON = %v\nwant %v", got, want)
			}
		})
	}
	if same < 20 {
		t.Errorf("%d documents came out as the same bytes, want at least 20", same)
	}
}

func TestFromJSONTakes(t *testing.T) {
	for name, text := range map[string]string{
		"older names":       `{"receipt":{"taxationType":1,"buyerAddress":"a@b.example"}}`,
		"wrapped":           `{"document":{"receipt":{"appliedTaxationType":1,"buyerPhoneOrAddress":"a@b.example","receiptCode":3}}}`,
		"what others add":   `{"receipt":{"metadata":{"id":1},"appliedTaxationType":1,"buyerPhoneOrAddress":"a@b.example"}}`,
		"one for an array":  `{"receipt":{"appliedTaxationType":[1],"buyerPhoneOrAddress":"a@b.example"}}`,
		"numbers for names": `{"receipt":{"tag1055":1,"tag1008":"a@b.example"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			b, err := ffd.FromJSON([]byte(text), ffd.V120)
			if err != nil {
				t.Fatalf("FromJSON(%s) = %v", text, err)
			}
			if d := parse(t, b, ffd.V120); d.Uint(ffd.TagTaxSystem) != 1 || d.Text(ffd.TagBuyerContact) != "a@b.example" {
				t.Errorf("FromJSON(%s) = %x", text, b)
			}
		})
	}
}

func TestFromJSONRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, member string }{
		{"nothing", `{}`, ""},
		{"no object", `[1]`, ""},
		{"cut off", `{"receipt":{"totalSum":`, "receipt"},
		{"no such form", `{"cheque":{}}`, "cheque"},
		{"no such member", `{"receipt":{"sum_total":1}}`, "sum_total"},
		{"fraction of a kopeck", `{"receipt":{"totalSum":1.5}}`, "totalSum"},
		{"negative", `{"receipt":{"totalSum":-1}}`, "totalSum"},
		{"too large", `{"receipt":{"operationType":256}}`, "operationType"},
		{"exponent", `{"receipt":{"items":[{"quantity":1e3}]}}`, "quantity"},
		{"not in the code page", `{"receipt":{"user":"«»"}}`, "user"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ffd.FromJSON([]byte(c.text), ffd.V120)
			var e *fiscal.Error
			if !errors.As(err, &e) || !errors.Is(err, fiscal.Invalid) || e.Field != c.member {
				t.Errorf("FromJSON(%s) = %v, want Invalid about %q", c.text, err, c.member)
			}
		})
	}
}

func FuzzFromJSON(f *testing.F) {
	for _, v := range testkit.KKTVectors(f) {
		if len(v.Document) > 0 && len(v.Document) < 2000 {
			f.Add([]byte(v.Document))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ffd.FromJSON(text, ffd.V120)
		if err != nil {
			return
		}
		d, err := ffd.Parse(b, ffd.V120)
		if err != nil {
			t.Fatalf("FromJSON(%s) = %x, which does not parse: %v", text, b, err)
		}
		holds(t, d)
	})
}
