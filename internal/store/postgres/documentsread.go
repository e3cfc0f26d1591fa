package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

var _ cabinet.Shelf = (*Public)(nil)

// where gathers conditions. The first is always whose rows they are; row
// security says the same once more.
type where struct {
	sql  []string
	args []any
}

func whose(column string, t fiscal.TaxpayerID) *where {
	w := &where{}
	w.and(column+" = ?", int64(t))
	return w
}

// and adds a condition, each ? of which is an argument.
func (w *where) and(sql string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		sql = strings.Replace(sql, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.sql = append(w.sql, sql)
}

// limit is the LIMIT, the last argument.
func (w *where) limit(n int) string {
	w.args = append(w.args, int64(n))
	return " LIMIT $" + strconv.Itoa(len(w.args))
}

func (w *where) String() string { return " WHERE " + strings.Join(w.sql, " AND ") }

// in is one of several numbers; none asks for nothing.
func in[T ~int64 | ~uint8](w *where, column string, all []T) {
	switch len(all) {
	case 0:
	case 1:
		w.and(column+" = ?", int64(all[0]))
	default:
		list := make([]int64, len(all))
		for i, v := range all {
			list[i] = int64(v)
		}
		w.and(column+" = ANY (?::bigint[])", list)
	}
}

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
	total := "d.total + 0" // its index would have to be sorted, but for few
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
		w.and("EXISTS (SELECT FROM document_keys a WHERE a.taxpayer = d.taxpayer AND a.key = ? AND a.time = d.time AND a.seq = d.seq)", int64(k))
	}
	for _, word := range s.Goods {
		w.and("strpos(d.goods, ?) > 0", told(word))
	}
	if s.Offline {
		w.and("d.flags & ? <> 0", int64(fiscal.FlagReplay))
	}
	if s.Canceled {
		w.and("d.canceled")
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
		from += " JOIN documents d ON d.taxpayer = k.taxpayer AND d.time = k.time AND d.seq = k.seq AND d.partition = k.partition"
	}
	w.within(s, time, seq, "d.")
	w.ofDocument(s)
	order := time + " DESC, " + seq + " DESC"
	if s.ByTotal { // few of them: found by an index and sorted
		order = "d.time + 0 DESC, d.seq + 0 DESC"
	}
	columns := "d." + strings.ReplaceAll(strings.Join(strings.Fields(documentColumns), " "), ", ", ", d.")
	sql := "SELECT " + columns + ", d.canceled, d.printed, d.cashier, d.goods FROM " + from + w.String() + " ORDER BY " + order + w.limit(s.Limit)
	return sql, w.args
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
	w.args = append(w.args, int64(n-1))
	return "SELECT " + time + ", " + seq + " FROM " + from + w.String() + " ORDER BY " + time + " DESC, " + seq + " DESC OFFSET $" + strconv.Itoa(len(w.args)) + " LIMIT 1", w.args
}

// Floor is the place of the n-th document that a Scan walks over.
func (p *Public) Floor(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan, n int) (*cabinet.Place, error) {
	sql, args := floorQuery(t, &s, n)
	all, err := walk(ctx, p, t, func(row pgx.CollectableRow) (at cabinet.Place, err error) {
		var seq int64
		err = row.Scan(&at.Time, &seq)
		at.Seq = journal.Seq(seq)
		return at, err
	}, sql, args)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
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
	sql := "SELECT count(*) FROM (SELECT FROM documents" + w.String() + w.limit(n) + ") few"
	return sql, w.args
}

// Sums counts documents in a range of sums, up to n.
func (p *Public) Sums(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan, n int) (int, error) {
	sql, args := sumsQuery(t, &s, n)
	all, err := walk(ctx, p, t, pgx.RowTo[int64], sql, args)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return int(all[0]), nil
}

// soldQuery sums sales that stand. A sum of bigint is a numeric there.
func soldQuery(t fiscal.TaxpayerID, s *cabinet.Scan) (string, []any) {
	w := whose("d.taxpayer", t)
	w.within(&cabinet.Scan{From: s.From, Until: s.Until, Outlets: s.Outlets}, "d.time", "d.seq", "d.")
	w.and("d.kind = ?", int64(fiscal.DocReceipt))
	w.and("d.operation = ?", int64(fiscal.OpSale))
	return "SELECT coalesce(sum(d.total), 0)::bigint FROM documents d" + w.String() + " AND NOT d.canceled", w.args
}

// Sold sums the totals of sales that stand.
func (p *Public) Sold(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) (fiscal.Money, error) {
	sql, args := soldQuery(t, &s)
	all, err := seen(ctx, p, t, pgx.RowTo[int64], sql, args...)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return fiscal.Money(all[0]), nil
}

// Documents reads documents as a Scan says, newest first.
func (p *Public) Documents(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) ([]cabinet.Document, error) {
	sql, args := documentsQuery(t, &s)
	return walk(ctx, p, t, documentRow, sql, args)
}

// walk collects rows along an index.
func walk[T any](ctx context.Context, p *Public, t fiscal.TaxpayerID, row pgx.RowToFunc[T], sql string, args []any) (all []T, err error) {
	err = p.as(ctx, t, func(tx pgx.Tx) error {
		if _, err = tx.Exec(ctx, inOrder); err == nil {
			all, err = query(ctx, tx, row, sql, args...)
		}
		return err
	})
	return all, err
}

// inOrder has the server walk along an index, in its order, until the page is
// full. Without fresh statistics it would rather read all and sort it.
const inOrder = `SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true),
	set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`

func documentRow(row pgx.CollectableRow) (d cabinet.Document, err error) {
	var seq, received, number, card, shift, flags, device, sign int64
	var kind, op int16
	err = row.Scan(&seq, &d.Taxpayer, &d.Time, &received, &d.Register, &number, &card, &d.Outlet, &shift, &flags, &device, &sign,
		&d.Total, &d.Cash, &d.Cashless, &d.OtherPaid, &d.Partition, &kind, &op, &d.Canceled, &d.Printed, &d.Cashier, &d.Goods)
	d.Seq, d.ReceivedAt, d.Number, d.CardVersion, d.Shift = journal.Seq(seq), journal.Instant(received), fiscal.Number(number), uint32(card), uint32(shift)
	d.Flags, d.DeviceNumber, d.FiscalSign, d.Kind, d.Op = fiscal.Flags(flags), uint64(device), uint64(sign), fiscal.DocumentKind(kind), fiscal.Op(op)
	return d, err
}

// tallied is a tally as rows bring it.
type tallied [cabinet.TallyValues]int64

func (v *tallied) fields(leading ...any) []any {
	for i := range v {
		leading = append(leading, &v[i])
	}
	return leading
}

// Shifts reads shifts, the last opened first.
func (p *Public) Shifts(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) ([]cabinet.Shift, error) {
	w := whose("taxpayer", t)
	w.within(&s, "opened", "register", "")
	return seen(ctx, p, t, func(row pgx.CollectableRow) (s cabinet.Shift, err error) {
		var v tallied
		var number, card, z int64
		err = row.Scan(v.fields(&s.Register, &number, &s.Taxpayer, &s.Outlet, &card, &s.Opened, &s.Last, &s.Closed, &z)...)
		s.Number, s.CardVersion, s.Z, s.Tally = uint32(number), uint32(card), fiscal.Number(z), cabinet.TallyOf(v)
		return s, err
	}, "SELECT "+strings.Join(shiftColumns, ", ")+", "+strings.Join(tallyColumns[:], ", ")+" FROM shifts"+w.String()+" ORDER BY opened DESC, register DESC"+w.limit(s.Limit), w.args...)
}

// Days reads the days from one on until another, both included.
func (p *Public) Days(ctx context.Context, t fiscal.TaxpayerID, from, until fiscal.WallTime) ([]cabinet.Day, error) {
	return seen(ctx, p, t, func(row pgx.CollectableRow) (d cabinet.Day, err error) {
		var v tallied
		err = row.Scan(v.fields(&d.Taxpayer, &d.Day, &d.Register, &d.Outlet)...)
		d.Tally = cabinet.TallyOf(v)
		return d, err
	}, "SELECT "+strings.Join(dayColumns, ", ")+", "+strings.Join(tallyColumns[:], ", ")+" FROM days WHERE taxpayer = $1 AND day >= $2 AND day <= $3 ORDER BY day, register", t, int64(from), int64(until))
}

// Aways reads periods without a link, the last first.
func (p *Public) Aways(ctx context.Context, t fiscal.TaxpayerID, s cabinet.Scan) ([]cabinet.Away, error) {
	w := whose("taxpayer", t)
	s.Shift = 0
	w.within(&s, "begins", "first", "")
	return seen(ctx, p, t, func(row pgx.CollectableRow) (a cabinet.Away, err error) {
		var first, last, card int64
		err = row.Scan(&a.Taxpayer, &a.Register, &first, &last, &a.Outlet, &card, &a.From, &a.Until, &a.Documents, &a.Partition)
		a.First, a.Last, a.CardVersion = fiscal.Number(first), fiscal.Number(last), uint32(card)
		return a, err
	}, "SELECT taxpayer, register, first, last, outlet, card_version, begins, ends, documents, partition FROM aways"+w.String()+" ORDER BY begins DESC, first DESC"+w.limit(s.Limit), w.args...)
}

// EntryOf reads one entry of a taxpayer's register; NotFound if there is none.
func (p *Public) EntryOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, n fiscal.Number) (e journal.Entry, err error) {
	err = p.as(ctx, t, func(tx pgx.Tx) error {
		partition, ok, err := one[fiscal.Partition](ctx, tx, `SELECT partition FROM registers WHERE id = $1 AND taxpayer = $2`, r, t)
		if err == nil && !ok {
			err = missing("register %d of taxpayer %d", r, t)
		}
		if err == nil {
			e, err = entryOf(ctx, tx, partition, r, n)
		}
		return err
	})
	return e, err
}

// CardOf reads one version of the card of a taxpayer's register; NotFound if
// there is none.
func (p *Public) CardOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, version uint32) (c fiscal.Card, err error) {
	err = p.as(ctx, t, func(tx pgx.Tx) error {
		c, err = cardOf(ctx, tx, r, version)
		return err
	})
	return c, err
}

// seen collects rows with the eyes of a taxpayer.
func seen[T any](ctx context.Context, p *Public, t fiscal.TaxpayerID, row pgx.RowToFunc[T], sql string, args ...any) (all []T, err error) {
	err = p.as(ctx, t, func(tx pgx.Tx) error {
		all, err = query(ctx, tx, row, sql, args...)
		return err
	})
	return all, err
}
