package main

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"openofd/internal/testkit"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// TestDecodeGolden shows what people see of a frame: a good request, a good
// answer, a missing field, a wrong size, a text that is no UTF-8.
func TestDecodeGolden(t *testing.T) {
	want := map[string]int{
		"203-sell-cash-request":                 exitOK,
		"203-sell-cash-response":                exitOK,
		"203-withdraw-too-much-response":        exitOK,
		"ticket-missing-required-amounts":       exitFailed,
		"size-huge":                             exitFailed,
		"text-not-utf8":                         exitFailed,
		"command-unknown-42":                    exitFailed,
		"124-offline-ticket-request":            exitOK,
		"203-report-x-response":                 exitOK,
		"check-item-type-without-body":          exitOK, // a matter of content, not of form
		"command-ticket-without-body":           exitFailed,
		"ticket-missing-required-operator-code": exitFailed,
	}
	seen := 0
	for _, v := range testkit.KKMVectors(t) {
		code, asked := want[v.Name]
		if !asked {
			continue
		}
		seen++
		var out, talk bytes.Buffer
		// Once as hex, once as the bytes: both must read the same.
		got := run([]string{"decode", "kkm"}, strings.NewReader(hex.EncodeToString(v.Frame)), &out, &talk)
		if got != code || talk.Len() > 0 {
			t.Errorf("%s: exit code %d, talk %q, want %d", v.Name, got, talk.String(), code)
		}
		var raw bytes.Buffer
		if run([]string{"decode", "kkm"}, bytes.NewReader(v.Frame), &raw, &talk); raw.String() != out.String() {
			t.Errorf("%s: as bytes\n%s\nas hex\n%s", v.Name, raw.String(), out.String())
		}
		golden := filepath.Join("testdata", "decode", v.Name+".golden")
		if *updateGolden {
			if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		stored, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if out.String() != string(stored) {
			t.Errorf("%s: got\n%s\nwant\n%s", v.Name, out.String(), stored)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d vectors were found", seen, len(want))
	}
}

// FuzzParseHex gives any text for hex: what parses is what it says.
func FuzzParseHex(f *testing.F) {
	f.Add("A2 81 | CA00 # remark\n0x14")
	f.Add("a2,81")
	f.Add("#")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := parseHex(s)
		if err != nil {
			return
		}
		again, err := parseHex(hex.EncodeToString(b))
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("parseHex(%q) = %x, read again %x, %v", s, b, again, err)
		}
	})
}
