package till_test

import (
	"testing"

	"openofd/internal/till"
)

// A sale for cash in simple mode, by a thumb: amount, total, payment, preview,
// receipt.
//
// Req: E-106, E-109 to E-117
func TestSell(t *testing.T) {
	s := openShop(t)
	p := newPhone(t, s.site)
	p.open("/enter")
	p.ready()
	p.faultless("sale ru")
	p.digits("1500")
	p.tap(`[data-press="="]`)
	p.tap(`input[value="cash"]`)
	p.tap("#next")
	p.until("the preview is there", `!document.getElementById("preview").hidden`)
	p.see("preview", "Предварительный чек", "Не фискальный", "1 500,00 ₸")
	p.faultless("preview ru")
	if _, n := s.latest(); n != 0 {
		t.Fatalf("%d documents after a preview", n)
	}
	p.tap("#form")
	p.until("the receipt is there", `location.pathname.startsWith("/document/")`)
	if p.taps > 5 {
		t.Errorf("a sale took %d taps beside the digits, want 5 at most", p.taps)
	}
	d, n := s.latest()
	if n != 1 || d.Fate != till.Accepted || d.Sum != 1500_00 {
		t.Fatalf("%d documents, the last %+v", n, d)
	}
	p.see("receipt", "Фискальный чек", "1 500,00 ₸", d.FiscalSign[:4]+" "+d.FiscalSign[4:8]+" "+d.FiscalSign[8:], "Айгүл Серікқызы", "Кассашы", "Фискалдық чек")
	p.faultless("receipt ru")
}
