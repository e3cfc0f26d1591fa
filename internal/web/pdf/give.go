package pdf

import (
	"net/http"
	"strconv"
)

// Give answers with a document, shown and not saved by who can show it. name is
// without its ending, of plain letters.
func Give(w http.ResponseWriter, name string, b []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `inline; filename="`+name+`.pdf"`)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("X-Robots-Tag", "noindex")
	_, _ = w.Write(b) // the client is gone: nothing to tell it
}
