package ui

import (
	"testing"

	"openofd/internal/fiscal"
)

// TestDocumentWords: whatever a list of documents can name has words.
func TestDocumentWords(t *testing.T) {
	l := locales(t)["kk"]
	want := func(key string) {
		t.Helper()
		if !l.Has(key) {
			t.Errorf("%q has no words", key)
		}
	}
	for op := fiscal.OpNone; op <= fiscal.OpCashOut; op++ {
		want("did." + op.String())
	}
	for k := fiscal.DocNone; k.String() != "unknown"; k++ {
		want("doc." + k.String())
	}
	for _, name := range fiscal.Flags(1<<63 - 1).Names() {
		want("finding." + name)
	}
	for _, name := range []string{"receipts", "shifts", "reports", "moves", "offline", "findings"} {
		want("room." + name)
		want("list.empty." + name)
	}
	for _, name := range []string{"q", "from", "until", "op", "outlet", "register", "shift", "min", "max", "code", "cashier", "goods", "mark"} {
		want("filter." + name)
	}
	for _, name := range []string{"from", "until", "min", "max", "code"} {
		want("filter." + name + ".wrong")
	}
	for _, k := range []fiscal.ReportKind{fiscal.ReportX, fiscal.ReportZ} {
		want("report." + k.String())
	}
	for _, name := range []string{"offline", "canceled", "findings"} {
		want("mark." + name)
	}
}
