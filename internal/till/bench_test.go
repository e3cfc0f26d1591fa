package till_test

import (
	"fmt"
	"testing"
)

// BenchmarkForm is what one receipt costs a till without its pages: composed,
// durable, judged by an operator on a real socket, its answer durable here. The
// operator's work is in it. How long receipts take when many tills are at work is
// measured by `ofd bench till`.
//
// Req: P-001
func BenchmarkForm(b *testing.B) {
	s := openShop(b)
	seat := s.seat()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d, err := s.Form(b.Context(), seat, s.id, cash(fmt.Sprint("draft", i), 1_00), false)
		if err != nil {
			b.Fatal(err)
		}
		if d.Number == 0 {
			b.Fatalf("a receipt without a number: %+v", d)
		}
	}
}
