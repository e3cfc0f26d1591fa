package sqlite

import (
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

func (tx accessTx) Inspectors(after access.UserID, limit int) ([]access.User, error) {
	return rows(tx, readUser, 3, `SELECT id, email, version, body FROM users WHERE id > ? AND json_extract(body, '$.inspector') IS NOT NULL ORDER BY id LIMIT ?`, int64(after), limit)
}

const selectInspection = `SELECT id, user_id, opened, closed, looks, body FROM inspections WHERE `

func readInspection(s *sqlitefile.Stmt, i *access.Inspection) {
	i.ID, i.User, i.Opened, i.Looks = access.InspectionID(s.Int(0)), access.UserID(s.Int(1)), journal.Instant(s.Int(2)), uint64(s.Int(4))
	if at := s.Int(3); at != 0 {
		i.Closed = journal.Instant(at)
	}
}

// instant is a time as stored, 0 for none.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return journal.Micros(t)
}

func (tx accessTx) AddInspection(i *access.Inspection) error {
	next, _, err := tx.QueryInt(nextID, "inspections")
	if err != nil {
		return err
	}
	i.ID = access.InspectionID(next)
	return tx.put(`INSERT INTO inspections (id, user_id, opened, body) VALUES (?, ?, ?, ?)`, i, next, int64(i.User), journal.Micros(i.Opened))
}

func (tx accessTx) Inspection(id access.InspectionID) (access.Inspection, error) {
	return only(rows(tx, readInspection, 5, selectInspection+`id = ?`, int64(id)))
}

func (tx accessTx) SetInspection(i *access.Inspection) error {
	return tx.exec(`UPDATE inspections SET closed = ?2, looks = ?3 WHERE id = ?1`, int64(i.ID), instant(i.Closed), int64(i.Looks))
}

func (tx accessTx) Inspections(u access.UserID, before access.InspectionID, limit int) ([]access.Inspection, error) {
	at := below(uint64(before))
	if u == 0 {
		return rows(tx, readInspection, 5, selectInspection+`id < ? ORDER BY id DESC LIMIT ?`, at, limit)
	}
	return rows(tx, readInspection, 5, selectInspection+`user_id = ? AND id < ? ORDER BY id DESC LIMIT ?`, int64(u), at, limit)
}

func (tx accessTx) AddLook(l access.Look) error {
	return tx.exec(`INSERT INTO inspection_looks (inspection, n, at, taxpayer, act, object, address) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		int64(l.Inspection), int64(l.N), journal.Micros(l.At), int64(l.Taxpayer), string(l.Act), l.Object, l.Address)
}

func (tx accessTx) Looks(id access.InspectionID, before uint64, limit int) (all []access.Look, err error) {
	s, err := tx.Query(`SELECT n, at, taxpayer, act, object, address FROM inspection_looks WHERE inspection = ? AND n < ? ORDER BY n DESC LIMIT ?`, int64(id), below(before), limit)
	if err != nil {
		return nil, err
	}
	for s.Next() {
		all = append(all, access.Look{Inspection: id, N: uint64(s.Int(0)), At: journal.Instant(s.Int(1)), Taxpayer: fiscal.TaxpayerID(s.Int(2)),
			Act: access.Act(s.Text(3)), Object: s.Text(4), Address: s.Text(5)})
	}
	return all, s.Close()
}
