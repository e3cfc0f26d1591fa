package sqlite

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"openofd/internal/cabinet"
	"openofd/internal/store/sqlitefile"
	"openofd/internal/store/storetest"
)

// TestPlans: no list and no search reads a table of the cabinet from end to end
// or sorts one, whatever it is filtered by.
//
// Req: P-081
func TestPlans(t *testing.T) {
	db, err := Open(t.Context(), Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	scans, err := storetest.Plans()
	if err != nil || len(scans) < 500 {
		t.Fatalf("%d walks, %v", len(scans), err)
	}
	check := func(name, table, sql string, args []any, sorted bool) {
		t.Helper()
		plan := db.plan(t, sql, args)
		if bad := regexp.MustCompile(`SCAN (d|k|documents|shifts|aways|days)\b`).FindString(plan); bad != "" || !sorted && strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(plan, "taxpayer=?") && !strings.Contains(plan, "PRIMARY KEY (register=?") {
			t.Errorf("%s: %s\n%s\n%s", table, name, sql, plan)
		}
	}
	for name, s := range scans {
		sql, args := documentsQuery(1, &s)
		check(name, "documents", sql, args, false)
		sql, args = floorQuery(1, &s, 2000)
		check(name, "floor", sql, args, false)
		if s.Least != nil || s.Most != nil {
			sql, args = sumsQuery(1, &s, 20_000)
			check(name, "sums", sql, args, false)
			if len(s.Keys) == 0 {
				s.ByTotal = true
				sql, args = documentsQuery(1, &s)
				check(name, "by total", sql, args, true)
			}
		}
		sql, args = soldQuery(1, &s)
		check(name, "sold", sql, args, true)
		along := cabinet.Scan{From: s.From, Until: s.Until, Register: s.Register, Shift: s.Shift, Outlets: s.Outlets, Before: s.Before, Limit: 51}
		sql, args = shiftsQuery(1, along)
		check(name, "shifts", sql, args, len(s.Outlets) > 1)
		sql, args = awaysQuery(1, along)
		check(name, "aways", sql, args, len(s.Outlets) > 1)
	}
}

// TestPlanBySerial: staff find a register by its factory number along an index.
func TestPlanBySerial(t *testing.T) {
	db, err := Open(t.Context(), Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plan := ""
	err = db.main.Read(t.Context(), func(tx *sqlitefile.Tx) error {
		rows, err := tx.Query("EXPLAIN QUERY PLAN "+bySerial, "s-1", 5)
		if err != nil {
			return err
		}
		for rows.Next() {
			plan += rows.Text(3) + "; "
		}
		return rows.Close()
	})
	if err != nil || !strings.Contains(plan, "registers_number") {
		t.Errorf("%s: %s, %v", bySerial, plan, err)
	}
}

// plan is how a question is answered, a line for each part.
func (db *DB) plan(t *testing.T, sql string, args []any) string {
	t.Helper()
	var plan []string
	err := db.cabinet.Read(context.Background(), func(tx *sqlitefile.Tx) error {
		rows, err := tx.Query("EXPLAIN QUERY PLAN "+sql, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			plan = append(plan, rows.Text(3))
		}
		return rows.Close()
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(plan, "\n")
}
