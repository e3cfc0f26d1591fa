package web

import (
	"bytes"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
)

// TestImport brings outlets and registers as a file: every wrong field is named
// and nothing stored, then all of it is made, with drafts of applications.
//
// Req: P-045, P-070, P-071
func TestImport(t *testing.T) {
	h := newOffice(t, ready{signature.Owner{Country: "kz", Name: "ӘСЕЛ", IIN: "960624350642", Role: signature.RolePerson, Key: signature.KeyRSA}})
	owner := h.person("owner@example.kz", "Әсел")
	shop := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "960624350642", Title: fiscal.Text{RU: "Казына"}}
	if err := h.db.AddTaxpayer(t.Context(), &shop); err != nil {
		t.Fatal(err)
	}
	if err := h.access.Found(t.Context(), &owner, shop.ID, "Казына"); err != nil {
		t.Fatal(err)
	}
	if err := h.db.AddContract(t.Context(), &registry.Contract{Taxpayer: shop.ID, Kind: registry.ContractPaper}); err != nil {
		t.Fatal(err)
	}
	owner = h.again(owner)
	token := h.token(owner.User.Email)

	const columns = "Название точки;Регион;Населённый пункт;Улица;Дом;Название кассы;Модель;Заводской номер;Год выпуска;Тип подключения;Номер SIM-карты"
	good := "Абая 10;г. Алматы;Алматы;Абая;10;Зал %d;Порт DPG-25ФKZ;S%04d;2024;проводное;"
	region := registry.Regions(fiscal.Kazakhstan)
	for _, r := range region {
		if r.Code == "75" {
			good = strings.Replace(good, "г. Алматы", r.Name.RU, 1)
		}
	}
	bad := []struct{ name, file, want string }{
		{"nothing", "", "Выберите файл"},
		{"no table", "PK\x03\x04 is a zip and no workbook", "не нашлось таблицы"},
		{"another encoding", "\xcd\xe0\xe7\xe2\xe0\xed\xe8\xe5", "UTF-8"},
		{"no columns", "a;b;c\n1;2;3\n", "названия столбцов"},
		{"no rows", columns + "\n;;;\n", "нет ни одной кассы"},
		{"too large", columns + strings.Repeat("\n;;;;;;;;;;;;;;;;;;;;", 30_000), "512"},
		{"too many rows", columns + strings.Repeat("\na;b", 2001), "Слишком много строк"},
	}
	for _, tt := range bad {
		status, body := h.upload(token, map[string]string{}, "t.csv", []byte(tt.file))
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d without %q: %s", tt.name, status, tt.want, body)
		}
	}
	rows := fmt.Sprintf(good, 1, 1) + "\n" + fmt.Sprintf(good, 2, 1) + "\n;Марс;Алматы;;;;Неведома зверушка;;двадцатый;по воздуху;12\n"
	status, body := h.upload(token, map[string]string{}, "t.csv", []byte("\xef\xbb\xbf"+columns+"\n"+rows))
	for _, want := range []string{"Строк с ошибками: 2 из 3", "Касса этой модели с таким номером уже есть", "Такого региона нет", "Укажите улицу", "Такой модели нет", "Год выпуска с 1990", "проводное или беспроводное", "Назовите кассу"} {
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, want) {
			t.Errorf("a table with wrong rows is answered %d without %q", status, want)
		}
	}
	if n := h.registers(shop.ID); n != 0 {
		t.Errorf("%d registers were made by a file with errors", n)
	}

	// The same as a workbook, in another order and with sixty rows, by the template.
	book := excelize.NewFile()
	titles := strings.Split(columns, ";")
	for row := range 61 {
		cells := titles
		if row > 0 {
			cells = strings.Split(fmt.Sprintf(good, row, row), ";")
		}
		for i, v := range cells {
			cell, err := excelize.CoordinatesToCellName(len(cells)-i, row+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := book.SetCellStr("Sheet1", cell, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	file, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	status, body = h.upload(token, map[string]string{}, "t.xlsx", file.Bytes())
	if status != http.StatusOK || !strings.Contains(body, "Касс для импорта: 60") || !strings.Contains(body, "(новая)") {
		t.Fatalf("a good workbook is answered %d: %s", status, body)
	}
	carried := regexp.MustCompile(`name="content" value="([^"]+)"`)
	for round := range 3 {
		m := carried.FindStringSubmatch(body)
		if m == nil {
			t.Fatalf("round %d: nothing goes on: %s", round, body)
		}
		if status, body = h.upload(token, map[string]string{"content": html.UnescapeString(m[1])}, "", nil); status != http.StatusOK {
			t.Fatalf("round %d: %d %s", round, status, body)
		}
		if want := fmt.Sprintf("Строк: %d из 60", min(60, 25*(round+1))); !strings.Contains(body, want) {
			t.Errorf("round %d lacks %q", round, want)
		}
	}
	if !strings.Contains(body, "Импорт завершён") || strings.Contains(body, "С ошибкой") {
		t.Errorf("the end is %s", body)
	}
	if n := h.registers(shop.ID); n != 60 {
		t.Errorf("%d registers were made, want 60", n)
	}
	outlets, err := h.office.Outlets(t.Context(), &owner)
	if err != nil || len(outlets) != 1 {
		t.Errorf("the outlets are %v, %v; want one", outlets, err)
	}
	drafts, err := h.office.Applications(t.Context(), &owner, registry.ApplicationQuery{Status: registry.Draft, Limit: 100})
	if err != nil || len(drafts.Applications) != 60 || drafts.Applications[0].Form.Connection != fiscal.ConnectionWired {
		t.Errorf("%d drafts, %v; want 60 with their connection", len(drafts.Applications), err)
	}
	if status, body := h.as(token, http.MethodGet, "/registers/import/template.xlsx"); status != http.StatusOK || !strings.HasPrefix(body, "PK") {
		t.Errorf("the template is answered %d", status)
	}
}

// upload sends a form with a file.
func (h *house) upload(token string, fields map[string]string, name string, file []byte) (int, string) {
	h.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for k, v := range fields {
		if err := form.WriteField(k, v); err != nil {
			h.Fatal(err)
		}
	}
	if len(file) > 0 {
		w, err := form.CreateFormFile("table", name)
		if err != nil {
			h.Fatal(err)
		}
		if _, err := w.Write(file); err != nil {
			h.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		h.Fatal(err)
	}
	r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.URL+"/registers/import?lang=ru", &b)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "ofd_session", Value: token})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		h.Fatal(err)
	}
	return res.StatusCode, body.String()
}

// registers counts those of a taxpayer.
func (h *house) registers(t fiscal.TaxpayerID) int {
	h.Helper()
	all, err := h.db.RegistersOf(h.Context(), t, 0, 1000)
	if err != nil {
		h.Fatal(err)
	}
	return len(all)
}
