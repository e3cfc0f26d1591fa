package postgres

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
)

var update = flag.Bool("update", false, "write the golden files again")

// TestRights holds what the catalog says that each role may do, table by table
// and column by column where that is all, against a list that a person read. A
// new table without a decision fails here.
//
// Req: O-049, O-052, O-099, O-100
func TestRights(t *testing.T) {
	db := migrated(t)
	conn := as(t, db.url, "")
	if err := db.openMonth(t.Context(), 202503); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `
		WITH roles AS (SELECT unnest(ARRAY['ofd_service', 'ofd_reader', 'ofd_auditor', 'public']) AS role),
		things AS (SELECT c.oid, c.relname, c.relkind, c.relrowsecurity FROM pg_class c
			WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relname !~ '^entries_\d+$' OR c.relname = 'entries_202503')
		SELECT format('%-24s %-12s %s%s', relname, role,
			coalesce(nullif(concat_ws(' ', (SELECT string_agg(p, ' ' ORDER BY p) FROM unnest(CASE WHEN relkind = 'S' THEN ARRAY['SELECT', 'USAGE', 'UPDATE']
					ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'] END) p
				WHERE CASE WHEN relkind = 'S' THEN has_sequence_privilege(role, oid, p) ELSE has_table_privilege(role, oid, p) END),
				(SELECT string_agg(p || '(' || columns || ')', ' ' ORDER BY p) FROM (SELECT p, string_agg(attname, ',' ORDER BY attnum) AS columns
					FROM pg_attribute, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p
					WHERE relkind <> 'S' AND attrelid = things.oid AND attnum > 0 AND has_column_privilege(role, attrelid, attnum, p) AND NOT has_table_privilege(role, things.oid, p)
					GROUP BY p) c)), ''), '-'),
			CASE WHEN relrowsecurity THEN '  [rows: ' || coalesce((SELECT string_agg(polname || ' ' || pg_get_expr(polqual, polrelid), ', ') FROM pg_policy WHERE polrelid = things.oid AND role <> 'public' AND role::regrole = ANY (polroles)), 'none') || ']' END)
		FROM things, roles ORDER BY relname, role`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "rights", strings.Join(lines, "\n")+"\n")

	rows, err = conn.Query(t.Context(), `
		SELECT format('%s %s: %s', p.oid::regprocedure, CASE WHEN prosecdef THEN 'as owner, ' || array_to_string(proconfig, ' ') ELSE 'as caller' END,
			(SELECT string_agg(r, ' ') FROM unnest(ARRAY['ofd_service', 'ofd_reader', 'ofd_auditor', 'public']) r WHERE has_function_privilege(r, p.oid, 'EXECUTE')))
		FROM pg_proc p WHERE pronamespace = 'public'::regnamespace ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	if lines, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	golden(t, "functions", strings.Join(lines, "\n")+"\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is\n%s\nwant what %s says:\n%s", name, got, path, want)
	}
}

// as connects with the rights of a role; "" is the test's own, a superuser.
func as(t *testing.T, url, role string) *pgx.Conn {
	t.Helper()
	conn, err := connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if role != "" {
		if _, err := conn.Exec(t.Context(), "SET SESSION AUTHORIZATION "+role); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// TestEachRoleTriesEverything shows that nobody, the owner included, changes or
// deletes what is in the journal, and that nobody but the service adds to it.
//
// Req: O-049, O-050, O-052, O-099, O-100, O-101
func TestEachRoleTriesEverything(t *testing.T) {
	db := migrated(t)
	l := newLoad(t, db, 32)
	if _, err := db.Append(t.Context(), l.batch(32, 0, 1), journal.Seal); err != nil {
		t.Fatal(err)
	}
	if err := db.AddKey(t.Context(), keyring.Row{ID: 1, Purpose: fiscal.KeyForSign, Sealed: []byte{1}, From: l.now()}); err != nil {
		t.Fatal(err)
	}
	if err := db.PutCatalog(t.Context(), &fiscal.Catalog{Created: 5, Elements: []fiscal.CatalogElement{{ID: 1}}}); err != nil {
		t.Fatal(err)
	}
	if err := db.KeepBatch(t.Context(), follow.Move{ID: delivery.IDOf("fns"), To: 1, At: time.Now()}, delivery.Batch{Authority: "fns", Documents: 1}); err != nil {
		t.Fatal(err)
	}
	admin := as(t, db.url, "")
	contents := func() (all string) {
		for _, table := range []string{"entries", "states", "numbers", "cards", "heads", "installation", "registers", "taxpayers", "directory", "keys", "catalogs", "catalog_elements", "cursors", "deliveries", "parked"} {
			var sum string
			if err := admin.QueryRow(t.Context(), fmt.Sprintf(`SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM %s t`, table)).Scan(&sum); err != nil {
				t.Fatal(err)
			}
			all += table + " " + sum + "\n"
		}
		return all
	}
	before := contents()

	// What no role may do. TRUNCATE of several at once gets around foreign keys.
	never := []string{"TRUNCATE taxpayers, outlets, registers, cashiers"}
	for _, table := range []string{"entries", "entries_202503", "cards", "numbers", "installation", "registers", "directory", "keys", "catalogs", "catalog_elements"} {
		column := map[string]string{"entries": "total = total + 1", "entries_202503": "request = answer", "cards": "body = '{}'", "numbers": "run = run + 1", "installation": "value = '2'",
			"registers": "model = 'x'", "directory": "name = name || '0'", "keys": "purpose = 'x'", "catalogs": "created = 6", "catalog_elements": "body = '{}'"}[table]
		never = append(never, "UPDATE "+table+" SET "+column)
	}
	for _, table := range []string{"entries", "entries_202503", "states", "heads", "cards", "numbers", "installation", "registers", "taxpayers", "directory", "keys", "catalogs", "catalog_elements", "counters"} {
		never = append(never, "DELETE FROM "+table, "TRUNCATE "+table+" CASCADE")
	}
	for _, table := range []string{"deliveries", "parked"} {
		never = append(never, "DELETE FROM "+table, "TRUNCATE "+table+" CASCADE")
	}
	never = append(never, "UPDATE cursors SET seq = 0", "UPDATE deliveries SET documents = documents + 1",
		"UPDATE heads SET seq = 0", "UPDATE heads SET month = 1", "UPDATE heads SET chain = decode(repeat('01', 32), 'hex')", "UPDATE heads SET partition = partition + 100",
		"UPDATE states SET version = 0", "UPDATE states SET number = 0, version = version + 1", "UPDATE states SET taxpayer = 1, version = version + 1", "UPDATE counters SET next = 0",
		"UPDATE taxpayers SET partition = partition + 1", "INSERT INTO keys SELECT * FROM keys ON CONFLICT (id) DO UPDATE SET purpose = 'x'",
		"SELECT ofd_open_month(209901)", "SELECT ofd_open_month(202513)")
	// What only the owner of everything may do.
	ddl := []string{"DROP TABLE entries_202503", "ALTER TABLE entries DISABLE TRIGGER ALL", "ALTER TABLE entries DISABLE ROW LEVEL SECURITY", "DROP TRIGGER entries_never ON entries",
		"DROP FUNCTION ofd_refuse() CASCADE", "CREATE TABLE mine (a integer)", "CREATE TEMPORARY TABLE entries (a integer)", "CREATE POLICY all_mine ON entries TO public USING (true)",
		"ALTER TABLE entries DETACH PARTITION entries_202503", "SET session_replication_role = replica", "SET ROLE ofd_owner", "CREATE SCHEMA mine",
		"COPY entries TO PROGRAM 'cat'", "SELECT pg_read_file('postgresql.conf')"}
	add := []string{
		"INSERT INTO entries_202503 SELECT seq + 1000, register, number + 1000, taxpayer, card_version, flags, device_number, device_time, received_at, shift, fiscal_sign, total, cash, cashless, other_paid, tax, refers, carrier, partition, month, sign_key, outcome, kind, operation, codec, format, drive, salt, digest, hash, chain, request, answer FROM entries LIMIT 1",
		"UPDATE states SET version = version + 1", "UPDATE heads SET fence = fence + 1", "INSERT INTO cards SELECT register, version + 100, taxpayer, partition, body FROM cards LIMIT 1",
		"INSERT INTO keys (id, purpose, valid_from, sealed, created) VALUES (9, 'x', 0, '', 0)", "INSERT INTO directory VALUES ('x', 'x', 0, 1, 1, 0)", "SELECT ofd_open_month(202503)",
		"INSERT INTO installation VALUES ('x', 'y')", "INSERT INTO heads VALUES (99, 0, 0, decode(repeat('00', 32), 'hex'))"}
	secrets := []string{"SELECT sealed FROM keys", "SELECT hash FROM cashiers", "SELECT request FROM entries", "SELECT state FROM states", "SELECT request FROM refused", "SELECT request FROM entries_202503"}

	admin2 := as(t, db.url, "")
	if _, err := admin2.Exec(t.Context(), `DO $$ BEGIN CREATE ROLE ofd_test_nobody; EXCEPTION WHEN duplicate_object THEN NULL; END $$`); err != nil {
		t.Fatal(err)
	}
	refused := func(role string, statements []string) {
		conn := as(t, db.url, role)
		for _, sql := range statements {
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), sql); err == nil {
				t.Errorf("%s: %s: done, want it refused", role, sql)
			}
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, role := range []string{"ofd_owner", "ofd_service", "ofd_reader", "ofd_auditor", "ofd_test_nobody"} {
		refused(role, never)
		if role != "ofd_owner" {
			refused(role, ddl)
		}
	}
	refused("ofd_service", []string{add[7], add[8], "DELETE FROM cursors", "DELETE FROM leases"})
	for _, role := range []string{"ofd_reader", "ofd_auditor", "ofd_test_nobody"} {
		refused(role, []string{"UPDATE cursors SET seq = seq + 1", "INSERT INTO leases VALUES (now(), 'x', 1, 0, 'x')", "UPDATE parked SET settled_at = 1"})
	}
	for _, role := range []string{"ofd_reader", "ofd_auditor", "ofd_test_nobody"} {
		refused(role, add)
		refused(role, secrets[:2])
	}
	refused("ofd_auditor", secrets)
	refused("ofd_test_nobody", secrets)
	refused("ofd_reader", secrets[5:])

	if after := contents(); after != before {
		t.Errorf("after all that there is\n%s\nwant\n%s", after, before)
	}
}

// seat gives an organization a member, an invitation and a record of it.
func seat(t *testing.T, db access.Store, owner fiscal.TaxpayerID) error {
	return db.WriteAccess(t.Context(), func(tx access.Tx) error {
		u := access.User{Email: fmt.Sprintf("%d@example.kz", owner)}
		return errors.Join(tx.AddUser(&u),
			tx.PutMember(access.Member{User: u.ID, Taxpayer: owner, Role: access.Owner}),
			tx.PutInvitation(access.Invitation{Taxpayer: owner, Email: "x@example.kz"}),
			tx.Record(&access.Record{Taxpayer: owner, User: u.ID, Act: access.ActFounded}))
	})
}

// furnish gives a taxpayer a row of each table of the office.
func furnish(t *testing.T, db registry.OfficeStore, owner fiscal.TaxpayerID, r fiscal.RegisterID) error {
	g := registry.Group{Taxpayer: owner, Title: "Юг"}
	a := registry.Application{Taxpayer: owner, Register: r, Country: fiscal.Kazakhstan, Kind: registry.Enrol, Status: registry.Sent, Paper: registry.Paper{Content: []byte{1}, Signature: []byte{1}}}
	e := registry.ApplicationEvent{What: registry.WasSigned}
	return errors.Join(
		db.AddApplication(t.Context(), &a, e), db.SetApplication(t.Context(), &a, e),
		db.AddContract(t.Context(), &registry.Contract{Taxpayer: owner, Kind: registry.ContractPaper, Number: "7"}),
		db.PutGroup(t.Context(), &g),
		db.SetGroup(t.Context(), owner, r, g.ID))
}

// tabulate gives each taxpayer of a load a row of each of the cabinet's tables.
func tabulate(t *testing.T, db cabinet.Tables, l *load) error {
	pages := map[fiscal.Partition]*cabinet.Page{}
	for i, at := range l.places {
		p := pages[at.Partition]
		if p == nil {
			p = &cabinet.Page{}
			pages[at.Partition] = p
		}
		owner := l.owner[i]
		p.Documents = append(p.Documents, cabinet.Document{Taxpayer: owner, Partition: at.Partition, Seq: journal.Seq(len(p.Documents) + 1), Time: 1, ReceivedAt: l.now(),
			Register: at.Register, Number: 1, Kind: fiscal.DocReceipt, Op: fiscal.OpSale, FiscalSign: 7, Total: 100})
		p.Shifts = append(p.Shifts, cabinet.Shift{ShiftID: cabinet.ShiftID{Register: at.Register, Number: 1}, Taxpayer: owner, Partition: at.Partition, Opened: 1})
		p.Days = append(p.Days, cabinet.Day{Register: at.Register, Taxpayer: owner, Partition: at.Partition})
		p.Away = append(p.Away, cabinet.Away{Taxpayer: owner, Partition: at.Partition, Register: at.Register, First: 1, Last: 1, Documents: 1})
	}
	for partition, p := range pages {
		m := follow.Move{ID: cabinet.FollowerID(), Partition: partition, To: journal.Seq(len(p.Documents)), At: l.now()}
		if err := db.KeepPage(t.Context(), m, p); err != nil {
			return err
		}
	}
	return nil
}

// TestTaxpayerSeesOwnRows shows that the reader sees nothing until it is said
// for whom it reads, and then no row of anybody else in any table.
//
// Req: O-052
func TestTaxpayerSeesOwnRows(t *testing.T) {
	db := installation(t)
	l := newLoad(t, db, 64)
	for range 40 { // so that rows of numbers fill
		if _, err := db.Append(t.Context(), l.batch(64, 0, 1), journal.Seal); err != nil {
			t.Fatal(err)
		}
	}
	var refused []journal.Refused
	var contacts []fiscal.Contact
	for i, p := range l.places {
		refused = append(refused, journal.Refused{Partition: p.Partition, Register: p.Register, At: l.now(), Request: []byte{1}})
		contacts = append(contacts, fiscal.Contact{Partition: p.Partition, Register: p.Register, At: l.now()})
		if i < 16 {
			if err := db.PutCashier(t.Context(), fiscal.CashierLogin{Taxpayer: l.owner[i], Login: "a"}); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(seat(t, db, l.owner[i]), furnish(t, db, l.owner[i], p.Register)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tabulate(t, db, l); err != nil {
		t.Fatal(err)
	}
	if err := db.KeepRefused(t.Context(), refused, 10); err != nil {
		t.Fatal(err)
	}
	if err := db.KeepContacts(t.Context(), contacts); err != nil {
		t.Fatal(err)
	}
	conn := as(t, db.url, reader)
	rows, err := as(t, db.url, "").Query(t.Context(), `SELECT c.relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
		AND has_any_column_privilege('ofd_reader', oid, 'SELECT') AND relname NOT IN ('goose_db_version', 'installation', 'catalogs', 'catalog_elements', 'retired')`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		t.Fatalf("the reader's tables are %q, %v, want ten or more", tables, err)
	}
	look := func(scope, table string) (all, foreign int) {
		t.Helper()
		column := "taxpayer"
		if table == "taxpayers" {
			column = "id"
		}
		if err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if scope != "unset" {
				if _, err := tx.Exec(t.Context(), `SELECT set_config('ofd.taxpayer', $1, true)`, scope); err != nil {
					return err
				}
			}
			return tx.QueryRow(t.Context(), fmt.Sprintf(`SELECT count(%[1]s), count(%[1]s) FILTER (WHERE %[1]s::text <> $1) FROM %[2]s`, column, table), scope).Scan(&all, &foreign)
		}); err != nil {
			t.Fatalf("%s for %s: %v", table, scope, err)
		}
		return all, foreign
	}
	for _, table := range tables {
		own := fmt.Sprint(l.owner[3])
		if all, foreign := look(own, table); foreign != 0 || all == 0 && table != "outlets" {
			t.Errorf("%s shows taxpayer %s %d rows, %d of others; want some, none", table, own, all, foreign)
		}
		for _, scope := range []string{"unset", "", "77777"} {
			if all, _ := look(scope, table); all != 0 {
				t.Errorf("%s shows %d rows for %q, want none", table, all, scope)
			}
		}
	}

	public := db.Public()
	for i, p := range l.places[:20] {
		e, err := public.Entry(t.Context(), p.Partition, p.Register, 33)
		if err != nil || e.Taxpayer != l.owner[i] || e.Number != 33 {
			t.Errorf("Public.Entry = %+v, %v, want number 33 of taxpayer %d", e, err, l.owner[i])
		}
		if c, err := public.Card(t.Context(), p.Register, 1); err != nil || c.Register != p.Register {
			t.Errorf("Public.Card = %+v, %v, want that of register %d", c, err, p.Register)
		}
		if at, err := public.Find(t.Context(), fiscal.Address{Kind: fiscal.ByID, Name: fmt.Sprint(p.Register)}); err != nil || at != p {
			t.Errorf("Public.Find = %+v, %v, want %+v", at, err, p)
		}
	}
}
