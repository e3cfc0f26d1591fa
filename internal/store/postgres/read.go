package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

const selectEntry = `SELECT ` + entryColumns + ` FROM entries `

// Entry reads one entry of a register; NotFound if there is none, as Retired if
// there was one.
func (db *DB) Entry(ctx context.Context, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error) {
	e, err := entryOf(ctx, db.rest, p, r, n)
	if retired(err) {
		return db.keptEntry(ctx, p, r, n, err)
	}
	return e, err
}

func entryOf(ctx context.Context, from asks, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (journal.Entry, error) {
	seq, month, ok, err := placeOf(ctx, from, p, r, n)
	var all []journal.Entry
	if err == nil && ok {
		all, err = query(ctx, from, scanEntry, selectEntry+`WHERE partition = $1 AND seq = $2 AND month = $3 AND register = $4 AND number = $5`,
			p, int64(seq), month, r, int64(n))
	}
	if err == nil && len(all) == 0 {
		err = missing("register %d has no entry %d", r, n)
		if ok {
			err = retiredEntry(ctx, from, p, r, n, seq)
		}
	}
	if err != nil {
		return journal.Entry{}, fmt.Errorf("read entry %d of register %d: %w", n, r, err)
	}
	return all[0], nil
}

// Scan reads up to limit entries from seq from on, ascending.
func (db *DB) Scan(ctx context.Context, p fiscal.Partition, from journal.Seq, limit int) ([]journal.Entry, error) {
	if err := db.known(p); err != nil {
		return nil, err
	}
	page, err := query(ctx, db.rest, scanEntry, selectEntry+`WHERE partition = $1 AND seq >= $2 ORDER BY seq LIMIT $3`, p, int64(from), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read entries of partition %d from %d on: %w", p, from, err)
	}
	return page, nil
}

// maxByDevice is how many documents with one number of the device are told.
const maxByDevice = 8

// ByDeviceNumber reads a register's receipts with this number of the device on
// a day, and the notices that keep such a number, oldest first.
func (db *DB) ByDeviceNumber(ctx context.Context, p fiscal.Place, deviceNumber uint64, day fiscal.WallTime) ([]journal.Entry, error) {
	return byDeviceNumber(ctx, db.rest, p, deviceNumber, day)
}

func byDeviceNumber(ctx context.Context, from asks, p fiscal.Place, deviceNumber uint64, day fiscal.WallTime) ([]journal.Entry, error) {
	if deviceNumber == 0 {
		return nil, nil
	}
	found, err := query(ctx, from, scanEntry, selectEntry+`WHERE partition = $1 AND register = $2 AND device_number = $3 AND device_number <> 0
		AND device_time >= $4 AND device_time < $5 AND kind IN ($6, $7) ORDER BY seq LIMIT $8`,
		p.Partition, p.Register, int64(deviceNumber), int64(day.Day()), int64(day.Day().Add(24*time.Hour)),
		int16(fiscal.DocReceipt), int16(fiscal.DocNotice), maxByDevice)
	if err != nil {
		return nil, fmt.Errorf("read receipts of register %d by the device's number: %w", p.Register, err)
	}
	return found, nil
}

// ByDriveNumber reads a register's documents with this number of a fiscal
// drive, oldest first.
func (db *DB) ByDriveNumber(ctx context.Context, p fiscal.Place, drive string, number uint64) ([]journal.Entry, error) {
	return byDriveNumber(ctx, db.rest, p, drive, number)
}

func byDriveNumber(ctx context.Context, from asks, p fiscal.Place, drive string, number uint64) ([]journal.Entry, error) {
	if number == 0 {
		return nil, nil
	}
	found, err := query(ctx, from, scanEntry, selectEntry+`WHERE partition = $1 AND register = $2 AND device_number = $3 AND device_number <> 0
		AND drive = $4 ORDER BY seq LIMIT $5`, p.Partition, p.Register, int64(number), drive, maxByDevice)
	if err != nil {
		return nil, fmt.Errorf("read documents of register %d by drive and number: %w", p.Register, err)
	}
	return found, nil
}

// BySign reads a register's documents of a drive with a fiscal sign, oldest
// first, among those of the fiscal.SignWindow numbers before one.
func (db *DB) BySign(ctx context.Context, p fiscal.Place, q fiscal.SignQuery) ([]journal.Entry, error) {
	found, err := query(ctx, db.rest, scanEntry, selectEntry+`WHERE partition = $1 AND register = $2 AND device_number <> 0
		AND device_number >= $3 AND device_number < $4 AND drive = $5 AND fiscal_sign = $6 ORDER BY seq LIMIT $7`,
		p.Partition, p.Register, int64(q.Before)-fiscal.SignWindow, int64(q.Before), q.Drive, int64(q.Sign), maxByDevice)
	if err != nil {
		return nil, fmt.Errorf("read documents of register %d by their sign: %w", p.Register, err)
	}
	return found, nil
}

// scanEntry reads a row of entryColumns. A hash that is cut is Corrupt.
func scanEntry(row pgx.CollectableRow) (e journal.Entry, err error) {
	var seq, number, card, flags, device, received, shift, sign, refers, carrier int64
	var outcome int32
	var kind, op, codec int16
	var salt, digest, hash, chain []byte
	if err := row.Scan(&seq, &e.Register, &number, &e.Taxpayer, &card, &flags, &device, &e.DeviceTime, &received, &shift, &sign,
		&e.Total, &e.Cash, &e.Cashless, &e.OtherPaid, &e.Tax, &refers, &carrier, &e.Partition, &e.Month, &e.SignKey, &outcome, &kind, &op, &codec,
		&e.Format, &e.Drive, &salt, &digest, &hash, &chain, &e.Request, &e.Answer); err != nil {
		return e, err
	}
	e.Seq, e.Number, e.CardVersion, e.Flags = journal.Seq(seq), fiscal.Number(number), uint32(card), fiscal.Flags(flags)
	e.DeviceNumber, e.ReceivedAt, e.Shift, e.FiscalSign = uint64(device), journal.Instant(received), uint32(shift), uint64(sign)
	e.Refers, e.Carrier, e.Outcome = fiscal.Number(refers), fiscal.Number(carrier), uint16(outcome)
	e.Kind, e.Op, e.Codec = fiscal.DocumentKind(kind), fiscal.Op(op), journal.Codec(codec)
	if copy(e.Salt[:], salt) != 16 || copy(e.Digest[:], digest) != 32 || copy(e.Hash[:], hash) != 32 || copy(e.Chain[:], chain) != 32 {
		return e, &fiscal.Error{Of: fiscal.Corrupt, Field: "entries", Msg: fmt.Sprintf("a hash of entry %d is cut", e.Seq)}
	}
	return e, nil
}
