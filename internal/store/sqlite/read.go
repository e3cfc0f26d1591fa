package sqlite

import (
	"context"
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

const selectEntry = `SELECT seq, partition, month, register, number, taxpayer, card_version, format, kind, outcome, flags,
	drive, device_number, device_time, received_at, shift, fiscal_sign, sign_key, operation, total, cash, cashless, other_paid,
	tax, refers, carrier, codec, salt, digest, hash, chain, request, answer FROM entries `

// Entry reads one entry of a register; NotFound if there is none, as Retired if
// there was one.
func (db *DB) Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (e journal.Entry, err error) {
	found := false
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		seq, ok, err := seqOf(tx, r, n)
		if err != nil || !ok || p != partition {
			return err
		}
		all, err := entries(tx, selectEntry+`WHERE seq = ? AND register = ? AND number = ?`+present, int64(seq), int64(r), int64(n))
		if len(all) == 1 {
			e, found = all[0], true
		}
		if err == nil && !found {
			e, found, err = retiredEntry(tx, r, n, seq)
		}
		return err
	})
	if err != nil {
		return journal.Entry{}, fmt.Errorf("read entry %d of register %d: %w", n, r, err)
	}
	if !found {
		return journal.Entry{}, missing("register %d has no entry %d", r, n)
	}
	return e, nil
}

// Scan reads up to limit entries from seq from on, ascending.
func (db *DB) Scan(ctx context.Context, p fiscal.Partition, from journal.Seq, limit int) (page []journal.Entry, err error) {
	if err := known(p); err != nil {
		return nil, err
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		page, err = entries(tx, selectEntry+`WHERE seq >= ?`+present+`ORDER BY seq LIMIT ?`, int64(from), max(limit, 0))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read entries from %d on: %w", from, err)
	}
	return page, nil
}

// maxByDevice is how many documents with one number of the device are told.
const maxByDevice = 8

// ByDeviceNumber reads a register's receipts with this number of the device on
// a day, and the notices that keep such a number, oldest first.
func (db *DB) ByDeviceNumber(ctx context.Context, p fiscal.Place, deviceNumber uint64, day fiscal.WallTime) (found []journal.Entry, err error) {
	if deviceNumber == 0 || p.Partition != partition {
		return nil, nil
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		found, err = entries(tx, selectEntry+`WHERE register = ? AND device_number = ? AND device_number <> 0
			AND device_time >= ? AND device_time < ? AND kind IN (?, ?) ORDER BY seq LIMIT ?`,
			int64(p.Register), int64(deviceNumber), int64(day.Day()), int64(day.Day().Add(24*time.Hour)),
			int64(fiscal.DocReceipt), int64(fiscal.DocNotice), maxByDevice)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read receipts of register %d by the device's number: %w", p.Register, err)
	}
	return found, nil
}

// ByDriveNumber reads a register's documents with this number of a fiscal
// drive, oldest first.
func (db *DB) ByDriveNumber(ctx context.Context, p fiscal.Place, drive string, number uint64) (found []journal.Entry, err error) {
	if number == 0 || p.Partition != partition {
		return nil, nil
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		found, err = entries(tx, selectEntry+`WHERE register = ? AND device_number = ? AND device_number <> 0 AND drive = ? ORDER BY seq LIMIT ?`,
			int64(p.Register), int64(number), drive, maxByDevice)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read documents of register %d by drive and number: %w", p.Register, err)
	}
	return found, nil
}

// BySign reads a register's documents of a drive with a fiscal sign, oldest
// first, among those of the fiscal.SignWindow numbers before one.
func (db *DB) BySign(ctx context.Context, p fiscal.Place, q fiscal.SignQuery) (found []journal.Entry, err error) {
	if p.Partition != partition {
		return nil, nil
	}
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		found, err = entries(tx, selectEntry+`WHERE register = ? AND device_number <> 0 AND device_number >= ? AND device_number < ?
			AND drive = ? AND fiscal_sign = ? ORDER BY seq LIMIT ?`,
			int64(p.Register), int64(q.Before)-fiscal.SignWindow, int64(q.Before), q.Drive, int64(q.Sign), maxByDevice)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read documents of register %d by their sign: %w", p.Register, err)
	}
	return found, nil
}

func entries(tx *sqlitefile.Tx, query string, args ...any) (all []journal.Entry, err error) {
	s, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	for s.Next() {
		all = append(all, journal.Entry{})
		if err := scanEntry(s, &all[len(all)-1]); err != nil {
			return nil, err
		}
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return all, nil
}

// scanEntry reads the columns of selectEntry. A hash that is cut is Corrupt.
func scanEntry(s *sqlitefile.Stmt, e *journal.Entry) error {
	e.Seq = journal.Seq(s.Int(0))
	e.Partition = fiscal.Partition(s.Int(1))
	e.Month = int32(s.Int(2))
	e.Register = fiscal.RegisterID(s.Int(3))
	e.Number = fiscal.Number(s.Int(4))
	e.Taxpayer = fiscal.TaxpayerID(s.Int(5))
	e.CardVersion = uint32(s.Int(6))
	e.Format = s.Text(7)
	e.Kind = fiscal.DocumentKind(s.Int(8))
	e.Outcome = uint16(s.Int(9))
	e.Flags = fiscal.Flags(s.Int(10))
	e.Drive = s.Text(11)
	e.DeviceNumber = uint64(s.Int(12))
	e.DeviceTime = fiscal.WallTime(s.Int(13))
	e.ReceivedAt = journal.Instant(s.Int(14))
	e.Shift = uint32(s.Int(15))
	e.FiscalSign = uint64(s.Int(16))
	e.SignKey = fiscal.KeyID(s.Int(17))
	e.Op = fiscal.Op(s.Int(18))
	e.Total = fiscal.Money(s.Int(19))
	e.Cash = fiscal.Money(s.Int(20))
	e.Cashless = fiscal.Money(s.Int(21))
	e.OtherPaid = fiscal.Money(s.Int(22))
	e.Tax = fiscal.Money(s.Int(23))
	e.Refers = fiscal.Number(s.Int(24))
	e.Carrier = fiscal.Number(s.Int(25))
	e.Codec = journal.Codec(s.Int(26))
	if !s.CopyTo(27, e.Salt[:]) || !s.CopyTo(28, e.Digest[:]) || !s.CopyTo(29, e.Hash[:]) || !s.CopyTo(30, e.Chain[:]) {
		return &fiscal.Error{Of: fiscal.Corrupt, Field: "entries", Msg: fmt.Sprintf("a hash of entry %d is cut", e.Seq)}
	}
	e.Request, e.Answer = s.Bytes(31), s.Bytes(32)
	return nil
}
