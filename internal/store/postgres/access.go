package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

var _ access.Store = (*DB)(nil)

// ReadAccess runs do; each of its reads sees what is committed by then.
func (db *DB) ReadAccess(ctx context.Context, do func(access.Tx) error) error {
	return do(&accessTx{ctx: ctx, asks: db.rest})
}

// WriteAccess runs do in one transaction. People, codes, sessions and the members
// of an organization are locked when they are read, so that what is written of
// them is true; lists that only show are not.
func (db *DB) WriteAccess(ctx context.Context, do func(access.Tx) error) error {
	return db.write(ctx, func(tx pgx.Tx) error {
		return do(&accessTx{ctx: ctx, asks: tx, writes: tx, lock: ` FOR UPDATE`})
	})
}

type accessTx struct {
	ctx    context.Context // of one call of ReadAccess or WriteAccess
	asks   asks
	writes interface {
		Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	}
	lock string // behind the SELECT of what is then written
}

// bodies reads rows of which the last column is a body.
func bodies[T any](tx *accessTx, keys func(v *T) []any, sql string, args ...any) ([]T, error) {
	for _, a := range args {
		if s, ok := a.(string); ok && !storable(s) {
			return nil, nil // such a row cannot be
		}
	}
	return query(tx.ctx, tx.asks, func(row pgx.CollectableRow) (v T, err error) {
		var body []byte
		if err := row.Scan(append(keys(&v), &body)...); err != nil {
			return v, err
		}
		if err := json.Unmarshal(body, &v); err != nil {
			return v, &fiscal.Error{Of: fiscal.Corrupt, Field: "body", Msg: fmt.Sprintf("a row of %T", v), Err: err}
		}
		return v, nil
	}, sql, args...)
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
func (tx *accessTx) put(sql string, v any, keys ...any) error {
	_, err := tx.change(sql, v, keys...)
	return err
}

// change is put, and tells how many rows there were.
func (tx *accessTx) change(sql string, v any, keys ...any) (int64, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	done, err := tx.writes.Exec(tx.ctx, sql, append(keys, []byte(told(string(body))))...)
	return done.RowsAffected(), named(err)
}

func (tx *accessTx) exec(sql string, keys ...any) error {
	_, err := tx.writes.Exec(tx.ctx, sql, keys...)
	return named(err)
}

func (tx *accessTx) AddUser(u *access.User) error {
	id, ok, err := one[int64](tx.ctx, tx.asks, `UPDATE counters SET next = next + 1 WHERE name = 'users' RETURNING next - 1`)
	if err != nil || !ok {
		return orMissing(err, "counter of users")
	}
	n, err := tx.change(`INSERT INTO users (id, email, version, body) VALUES ($1, $2, 1, $3) ON CONFLICT (email) DO NOTHING`, u, id, u.Email)
	if err == nil && n == 0 {
		return taken("email")
	}
	u.ID, u.Version = access.UserID(id), 1
	return err
}

func userKeys(u *access.User) []any { return []any{&u.ID, &u.Email, &u.Version} }

func (tx *accessTx) User(id access.UserID) (access.User, error) {
	return only(bodies(tx, userKeys, `SELECT id, email, version, body FROM users WHERE id = $1`+tx.lock, id))
}

func (tx *accessTx) UserByEmail(email string) (access.User, error) {
	return only(bodies(tx, userKeys, `SELECT id, email, version, body FROM users WHERE email = $1`+tx.lock, email))
}

func (tx *accessTx) SetUser(u *access.User) error {
	n, err := tx.change(`UPDATE users SET version = version + 1, body = $3 WHERE id = $1 AND version = $2`, u, u.ID, u.Version)
	if err == nil && n == 0 {
		return &fiscal.Error{Reason: fiscal.StateMoved, Field: "user"}
	}
	u.Version++
	return err
}

func (tx *accessTx) Users(after access.UserID, limit int) ([]access.User, error) {
	return bodies(tx, userKeys, `SELECT id, email, version, body FROM users WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// alone has others wait, until this transaction ends, who want the same. A lock
// of rows holds nobody up where there are none yet. Reads wait for nobody.
func (tx *accessTx) alone(what string) error {
	if tx.writes == nil {
		return nil
	}
	return tx.exec(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, told(what))
}

func (tx *accessTx) PutCode(c access.Code) error {
	return tx.put(`INSERT INTO codes (purpose, email, body) VALUES ($1, $2, $3) ON CONFLICT (purpose, email) DO UPDATE SET body = excluded.body`, c, string(c.Purpose), c.Email)
}

func (tx *accessTx) Code(p access.Purpose, email string) (access.Code, error) {
	if err := tx.alone("code " + string(p) + " " + email); err != nil {
		return access.Code{}, err
	}
	return only(bodies(tx, func(c *access.Code) []any { return []any{&c.Purpose, &c.Email} },
		`SELECT purpose, email, body FROM codes WHERE purpose = $1 AND email = $2`+tx.lock, string(p), email))
}

func (tx *accessTx) RemoveCode(p access.Purpose, email string) error {
	return tx.exec(`DELETE FROM codes WHERE purpose = $1 AND email = $2`, string(p), email)
}

func (tx *accessTx) RemoveCodes(t time.Time, limit int) (int, error) {
	done, err := tx.writes.Exec(tx.ctx, `DELETE FROM codes WHERE (purpose, email) IN (SELECT purpose, email FROM codes WHERE (body->>'ends')::timestamptz <= $1 LIMIT $2)`, t, limit)
	return int(done.RowsAffected()), named(err)
}

const selectSession = `SELECT id, user_id, seen, ends, body FROM sessions WHERE `

// storedSession is a session with its times as they are stored.
type storedSession struct {
	access.Session
	id         []byte
	seen, ends int64
}

func (tx *accessTx) sessions(where string, args ...any) ([]access.Session, error) {
	stored, err := bodies(tx, func(x *storedSession) []any { return []any{&x.id, &x.User, &x.seen, &x.ends} }, selectSession+where, args...)
	all := make([]access.Session, len(stored))
	for i, x := range stored {
		all[i] = x.Session
		copy(all[i].ID[:], x.id)
		all[i].Seen, all[i].Ends = journal.Instant(x.seen), journal.Instant(x.ends)
	}
	return all, err
}

func (tx *accessTx) PutSession(x access.Session) error {
	return tx.put(`INSERT INTO sessions (id, user_id, seen, ends, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, ends = excluded.ends, body = excluded.body`, x,
		x.ID[:], x.User, journal.Micros(x.Seen), journal.Micros(x.Ends))
}

func (tx *accessTx) Session(id access.SessionID) (access.Session, error) {
	return only(tx.sessions(`id = $1`+tx.lock, id[:]))
}

func (tx *accessTx) RemoveSession(id access.SessionID) error {
	return tx.exec(`DELETE FROM sessions WHERE id = $1`, id[:])
}

func (tx *accessTx) Sessions(u access.UserID) ([]access.Session, error) {
	return tx.sessions(`user_id = $1 ORDER BY seen DESC`, u)
}

func (tx *accessTx) RemoveSessions(t time.Time, limit int) (int, error) {
	done, err := tx.writes.Exec(tx.ctx, `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ends <= $1 ORDER BY ends LIMIT $2)`, journal.Micros(t), limit)
	return int(done.RowsAffected()), named(err)
}

const selectMember = `SELECT user_id, taxpayer, body FROM members WHERE `

func memberKeys(m *access.Member) []any { return []any{&m.User, &m.Taxpayer} }

func (tx *accessTx) PutMember(m access.Member) error {
	return tx.put(`INSERT INTO members (user_id, taxpayer, body) VALUES ($1, $2, $3) ON CONFLICT (user_id, taxpayer) DO UPDATE SET body = excluded.body`, m, m.User, m.Taxpayer)
}

func (tx *accessTx) Member(u access.UserID, t fiscal.TaxpayerID) (access.Member, error) {
	return only(bodies(tx, memberKeys, selectMember+`user_id = $1 AND taxpayer = $2`, u, t))
}

func (tx *accessTx) RemoveMember(u access.UserID, t fiscal.TaxpayerID) error {
	return tx.exec(`DELETE FROM members WHERE user_id = $1 AND taxpayer = $2`, u, t)
}

func (tx *accessTx) Memberships(u access.UserID) ([]access.Member, error) {
	return bodies(tx, memberKeys, selectMember+`user_id = $1 ORDER BY taxpayer`, u)
}

func (tx *accessTx) Members(t fiscal.TaxpayerID) ([]access.Member, error) {
	if err := tx.alone("members of " + strconv.FormatInt(int64(t), 10)); err != nil {
		return nil, err
	}
	return bodies(tx, memberKeys, selectMember+`taxpayer = $1 ORDER BY user_id`+tx.lock, t)
}

const selectInvitation = `SELECT taxpayer, email, body FROM invitations WHERE `

func invitationKeys(i *access.Invitation) []any { return []any{&i.Taxpayer, &i.Email} }

func (tx *accessTx) PutInvitation(i access.Invitation) error {
	return tx.put(`INSERT INTO invitations (taxpayer, email, body) VALUES ($1, $2, $3) ON CONFLICT (taxpayer, email) DO UPDATE SET body = excluded.body`, i, i.Taxpayer, i.Email)
}

func (tx *accessTx) Invitation(t fiscal.TaxpayerID, email string) (access.Invitation, error) {
	return only(bodies(tx, invitationKeys, selectInvitation+`taxpayer = $1 AND email = $2`+tx.lock, t, email))
}

func (tx *accessTx) RemoveInvitation(t fiscal.TaxpayerID, email string) error {
	return tx.exec(`DELETE FROM invitations WHERE taxpayer = $1 AND email = $2`, t, email)
}

func (tx *accessTx) Invitations(t fiscal.TaxpayerID) ([]access.Invitation, error) {
	return bodies(tx, invitationKeys, selectInvitation+`taxpayer = $1 ORDER BY email`, t)
}

func (tx *accessTx) InvitationsFor(email string) ([]access.Invitation, error) {
	return bodies(tx, invitationKeys, selectInvitation+`email = $1 ORDER BY taxpayer`, email)
}
