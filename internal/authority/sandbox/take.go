package sandbox

import (
	"bytes"
	"context"
	"unicode/utf8"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// batch is what a request brought, parsed, and what became of it.
type batch struct {
	operator int64
	country  country
	what     string // receipts or documents
	lines    []document
	taken    kgd.Taken
}

// maxWhy bounds the words of a refusal, in bytes.
const maxWhy = 500

func (b *batch) refuse(id string, why string) {
	if len(why) > maxWhy {
		why = why[:maxWhy]
		for !utf8.ValidString(why) {
			why = why[:len(why)-1]
		}
	}
	b.taken.Refused = append(b.taken.Refused, kgd.Refusal{ID: id, Why: why})
}

const (
	addDocument = `INSERT OR IGNORE INTO documents (operator, country, thing, number, register, entry, kind, operation,
	time, received, taken, total, tax, sign, canceled, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)`
	findHash  = `SELECT hash FROM documents WHERE operator = ? AND country = ? AND thing = ? AND number = ?`
	findEntry = `SELECT seq, operation, time, total, tax, canceled, kind FROM documents WHERE operator = ? AND country = 1 AND thing = ? AND number = ?`
	addFlow   = `INSERT INTO flow (operator, country, day, taken, again, refused, lag, longest, last, last_lag) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET taken = taken + excluded.taken, again = again + excluded.again, refused = refused + excluded.refused,
	lag = lag + excluded.lag, longest = max(longest, excluded.longest), last = max(last, excluded.last),
	last_lag = CASE WHEN excluded.taken > 0 THEN excluded.last_lag ELSE last_lag END`
	addRefusal    = `INSERT INTO refusals (operator, at, what, id, why) VALUES (?, ?, ?, ?, ?)`
	keepRefusals  = `DELETE FROM refusals WHERE seq <= (SELECT max(seq) FROM refusals) - ?`
	refusalsKept  = 10_000
	microsPerDay  = 86_400_000_000
	addCanceled   = `INSERT OR IGNORE INTO cancellations (operator, register, entry) VALUES (?, ?, ?)`
	takeCanceled  = `DELETE FROM cancellations WHERE operator = ? AND register = ? AND entry = ?`
	anyCanceled   = `SELECT 1 FROM cancellations WHERE operator = ? LIMIT 1`
	markCanceled  = `UPDATE documents SET canceled = 1 WHERE seq = ?`
	markCanceled2 = `UPDATE documents SET canceled = 1 WHERE operator = ? AND country = 1 AND thing = ? AND number = ?`
)

// store makes a batch durable in one transaction, with all that is counted. now
// is in microseconds since 1970.
//
// Errors: those of the file, after all of which nothing of it is stored but for
// OutcomeUnknown, when it may be: whoever sends it again learns it.
func (b *batch) store(ctx context.Context, file *sqlitefile.File, now int64) error {
	refused := len(b.taken.Refused)
	return file.Write(ctx, func(tx *sqlitefile.Tx) error {
		// Begun anew after an error of the file.
		b.taken.Taken, b.taken.Again, b.taken.Refused = 0, 0, b.taken.Refused[:refused]
		w := writer{tx: tx, b: b, counts: counts{}, now: now}
		if err := w.all(); err != nil {
			return err
		}
		if err := w.counts.store(tx, b.operator); err != nil {
			return err
		}
		return w.flow()
	})
}

// writer stores the lines of a batch within a transaction.
type writer struct {
	tx      *sqlitefile.Tx
	b       *batch
	counts  counts
	now     int64
	early   bool  // some cancellations wait for what they cancel
	lag     int64 // milliseconds: together, at most, of the last
	longest int64
	latest  int64
}

func (w *writer) all() error {
	add, err := w.tx.Prepare(addDocument)
	if err != nil {
		return err
	}
	if _, w.early, err = w.tx.QueryInt(anyCanceled, w.b.operator); err != nil {
		return err
	}
	for i := range w.b.lines {
		d := &w.b.lines[i]
		add.BindInt(1, w.b.operator)
		add.BindInt(2, int64(d.country))
		add.BindInt(3, d.thing)
		add.BindInt(4, d.number)
		add.BindInt(5, d.register)
		add.BindInt(6, d.entry)
		add.BindText(7, d.kind)
		add.BindInt(8, int64(d.op))
		add.BindInt(9, int64(d.time))
		add.BindInt(10, d.received)
		add.BindInt(11, w.now)
		add.BindInt(12, int64(d.total))
		add.BindInt(13, int64(d.tax))
		add.BindInt(14, d.sign)
		add.BindBytes(15, d.hash)
		add.BindBytes(16, d.body)
		changed, err := add.Exec()
		switch {
		case err != nil:
			return err
		case changed == 0:
			err = w.again(d)
		default:
			err = w.added(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// again looks whether what is there is the same.
func (w *writer) again(d *document) error {
	s, err := w.tx.Query(findHash, w.b.operator, int64(d.country), d.thing, d.number)
	if err != nil {
		return err
	}
	same := s.Next() && bytes.Equal(s.Bytes(0), d.hash)
	if err := s.Close(); err != nil {
		return err
	}
	if same {
		w.b.taken.Again++
	} else {
		w.b.refuse(d.id, "id: another document was taken under it")
	}
	return nil
}

// added counts a document that is new.
func (w *writer) added(d *document) error {
	w.b.taken.Taken++
	lag := max(0, (w.now-d.received)/1000)
	w.lag += lag
	w.longest, w.latest = max(w.longest, lag), lag
	sums := true
	if w.early && d.country == kazakhstan {
		gone, err := w.tx.Exec(takeCanceled, w.b.operator, d.register, d.entry)
		if err != nil {
			return err
		}
		if gone > 0 {
			sums = false
			if _, err := w.tx.Exec(markCanceled2, w.b.operator, d.thing, d.number); err != nil {
				return err
			}
		}
	}
	w.counts.add(d, sums)
	if d.cancels > 0 && d.kind == kgd.KindCancel {
		return w.cancel(d)
	}
	return nil
}

// cancel takes the sums of another document back, or will when it comes.
func (w *writer) cancel(d *document) error {
	s, err := w.tx.Query(findEntry, w.b.operator, d.register, d.cancels)
	if err != nil {
		return err
	}
	found := s.Next()
	var seq, canceled int64
	var o document
	if found {
		seq, canceled = s.Int(0), s.Int(5)
		o = document{op: fiscal.Op(s.Int(1)), time: fiscal.WallTime(s.Int(2)), total: fiscal.Money(s.Int(3)), tax: fiscal.Money(s.Int(4)), kind: s.Text(6)}
	}
	if err := s.Close(); err != nil {
		return err
	}
	switch {
	case !found:
		w.early = true
		_, err = w.tx.Exec(addCanceled, w.b.operator, d.register, d.cancels)
	case canceled == 0:
		if o.kind == kgd.KindReceipt || o.kind == kgd.KindCashMove {
			w.counts.of(countKey{kazakhstan, d.register, day(o.time)}).settle(o.op, o.total, o.tax, -1)
		}
		_, err = w.tx.Exec(markCanceled, seq)
	}
	return err
}

// flow counts what came in, and keeps the refusals.
func (w *writer) flow() error {
	b, today := w.b, w.now/microsPerDay
	_, err := w.tx.Exec(addFlow, b.operator, int64(b.country), today, b.taken.Taken, b.taken.Again, len(b.taken.Refused), w.lag, w.longest, w.now, w.latest)
	if err != nil {
		return err
	}
	return keepRefused(w.tx, b.operator, w.now, b.what, b.taken.Refused)
}

// keepRefused keeps what was refused, the last few thousand.
func keepRefused(tx *sqlitefile.Tx, operator, now int64, what string, refused []kgd.Refusal) error {
	if len(refused) == 0 {
		return nil
	}
	for _, r := range refused {
		if _, err := tx.Exec(addRefusal, operator, now, what, r.ID, r.Why); err != nil {
			return err
		}
	}
	_, err := tx.Exec(keepRefusals, int64(refusalsKept))
	return err
}
