package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

var _ access.Store = (*DB)(nil)

// ReadAccess runs do on one state of the file.
func (db *DB) ReadAccess(ctx context.Context, do func(access.Tx) error) error {
	return db.main.Read(ctx, func(tx *sqlitefile.Tx) error { return do(accessTx{tx}) })
}

// WriteAccess runs do in one transaction.
func (db *DB) WriteAccess(ctx context.Context, do func(access.Tx) error) error {
	return db.main.Write(ctx, func(tx *sqlitefile.Tx) error { return do(accessTx{tx}) })
}

type accessTx struct{ *sqlitefile.Tx }

// rows reads rows of which the last column is a body.
func rows[T any](tx accessTx, read func(s *sqlitefile.Stmt, v *T), body int, query string, args ...any) (all []T, err error) {
	s, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	for s.Next() {
		var v T
		if e := json.Unmarshal(s.Bytes(body), &v); e != nil && err == nil {
			err = &fiscal.Error{Of: fiscal.Corrupt, Field: "body", Msg: fmt.Sprintf("a row of %T", v), Err: e}
		}
		read(s, &v)
		all = append(all, v)
	}
	if e := s.Close(); e != nil {
		err = e
	}
	return all, err
}

// only is the one row, or NotFound.
func only[T any](all []T, err error) (v T, _ error) {
	if err == nil && len(all) == 0 {
		err = missing("no such %T", v)
	}
	if err != nil {
		return v, err
	}
	return all[0], nil
}

// put stores a body behind its keys.
func (tx accessTx) put(query string, v any, keys ...any) error {
	body, err := json.Marshal(v)
	if err == nil {
		_, err = tx.Exec(query, append(keys, string(body))...)
	}
	return err
}

func (tx accessTx) exec(query string, keys ...any) error {
	_, err := tx.Exec(query, keys...)
	return err
}

func (tx accessTx) AddUser(u *access.User) error {
	next, _, err := tx.QueryInt(nextID, "users")
	if err != nil {
		return err
	}
	err = tx.put(`INSERT INTO users (id, email, version, body) VALUES (?, ?, 1, ?)`, u, next, u.Email)
	if sqlitefile.Taken(err) {
		return taken("email")
	}
	u.ID, u.Version = access.UserID(next), 1
	return err
}

func readUser(s *sqlitefile.Stmt, u *access.User) {
	u.ID, u.Email, u.Version = access.UserID(s.Int(0)), s.Text(1), uint64(s.Int(2))
}

func (tx accessTx) User(id access.UserID) (access.User, error) {
	return only(rows(tx, readUser, 3, `SELECT id, email, version, body FROM users WHERE id = ?`, int64(id)))
}

func (tx accessTx) UserByEmail(email string) (access.User, error) {
	return only(rows(tx, readUser, 3, `SELECT id, email, version, body FROM users WHERE email = ?`, email))
}

func (tx accessTx) SetUser(u *access.User) error {
	body, err := json.Marshal(u)
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE users SET version = version + 1, body = ? WHERE id = ? AND version = ?`, string(body), int64(u.ID), int64(u.Version))
	if err == nil && n == 0 {
		return &fiscal.Error{Reason: fiscal.StateMoved, Field: "user"}
	}
	u.Version++
	return err
}

func (tx accessTx) Users(after access.UserID, limit int) ([]access.User, error) {
	return rows(tx, readUser, 3, `SELECT id, email, version, body FROM users WHERE id > ? ORDER BY id LIMIT ?`, int64(after), limit)
}

func (tx accessTx) PutCode(c access.Code) error {
	return tx.put(`INSERT OR REPLACE INTO codes (purpose, email, body) VALUES (?, ?, ?)`, c, string(c.Purpose), c.Email)
}

func (tx accessTx) Code(p access.Purpose, email string) (access.Code, error) {
	return only(rows(tx, func(_ *sqlitefile.Stmt, c *access.Code) { c.Purpose, c.Email = p, email }, 0,
		`SELECT body FROM codes WHERE purpose = ? AND email = ?`, string(p), email))
}

func (tx accessTx) RemoveCode(p access.Purpose, email string) error {
	return tx.exec(`DELETE FROM codes WHERE purpose = ? AND email = ?`, string(p), email)
}

func (tx accessTx) RemoveCodes(t time.Time, limit int) (int, error) {
	n, err := tx.Exec(`DELETE FROM codes WHERE (purpose, email) IN (SELECT purpose, email FROM codes WHERE unixepoch(json_extract(body, '$.ends')) <= ? LIMIT ?)`, t.Unix(), limit)
	return int(n), err
}

const selectSession = `SELECT id, user_id, seen, ends, body FROM sessions WHERE `

func readSession(s *sqlitefile.Stmt, x *access.Session) {
	s.CopyTo(0, x.ID[:])
	x.User, x.Seen, x.Ends = access.UserID(s.Int(1)), journal.Instant(s.Int(2)), journal.Instant(s.Int(3))
}

func (tx accessTx) PutSession(x access.Session) error {
	return tx.put(`INSERT OR REPLACE INTO sessions (id, user_id, seen, ends, body) VALUES (?, ?, ?, ?, ?)`, x,
		x.ID[:], int64(x.User), journal.Micros(x.Seen), journal.Micros(x.Ends))
}

func (tx accessTx) Session(id access.SessionID) (access.Session, error) {
	return only(rows(tx, readSession, 4, selectSession+`id = ?`, id[:]))
}

func (tx accessTx) RemoveSession(id access.SessionID) error {
	return tx.exec(`DELETE FROM sessions WHERE id = ?`, id[:])
}

func (tx accessTx) Sessions(u access.UserID) ([]access.Session, error) {
	return rows(tx, readSession, 4, selectSession+`user_id = ? ORDER BY seen DESC`, int64(u))
}

func (tx accessTx) RemoveSessions(t time.Time, limit int) (int, error) {
	n, err := tx.Exec(`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ends <= ? ORDER BY ends LIMIT ?)`, journal.Micros(t), limit)
	return int(n), err
}

const selectMember = `SELECT user_id, taxpayer, body FROM members WHERE `

func readMember(s *sqlitefile.Stmt, m *access.Member) {
	m.User, m.Taxpayer = access.UserID(s.Int(0)), fiscal.TaxpayerID(s.Int(1))
}

func (tx accessTx) PutMember(m access.Member) error {
	return tx.put(`INSERT OR REPLACE INTO members (user_id, taxpayer, body) VALUES (?, ?, ?)`, m, int64(m.User), int64(m.Taxpayer))
}

func (tx accessTx) Member(u access.UserID, t fiscal.TaxpayerID) (access.Member, error) {
	return only(rows(tx, readMember, 2, selectMember+`user_id = ? AND taxpayer = ?`, int64(u), int64(t)))
}

func (tx accessTx) RemoveMember(u access.UserID, t fiscal.TaxpayerID) error {
	return tx.exec(`DELETE FROM members WHERE user_id = ? AND taxpayer = ?`, int64(u), int64(t))
}

func (tx accessTx) Memberships(u access.UserID) ([]access.Member, error) {
	return rows(tx, readMember, 2, selectMember+`user_id = ? ORDER BY taxpayer`, int64(u))
}

func (tx accessTx) Members(t fiscal.TaxpayerID) ([]access.Member, error) {
	return rows(tx, readMember, 2, selectMember+`taxpayer = ? ORDER BY user_id`, int64(t))
}

const selectInvitation = `SELECT taxpayer, email, body FROM invitations WHERE `

func readInvitation(s *sqlitefile.Stmt, i *access.Invitation) {
	i.Taxpayer, i.Email = fiscal.TaxpayerID(s.Int(0)), s.Text(1)
}

func (tx accessTx) PutInvitation(i access.Invitation) error {
	return tx.put(`INSERT OR REPLACE INTO invitations (taxpayer, email, body) VALUES (?, ?, ?)`, i, int64(i.Taxpayer), i.Email)
}

func (tx accessTx) Invitation(t fiscal.TaxpayerID, email string) (access.Invitation, error) {
	return only(rows(tx, readInvitation, 2, selectInvitation+`taxpayer = ? AND email = ?`, int64(t), email))
}

func (tx accessTx) RemoveInvitation(t fiscal.TaxpayerID, email string) error {
	return tx.exec(`DELETE FROM invitations WHERE taxpayer = ? AND email = ?`, int64(t), email)
}

func (tx accessTx) Invitations(t fiscal.TaxpayerID) ([]access.Invitation, error) {
	return rows(tx, readInvitation, 2, selectInvitation+`taxpayer = ? ORDER BY email`, int64(t))
}

func (tx accessTx) InvitationsFor(email string) ([]access.Invitation, error) {
	return rows(tx, readInvitation, 2, selectInvitation+`email = ? ORDER BY taxpayer`, email)
}
