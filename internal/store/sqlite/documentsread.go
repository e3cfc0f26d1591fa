package sqlite

import (
	"context"
	"fmt"
	"strings"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

var _ cabinet.Shelf = (*DB)(nil)

// where gathers conditions. The first is always whose rows they are.
type where struct {
	sql  []string
	args []any
}

func whose(column string, t fiscal.TaxpayerID) *where {
	w := &where{}
	w.and(column+" = ?", int64(t))
	return w
}

func (w *where) and(sql string, args ...any) {
	w.sql = append(w.sql, sql)
	w.args = append(w.args, args...)
}

// in is one of several numbers; none asks for nothing.
func in[T ~int64 | ~uint8](w *where, column string, all []T) {
	if len(all) == 1 {
		w.and(column+" = ?", int64(all[0]))
		return
	}
	var args []any
	for _, v := range all {
		args = append(args, int64(v))
	}
	if len(args) > 0 {
		w.and(column+" IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	}
}

func (w *where) String() string { return " WHERE " + strings.Join(w.sql, " AND ") }

// within adds what a Scan asks of any table: times, place, register, outlets.
func (w *where) within(s *cabinet.Scan, time, seq, row string) {
	if s.From != 0 {
		w.and(time+" >= ?", int64(s.From))
	}
	if s.Until != 0 {
		w.and(time+" < ?", int64(s.Until))
	}
	if s.Before != nil {
		w.and("("+time+", "+seq+") < (?, ?)", int64(s.Before.Time), int64(s.Before.Seq))
	}
	if s.Floor != nil {
		w.and("("+time+", "+seq+") >= (?, ?)", int64(s.Floor.Time), int64(s.Floor.Seq))
	}
	if s.Register != 0 {
		w.and(row+"register = ?", int64(s.Register))
	}
	if s.Shift != 0 {
		w.and(row+"shift = ?", int64(s.Shift))
	}
	in(w, row+"outlet", s.Outlets)
}

// ofDocument adds what a Scan asks of documents, d.
func (w *where) ofDocument(s *cabinet.Scan) {
	in(w, "d.kind", s.Kinds)
	if s.Op != 0 {
		w.and("d.operation = ?", int64(s.Op))
	}
	total := "+d.total" // its index would have to be sorted, but for few
	if s.ByTotal {
		total = "d.total"
	}
	for _, sum := range []struct {
		sql string
		sum *fiscal.Money
	}{{" >= ?", s.Least}, {" <= ?", s.Most}, {" = ?", s.Total}} {
		if sum.sum != nil {
			w.and(total+sum.sql, int64(*sum.sum))
		}
	}
	for _, k := range s.Keys[min(1, len(s.Keys)):] {
		w.and("EXISTS (SELECT 1 FROM document_keys a WHERE a.taxpayer = d.taxpayer AND a.key = ? AND a.time = d.time AND a.seq = d.seq)", int64(k))
	}
	for _, word := range s.Goods {
		w.and("instr(d.goods, ?) > 0", word)
	}
	if s.Offline {
		w.and("d.flags & ? <> 0", int64(fiscal.FlagReplay))
	}
	if s.Canceled {
		w.and("d.canceled = 1")
	}
	if s.Findings {
		w.and("d.flags & ? <> 0", int64(cabinet.FindingFlags))
	}
}

// walked are the rows that a Scan walks over, d or, by a key, k with d, and
// where time and seq of them are.
func walked(t fiscal.TaxpayerID, s *cabinet.Scan) (from string, w *where, time, seq string) {
	if len(s.Keys) > 0 {
		w = whose("k.taxpayer", t)
		w.and("k.key = ?", int64(s.Keys[0]))
		return "document_keys k", w, "k.time", "k.seq"
	}
	return "documents d", whose("d.taxpayer", t), "d.time", "d.seq"
}

// documentsQuery is the question that a Scan is.
func documentsQuery(t fiscal.TaxpayerID, s *cabinet.Scan) (string, []any) {
	from, w, time, seq := walked(t, s)
	if len(s.Keys) > 0 {
		from += " CROSS JOIN documents d ON d.seq = k.seq"
	}
	w.within(s, time, seq, "d.")
	if len(s.Keys) > 0 {
		w.and("d.taxpayer = ?", int64(t))
	}
	order := time + " DESC, " + seq + " DESC"
	if s.ByTotal { // few of them: found by an index and sorted
		from, order = "documents d INDEXED BY documents_total", "+d.time DESC, +d.seq DESC"
	}
	w.ofDocument(s)
	columns := "d." + strings.ReplaceAll(strings.Join(strings.Fields(documentColumns), " "), ", ", ", d.")
	return "SELECT " + columns + " FROM " + from + w.String() + " ORDER BY " + order + " LIMIT ?", append(w.args, int64(s.Limit))
}

// floorQuery asks for the n-th place that a Scan walks over.
func floorQuery(t fiscal.TaxpayerID, s *cabinet.Scan, n int) (string, []any) {
	from, w, time, seq := walked(t, s)
	along := cabinet.Scan{From: s.From, Until: s.Until, Before: s.Before}
	if len(s.Keys) == 0 {
		if along.Register = s.Register; along.Register == 0 && len(s.Outlets) == 1 {
			along.Outlets = s.Outlets
		}
	}
	w.within(&along, time, seq, "d.")
	return "SELECT " + time + ", " + seq + " FROM " + from + w.String() + " ORDER BY " + time + " DESC, " + seq + " DESC LIMIT 1 OFFSET ?", append(w.args, int64(n-1))
}

// Floor is the place of the n-th document that a Scan walks over.
func (db *DB) Floor(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan, n int) (at *cabinet.Place, err error) {
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		sql, args := floorQuery(t, &s, n)
		rows, err := tx.Query(sql, args...)
		if err != nil {
			return err
		}
		if rows.Next() {
			at = &cabinet.Place{Time: fiscal.WallTime(rows.Int(0)), Seq: journal.Seq(rows.Int(1))}
		}
		return rows.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("walk over documents: %w", err)
	}
	return at, nil
}

// sumsQuery counts documents in a range of sums, up to n.
func sumsQuery(t fiscal.TaxpayerID, s *cabinet.Scan, n int) (string, []any) {
	w := whose("taxpayer", t)
	if s.Least != nil {
		w.and("total >= ?", int64(*s.Least))
	}
	if s.Most != nil {
		w.and("total <= ?", int64(*s.Most))
	}
	return "SELECT count(*) FROM (SELECT 1 FROM documents INDEXED BY documents_total" + w.String() + " LIMIT ?)", append(w.args, int64(n))
}

// Sums counts documents in a range of sums, up to n.
func (db *DB) Sums(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan, n int) (count int, err error) {
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		sql, args := sumsQuery(t, &s, n)
		v, _, err := tx.QueryInt(sql, args...)
		count = int(v)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count sums: %w", err)
	}
	return count, nil
}

// soldQuery sums sales that stand.
func soldQuery(t fiscal.TaxpayerID, s *cabinet.Scan) (string, []any) {
	w := whose("d.taxpayer", t)
	w.within(&cabinet.Scan{From: s.From, Until: s.Until, Outlets: s.Outlets}, "d.time", "d.seq", "d.")
	w.and("d.kind = ? AND d.operation = ? AND d.canceled = 0", int64(fiscal.DocReceipt), int64(fiscal.OpSale))
	return "SELECT coalesce(sum(d.total), 0) FROM documents d" + w.String(), w.args
}

// Sold sums the totals of sales that stand.
func (db *DB) Sold(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (sum fiscal.Money, err error) {
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		sql, args := soldQuery(t, &s)
		v, _, err := tx.QueryInt(sql, args...)
		sum = fiscal.Money(v)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sum sales: %w", err)
	}
	return sum, nil
}

// Documents reads documents as a Scan says, newest first.
func (db *DB) Documents(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (all []cabinet.Document, err error) {
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		sql, args := documentsQuery(t, &s)
		rows, err := tx.Query(sql, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			all = append(all, documentRow(rows))
		}
		return rows.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	return all, nil
}

func documentRow(s *sqlitefile.Stmt) cabinet.Document {
	return cabinet.Document{
		Partition: partition, Seq: journal.Seq(s.Int(0)), Taxpayer: fiscal.TaxpayerID(s.Int(1)), Time: fiscal.WallTime(s.Int(2)), ReceivedAt: journal.Instant(s.Int(3)),
		Register: fiscal.RegisterID(s.Int(4)), Number: fiscal.Number(s.Int(5)), CardVersion: uint32(s.Int(6)), Outlet: fiscal.OutletID(s.Int(7)),
		Kind: fiscal.DocumentKind(s.Int(8)), Op: fiscal.Op(s.Int(9)), Shift: uint32(s.Int(10)), Flags: fiscal.Flags(s.Int(11)), Canceled: s.Int(12) == 1,
		DeviceNumber: uint64(s.Int(13)), FiscalSign: uint64(s.Int(14)), Total: fiscal.Money(s.Int(15)), Cash: fiscal.Money(s.Int(16)),
		Cashless: fiscal.Money(s.Int(17)), OtherPaid: fiscal.Money(s.Int(18)), Printed: s.Text(19), Cashier: s.Text(20), Goods: s.Text(21),
	}
}

// shiftsQuery is the question for shifts that a Scan is.
func shiftsQuery(t fiscal.TaxpayerID, s cabinet.Scan) (string, []any) {
	w := whose("taxpayer", t)
	w.within(&s, "opened", "register", "")
	return `SELECT register, shift, taxpayer, outlet, card_version, opened, last, closed, z, ` + strings.Join(tallyColumns[:], ", ") +
		` FROM shifts` + w.String() + ` ORDER BY opened DESC, register DESC LIMIT ?`, append(w.args, int64(s.Limit))
}

// Shifts reads shifts, the last opened first.
func (db *DB) Shifts(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (all []cabinet.Shift, err error) {
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		sql, args := shiftsQuery(t, s)
		rows, err := tx.Query(sql, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			all = append(all, cabinet.Shift{
				ShiftID: cabinet.ShiftID{Register: fiscal.RegisterID(rows.Int(0)), Number: uint32(rows.Int(1))}, Taxpayer: fiscal.TaxpayerID(rows.Int(2)),
				Outlet: fiscal.OutletID(rows.Int(3)), CardVersion: uint32(rows.Int(4)), Opened: fiscal.WallTime(rows.Int(5)), Last: fiscal.WallTime(rows.Int(6)),
				Closed: fiscal.WallTime(rows.Int(7)), Z: fiscal.Number(rows.Int(8)), Tally: tallyRow(rows, 9),
			})
		}
		return rows.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read shifts: %w", err)
	}
	return all, nil
}

func tallyRow(s *sqlitefile.Stmt, from int) cabinet.Tally {
	var v [cabinet.TallyValues]int64
	for i := range v {
		v[i] = s.Int(from + i)
	}
	return cabinet.TallyOf(v)
}

// Days reads the days from one on until another, both included.
func (db *DB) Days(ctx context.Context, t fiscal.TaxpayerID, from, until fiscal.WallTime) (all []cabinet.Day, err error) {
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		rows, err := tx.Query(`SELECT taxpayer, day, register, outlet, `+strings.Join(tallyColumns[:], ", ")+` FROM days WHERE taxpayer = ? AND day >= ? AND day <= ? ORDER BY day, register`,
			int64(t), int64(from), int64(until))
		if err != nil {
			return err
		}
		for rows.Next() {
			all = append(all, cabinet.Day{Taxpayer: fiscal.TaxpayerID(rows.Int(0)), Day: fiscal.WallTime(rows.Int(1)), Register: fiscal.RegisterID(rows.Int(2)), Outlet: fiscal.OutletID(rows.Int(3)), Tally: tallyRow(rows, 4)})
		}
		return rows.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read days: %w", err)
	}
	return all, nil
}

// awaysQuery is the question for periods without a link that a Scan is.
func awaysQuery(t fiscal.TaxpayerID, s cabinet.Scan) (string, []any) {
	w := whose("taxpayer", t)
	s.Shift = 0
	w.within(&s, "begins", "first", "")
	return `SELECT taxpayer, register, first, last, outlet, card_version, begins, ends, documents FROM aways` + w.String() +
		` ORDER BY begins DESC, first DESC LIMIT ?`, append(w.args, int64(s.Limit))
}

// Aways reads periods without a link, the last first.
func (db *DB) Aways(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (all []cabinet.Away, err error) {
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		sql, args := awaysQuery(t, s)
		rows, err := tx.Query(sql, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			all = append(all, cabinet.Away{
				Taxpayer: fiscal.TaxpayerID(rows.Int(0)), Register: fiscal.RegisterID(rows.Int(1)), First: fiscal.Number(rows.Int(2)), Last: fiscal.Number(rows.Int(3)),
				Outlet: fiscal.OutletID(rows.Int(4)), CardVersion: uint32(rows.Int(5)), From: fiscal.WallTime(rows.Int(6)), Until: fiscal.WallTime(rows.Int(7)), Documents: rows.Int(8),
			})
		}
		return rows.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("read periods without a link: %w", err)
	}
	return all, nil
}
