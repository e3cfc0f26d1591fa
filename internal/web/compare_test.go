package web

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"

	"openofd/internal/access"
)

// honest are the books of the first register's last day as an accounting program
// writes them, with the titles above.
func (h *trade) honest() []string {
	lines := []string{"Отчёт о продажах", "№ п/п;Касса;Дата;Время;Вид операции;ФП;Сумма, тг;Наличные;Безнал;в т.ч. НДС;Продавец"}
	total, n := 177_750, 2+2*34 // the first receipt of the third day, whose days have 34 documents
	for i := range 30 {
		sum := fmt.Sprintf("%d,%02d", (total+i*100)/100, (total+i*100)%100)
		tax := fmt.Sprintf("%d", ((total+i*100)*16+58)/116)
		lines = append(lines, fmt.Sprintf("%d;620300471820;14.03.2026;12:%02d:00;Продажа;%d;%s;%s;0;%s,%s;айгүл серікқызы", i+1, i, 812_345_678_000+n+i, sum, sum, tax[:len(tax)-2], tax[len(tax)-2:]))
	}
	return append(lines, "31;620300471820;14.03.2026;13:00:00;Возврат;"+fmt.Sprint(812_345_678_000+n+30)+";-1 777,50;-1 777,50;;;", ";;;;;;;;;;", "Итого;;;;;;1;;;;")
}

// posts sends a form of the page of books, as a file if name is not "".
func (h *trade) posts(token, path, name string, file []byte, fields url.Values) (int, string) {
	h.Helper()
	var body bytes.Buffer
	kind := "application/x-www-form-urlencoded"
	if name == "" {
		body.WriteString(fields.Encode())
	} else {
		form := multipart.NewWriter(&body)
		w, err := form.CreateFormFile("books", name)
		if err == nil {
			_, err = w.Write(file)
		}
		if err == nil {
			err = form.Close()
		}
		if err != nil {
			h.Fatal(err)
		}
		kind = form.FormDataContentType()
	}
	r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.URL+path+"?lang=ru", &body)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.AddCookie(&http.Cookie{Name: "ofd_session", Value: token})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		h.Fatal(err)
	}
	return res.StatusCode, answer.String()
}

var (
	hiddenInput  = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	chosenOption = regexp.MustCompile(`(?s)<select class="form-select" id="(col\d+)".*?</select>`)
	selected     = regexp.MustCompile(`value="([^"]*)" selected`)
	checkedRadio = regexp.MustCompile(`type="radio" name="mode" value="([^"]+)" checked`)
	figure       = regexp.MustCompile(`(?s)<span class="muted">([^<]+)</span><strong>(\d+)</strong>`)
)

// formOf is what a page would send on.
func formOf(page string) url.Values {
	v := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(page, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range chosenOption.FindAllStringSubmatch(page, -1) {
		if chosen := selected.FindStringSubmatch(m[0]); chosen != nil {
			v.Set(m[1], chosen[1])
		}
	}
	if m := checkedRadio.FindStringSubmatch(page); m != nil {
		v.Set("mode", m[1])
	}
	return v
}

// figuresOf are those of a page that shows a comparison.
func figuresOf(page string) string {
	var all []string
	for _, m := range figure.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1]+" "+m[2])
	}
	return strings.Join(all, ", ")
}

// spaces of pages as a test writes them.
var spaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

var tag = regexp.MustCompile(`(?s)^.*<main|<[^>]*>`)

// wordsOf are what a page says in its main part.
func wordsOf(page string) string {
	return strings.Join(strings.Fields(tag.ReplaceAllString(page, " ")), " ")
}

// compares goes all the way with a file and gives the page of the result.
func (h *trade) compares(token, name string, file []byte, change func(url.Values)) (int, string, url.Values) {
	h.Helper()
	status, page := h.posts(token, "/compare", name, file, nil)
	if status != http.StatusOK {
		return status, page, nil
	}
	v := formOf(page)
	if change != nil {
		change(v)
	}
	status, page = h.posts(token, "/compare", "", nil, v)
	return status, page, v
}

// TestBooks uploads a seller's books in every form with rows missing, extra and
// different, and finds exactly these.
//
// Req: P-101, P-058, P-085
func TestBooks(t *testing.T) {
	h := newTrade(t)
	owner := h.enters("owner@example.kz", access.Owner)
	honest := h.honest()
	join := func(lines []string) []byte { return []byte(strings.Join(lines, "\r\n")) }

	t.Run("seeded", func(t *testing.T) {
		seeded := slices.Clone(honest)
		seeded[5] = strings.Replace(seeded[5], ";1780,50;1780,50;0;", ";1780,50;0;1780,50;", 1) // by card, as the books have it
		seeded[6] = strings.Replace(seeded[6], "1781,50", "2781,50", 2)                         // another sum
		seeded[7] = strings.Replace(seeded[7], "айгүл серікқызы", "Берік", 1)                   // another cashier
		seeded[8] = strings.Replace(seeded[8], ";14.03.2026;", ";вчера;", 1)                    // no date
		seeded = append(seeded[:10], seeded[12:]...)                                            // two receipts that the books lack
		seeded = append(seeded, "32;620300471820;14.03.2026;18:00;Продажа;;500;500;;;", "33;620300471820;14.03.2026;18:01;Сдача;;500;500;;;")
		status, page, v := h.compares(owner, "C:\\книги\\март.csv", join(seeded), nil)
		if got, want := figuresOf(page), "Совпало 25, Нет в кассе 1, Нет в учёте 3, Отличается 3"; status != http.StatusOK || got != want {
			t.Fatalf("%d, %q, want %q\n%s", status, got, want, wordsOf(page))
		}
		for _, want := range []string{"март.csv: 14.03.2026 – 14.03.2026", "Наличные: в учёте 0,00, в кассе", "Сумма: в учёте 2 781,50, в кассе 1 781,50", "Кассир: в учёте Берік", "Строк не прочитано: 2", "Запишите дату", "вчера", "Напишите: продажа, возврат", "/documents/" + fmt.Sprint(h.tills[0].Register), `class="bar-missing"`} {
			if !strings.Contains(spaces.Replace(page), want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		v.Set("show", "extra///0")
		v.Del("step")
		if _, page := h.posts(owner, "/compare", "", nil, v); strings.Count(page, "status-word") != 3 {
			t.Errorf("of extra receipts alone the page shows %d rows, want 3", strings.Count(page, "status-word"))
		}
		v.Set("show", "different/cash//0")
		if _, page := h.posts(owner, "/compare", "", nil, v); strings.Count(page, "status-word") != 2 {
			t.Errorf("of receipts whose cash differs the page shows %d rows, want 2", strings.Count(page, "status-word"))
		}
		_, file := h.posts(owner, "/compare/csv", "", nil, v)
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\xEF\xBB\xBF")))
		r.Comma = ';'
		if rows, err := r.ReadAll(); err != nil || len(rows) != 1+32+2 || rows[0][0] != "Результат" || rows[34][0] != "Строка не прочитана" {
			t.Errorf("the result as CSV has %d rows, %v, want 35: %q", len(rows), err, rows)
		}
		_, file = h.posts(owner, "/compare/xlsx", "", nil, v)
		book, err := excelize.OpenReader(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := book.GetRows("Sheet1"); err != nil || len(rows) != 35 {
			t.Errorf("the result as a workbook has %d rows, %v, want 35", len(rows), err)
		}
		v.Set("step", "columns")
		if _, page := h.posts(owner, "/compare", "", nil, v); !strings.Contains(page, `name="col1"`) || formOf(page).Get("col5") != "sign" {
			t.Errorf("the way back to the columns is %s", page)
		}
		if _, body, _ := h.get("/audit", owner); strings.Count(string(body), "март.csv") != 1 || !bytes.Contains(body, []byte("строк 29, совпало 25, нет в кассе 1, нет в учёте 3, отличается 3")) {
			t.Errorf("the journal of acts does not tell once what was compared:\n%s", body)
		}
	})

	t.Run("forms of files", func(t *testing.T) {
		windows := func(s string) []byte {
			var b []byte
			for _, r := range s {
				switch {
				case r < 0x80:
					b = append(b, byte(r))
				case r >= 'А' && r <= 'я':
					b = append(b, byte(r-'А'+0xC0))
				case r == '№':
					b = append(b, 0xB9)
				default: // a Kazakh letter has no place there
					b = append(b, '?')
				}
			}
			return b
		}
		book := excelize.NewFile()
		for i, line := range honest {
			for j, v := range strings.Split(line, ";") {
				cell, err := excelize.CoordinatesToCellName(j+1, i+1)
				if err == nil {
					err = book.SetCellValue("Sheet1", cell, v)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		sheet, err := book.WriteToBuffer()
		if err != nil {
			t.Fatal(err)
		}
		text := string(join(honest))
		russian := regexp.MustCompile(`;[^;]*\r\n`).ReplaceAllString(strings.ReplaceAll(text, ";Продавец", ";"), ";\r\n")
		for name, file := range map[string][]byte{
			"semicolons.csv": []byte(text), "tabs.txt": []byte(strings.ReplaceAll(text, ";", "\t")), "windows.csv": windows(russian), "book.xlsx": sheet.Bytes(),
		} {
			status, page, _ := h.compares(owner, name, file, nil)
			if got, want := figuresOf(page), "Совпало 31, Нет в кассе 0, Нет в учёте 0, Отличается 0"; status != http.StatusOK || got != want || !strings.Contains(page, "Всё сходится") {
				t.Errorf("%s: %d, %q, want %q", name, status, got, want)
			}
		}
	})

	t.Run("totals", func(t *testing.T) {
		books := "Күні;Түсім\n2026-03-12;1000\n2026-03-13;52981.50\n46095;51 982,50\n"
		_, page, _ := h.compares(owner, "totals.csv", []byte(books), nil)
		if got, want := figuresOf(page), "Совпало 2, Нет в кассе 0, Нет в учёте 0, Отличается 1"; got != want {
			t.Errorf("daily totals of the organization: %q, want %q\n%s", got, want, wordsOf(page))
		}
		books = "Outlet;Date;Operation;Payment;Total\nБутик;13.03.2026;sale;cash;999,00\nБутик;12.03.2026;sale;cash;999,00\n"
		if _, page, _ := h.compares(owner, "totals.csv", []byte(books), nil); figuresOf(page) != "Совпало 2, Нет в кассе 0, Нет в учёте 0, Отличается 0" {
			t.Errorf("daily totals of an outlet: %q", figuresOf(page))
		}
	})

	t.Run("refused", func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			file   []byte
			change func(url.Values)
			want   string
		}{
			{"nothing", nil, nil, "В файле нет строк"},
			{"a picture", []byte("\x89PNG\x00"), nil, "не похож на текст"},
			{"too large", bytes.Repeat([]byte("a;b\n"), 8<<20/4+1), nil, "больше 8 МБ"},
			{"no rows", []byte("a;b\n"), nil, "В файле нет строк"},
			{"nothing that is known", []byte("a;b\n1;2\n"), nil, "Не удалось прочитать ни одной строки"},
			{"half a year", []byte("Дата;Сумма\n01.01.2026;1\n01.07.2026;1\n"), nil, "длиннее квартала"},
			{"no days", []byte("ФП\n812345678000\n"), nil, "В строках нет дат"},
		} {
			if status, page, _ := h.compares(owner, "t.csv", tt.file, tt.change); status < 400 || status >= 500 || !strings.Contains(page, tt.want) {
				t.Errorf("%s: %d without %q", tt.name, status, tt.want)
			}
		}
		for _, content := range []string{"x", base64.RawURLEncoding.EncodeToString([]byte("x")), strings.Repeat("A", 19<<20)} {
			if status, _ := h.posts(owner, "/compare", "", nil, url.Values{"content": {content}}); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
				t.Errorf("what no page of ours carries (%.5q, %d bytes) is answered %d", content, len(content), status)
			}
		}
	})

	t.Run("rights", func(t *testing.T) {
		books := join(honest)
		for name, token := range map[string]string{"technician": h.enters("technician@example.kz", access.Technician), "service": h.enters("service@example.kz", access.ServiceCenter), "homeless": h.enters("homeless@example.kz", "")} {
			if status, page, _ := h.compares(token, "t.csv", books, nil); status != http.StatusForbidden {
				t.Errorf("%s is answered %d: %.200s", name, status, page)
			}
		}
		limited := h.enters("manager@example.kz", access.Manager, h.outlets[1].ID)
		status, page, _ := h.compares(limited, "t.csv", books, nil)
		if got, want := figuresOf(page), "Совпало 0, Нет в кассе 31, Нет в учёте 0, Отличается 0"; status != http.StatusOK || got != want {
			t.Errorf("who is limited to another outlet: %d, %q, want %q", status, got, want)
		}
		if _, body, _ := h.get("/compare", limited); !bytes.Contains(body, []byte(`href="/compare"`)) {
			t.Error("the navigation of a manager has no way to it")
		}
	})

	t.Run("template and example", func(t *testing.T) {
		_, file, _ := h.get("/compare/template.xlsx", owner)
		book, err := excelize.OpenReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := book.GetRows("Sheet1"); err != nil || len(rows) != 1 || len(rows[0]) != 14 || rows[0][0] != "Касса" {
			t.Errorf("the template is %q, %v", rows, err)
		}
		_, file, header := h.get("/compare/example.csv", owner)
		if got := header.Get("Content-Disposition"); got != `attachment; filename="books.csv"` {
			t.Errorf("the example is %q", got)
		}
		if _, page, _ := h.compares(owner, "books.csv", file, nil); figuresOf(page) != "Совпало 26, Нет в кассе 2, Нет в учёте 2, Отличается 3" {
			t.Errorf("the example comes to %q\n%s", figuresOf(page), file)
		}
	})
}

// TestBooksWalk goes from a file to a receipt on a phone, by what the page shows,
// light and dark, in three languages.
//
// Req: P-101
func TestBooksWalk(t *testing.T) {
	h := newTrade(t)
	h.enters("owner@example.kz", access.Owner)
	lines := h.honest()
	lines[4] = strings.Replace(lines[4], "1779,50", "1780,50", 2)
	lines = append(lines[:8], lines[9:]...)
	file := filepath.Join(t.TempDir(), "март.csv")
	if err := os.WriteFile(file, []byte(strings.Join(append(lines, "33;Касса 7;14.03.2026;18:01;Продажа;;500;500;;;", "34;Касса 7;вчера;18:01;Продажа;;500;500;;;"), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, "ru")
	b.look(t, "light", 360)
	b.open(t, h.URL+"/signin?lang=ru")
	b.fill(t, map[string]string{"email": "owner@example.kz", "password": strong})
	for i, lang := range []string{"kk", "ru", "en"} {
		scheme, width := "light", 360
		if lang == "ru" {
			scheme = "dark"
		}
		b.look(t, scheme, width)
		see := func(step string) {
			t.Helper()
			b.faultless(t, fmt.Sprintf("%s %s %s", step, lang, scheme))
			shot(t, b, fmt.Sprintf("compare-%s-%s-%s", step, lang, scheme))
		}
		b.open(t, h.URL+"/compare?lang="+lang)
		see("file")
		b.choose(t, "books", file)
		b.press(t, `document.querySelector("main form button[type=submit]")`)
		see("columns")
		if got := eval[string](t, b, `[...document.querySelectorAll("main select[name^=col]")].map(s => s.value).join(" ")`); got != " register date clock operation sign total cash cashless tax cashier" {
			t.Errorf("%s: the columns are taken for %q", lang, got)
		}
		b.press(t, `document.querySelector("main form button[type=submit]")`)
		eval[bool](t, b, `(document.querySelector("main details").open = true)`)
		see("result")
		if got := eval[string](t, b, `[...document.querySelectorAll("button.figure strong")].map(s => s.innerText).join(" ")`); got != "29 1 1 1" {
			t.Errorf("%s: the figures are %q, want 29 equal, 1 missing, 1 extra, 1 different", lang, got)
		}
		b.press(t, `document.querySelectorAll("button.figure")[3]`) // keeps the language
		if got := eval[string](t, b, `document.documentElement.lang + document.querySelectorAll("main table.cards .status-word").length`); got != lang+"1" {
			t.Errorf("%s: what differs is %q, want one row", lang, got)
		}
		if i > 0 {
			continue
		}
		b.press(t, `document.querySelector("main table.cards td a")`)
		if got := eval[string](t, b, `location.pathname`); got != fmt.Sprintf("/documents/%d/%d", h.tills[0].Register, 2+2*34+2) {
			t.Errorf("the row leads to %s", got)
		}
	}
	b.look(t, "light", 1280)
	b.open(t, h.URL+"/compare?lang=ru")
	b.choose(t, "books", file)
	b.press(t, `document.querySelector("main form button[type=submit]")`)
	b.press(t, `document.querySelector("main form button[type=submit]")`)
	b.faultless(t, "result on a desk")
	shot(t, b, "compare-result-desk")
}

// choose gives a file to an input.
func (b *browser) choose(t *testing.T, input, file string) {
	t.Helper()
	b.do(t, chromedp.SetUploadFiles(chromedp.ID(input), []string{file}))
}

// shot keeps a picture of the page, if pictures are wanted.
func shot(t *testing.T, b *browser, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	keep(t, name+".png", picture)
}
