package postgres

import (
	"context"
	"encoding/binary"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// A register's number leads to an entry by its place in a run of 32: in the row
// of numbers if the run is full, else in states.latest. Unlike on SQLite a
// place also names the month, whose table is then the only one looked into.
const (
	runLength  = 32
	placeBytes = 8
	runBytes   = runLength * placeBytes
)

// firstMonth is taken from a month (yyyymm) so that it fits into two bytes.
const firstMonth = 200_000

func appendPlace(b []byte, s journal.Seq, month int32) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(s)<<16|uint64(uint16(month-firstMonth)))
}

func placeAt(b []byte, i int) (journal.Seq, int32) {
	v := binary.BigEndian.Uint64(b[i*placeBytes:])
	return journal.Seq(v >> 16), int32(v&0xffff) + firstMonth
}

// placeOf finds the place of a register's entry; ok is false if there is none.
func placeOf(ctx context.Context, from asks, p fiscal.Partition, r fiscal.RegisterID, n fiscal.Number) (seq journal.Seq, month int32, ok bool, err error) {
	if n == 0 {
		return 0, 0, false, nil
	}
	// One statement, so that a run that is just being moved is seen on one side.
	places, ok, err := one[[]byte](ctx, from, `SELECT coalesce((SELECT places FROM numbers WHERE partition = $1 AND register = $2 AND run = $3),
		(SELECT latest FROM states WHERE partition = $1 AND register = $2), '')`, p, r, int64(uint64(n-1)/runLength))
	at := int((n - 1) % runLength)
	if err != nil || !ok || len(places) < (at+1)*placeBytes {
		return 0, 0, false, err
	}
	seq, month = placeAt(places, at)
	return seq, month, true, nil
}
