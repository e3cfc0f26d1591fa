package till

import (
	"context"
	"image"

	"openofd/internal/fiscal"
	"openofd/internal/till/escpos"
)

// Print prints a picture on the printer of a register's settings.
//
// Errors: NotFound with the Field "printing" if there is none; Unavailable with
// the same Field.
func (t *Till) Print(ctx context.Context, r *Register, img *image.Gray) error {
	if r.Settings.Printer == "" {
		return &fiscal.Error{Reason: fiscal.NothingThere, Field: "printing"}
	}
	return escpos.Print(ctx, r.Settings.Printer, escpos.Append(nil, img))
}
