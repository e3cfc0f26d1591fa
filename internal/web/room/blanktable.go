package room

import (
	"errors"
	"net/http"

	"github.com/xuri/excelize/v2"
)

// blankTable answers with an Excel file of titles, to be filled in and brought
// back.
func (h *Handler) blankTable(w http.ResponseWriter, r *http.Request, name string, titles []string) {
	f := excelize.NewFile()
	defer f.Close()
	const sheet = "Sheet1"
	for i, title := range titles {
		cell, _ := excelize.CoordinatesToCellName(i+1, 1)
		column, _ := excelize.ColumnNumberToName(i + 1)
		if err := errors.Join(f.SetCellStr(sheet, cell, title), f.SetColWidth(sheet, column, column, 24)); err != nil {
			h.render.Error(w, r, err)
			return
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	give(w, name, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b.Bytes())
}
