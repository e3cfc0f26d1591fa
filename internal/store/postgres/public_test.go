package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// TestPublicDrive shows that a buyer's receipt of a fiscal drive is found with
// the reader's rights, that another register's is not found beside it, and that
// an index leads there however much the register sold.
func TestPublicDrive(t *testing.T) {
	const drive, number = "9999078902001234", 400
	db := installation(t)
	l := newLoad(t, db, 4)
	var batch []journal.Commit
	for range number {
		for r := range l.places {
			c := l.next(r)
			e := &c.Entries[0]
			e.Drive, e.DeviceNumber = drive, uint64(e.Number)
			batch = append(batch, c)
		}
	}
	for len(batch) > 0 {
		n := min(len(batch), 256)
		if _, err := db.Append(t.Context(), batch[:n], journal.Seal); err != nil {
			t.Fatal(err)
		}
		batch = batch[n:]
	}
	for i, p := range l.places {
		found, err := db.Public().ByDriveNumber(t.Context(), p, drive, number-7)
		if err != nil || len(found) != 1 || found[0].Register != p.Register || found[0].Taxpayer != l.owner[i] {
			t.Errorf("Public.ByDriveNumber of register %d = %d entries, %v, want its own", p.Register, len(found), err)
		}
	}
	stranger := fiscal.Place{Partition: l.places[0].Partition, Register: 77777}
	if found, err := db.Public().ByDriveNumber(t.Context(), stranger, drive, 1); err != nil || len(found) != 0 {
		t.Errorf("Public.ByDriveNumber of no register = %d entries, %v, want none", len(found), err)
	}

	conn := as(t, db.url, "")
	if _, err := conn.Exec(t.Context(), "ANALYZE entries"); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), "EXPLAIN "+selectEntry+`WHERE partition = $1 AND register = $2 AND device_number = $3 AND device_number <> 0
		AND drive = $4 ORDER BY seq LIMIT $5`, l.places[0].Partition, l.places[0].Register, int64(number), drive, maxByDevice)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if plan := strings.Join(lines, "\n"); err != nil || !strings.Contains(plan, "Index Scan using entries_202503_partition_register_device_number_idx") {
		t.Errorf("%v\n%s\nwant the index of the device's numbers", err, plan)
	}
}
