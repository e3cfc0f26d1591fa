package pages

import (
	"net/http"

	"openofd/internal/cabinet"
	"openofd/internal/web/ui"
)

// Sheet makes of a receipt what the templates "receipt" and, in Russia, "paper"
// of the layout show, for pages that are not ours. The one that does not apply
// is nil.
func (h *Handler) Sheet(l *ui.Locale, r *http.Request, found *cabinet.Found) (receipt, paper any, err error) {
	rc, err := h.newReceipt(l, r, found)
	if err != nil {
		return nil, nil, err
	}
	if found.Russian() {
		return nil, newPaper(l, rc), nil
	}
	return rc, nil, nil
}
