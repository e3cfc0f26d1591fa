package ffd_test

import (
	"encoding/json"
	"testing"

	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// What people read of a document, and of one that breaks a rule.
func TestExplainGolden(t *testing.T) {
	in := ffd.Circumstances{Now: now, Registered: registered(t)}
	for _, name := range []string{"receipt-1.2-marked-fraction", "nested-stlv-overflow", "flk-two-tax-bits", "unknown-tag", "correction-1.05"} {
		t.Run(name, func(t *testing.T) {
			v := testkit.KKTVectorNamed(t, name)
			e := ffd.Explain(documentOf(v), unstated(v), in)
			b, err := json.MarshalIndent(e, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "explain-"+name+".golden", append(b, '\n'))
		})
	}
}

// A broken rule names the requisite that breaks it.
func TestFindingNamesPlace(t *testing.T) {
	in := ffd.Circumstances{Now: now, Registered: registered(t)}
	for _, test := range []struct{ vector, rule, path string }{
		{"tlv-length-overrun", "T1", ""},
		{"tlv-trailing-garbage", "T1", ""},
		{"nested-stlv-overflow", "T1", "1059[1]"},
		{"nested-stlv-deep", "T1", "1059[1].1059[0].1059[0].1059[0].1059[0].1059[0].1059[0].1059[0]"},
		{"receipt-1.05-over-32k", "T1", ""},
		{"string-over-max", "T2", "1192"},
		{"vln-too-long", "T2", "1020"},
		{"byte-wrong-length", "T2", "1054"},
		{"fvln-bad-point", "T2", "1059[1].1023"},
		{"flk-payments-not-total", "S2", "1020"},
		{"flk-items-not-total", "S1", "1020"},
		{"flk-two-tax-bits", "E2", "1055"},
		{"flk-bad-kkt-reg-id", "I2", "1037"},
		{"flk-date-too-old", "D1", "1012"},
	} {
		t.Run(test.vector, func(t *testing.T) {
			v := testkit.KKTVectorNamed(t, test.vector)
			e := ffd.Explain(documentOf(v), unstated(v), in)
			if e.Code != v.Want.Code {
				t.Errorf("Code = %d, want %d", e.Code, v.Want.Code)
			}
			for _, f := range e.Findings {
				if f.Rule == test.rule && f.Path == test.path {
					return
				}
			}
			t.Errorf("findings = %+v\nwant rule %s at %q", e.Findings, test.rule, test.path)
		})
	}
}
