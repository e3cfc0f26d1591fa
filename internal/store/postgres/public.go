package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Public is the reads of web pages: with the rights of the reader, and each
// transaction sees the rows of one taxpayer alone. It is made of a register's
// number or ID, which lead to that taxpayer. Safe for concurrent use.
type Public struct {
	pages *pgxpool.Pool
}

// Public gives the reads of web pages.
func (db *DB) Public() *Public { return &Public{db.pages} }

// Find leads from a number to a register; UnknownRegister if there is none.
func (p *Public) Find(ctx context.Context, a fiscal.Address) (fiscal.Place, error) {
	return find(ctx, p.pages, `SELECT partition, register FROM ofd_find($1, $2)`, a)
}

// Entry reads one entry of a register; NotFound if there is none.
func (p *Public) Entry(ctx context.Context, partition fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (e journal.Entry, err error) {
	err = p.scoped(ctx, r, func(tx pgx.Tx) error {
		e, err = entryOf(ctx, tx, partition, r, n)
		return err
	})
	return e, err
}

// ByDeviceNumber reads a register's receipts with this number of the device on
// a day, and the notices that keep such a number, oldest first.
func (p *Public) ByDeviceNumber(ctx context.Context, place fiscal.Place, deviceNumber uint64, day fiscal.WallTime) (found []journal.Entry, err error) {
	err = p.scoped(ctx, place.Register, func(tx pgx.Tx) error {
		found, err = byDeviceNumber(ctx, tx, place, deviceNumber, day)
		return err
	})
	return found, err
}

// ByDriveNumber reads a register's documents with this number of a fiscal
// drive, oldest first.
func (p *Public) ByDriveNumber(ctx context.Context, place fiscal.Place, drive string, number uint64) (found []journal.Entry, err error) {
	err = p.scoped(ctx, place.Register, func(tx pgx.Tx) error {
		found, err = byDriveNumber(ctx, tx, place, drive, number)
		return err
	})
	return found, err
}

// Card reads one version of a register's card; NotFound if there is none.
func (p *Public) Card(ctx context.Context, r fiscal.RegisterID, version uint32) (c fiscal.Card, err error) {
	err = p.scoped(ctx, r, func(tx pgx.Tx) error {
		c, err = cardOf(ctx, tx, r, version)
		return err
	})
	return c, err
}

// scoped reads with the eyes of the register's taxpayer. A register that is not
// there has none, and nothing is seen.
func (p *Public) scoped(ctx context.Context, r fiscal.RegisterID, do func(pgx.Tx) error) error {
	return asReader(ctx, p.pages, "the taxpayer of register", `coalesce(ofd_taxpayer_of($1)::text, '')`, int64(r), do)
}

// as reads with the eyes of a taxpayer.
func (p *Public) as(ctx context.Context, t fiscal.TaxpayerID, do func(pgx.Tx) error) error {
	return asTaxpayer(ctx, p.pages, t, do)
}

// asTaxpayer reads with the rights of the reader, to whom the database shows the
// rows of one taxpayer alone.
func asTaxpayer(ctx context.Context, pages *pgxpool.Pool, t fiscal.TaxpayerID, do func(pgx.Tx) error) error {
	return asReader(ctx, pages, "taxpayer", `$1::bigint::text`, int64(t), do)
}

// asReader reads as the taxpayer that an expression over id gives. The first
// statement on a dead connection is tried once more on another.
func asReader(ctx context.Context, pages *pgxpool.Pool, who, taxpayer string, id int64, do func(pgx.Tx) error) error {
	begun := false
	try := func() error {
		return pgx.BeginTxFunc(ctx, pages, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			begun = true
			if _, err := tx.Exec(ctx, `SELECT set_config('ofd.taxpayer', `+taxpayer+`, true)`, id); err != nil {
				return err
			}
			return do(tx)
		})
	}
	err := try()
	if err != nil && !begun && ctx.Err() == nil && worthAgain(err) {
		err = try()
	}
	var known *fiscal.Error
	if err != nil && !errors.As(err, &known) {
		err = fmt.Errorf("read as %s %d: %w", who, id, named(err))
	}
	return err
}
