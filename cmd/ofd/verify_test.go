package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVerifyFindsDamage flips, removes and swaps what is stored, as somebody
// with the rights of the machine could, and expects `ofd verify` to name the
// first entry that does not fit.
//
// Req: P-021, O-047
func TestVerifyFindsDamage(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	s := &script{t: t, dir: t.TempDir(), names: map[string]string{"data": whole}}
	fillJournal(s)
	for _, name := range []string{"a", "b", "c"} {
		s.stdin = "kettle-by-the-door-12\n"
		s.run(exitOK, "user add "+name+"@example.kz --name Әсел")
	}
	s.run(exitOK, "verify")

	// Entries 1 and 2 are the acts of the first register, 3 to 7 its documents,
	// 8 and 9 the acts of the second, 10 and 11 its documents.
	tests := []struct {
		name   string
		damage string
		want   string // in what verify prints
	}{
		{"a byte of a request", flip("request", 5), "entry 5, register 200001, number 5"},
		{"a byte of an answer", flip("answer", 4), "entry 4,"},
		{"a total", "UPDATE entries SET total = total + 1 WHERE seq = 4", "entry 4,"},
		{"a fiscal sign", "UPDATE entries SET fiscal_sign = fiscal_sign + 1 WHERE seq = 10", "entry 10,"},
		{"a finding", "UPDATE entries SET flags = flags | 1 WHERE seq = 5", "entry 5,"},
		{"who owned it", "UPDATE entries SET taxpayer = taxpayer + 1 WHERE seq = 10", "entry 10,"},
		{"an act", "UPDATE entries SET request = CAST(replace(CAST(request AS TEXT), 'command line', 'somebody els') AS BLOB) WHERE seq = 1", "entry 1,"},
		{"removed from the middle", "DELETE FROM entries WHERE seq = 5", "entry 5: entry is missing"},
		{"removed and closed up", "DELETE FROM entries WHERE seq = 5; UPDATE entries SET seq = 5 WHERE seq = 6; UPDATE entries SET seq = 6 WHERE seq = 7; UPDATE entries SET seq = 7 WHERE seq = 8; " +
			"UPDATE entries SET seq = 8 WHERE seq = 9; UPDATE entries SET seq = 9 WHERE seq = 10; UPDATE entries SET seq = 10 WHERE seq = 11; " +
			"UPDATE heads SET seq = 10, chain = (SELECT chain FROM entries WHERE seq = 10)", "entry 5,"},
		{"the last one removed", "DELETE FROM entries WHERE seq = 11", "entry 11: entry is missing"},
		{"the last one removed, and the head with it", "DELETE FROM entries WHERE seq = 11; UPDATE heads SET seq = 10, chain = (SELECT chain FROM entries WHERE seq = 10)", "register 200002"},
		{"two requests swapped", "CREATE TEMP TABLE a AS SELECT request FROM entries WHERE seq = 4; " +
			"UPDATE entries SET request = (SELECT request FROM entries WHERE seq = 5) WHERE seq = 4; " +
			"UPDATE entries SET request = (SELECT request FROM a) WHERE seq = 5", "entry 4,"},
		{"two entries swapped", "UPDATE entries SET seq = 1000 WHERE seq = 7; UPDATE entries SET seq = 7 WHERE seq = 10; UPDATE entries SET seq = 10 WHERE seq = 1000", "entry 7,"},
		{"a state", "UPDATE states SET state = (SELECT state FROM states WHERE register = 200002) WHERE register = 200001", "register 200001"},
		{"an invented entry", "INSERT INTO entries SELECT 12, partition, month, register, number + 1, taxpayer, card_version, format, kind, outcome, flags, drive, " +
			"device_number, device_time, received_at, shift, fiscal_sign, sign_key, operation, total, cash, cashless, other_paid, tax, refers, carrier, codec, salt, " +
			"digest, hash, chain, request, answer FROM entries WHERE seq = 11", "lies behind the partition's end"},
		{"what somebody did", "UPDATE audit SET who = 'nobody' WHERE seq = 2", "record 2 of taxpayer 0 was changed"},
		{"what somebody did, removed", "DELETE FROM audit WHERE seq = 2", "record 3 of taxpayer 0 was changed, or one before it is gone"},
		{"the first that somebody did, removed", "DELETE FROM audit WHERE seq = 1", "before 2 are gone"},
		{"the head", "UPDATE heads SET chain = zeroblob(32)", "entry 11: the partition's chain ends in"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, "master.key"), 0o600); err != nil {
				t.Fatal(err)
			}
			deface(t, filepath.Join(dir, "ofd.db"), tt.damage)
			s := &script{t: t, at: tt.damage, dir: t.TempDir(), names: map[string]string{"data": dir}}
			s.run(exitFailed, "verify")
			if !strings.Contains(s.stdout, "BAD") || !strings.Contains(s.stdout, tt.want) {
				t.Errorf("verify says %q, want %q in it", s.stdout, tt.want)
			}
		})
	}
}

// fillJournal makes two registers with documents of every kind.
func fillJournal(s *script) {
	s.t.Helper()
	s.at = "fill"
	s.serve("")
	for i, commands := range [][]string{
		{"deposit --sum 1000", "ticket --sum 150 --name Нан", "ticket --sum 99.90 --name Сүт", "report-x", "close-shift"},
		{"ticket --sum 5000 --name Шай", "ticket --sum 70 --name Қант"},
	} {
		s.run(exitOK, fmt.Sprintf("register add --json --bin 190340024183 --title Дала --model M --serial S%d --address Алматы", i))
		first := " --id " + s.value("id") + " --token " + s.value("token")
		for _, c := range commands {
			s.run(exitOK, fmt.Sprintf("send kkm --addr %s --state r%d.json%s --command %s", s.names["kkm"], i, first, c))
			first = ""
		}
	}
	s.step("stop", "")
}

// flip changes the last byte of a blob.
func flip(column string, seq int) string {
	return fmt.Sprintf("UPDATE entries SET %[1]s = CAST(substr(%[1]s, 1, length(%[1]s) - 1) || CASE WHEN substr(%[1]s, -1) = x'41' THEN x'42' ELSE x'41' END AS BLOB) WHERE seq = %[2]d", column, seq)
}

// deface changes a database behind the program's back, triggers out of the way.
func deface(t *testing.T, path, damage string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	rows, err := db.Query("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	var drop []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		drop = append(drop, "DROP TRIGGER "+name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, statement := range append(drop, strings.Split(damage, "; ")...) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// A folder that cannot be read is no finding: the command says what is wrong.
func TestVerifyWithoutItsKey(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	s := &script{t: t, at: "no key", dir: t.TempDir(), names: map[string]string{"data": whole}}
	s.run(exitOK, "register list")
	if err := os.Remove(filepath.Join(whole, "master.key")); err != nil {
		t.Fatal(err)
	}
	s.run(exitFailed, "verify")
	if !strings.Contains(s.stderr, "restore it from its backup") {
		t.Errorf("verify without its key says %q, want what to do", s.stderr)
	}
	if _, err := os.Stat(filepath.Join(whole, "master.key")); err == nil {
		t.Error("a new key was made although keys are sealed under the old one")
	}
}
