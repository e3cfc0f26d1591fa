package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"openofd/internal/store/storetest"
)

// TestPlans: no list and no search reads a table of the cabinet from end to end
// or sorts one, whatever it is filtered by and whatever the statistics say.
//
// Req: P-081
func TestPlans(t *testing.T) {
	db := installation(t)
	scans, err := storetest.Plans()
	if err != nil || len(scans) < 500 {
		t.Fatalf("%d walks, %v", len(scans), err)
	}
	check := func(tx pgx.Tx, name, part, sql string, args []any, sorted bool) {
		t.Helper()
		lines, err := query(t.Context(), tx, pgx.RowTo[string], "EXPLAIN "+sql, args...)
		if err != nil {
			t.Fatalf("%s: %s: %v", name, sql, err)
		}
		plan := strings.Join(lines, "\n")
		if strings.Contains(plan, "Seq Scan") || !sorted && strings.Contains(plan, "Sort") || sorted && !strings.Contains(plan, "documents_total") || !strings.Contains(plan, "taxpayer = ") {
			t.Errorf("%s: %s\n%s\n%s", part, name, sql, plan)
		}
	}
	err = db.Public().as(t.Context(), 1, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), inOrder); err != nil {
			return err
		}
		for name, s := range scans {
			sql, args := documentsQuery(1, &s)
			check(tx, name, "documents", sql, args, false)
			sql, args = floorQuery(1, &s, 2000)
			check(tx, name, "floor", sql, args, false)
			if s.Least == nil && s.Most == nil {
				continue
			}
			sql, args = sumsQuery(1, &s, 20_000)
			check(tx, name, "sums", sql, args, false)
			if len(s.Keys) == 0 && s.Register == 0 {
				s.ByTotal = true
				sql, args = documentsQuery(1, &s)
				check(tx, name, "by total", sql, args, true)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
