package web

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

// inPDF is the text of a PDF of ours in the order in which it was set, without
// any space.
func inPDF(t testing.TB, b []byte) string {
	t.Helper()
	var text strings.Builder
	for rest := b; ; {
		_, after, ok := bytes.Cut(rest, []byte("stream\n"))
		if !ok {
			return text.String()
		}
		body, next, _ := bytes.Cut(after, []byte("\nendstream"))
		rest = next
		z, err := zlib.NewReader(bytes.NewReader(body))
		if err != nil {
			continue // not packed
		}
		page, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range shownText.FindAllSubmatch(page, -1) {
			raw := escaped.ReplaceAllFunc(shown[1], func(e []byte) []byte {
				if e[1] == 'r' {
					return []byte{'\r'}
				}
				return e[1:]
			})
			units := make([]uint16, len(raw)/2)
			for i := range units {
				units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
			}
			text.WriteString(noSpace(string(utf16.Decode(units))))
		}
	}
}

var (
	joinedGoods = regexp.MustCompile(`(?s)<ol class="items printed".*?</ol>`) // said twice by a page
	shownText   = regexp.MustCompile(`(?s)\(((?:[^\\()]|\\.)*)\) ?Tj`)
	escaped     = regexp.MustCompile(`(?s)\\.`)
)

func noSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \n\t\u00a0\u202f", r) {
			return -1
		}
		return r
	}, s)
}

// TestReceiptPDF: whatever the page of a receipt shows of it stands in its PDF,
// in each language and on both papers, and the same receipt is the same file.
//
// Req: T-041, E-006
func TestReceiptPDF(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	var names []string
	for name := range queries(t) {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, lang := range []string{"kk", "ru", "en"} {
			page := address(t, name, lang)
			_, body := get(t, s, page)
			_, article, found := strings.Cut(body, `<article class="paper`)
			address := strings.Replace(page, "/check?", "/check.pdf?", 1)
			if !found {
				res, _ := get(t, s, address)
				if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
					t.Errorf("%s answers %s for what was not found", address, kind)
				}
				continue
			}
			article, _, _ = strings.Cut(article, "</article>")
			article = strings.ReplaceAll(joinedGoods.ReplaceAllString(article, ""), "<span", " <span")
			for _, paper := range []string{"", "&paper=a4"} {
				res, file := get(t, s, address+paper)
				if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/pdf" {
					t.Fatalf("%s answers %d, %s", address+paper, res.StatusCode, res.Header.Get("Content-Type"))
				}
				if dir := os.Getenv("PRINT_DIR"); dir != "" {
					if err := os.WriteFile(filepath.Join(dir, name+"."+lang+paper+".pdf"), []byte(file), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				text := strings.ToLower(inPDF(t, []byte(file)))
				for word := range strings.FieldsSeq(strings.ReplaceAll(textOf(`<main><p class="paper`+article+"</main>"), "|", " ")) {
					if !strings.Contains(text, strings.ToLower(noSpace(word))) {
						t.Errorf("%s lacks %q of the page\n%s", address+paper, word, text)
					}
				}
				if _, again := get(t, s, address+paper); lang == "kk" && again != file {
					t.Errorf("%s is another file the second time", address+paper)
				}
			}
		}
	}
}

// TestReceiptPDFBound: a receipt of very many lines is cut, and says so.
func TestReceiptPDFBound(t *testing.T) {
	long := longSale(260)
	all := newShop(t)
	all.receipts[long.FiscalSign()] = long
	s := door(t, Config{}, all)
	_, file := get(t, s, "/check.pdf?lang=ru&"+long.Query())
	text := inPDF(t, []byte(file))
	if !strings.Contains(text, "200.Товар200") || strings.Contains(text, "201.Товар201") || !strings.Contains(text, "которыхздесьнет:60.") {
		t.Errorf("a receipt of 260 lines is not cut at 200 with a word:\n%s", text)
	}
}

func BenchmarkReceiptPDF(b *testing.B) {
	for name, n := range map[string]int{"sale": 0, "200 lines": 200} {
		b.Run(name, func(b *testing.B) {
			found := sale()
			if n > 0 {
				found = longSale(n)
			}
			all := newShop(b)
			all.receipts[found.FiscalSign()] = found
			h, err := New(Config{ChecksAtOnce: 1 << 30}, all, operator, slog.New(slog.DiscardHandler), now)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/check.pdf?"+found.Query(), nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// longSale is a receipt with so many lines.
func longSale(lines int) *cabinet.Found {
	f := sale()
	r := *f.Document.Receipt
	r.Items = nil
	for i := range lines {
		r.Items = append(r.Items, fiscal.Item{Kind: fiscal.ItemGoods, Name: fmt.Sprintf("Товар %d, ұзақ атауы бар", i+1), Quantity: fiscal.OneUnit, Unit: "796", Price: 100, Cost: 100, Taxes: vat(16000, 14)})
	}
	r.Total, f.Document.Total = fiscal.Money(lines)*100, fiscal.Money(lines)*100
	f.Document.Receipt = &r
	return f
}
