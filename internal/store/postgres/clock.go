package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"openofd/internal/fiscal"
)

const (
	// clockApart is how far our clock may be off the database's.
	clockApart = time.Second
	// rounds is how often Run looks.
	rounds = time.Minute
	// monthsAhead are opened besides this one.
	monthsAhead = 2
)

// checkClock compares our clock with the database's: Conflict if they are more
// than a second apart, the way there and back allowed for.
func (db *DB) checkClock(ctx context.Context) error {
	// The first time may include connecting; a longer way only widens the doubt.
	began := db.now()
	theirs, _, err := one[time.Time](ctx, db.rest, `SELECT clock_timestamp()`)
	ended := db.now()
	if err != nil {
		return fmt.Errorf("compare clocks: %w", err)
	}
	return apart(began, theirs, ended)
}

// apart is Conflict if the database's clock, read between two moments of ours,
// says that ours is not right.
func apart(began, theirs, ended time.Time) error {
	if early, late := theirs.Sub(ended), began.Sub(theirs); early > clockApart || late > clockApart {
		return &fiscal.Error{Of: fiscal.Conflict, Field: "clock", Msg: fmt.Sprintf("this machine's clock is %s off the database's, more than %s: set it right", max(early, late).Round(time.Millisecond), clockApart)}
	}
	return nil
}

// serverEpoch is from when the database counts microseconds.
// Source: PostgreSQL 15, §8.5.
var serverEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// serverTime is a timestamptz in binary form.
func serverTime(field []byte) time.Time {
	return serverEpoch.Add(time.Duration(binary.BigEndian.Uint64(field)) * time.Microsecond)
}

// Check reports whether the installation can be worked with: it is reached and
// can be written to, our clock is right, the months ahead are open.
//
// Errors: Conflict for the clock, StoreDown.
func (db *DB) Check(ctx context.Context) error {
	standby, _, err := one[bool](ctx, db.rest, `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean`)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	if standby {
		return &fiscal.Error{Reason: fiscal.StoreDown, Msg: "the database can only be read: it is a standby"}
	}
	if err := db.checkClock(ctx); err != nil {
		return err
	}
	months := db.months()
	open, _, err := one[int](ctx, db.rest, `SELECT count(to_regclass('public.entries_' || m)) FROM unnest($1::integer[]) m`, months)
	if err != nil {
		return fmt.Errorf("look at the months ahead: %w", err)
	}
	if open != len(months) {
		return &fiscal.Error{Reason: fiscal.StoreDown, Field: "month", Msg: "the months ahead are not open"}
	}
	return nil
}

// Run opens the months ahead and watches the clock, every minute, until ctx
// ends.
func (db *DB) Run(ctx context.Context) {
	tick := time.NewTicker(rounds)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		try, cancel := context.WithTimeout(ctx, 10*time.Second)
		for what, err := range map[string]error{"clock is not right": db.checkClock(try), "months ahead not opened": db.openMonths(try)} {
			if err != nil && ctx.Err() == nil {
				db.log.Error(what, "err", err)
			}
		}
		cancel()
	}
}

// months are this one and those ahead, as yyyymm.
func (db *DB) months() []int32 {
	now := db.now().UTC()
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	var all []int32
	for i := range monthsAhead + 1 {
		m := first.AddDate(0, i, 0)
		all = append(all, int32(m.Year()*100+int(m.Month())))
	}
	return all
}

func (db *DB) openMonths(ctx context.Context) error {
	for _, m := range db.months() {
		if err := db.openMonth(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// openMonth makes the table of a month, unless it is there.
func (db *DB) openMonth(ctx context.Context, month int32) error {
	_, _, err := one[bool](ctx, db.rest, `SELECT ofd_open_month($1) IS NOT NULL`, month)
	if code(err) == readOnly {
		db.look(err)
		_, _, err = one[bool](ctx, db.rest, `SELECT ofd_open_month($1) IS NOT NULL`, month)
	}
	if code(err) == monthRefused {
		return &fiscal.Error{Reason: fiscal.StoreDown, Field: "clock", Msg: fmt.Sprintf("month %d may not be opened: look at this machine's clock", month), Err: err}
	}
	if err != nil {
		return fmt.Errorf("open month %d: %w", month, err)
	}
	return nil
}
