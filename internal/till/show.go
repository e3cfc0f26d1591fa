package till

import (
	"context"

	"openofd/internal/store/sqlitefile"
)

// Show is Document for a screen. again says that the document was shown before:
// a Z report then is a copy, and says so.
//
// Source: requirement E-144.
func (t *Till) Show(ctx context.Context, s *Seat, id int64) (d Document, r Register, again bool, err error) {
	if d, r, err = t.Document(ctx, s, id); err != nil || d.Kind != KindZ || d.Shown {
		return d, r, d.Shown, err
	}
	err = t.shelf.write(func(tx *sqlitefile.Tx) error {
		again = false // a step that is tried again begins anew
		return become(tx, id, func(fresh *Document) {
			again, fresh.Shown = fresh.Shown, true
		})
	})
	return d, r, again, err
}
