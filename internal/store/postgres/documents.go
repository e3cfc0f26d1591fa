package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"openofd/internal/cabinet"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

var _ cabinet.Tables = (*DB)(nil)

// tallyColumns are those of cabinet.Tally.Values.
var tallyColumns = [cabinet.TallyValues]string{
	"documents", "offline", "cash", "cashless", "other_paid", "cash_in", "cash_out", "sales", "sale_sum", "sale_returns",
	"sale_return_sum", "purchases", "purchase_sum", "purchase_returns", "purchase_return_sum",
}

// columns gathers rows of numbers, column by column, as unnest takes them.
type columns [][]int64

func (c *columns) add(row ...int64) {
	if *c == nil {
		*c = make(columns, len(row))
	}
	for i, v := range row {
		(*c)[i] = append((*c)[i], v)
	}
}

// insert adds the rows to a table in one statement. names are the columns' in
// the order of the rows; those of numbers smaller than bigint are cast by the
// server.
func (c columns) insert(ctx context.Context, tx pgx.Tx, table string, names []string, conflict string) error {
	if len(c) == 0 {
		return nil
	}
	args := make([]any, len(c))
	places := make([]string, len(c))
	for i := range c {
		args[i], places[i] = c[i], fmt.Sprintf("$%d::bigint[]", i+1)
	}
	_, err := tx.Exec(ctx, "INSERT INTO "+table+" AS t ("+strings.Join(names, ", ")+") SELECT * FROM unnest("+strings.Join(places, ", ")+")"+conflict, args...)
	return err
}

// addTally is what becomes of a row that is there: the tallies are added. change
// sets other columns.
func addTally(key, change string) string {
	var sets []string
	if change != "" {
		sets = append(sets, change)
	}
	for _, c := range tallyColumns {
		sets = append(sets, c+" = t."+c+" + excluded."+c)
	}
	return " ON CONFLICT (" + key + ") DO UPDATE SET " + strings.Join(sets, ", ")
}

// documentColumns are those of numbers; printed, cashier and goods come after
// them.
const documentColumns = `seq, taxpayer, time, received_at, register, number, card_version, outlet, shift, flags,
	device_number, fiscal_sign, total, cash, cashless, other_paid, partition, kind, operation`

// KeepPage adds a page to the cabinet's tables and makes the move, in one
// transaction.
func (db *DB) KeepPage(ctx context.Context, m follow.Move, p *cabinet.Page) error {
	return db.moveWith(ctx, m, func(tx pgx.Tx) error {
		for _, part := range []func(context.Context, pgx.Tx, *cabinet.Page) error{keepDocuments, keepCanceled, keepShifts, keepDays, keepAways, keepSummaries} {
			if err := part(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func keepDocuments(ctx context.Context, tx pgx.Tx, p *cabinet.Page) error {
	if len(p.Documents) == 0 {
		return nil
	}
	var numbers, keys columns
	var printed, cashiers, goods []string
	for i := range p.Documents {
		d := &p.Documents[i]
		numbers.add(int64(d.Seq), int64(d.Taxpayer), int64(d.Time), journal.Micros(d.ReceivedAt), int64(d.Register), int64(d.Number), int64(d.CardVersion),
			int64(d.Outlet), int64(d.Shift), int64(d.Flags), int64(d.DeviceNumber), int64(d.FiscalSign), int64(d.Total), int64(d.Cash), int64(d.Cashless),
			int64(d.OtherPaid), int64(d.Partition), int64(d.Kind), int64(d.Op))
		printed, cashiers, goods = append(printed, told(d.Printed)), append(cashiers, told(d.Cashier)), append(goods, told(d.Goods))
		for _, k := range d.Keys() {
			keys.add(int64(d.Taxpayer), int64(k), int64(d.Time), int64(d.Seq), int64(d.Partition))
		}
	}
	args := make([]any, 0, len(numbers)+3)
	places := make([]string, 0, len(numbers))
	for i := range numbers {
		args, places = append(args, numbers[i]), append(places, fmt.Sprintf("$%d::bigint[]", i+1))
	}
	n := len(args)
	args = append(args, printed, cashiers, goods)
	if _, err := tx.Exec(ctx, fmt.Sprintf(`INSERT INTO documents (%s, printed, cashier, goods) SELECT * FROM unnest(%s, $%d::text[], $%d::text[], $%d::text[])`,
		documentColumns, strings.Join(places, ", "), n+1, n+2, n+3), args...); err != nil {
		return err
	}
	return keys.insert(ctx, tx, "document_keys", []string{"taxpayer", "key", "time", "seq", "partition"}, " ON CONFLICT DO NOTHING")
}

func keepCanceled(ctx context.Context, tx pgx.Tx, p *cabinet.Page) error {
	for _, c := range p.Canceled {
		if _, err := tx.Exec(ctx, `UPDATE documents SET canceled = true WHERE taxpayer = $1 AND time = $2 AND seq = $3 AND partition = $4`,
			c.Taxpayer, int64(c.Time), int64(c.Seq), c.Partition); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO document_keys (taxpayer, key, time, seq, partition) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			c.Taxpayer, int64(cabinet.CanceledKey()), int64(c.Time), int64(c.Seq), c.Partition); err != nil {
			return err
		}
	}
	return nil
}

var shiftColumns = []string{"register", "shift", "taxpayer", "outlet", "card_version", "opened", "last", "closed", "z"}

func keepShifts(ctx context.Context, tx pgx.Tx, p *cabinet.Page) error {
	var rows columns
	for i := range p.Shifts {
		s := &p.Shifts[i]
		row := []int64{int64(s.Register), int64(s.Number), int64(s.Taxpayer), int64(s.Outlet), int64(s.CardVersion), int64(s.Opened), int64(s.Last), int64(s.Closed), int64(s.Z)}
		values := s.Values()
		rows.add(append(append(row, values[:]...), int64(s.Partition))...)
	}
	return rows.insert(ctx, tx, "shifts", append(append(append([]string{}, shiftColumns...), tallyColumns[:]...), "partition"),
		addTally("register, shift, partition", `outlet = excluded.outlet, card_version = excluded.card_version,
			opened = least(t.opened, excluded.opened), last = greatest(t.last, excluded.last),
			closed = CASE excluded.z WHEN 0 THEN t.closed ELSE excluded.closed END, z = greatest(t.z, excluded.z)`))
}

var dayColumns = []string{"taxpayer", "day", "register", "outlet"}

func keepDays(ctx context.Context, tx pgx.Tx, p *cabinet.Page) error {
	var rows columns
	for i := range p.Days {
		d := &p.Days[i]
		values := d.Values()
		rows.add(append(append([]int64{int64(d.Taxpayer), int64(d.Day), int64(d.Register), int64(d.Outlet)}, values[:]...), int64(d.Partition))...)
	}
	return rows.insert(ctx, tx, "days", append(append(append([]string{}, dayColumns...), tallyColumns[:]...), "partition"),
		addTally("taxpayer, day, register, outlet, partition", ""))
}

func keepAways(ctx context.Context, tx pgx.Tx, p *cabinet.Page) error {
	for i := range p.Away {
		a := &p.Away[i]
		if a.Joins != 0 {
			did, err := tx.Exec(ctx, `UPDATE aways SET last = $1, ends = greatest(ends, $2), documents = documents + $3 WHERE register = $4 AND last = $5 AND partition = $6`,
				int64(a.Last), int64(a.Until), a.Documents, a.Register, int64(a.Joins), a.Partition)
			if err != nil {
				return err
			}
			if did.RowsAffected() > 0 {
				continue
			}
		}
		if a.Documents == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO aways (taxpayer, register, first, last, outlet, card_version, begins, ends, documents, partition) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			a.Taxpayer, a.Register, int64(a.First), int64(a.Last), a.Outlet, int64(a.CardVersion), int64(a.From), int64(a.Until), a.Documents, a.Partition); err != nil {
			return err
		}
	}
	return nil
}

// DropCabinet empties the cabinet's tables and takes the cursors away, in one
// transaction, as the owner of the tables. Whoever follows begins anew.
func DropCabinet(ctx context.Context, url string) error {
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// Cursors first: who follows holds its cursor while it writes.
		for _, s := range []string{
			`SET LOCAL ROLE ` + owner, `SET LOCAL lock_timeout = 0`,
		} {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM cursors WHERE follower = $1`, cabinet.FollowerID().Name); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `TRUNCATE documents, document_keys, shifts, days, aways, summaries, summary_latest, summary_days`)
		return err
	})
	if err != nil {
		return fmt.Errorf("empty the cabinet's tables: %w", named(err))
	}
	return nil
}
