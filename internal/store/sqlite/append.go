package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

// Append makes a batch durable, as journal.Store says. For each commit: the
// state row moves on, or the commit is stale; its entries are sealed behind the
// head and stored; a new card with them. The head moves once, at the end.
func (db *DB) Append(ctx context.Context, batch []journal.Commit, seal journal.Sealer) (stale []int, err error) {
	err = db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		a, err := newAppender(tx)
		if err != nil {
			return err
		}
		for i := range batch {
			switch fresh, err := a.commit(&batch[i], seal); {
			case err != nil:
				return fmt.Errorf("register %d: %w", batch[i].Register, err)
			case !fresh:
				stale = append(stale, i)
			}
		}
		if len(stale) == len(batch) {
			return nil
		}
		return moveHead(tx, a.head)
	})
	switch {
	case err == nil:
		return stale, nil
	case errors.Is(err, fiscal.OutcomeUnknown):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", journal.ErrNothingStored, err)
}

// appender stores commits within one transaction.
type appender struct {
	tx     *sqlitefile.Tx
	state  *sqlitefile.Stmt
	entry  *sqlitefile.Stmt
	head   journal.Head
	places []byte              // seqs of a commit's entries, as numbers keep them
	fallen []fiscal.RegisterID // with a stale commit: what was judged on that is stale too
}

const (
	updateState = `UPDATE states SET version = ?1, number = ?2, state = ?3, latest = CAST(substr(latest, 1, ?4) || ?5 || substr(latest, ?6) AS BLOB)
		WHERE register = ?7 AND version = ?8 AND number = ?9`
	insertEntry = `INSERT INTO entries (seq, month, register, number, taxpayer, card_version, format, kind, outcome, flags,
		drive, device_number, device_time, received_at, shift, fiscal_sign, sign_key, operation, total, cash, cashless, other_paid,
		tax, refers, carrier, codec, salt, digest, hash, chain, request, answer)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertCard = `INSERT INTO cards (register, version, body) VALUES (?, ?, ?)`
)

func newAppender(tx *sqlitefile.Tx) (a *appender, err error) {
	a = &appender{tx: tx}
	if a.state, err = tx.Prepare(updateState); err != nil {
		return nil, err
	}
	if a.entry, err = tx.Prepare(insertEntry); err != nil {
		return nil, err
	}
	a.head, err = readHead(tx)
	return a, err
}

// commit stores one commit, unless it is stale.
func (a *appender) commit(c *journal.Commit, seal journal.Sealer) (fresh bool, err error) {
	if c.Partition != partition {
		return false, nil
	}
	if len(c.Entries) == 0 || c.Entries[0].Number == 0 {
		return false, &fiscal.Error{Of: fiscal.Invalid, Field: "entries", Msg: "none, or not numbered"}
	}
	if fresh, err = a.moveState(c); err != nil || !fresh {
		return false, err
	}
	first := a.head.Seq + 1
	seal(&a.head, c)
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Seq != first+journal.Seq(i) { // moveState has written it down already
			return false, &fiscal.Error{Of: fiscal.Internal, Msg: fmt.Sprintf("sealed with seq %d, expected %d", e.Seq, first+journal.Seq(i))}
		}
		bindEntry(a.entry, e)
		if _, err := a.entry.Exec(); err != nil {
			return false, fmt.Errorf("entry %d: %w", e.Number, err)
		}
	}
	if c.Card != nil {
		return true, addCard(a.tx, c.Card)
	}
	return true, nil
}

// moveState writes the next state and the places that the commit's entries are
// about to get. It is false when the row is not the one the commit was judged
// on.
func (a *appender) moveState(c *journal.Commit) (fresh bool, err error) {
	if slices.Contains(a.fallen, c.Register) {
		return false, nil
	}
	a.places = a.places[:0]
	for i := range c.Entries {
		a.places = appendPlace(a.places, a.head.Seq+1+journal.Seq(i))
	}
	last := c.Entries[0].Number - 1 // before this commit
	if int(last%runLength)+len(c.Entries) >= runLength {
		fresh, err = a.fillRun(c, last)
	} else {
		s, before := a.state, int64(last%runLength)*placeBytes
		s.BindInt(1, int64(c.Judged+1))
		s.BindInt(2, int64(last)+int64(len(c.Entries)))
		s.BindBytes(3, c.State)
		s.BindInt(4, before)
		s.BindBytes(5, a.places)
		s.BindInt(6, before+int64(len(a.places))+1) // from 1
		s.BindInt(7, int64(c.Register))
		s.BindInt(8, int64(c.Judged))
		s.BindInt(9, int64(last))
		var changed int64
		changed, err = s.Exec()
		fresh = changed == 1
	}
	if err != nil || fresh {
		return fresh, err
	}
	a.fallen = append(a.fallen, c.Register)
	return false, a.stale(c)
}

// stale is nil for a commit that was judged on another state, and says what is
// wrong with one that was not.
func (a *appender) stale(c *journal.Commit) error {
	version, ok, err := a.tx.QueryInt(`SELECT version FROM states WHERE register = ?`, int64(c.Register))
	if err != nil || !ok || uint64(version) != c.Judged {
		return err
	}
	return &fiscal.Error{Of: fiscal.Invalid, Field: "number", Msg: "the entries do not follow those that are stored"}
}

func addCard(tx *sqlitefile.Tx, c *fiscal.Card) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("card %d: %w", c.Version, err)
	}
	_, err = tx.Exec(insertCard, int64(c.Register), int64(c.Version), string(body))
	return err
}

func bindEntry(s *sqlitefile.Stmt, e *journal.Entry) {
	s.BindInt(1, int64(e.Seq))
	s.BindInt(2, int64(e.Month))
	s.BindInt(3, int64(e.Register))
	s.BindInt(4, int64(e.Number))
	s.BindInt(5, int64(e.Taxpayer))
	s.BindInt(6, int64(e.CardVersion))
	s.BindText(7, e.Format)
	s.BindInt(8, int64(e.Kind))
	s.BindInt(9, int64(e.Outcome))
	s.BindInt(10, int64(e.Flags))
	s.BindText(11, e.Drive)
	s.BindInt(12, int64(e.DeviceNumber))
	s.BindInt(13, int64(e.DeviceTime))
	s.BindInt(14, journal.Micros(e.ReceivedAt))
	s.BindInt(15, int64(e.Shift))
	s.BindInt(16, int64(e.FiscalSign))
	s.BindInt(17, int64(e.SignKey))
	s.BindInt(18, int64(e.Op))
	s.BindInt(19, int64(e.Total))
	s.BindInt(20, int64(e.Cash))
	s.BindInt(21, int64(e.Cashless))
	s.BindInt(22, int64(e.OtherPaid))
	s.BindInt(23, int64(e.Tax))
	s.BindInt(24, int64(e.Refers))
	s.BindInt(25, int64(e.Carrier))
	s.BindInt(26, int64(e.Codec))
	s.BindBytes(27, e.Salt[:])
	s.BindBytes(28, e.Digest[:])
	s.BindBytes(29, e.Hash[:])
	s.BindBytes(30, e.Chain[:])
	s.BindBytes(31, e.Request)
	s.BindBytes(32, e.Answer)
}
