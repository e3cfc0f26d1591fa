package room

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// book is a list on its way out of the door.
type book interface {
	add(cells []any) error
	end() error
}

// exportPage is how many rows are read at once, and exportTime how long a page
// of them may take until the client has it.
const (
	exportPage = cabinet.MaxPage
	exportTime = 30 * time.Second
)

// opener begins a file.
type opener func(w http.ResponseWriter, name string) (book, error)

// exportList streams a whole list, however long, in the order of the page. An
// error comes before the first byte.
func exportList[T any](h *Handler, list *listing[T], w http.ResponseWriter, r *http.Request, a *visitor, open opener) error {
	scope, err := h.scope(r, a, list.right)
	if err != nil {
		return err
	}
	q := ask(a.locale, r.URL.Query())
	if !q.ok() {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "filter"}
	}
	read := func(before *cabinet.Place) ([]T, bool, error) {
		return list.read(r.Context(), h.cfg.Documents.Questions, &scope, list.filter(q), before, exportPage)
	}
	page, more, err := read(nil)
	if err != nil {
		return err
	}
	out, err := open(w, list.name)
	if err != nil {
		return err
	}
	titles := make([]any, len(list.columns))
	for i, c := range list.columns {
		titles[i] = a.locale.T(c.key)
	}
	err = out.add(titles)
	slow := http.NewResponseController(w)
	for err == nil && len(page) > 0 {
		for i := range page {
			row := rowOf(h, list, r.Context(), a, &scope, &page[i])
			cells := make([]any, len(list.columns))
			for c := range list.columns {
				if cells[c] = list.columns[c].value(&row); err == nil {
					cells[c] = worded(a.locale, cells[c])
				}
			}
			if err = out.add(cells); err != nil {
				break
			}
		}
		if !more || err != nil {
			break
		}
		_ = slow.SetWriteDeadline(time.Now().Add(exportTime)) // a server that cannot keeps its own
		at := list.place(&page[len(page)-1])
		page, more, err = read(&at)
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // a list that is cut must not look whole
	}
	return nil
}

// Export streams a list as a file, "csv" or "xlsx", to a program that acts as a.
// An error comes before the first byte.
func (h *Handler) Export(w http.ResponseWriter, r *http.Request, a *access.Actor, l *ui.Locale, list, form string) error {
	open, ok := map[string]opener{"csv": newCSV, "xlsx": newWorkbook}[form]
	export, there := h.exports[list]
	if !ok || !there {
		return &fiscal.Error{Reason: fiscal.NothingThere}
	}
	at, err := h.known.Organization(r.Context(), a.Taxpayer)
	if err != nil {
		return err
	}
	return export(w, r, &visitor{Actor: a, Organization: at, locale: l}, open)
}

// worded is a value with its words.
func worded(l *ui.Locale, v any) any {
	if key, ok := v.(words); ok {
		return l.T(string(key))
	}
	return v
}

func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
}

// csvBook is a list by semicolons, which is how spreadsheets in our countries
// read them.
type csvBook struct {
	*csv.Writer
	rows int
}

func newCSV(w http.ResponseWriter, name string) (book, error) {
	attach(w, "text/csv; charset=utf-8", name+".csv")
	if _, err := io.WriteString(w, "\xEF\xBB\xBF"); err != nil { // by which spreadsheets know UTF-8
		return nil, err
	}
	out := csv.NewWriter(w)
	out.Comma = ';'
	return &csvBook{Writer: out}, nil
}

func (b *csvBook) add(cells []any) error {
	line := make([]string, len(cells))
	for i, v := range cells {
		switch v := v.(type) {
		case string:
			line[i] = cell(v)
		case int64:
			line[i] = strconv.FormatInt(v, 10)
		case fiscal.Money:
			line[i] = v.String()
		case fiscal.WallTime:
			if v != 0 {
				line[i] = v.String()
			}
		}
	}
	if b.rows++; b.rows%exportPage == 0 {
		b.Flush()
	}
	return b.Write(line)
}

func (b *csvBook) end() error {
	b.Flush()
	return b.Error()
}

// sheetRows is how many rows a sheet of a workbook can have.
const sheetRows = 1 << 20

// workbook is a list as Excel's file. Its rows go to a file of their own as they
// come; the whole is sent at the end, for that is how such a file is made.
type workbook struct {
	to     http.ResponseWriter
	file   *excelize.File
	sheet  *excelize.StreamWriter
	sheets int
	row    int
	titles []any
	date   int // style
	money  int
}

func newWorkbook(w http.ResponseWriter, name string) (book, error) {
	b := &workbook{to: w, file: excelize.NewFile()}
	var err error
	dates, sums := "dd.mm.yyyy hh:mm", "#,##0.00"
	if b.date, err = b.file.NewStyle(&excelize.Style{CustomNumFmt: &dates}); err != nil {
		return nil, err
	}
	if b.money, err = b.file.NewStyle(&excelize.Style{CustomNumFmt: &sums}); err != nil {
		return nil, err
	}
	attach(w, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", name+".xlsx")
	return b, b.turn()
}

// turn begins the next sheet.
func (b *workbook) turn() (err error) {
	if b.sheet != nil {
		if err := b.sheet.Flush(); err != nil {
			return err
		}
	}
	b.sheets++
	b.row = 0
	name := "Sheet" + strconv.Itoa(b.sheets)
	if b.sheets > 1 {
		if _, err := b.file.NewSheet(name); err != nil {
			return err
		}
	}
	if b.sheet, err = b.file.NewStreamWriter(name); err != nil {
		return err
	}
	return b.sheet.SetColWidth(1, 12, 18)
}

func (b *workbook) add(cells []any) error {
	if b.titles == nil {
		b.titles = cells
	}
	if b.row == sheetRows {
		if err := b.turn(); err != nil {
			return err
		}
		if err := b.put(b.titles); err != nil {
			return err
		}
	}
	return b.put(cells)
}

func (b *workbook) put(cells []any) error {
	b.row++
	line := make([]any, len(cells))
	for i, v := range cells {
		switch v := v.(type) {
		case fiscal.Money:
			line[i] = excelize.Cell{StyleID: b.money, Value: spreadsheetNumber(v)}
		case fiscal.WallTime:
			if v != 0 {
				line[i] = excelize.Cell{StyleID: b.date, Value: v.UTC()}
			}
		default:
			line[i] = v // a text is never a formula here
		}
	}
	return b.sheet.SetRow("A"+strconv.Itoa(b.row), line)
}

// spreadsheetNumber is an amount as spreadsheets know numbers. It is the last
// step: nothing is counted with it here.
func spreadsheetNumber(m fiscal.Money) float64 {
	f, err := strconv.ParseFloat(m.String(), 64)
	if err != nil {
		return 0 // no amount is written like that
	}
	return f
}

func (b *workbook) end() error {
	if err := b.sheet.Flush(); err != nil {
		return err
	}
	if err := b.file.Write(b.to); err != nil {
		return err
	}
	return b.file.Close()
}
