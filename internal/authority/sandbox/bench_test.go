package sandbox

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
)

// BenchmarkReceipts takes whole batches of new receipts of 500 registers and
// makes each durable.
func BenchmarkReceipts(b *testing.B) {
	s, err := Open(b.Context(), Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const registers = 500
	docs, bytes := 0, 0
	var taking time.Duration
	for b.Loop() {
		var lines strings.Builder
		for i := range kgd.MaxLines {
			n := docs + i
			fmt.Fprintf(&lines, benchLine, n%registers+1, n/registers+1, n%registers+1, n/registers+1, 100_000_000_000+n*7919%899_999_999_999)
		}
		docs, bytes = docs+kgd.MaxLines, bytes+lines.Len()
		w := httptest.NewRecorder()
		begun := time.Now()
		s.Handler().ServeHTTP(w, httptest.NewRequest("POST", kgd.PathReceipts, strings.NewReader(lines.String())))
		taking += time.Since(begun)
		if w.Code != 200 || !strings.Contains(w.Body.String(), fmt.Sprintf(`"taken":%d,`, kgd.MaxLines)) {
			b.Fatalf("%d %.300s", w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(docs)/taking.Seconds(), "docs/s")
	b.ReportMetric(float64(bytes)/float64(docs), "B/doc")
	b.ReportMetric(0, "ns/op")
}

const benchLine = `{"format":"kgd/1","id":"%d-%d","register":%d,"entry":%d,"registration_number":"010101907421","bin":"220540013371","kind":"receipt","operation":"sale","time":"2026-03-14T09:01:00","received":"2026-03-14T04:01:00.000000Z","shift":12,"fiscal_sign":"%012d","total":"1777.50","cash":"777.50","cashless":"1000.00","other":"0.00","tax":"245.17","cashier":{"code":1,"name":"Айгүл"},"payments":[{"kind":"cash","sum":"777.50"},{"kind":"card","sum":"1000.00"}],"taxes":[{"kind":100,"percent":16000,"turnover":"1777.50","tax":"245.17"}],"items":[{"kind":"goods","name":"Нан «Столичный», 500 г","section":"1","quantity":"1","unit":"796","price":"777.50","cost":"777.50","barcode":"4870204391510"},{"kind":"goods","name":"Сүт 3,2 %%, 1 л","section":"1","quantity":"2","unit":"796","price":"500.00","cost":"1000.00","ntin":"0400002043915"}],"hash":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}
`
