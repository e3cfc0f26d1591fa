package till

import (
	"context"

	"openofd/internal/store/sqlitefile"
)

// Figures are how much there is, for who runs the till.
type Figures struct {
	Accounts, Registers int64
	Documents           int64 // ever made
	Waiting             int64 // for their operator
	Stuck               int64 // registers with documents that wait
}

// Figures counts.
func (t *Till) Figures(ctx context.Context) (Figures, error) {
	return read(ctx, t.shelf, func(tx *sqlitefile.Tx) (f Figures, err error) {
		for _, one := range []struct {
			to    *int64
			query string
		}{
			{&f.Accounts, `SELECT count(*) FROM accounts`}, {&f.Registers, `SELECT count(*) FROM registers`},
			{&f.Documents, `SELECT coalesce(max(id), 0) FROM documents`}, {&f.Waiting, `SELECT count(*) FROM waiting`},
			{&f.Stuck, `SELECT count(DISTINCT register) FROM waiting`},
		} {
			if *one.to, _, err = tx.QueryInt(one.query); err != nil {
				return f, err
			}
		}
		return f, nil
	})
}
