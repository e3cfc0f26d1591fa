package ffd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// Code page 866 is right for every byte, both ways. The golden file was made
// by another program.
func TestCodePage(t *testing.T) {
	f, err := os.Open("testdata/cp866.golden")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var b byte
		var r rune
		if _, err := fmt.Sscanf(lines.Text(), "%02x %04x", &b, &r); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if got := ffd.DecodeText([]byte{b}); got != string(r) {
			t.Errorf("DecodeText(%02x) = %q, want %q", b, got, r)
		}
		if got, ok := ffd.EncodeText(nil, string(r)); !ok || !bytes.Equal(got, []byte{b}) {
			t.Errorf("EncodeText(%q) = %x, %v, want %02x", r, got, ok, b)
		}
	}
	if n != 256 {
		t.Errorf("%d bytes in the golden file, want 256", n)
	}
	if got, ok := ffd.EncodeText(nil, "«ë\xff"); ok || string(got) != "???" {
		t.Errorf("EncodeText(«ë and a stray byte) = %q, %v, want ??? and false", got, ok)
	}
}

// tagOf is a tag whose values are of a type of the vectors.
var tagOf = map[string]ffd.Tag{"u32": 1038, "VLN": 1020, "FVLN": 1023, "string": 1086, "unixtime": 1012, "byte": 1054}

func TestValueVectors(t *testing.T) {
	for _, p := range testkit.KKTParts(t) {
		tag, ok := tagOf[p.Type]
		if p.Layer != "value" {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			if !ok {
				t.Fatalf("no tag of type %q", p.Type)
			}
			w := ffd.NewWriter(ffd.FormReceipt)
			switch p.Want {
			case "encode-error":
				writeNumber(t, w, tag, p.Value)
				if b, err := w.Bytes(); err == nil {
					t.Errorf("writing %s = %x, want an error", p.Value, b)
				}
				return
			case "decode-error":
				w.Raw(tag, p.Bytes)
				b, _ := w.Bytes()
				v := parse(t, b, ffd.V120).Check(ffd.Circumstances{})
				for _, f := range v.Findings {
					if f.Rule == "T2" && f.Severity == ffd.Refuse {
						return
					}
				}
				t.Errorf("Check() = %+v, want T2", v.Findings)
				return
			}
			w.Raw(tag, p.Bytes)
			b, _ := w.Bytes()
			got := loose(t, parse(t, b, ffd.V120).AppendJSON(nil, ffd.JSON{}))
			for _, v := range got.(map[string]any)["receipt"].(map[string]any) {
				if want := loose(t, p.Value); v == want {
					return
				}
			}
			t.Errorf("%x reads as %v, want %s", p.Bytes, got, p.Value)
		})
	}
}

func writeNumber(t *testing.T, w *ffd.Writer, tag ffd.Tag, value json.RawMessage) {
	t.Helper()
	if whole, digits, point := strings.Cut(string(value), "."); point {
		var n uint64
		if _, err := fmt.Sscan(whole+digits, &n); err != nil {
			t.Fatal(err)
		}
		// The vector's field has five bytes in all; the table's has eight.
		if n < 1<<32 {
			t.Fatalf("%s would fit in five bytes", value)
		}
		w.Decimal(tag, ffd.Decimal{Digits: n << 24, Places: uint8(len(digits))})
		return
	}
	var n uint64
	if _, err := fmt.Sscan(string(value), &n); err != nil {
		t.Fatal(err)
	}
	w.Uint(tag, n)
}

func TestRuleVectors(t *testing.T) {
	for _, p := range testkit.KKTParts(t) {
		if p.Rule != "kktRegId" && p.Name != "plain-inn-normalise" {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			var v struct {
				KKTRegID, UserINN, KKTNumber string
				In, Out                      map[string]string
			}
			if err := json.Unmarshal(p.Value, &v); err != nil {
				t.Fatal(err)
			}
			if p.Rule != "" {
				if got := fiscal.ValidRussianNumber(v.KKTRegID, v.UserINN, v.KKTNumber); got != (p.Want == "valid") {
					t.Errorf("ValidRussianNumber(%+v) = %v, want %s", v, got, p.Want)
				}
				return
			}
			for k, in := range v.In {
				if got := ffd.PlainINN(in); got != v.Out[k] {
					t.Errorf("PlainINN(%q) = %q, want %q", in, got, v.Out[k])
				}
			}
		})
	}
}

func TestPaddedINN(t *testing.T) {
	for _, c := range []struct {
		inn  string
		want bool
	}{
		{"7704358518", true}, {"7704358518  ", true}, {"007704358518", true}, {"7704358519", false},
		{"500100732259", true}, {"500100732258", false}, {"500100732269", false},
		{"770435851", false}, {"", false}, {"77O4358518", false}, {"7704358518 7", false},
	} {
		if got := fiscal.ValidINN(ffd.PlainINN(c.inn)); got != c.want {
			t.Errorf("ValidINN(PlainINN(%q)) = %v, want %v", c.inn, got, c.want)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		d    ffd.Decimal
		text string
		q    fiscal.Quantity
		ok   bool
	}{
		{ffd.Decimal{Digits: 1000, Places: 3}, "1", 1_000_000, true},
		{ffd.Decimal{Digits: 355, Places: 3}, "0.355", 355_000, true},
		{ffd.Decimal{Digits: 1, Places: 6}, "0.000001", 1, true},
		{ffd.Decimal{Digits: 10, Places: 7}, "0.000001", 1, true},
		{ffd.Decimal{Digits: 1, Places: 7}, "0.0000001", 0, false},
		{ffd.Decimal{}, "0", 0, true},
		{ffd.Decimal{Digits: 1 << 55}, "36028797018963968", 0, false},
	} {
		if got := c.d.String(); got != c.text {
			t.Errorf("%+v = %q, want %q", c.d, got, c.text)
		}
		if q, ok := c.d.Quantity(); q != c.q || ok != c.ok {
			t.Errorf("%+v.Quantity() = %d, %v, want %d, %v", c.d, q, ok, c.q, c.ok)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		q := fiscal.Quantity(rapid.Int64Range(0, 1<<55).Draw(t, "quantity"))
		d, ok := ffd.ParseDecimal(q.String())
		if back, fits := d.Quantity(); !ok || !fits || back != q {
			t.Fatalf("ParseDecimal(%q) = %+v, back %d", q, d, back)
		}
		if d.String() != q.String() {
			t.Fatalf("ParseDecimal(%q) reads %q", q, d)
		}
	})
}
