package till

import (
	"context"
	"image"

	"openofd/internal/fiscal"
	"openofd/internal/till/escpos"
)

// Print prints a document's picture on the printer of a register's settings. The
// drawer opens first, if the settings say so and the document moves cash.
//
// Errors: NotFound with the Field "printing" if there is none; Unavailable with
// the same Field.
func (t *Till) Print(ctx context.Context, r *Register, img *image.Gray, cash bool) error {
	if r.Settings.Printer == "" {
		return &fiscal.Error{Reason: fiscal.NothingThere, Field: "printing"}
	}
	var b []byte
	if cash && r.Settings.Drawer {
		b = escpos.Open(b)
	}
	return escpos.Print(ctx, r.Settings.Printer, escpos.Append(b, img))
}
