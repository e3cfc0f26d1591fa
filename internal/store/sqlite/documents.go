package sqlite

import (
	"context"
	"fmt"
	"strings"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

var _ cabinet.Tables = (*DB)(nil)

// tallyColumns are those of cabinet.Tally.Values.
var tallyColumns = [cabinet.TallyValues]string{
	"documents", "offline", "cash", "cashless", "other_paid", "cash_in", "cash_out", "sales", "sale_sum", "sale_returns",
	"sale_return_sum", "purchases", "purchase_sum", "purchase_returns", "purchase_return_sum",
}

// upsertTally inserts a row of leading columns and a tally, or adds the tally to
// the row that is there. change sets other columns of it.
func upsertTally(table, key, change string, leading ...string) string {
	all := append(leading, tallyColumns[:]...)
	var sets []string
	if change != "" {
		sets = append(sets, change)
	}
	for _, c := range tallyColumns {
		sets = append(sets, c+" = "+c+" + excluded."+c)
	}
	return "INSERT INTO " + table + " (" + strings.Join(all, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(all)-1) + ") ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(sets, ", ")
}

const documentColumns = `seq, taxpayer, time, received_at, register, number, card_version, outlet, kind, operation, shift, flags, canceled,
	device_number, fiscal_sign, total, cash, cashless, other_paid, printed, cashier, goods`

// KeepPage adds a page to the cabinet's tables and makes the move, in one
// transaction.
func (db *DB) KeepPage(ctx context.Context, m follow.Move, p *cabinet.Page) error {
	return db.moveWith(ctx, m, func(tx *sqlitefile.Tx) error {
		for _, part := range []func(*sqlitefile.Tx, *cabinet.Page) error{keepDocuments, keepCanceled, keepShifts, keepDays, keepAways, keepSummaries} {
			if err := part(tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func keepDocuments(tx *sqlitefile.Tx, p *cabinet.Page) error {
	document, err := tx.Prepare(`INSERT INTO documents (` + documentColumns + `) VALUES (?` + strings.Repeat(", ?", strings.Count(documentColumns, ",")) + `)`)
	if err != nil {
		return err
	}
	key, err := tx.Prepare(`INSERT INTO document_keys (taxpayer, key, time, seq) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	for i := range p.Documents {
		d := &p.Documents[i]
		for n, v := range [...]int64{
			int64(d.Seq), int64(d.Taxpayer), int64(d.Time), journal.Micros(d.ReceivedAt), int64(d.Register), int64(d.Number), int64(d.CardVersion),
			int64(d.Outlet), int64(d.Kind), int64(d.Op), int64(d.Shift), int64(d.Flags), 0, int64(d.DeviceNumber), int64(d.FiscalSign),
			int64(d.Total), int64(d.Cash), int64(d.Cashless), int64(d.OtherPaid),
		} {
			document.BindInt(n+1, v)
		}
		document.BindText(20, d.Printed)
		document.BindText(21, d.Cashier)
		document.BindText(22, d.Goods)
		if _, err := document.Exec(); err != nil {
			return err
		}
		for _, k := range d.Keys() {
			key.BindInt(1, int64(d.Taxpayer))
			key.BindInt(2, int64(k))
			key.BindInt(3, int64(d.Time))
			key.BindInt(4, int64(d.Seq))
			if _, err := key.Exec(); err != nil {
				return err
			}
		}
	}
	return nil
}

func keepCanceled(tx *sqlitefile.Tx, p *cabinet.Page) error {
	for _, c := range p.Canceled {
		if _, err := tx.Exec(`UPDATE documents SET canceled = 1 WHERE seq = ?`, int64(c.Seq)); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO document_keys (taxpayer, key, time, seq) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			int64(c.Taxpayer), int64(cabinet.CanceledKey()), int64(c.Time), int64(c.Seq)); err != nil {
			return err
		}
	}
	return nil
}

func keepShifts(tx *sqlitefile.Tx, p *cabinet.Page) error {
	upsert := upsertTally("shifts", "register, shift", `outlet = excluded.outlet, card_version = excluded.card_version,
		opened = min(opened, excluded.opened), last = max(last, excluded.last),
		closed = CASE excluded.z WHEN 0 THEN closed ELSE excluded.closed END, z = max(z, excluded.z)`,
		"register", "shift", "taxpayer", "outlet", "card_version", "opened", "last", "closed", "z")
	for i := range p.Shifts {
		s := &p.Shifts[i]
		if err := execTally(tx, upsert, &s.Tally, int64(s.Register), int64(s.Number), int64(s.Taxpayer), int64(s.Outlet), int64(s.CardVersion), int64(s.Opened), int64(s.Last), int64(s.Closed), int64(s.Z)); err != nil {
			return err
		}
	}
	return nil
}

func keepDays(tx *sqlitefile.Tx, p *cabinet.Page) error {
	upsert := upsertTally("days", "taxpayer, day, register, outlet", "", "taxpayer", "day", "register", "outlet")
	for i := range p.Days {
		d := &p.Days[i]
		if err := execTally(tx, upsert, &d.Tally, int64(d.Taxpayer), int64(d.Day), int64(d.Register), int64(d.Outlet)); err != nil {
			return err
		}
	}
	return nil
}

func execTally(tx *sqlitefile.Tx, upsert string, t *cabinet.Tally, leading ...any) error {
	args := leading
	for _, v := range t.Values() {
		args = append(args, v)
	}
	_, err := tx.Exec(upsert, args...)
	return err
}

func keepAways(tx *sqlitefile.Tx, p *cabinet.Page) error {
	for i := range p.Away {
		a := &p.Away[i]
		if a.Joins != 0 {
			n, err := tx.Exec(`UPDATE aways SET last = ?, ends = max(ends, ?), documents = documents + ? WHERE register = ? AND last = ?`,
				int64(a.Last), int64(a.Until), a.Documents, int64(a.Register), int64(a.Joins))
			if err != nil {
				return err
			}
			if n > 0 {
				continue
			}
		}
		if a.Documents == 0 {
			continue
		}
		if _, err := tx.Exec(`INSERT INTO aways (taxpayer, register, first, last, outlet, card_version, begins, ends, documents) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			int64(a.Taxpayer), int64(a.Register), int64(a.First), int64(a.Last), int64(a.Outlet), int64(a.CardVersion), int64(a.From), int64(a.Until), a.Documents); err != nil {
			return err
		}
	}
	return nil
}

// DropCabinet empties the cabinet's tables and takes the cursor away, in one
// transaction. Whoever follows begins anew.
func (db *DB) DropCabinet(ctx context.Context) error {
	id := cabinet.FollowerID()
	err := db.cabinet.Write(ctx, func(tx *sqlitefile.Tx) error {
		if _, err := tx.Exec(`DELETE FROM cursors WHERE follower = ?`, id.Name); err != nil {
			return err
		}
		for _, t := range []string{"documents", "document_keys", "shifts", "days", "aways", "summaries", "summary_latest", "summary_days"} {
			if _, err := tx.Exec(`DELETE FROM ` + t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("empty the cabinet's tables: %w", err)
	}
	return nil
}

// ownRegister is NotFound unless the register is the taxpayer's.
func (db *DB) ownRegister(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) error {
	own := false
	err := db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		_, own, err = tx.QueryInt(`SELECT 1 FROM registers WHERE id = ? AND taxpayer = ?`, int64(r), int64(t))
		return err
	})
	if err == nil && !own {
		err = missing("register %d of taxpayer %d", r, t)
	}
	return err
}

// EntryOf reads one entry of a taxpayer's register; NotFound if there is none.
func (db *DB) EntryOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error) {
	if err := db.ownRegister(ctx, t, r); err != nil {
		return journal.Entry{}, err
	}
	return db.Entry(ctx, partition, r, n)
}

// CardOf reads one version of the card of a taxpayer's register; NotFound if
// there is none.
func (db *DB) CardOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	if err := db.ownRegister(ctx, t, r); err != nil {
		return fiscal.Card{}, err
	}
	return db.Card(ctx, r, version)
}
