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
	for _, sum := range []struct {
		sql string
		sum *fiscal.Money
	}{{"d.total >= ?", s.Least}, {"d.total <= ?", s.Most}, {"d.total = ?", s.Total}} {
		if sum.sum != nil {
			w.and(sum.sql, int64(*sum.sum))
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

// Documents reads documents as a Scan says, newest first.
func (db *DB) Documents(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (all []cabinet.Document, err error) {
	from, order := "documents d", " ORDER BY d.time DESC, d.seq DESC LIMIT ?"
	w := whose("d.taxpayer", t)
	if len(s.Keys) > 0 {
		from, order = "document_keys k CROSS JOIN documents d ON d.seq = k.seq", " ORDER BY k.time DESC, k.seq DESC LIMIT ?"
		w = whose("k.taxpayer", t)
		w.and("k.key = ?", int64(s.Keys[0]))
		w.within(&s, "k.time", "k.seq", "d.")
		w.and("d.taxpayer = ?", int64(t))
	} else {
		w.within(&s, "d.time", "d.seq", "d.")
	}
	w.ofDocument(&s)
	columns := "d." + strings.ReplaceAll(strings.Join(strings.Fields(documentColumns), " "), ", ", ", d.")
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		rows, err := tx.Query("SELECT "+columns+" FROM "+from+w.String()+order, append(w.args, int64(s.Limit))...)
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

// Shifts reads shifts, the last opened first.
func (db *DB) Shifts(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (all []cabinet.Shift, err error) {
	w := whose("taxpayer", t)
	w.within(&s, "opened", "register", "")
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		rows, err := tx.Query(`SELECT register, shift, taxpayer, outlet, card_version, opened, last, closed, z, `+strings.Join(tallyColumns[:], ", ")+
			` FROM shifts`+w.String()+` ORDER BY opened DESC, register DESC LIMIT ?`, append(w.args, int64(s.Limit))...)
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

// Aways reads periods without a link, the last first.
func (db *DB) Aways(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (all []cabinet.Away, err error) {
	w := whose("taxpayer", t)
	s.Shift = 0
	w.within(&s, "begins", "first", "")
	err = db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		rows, err := tx.Query(`SELECT taxpayer, register, first, last, outlet, card_version, begins, ends, documents FROM aways`+w.String()+` ORDER BY begins DESC, first DESC LIMIT ?`, append(w.args, int64(s.Limit))...)
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
