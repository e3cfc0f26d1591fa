package ffd

import (
	"strings"
	"testing"
)

func TestParseMarkingCode(t *testing.T) {
	const front = "0104605035006964215OoyE8qxeIOn>"
	proof := strings.Repeat("A", 43) + "="
	for _, tt := range []struct {
		name, text string
		want       MarkingCode
		drive      bool
	}{
		{"whole", front + "\x1d91EE06\x1d92" + proof, MarkingCode{Kind: CodeDriveProof44, Product: front, Control: "EE06"}, true},
		{"with the mark of GS1 in front", "\x1d" + front + "\x1d91EE06\x1d92" + proof, MarkingCode{Kind: CodeDriveProof44, Product: front, Control: "EE06"}, true},
		{"another key", front + "\x1d91ffd0\x1d92" + proof, MarkingCode{Kind: CodeProof44, Product: front, Control: "ffd0"}, false},
		{"long proof", front + "\x1d91003A\x1d92" + proof + proof, MarkingCode{Kind: CodeProof88, Product: front, Control: "003A"}, true},
		{"four characters", front + "\x1d93dGVz", MarkingCode{Kind: CodeProof4, Product: front, Control: "dGVz"}, false},
		{"nothing behind", front, MarkingCode{Kind: CodeShort, Product: front}, false},
		{"a proof cut off", front + "\x1d91EE06\x1d92AAAA", MarkingCode{Kind: CodeShort, Product: front, Control: "EE06"}, false},
		{"no serial number", "010460503500696421", MarkingCode{}, false},
		{"letters in the GTIN", "01O4605035006964215OoyE8qxeIOn>", MarkingCode{}, false},
		{"serial number too long", "010460503500696421" + strings.Repeat("x", 21), MarkingCode{}, false},
		{"nothing", "", MarkingCode{}, false},
		{"too long", front + "\x1d" + strings.Repeat("x", 256), MarkingCode{}, false},
	} {
		got := ParseMarkingCode(tt.text)
		tt.want.Text = tt.text
		if tt.want.Kind != CodeUnknown {
			tt.want.GTIN = "04605035006964"
		}
		if got != tt.want || got.DriveChecks() != tt.drive || got.GTINRight() != (tt.want.Kind != CodeUnknown) {
			t.Errorf("%s: ParseMarkingCode(%q) = %+v, checked by the drive %t, GTIN %t; want %+v, %t", tt.name, tt.text, got, got.DriveChecks(), got.GTINRight(), tt.want, tt.drive)
		}
	}
	if wrong := ParseMarkingCode("0104605035006965215Oo"); wrong.GTINRight() {
		t.Errorf("the wrong check digit of %q passes", wrong.GTIN)
	}
}

// Req: F-019
func TestSigns(t *testing.T) {
	for result, want := range map[uint8]Mark{
		15: MarkPositive, 1: MarkNegative, 5: MarkNegative, 7: MarkNegative, 17: MarkNegative,
		0: MarkUnknown, 3: MarkUnknown, 16: MarkUnknown, 19: MarkUnknown,
	} {
		if got := Checked(result); got != want {
			t.Errorf("Checked(%d) = %s, want %s", result, got, want)
		}
	}
}

func FuzzMarkingCode(f *testing.F) {
	f.Add("0104605035006964215OoyE8qxeIOn>\x1d91EE06\x1d92ty6nIoq1w2xrmcVLmKc3+cnhZxS/kgAnq7Bf5FH0CRQ=")
	f.Add("\x1d\x1d")
	f.Fuzz(func(t *testing.T, text string) {
		c := ParseMarkingCode(text)
		if len(c.Product) > 38 || len(c.Control) > 4 || c.Kind == CodeUnknown && c.Product != "" || c.Text != text {
			t.Errorf("ParseMarkingCode(%q) = %+v", text, c)
		}
		c.GTINRight()
	})
}
