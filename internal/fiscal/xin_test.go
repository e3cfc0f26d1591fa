package fiscal

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckXIN(t *testing.T) {
	for _, tt := range []struct {
		xin XIN
		ok  bool
	}{
		{"971240001315", true}, {"940140000385", true}, {"020240000555", true}, // published BINs of large companies
		{"971240001316", false}, {"971240001351", false}, {"971240001", false}, {"9712400013155", false},
		{"", false}, {"97124000131A", false}, {"971240001３15", false}, {"-97124000131", false},
	} {
		err := CheckXIN(tt.xin, "bin")
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, Invalid) {
			t.Errorf("CheckXIN(%q) = %v, want ok %t", tt.xin, err, tt.ok)
		}
		var e *Error
		if errors.As(err, &e) && e.Field != "bin" {
			t.Errorf("CheckXIN(%q) complains about %q, want bin", tt.xin, e.Field)
		}
	}
}

// controlDigit is the rule written down as the tables of weights it names.
func controlDigit(digits []int) (int, bool) {
	for _, weights := range [][]int{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2}} {
		sum := 0
		for i, w := range weights {
			sum += w * digits[i]
		}
		if sum%11 != 10 {
			return sum % 11, true
		}
	}
	return 0, false
}

// Of the ten numbers with the same eleven digits the right one is taken, or
// none if such a number was never issued.
func TestXINControlDigit(t *testing.T) {
	second := 0
	rapid.Check(t, func(rt *rapid.T) {
		digits := rapid.SliceOfN(rapid.IntRange(0, 9), 11, 11).Draw(rt, "digits")
		stem := ""
		for _, d := range digits {
			stem += fmt.Sprint(d)
		}
		want, issued := controlDigit(digits)
		for d := range 10 {
			err := CheckXIN(XIN(fmt.Sprint(stem, d)), "xin")
			if right := issued && d == want; (err == nil) != right {
				rt.Fatalf("CheckXIN(%s%d) = %v, want ok %t", stem, d, err, right)
			}
		}
	})
	for n := range 2000 { // the second table of weights is really asked
		digits := make([]int, 11)
		for i, v := 10, n*7919; i >= 0; i, v = i-1, v/10 {
			digits[i] = v % 10
		}
		sum := 0
		for i, d := range digits {
			sum += (i + 1) * d
		}
		if d, issued := controlDigit(digits); sum%11 == 10 && issued {
			second++
			stem := ""
			for _, d := range digits {
				stem += fmt.Sprint(d)
			}
			if err := CheckXIN(XIN(fmt.Sprint(stem, d)), "xin"); err != nil {
				t.Errorf("CheckXIN(%s%d) = %v", stem, d, err)
			}
		}
	}
	if second < 50 {
		t.Errorf("%d numbers by the second weights, want more", second)
	}
}
