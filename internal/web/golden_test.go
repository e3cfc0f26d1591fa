package web

import (
	"flag"
	"html"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files again")

// golden compares with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s:%d\n got %q\nwant %q\n(-update writes it again)", file, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d (-update writes it again)", file, len(g), len(w))
}

var (
	headPart  = regexp.MustCompile(`(?s)^.*<main[^>]*>|</main>.*$`)
	drawing   = regexp.MustCompile(`(?s)<svg.*?</svg>`)
	blockTag  = regexp.MustCompile(`</?(?:p|h\d|div|li|ol|dl|section|article|header|button|details|summary|form|figure)\b[^>]*>`)
	innerTag  = regexp.MustCompile(`<[^>]+>`)
	inputTag  = regexp.MustCompile(`<input[^>]* name="(\w+)"[^>]* value="([^"]*)"[^>]*>`)
	manySpace = regexp.MustCompile(`[ \t\n]+`)
)

// textOf is what a reader of a page reads, a line for each block.
func textOf(page string) string {
	page = headPart.ReplaceAllString(page, "")
	page = drawing.ReplaceAllString(page, "")
	page = inputTag.ReplaceAllString(page, "[$1: $2] ")
	page = manySpace.ReplaceAllString(page, " ")
	page = blockTag.ReplaceAllString(page, "\n")
	page = strings.NewReplacer("</span><span", " </span><span", "</dt><dd", " | </dt><dd").Replace(page)
	page = innerTag.ReplaceAllString(page, "")
	var lines []string
	for _, line := range strings.Split(page, "\n") {
		if line = strings.TrimSpace(manySpace.ReplaceAllString(line, " ")); line != "" {
			lines = append(lines, html.UnescapeString(line))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestGoldenPages: all requisites of order 636 items 15 and 49 and of the
// protocol stand on the page, in three languages and always in Kazakh and
// Russian too, with the letters that only Kazakh has.
//
// Req: O-022, O-023, O-085, O-086, O-119, N-009, U-13
// Req: T-030, T-031, T-032, T-033, T-034, T-035, T-036, T-037, T-038, T-039, T-040, T-041
// Req: T-131, T-132, T-133, T-134, T-135, T-136, T-137, T-138, T-139, T-140
func TestGoldenPages(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	names := []string{"front", "wrong", "pasted", "ru-wrong"}
	for name := range queries(t) {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, lang := range []string{"kk", "ru", "en"} {
		for _, name := range names {
			t.Run(name+" "+lang, func(t *testing.T) {
				_, body := get(t, s, address(t, name, lang))
				golden(t, name+"."+lang+".golden", textOf(body))
			})
		}
	}
}

// TestRequisitesOnPaper names what the law wants and looks for it in every
// language.
func TestRequisitesOnPaper(t *testing.T) {
	s := door(t, Config{ChecksAtOnce: 100000}, newShop(t))
	wants := map[string][]string{
		"sale": {
			"ТОО «Асем Дукен»", "«Әсем Дүкен» ЖШС", // seller
			"960624350642", "60001 0012345", // its number, VAT certificate
			"Абай даңғылы, 10", "пр. Абая, 10", // place of use
			"SWK00032944", "0101\u202f0190\u202f7421", // serial and registration number
			"САТУ", "ЧЕК ПРОДАЖИ", "Ғажайып өрік", "Һәм", // operation, goods
			"4870204390014", "0200034567890", "010487020439001421Xy7%kPqZ<91KZF0", // catalog codes, mark
			"1\u202f230", "23\u202f456", "896", "1\u202f767", // prices, total, VAT by rate
			"14.03.2026\u00a009:12:41", "3623\u202f9763\u202f9340", // time, sign
			"128", "Ізбасарова Ұлпан", "17", // shift, cashier, number
			"«Ашық ФДО» ЖШС", "ТОО «Открытый ОФД»", "Open OFD LLP", "https://ofd.example", // operator
			"Банк картасы", "Мобильный платёж", "••••••••0019", "RRN",
		},
		"taxi": {
			"Автономды", "Автономный", "1773\u202f4567\u202f89", "Дербес код", "5\u202f000", "1\u202f500", "Қайтарым", "123 ABC 02",
		},
		"returned": {"Сатуды қайтару чегі", "Чек возврата продажи", "Негіздеме чек", "Чек-основание возврата", "3623\u202f9763\u202f9340", "14.03.2026\u00a009:12:41"},
		"scrap":    {"Сатып алу чегі", "Чек покупки", "Күші жойылған", "Отменён"},
	}
	for name, all := range wants {
		for _, lang := range []string{"kk", "ru", "en"} {
			_, body := get(t, s, address(t, name, lang))
			text := strings.ToLower(textOf(body))
			for _, want := range all {
				if !strings.Contains(text, strings.ToLower(want)) {
					t.Errorf("%s in %s lacks %q", name, lang, want)
				}
			}
		}
	}
	_, body := get(t, s, address(t, "sale", "kk"))
	if !strings.Contains(body, `<svg class="qr"`) {
		t.Error("the QR code is not there")
	}
}

func benchDoor(b *testing.B) http.Handler {
	h, err := New(Config{}, newShop(b), operator, slog.New(slog.DiscardHandler), now)
	if err != nil {
		b.Fatal(err)
	}
	return h
}
