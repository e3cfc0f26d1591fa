package postgres

import (
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// storedAPIKey is a key of the API as it is stored.
type storedAPIKey struct {
	access.APIKey
	hash []byte
	used int64
}

func (tx *accessTx) apiKeys(where string, args ...any) ([]access.APIKey, error) {
	stored, err := bodies(tx, func(k *storedAPIKey) []any { return []any{&k.ID, &k.hash, &k.Taxpayer, &k.used} },
		`SELECT id, hash, taxpayer, used, body FROM api_keys WHERE `+where, args...)
	all := make([]access.APIKey, len(stored))
	for i, k := range stored {
		all[i] = k.APIKey
		copy(all[i].Hash[:], k.hash)
		if k.used != 0 {
			all[i].Used = journal.Instant(k.used)
		}
	}
	return all, err
}

func (tx *accessTx) AddAPIKey(k *access.APIKey) error {
	id, ok, err := one[int64](tx.ctx, tx.asks, `UPDATE counters SET next = next + 1 WHERE name = 'api_keys' RETURNING next - 1`)
	if err != nil || !ok {
		return orMissing(err, "counter of keys of the API")
	}
	k.ID = access.APIKeyID(id)
	return tx.put(`INSERT INTO api_keys (id, hash, taxpayer, body) VALUES ($1, $2, $3, $4)`, k, id, k.Hash[:], k.Taxpayer)
}

func (tx *accessTx) APIKey(hash [32]byte) (access.APIKey, error) {
	return only(tx.apiKeys(`hash = $1`+tx.lock, hash[:]))
}

func (tx *accessTx) APIKeys(t fiscal.TaxpayerID) ([]access.APIKey, error) {
	return tx.apiKeys(`taxpayer = $1 ORDER BY id DESC`+tx.lock, t)
}

func (tx *accessTx) SetAPIKey(k *access.APIKey) error {
	return tx.put(`UPDATE api_keys SET body = $2 WHERE id = $1`, k, k.ID)
}

func (tx *accessTx) UsedAPIKey(id access.APIKeyID, at time.Time) error {
	return tx.exec(`UPDATE api_keys SET used = greatest(used, $2) WHERE id = $1`, id, journal.Micros(at))
}

func (tx *accessTx) PutReply(r access.Reply) error {
	return tx.put(`INSERT INTO api_replies (key_id, name, began, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key_id, name) DO UPDATE SET began = excluded.began, body = excluded.body`, r, r.Key, r.Name, journal.Micros(r.Began))
}

func (tx *accessTx) Reply(k access.APIKeyID, name string) (access.Reply, error) {
	if err := tx.alone("reply " + strconv.FormatInt(int64(k), 10) + " " + name); err != nil {
		return access.Reply{}, err
	}
	var began int64
	r, err := only(bodies(tx, func(r *access.Reply) []any { return []any{&r.Key, &r.Name, &began} },
		`SELECT key_id, name, began, body FROM api_replies WHERE key_id = $1 AND name = $2`+tx.lock, k, name))
	if err == nil {
		r.Began = journal.Instant(began)
	}
	return r, err
}

func (tx *accessTx) RemoveReply(k access.APIKeyID, name string) error {
	return tx.exec(`DELETE FROM api_replies WHERE key_id = $1 AND name = $2`, k, name)
}

func (tx *accessTx) Replies(k access.APIKeyID) (int, error) {
	n, _, err := one[int](tx.ctx, tx.asks, `SELECT count(*) FROM api_replies WHERE key_id = $1`, k)
	return n, err
}

func (tx *accessTx) RemoveReplies(t time.Time, limit int) (int, error) {
	done, err := tx.writes.Exec(tx.ctx, `DELETE FROM api_replies WHERE (key_id, name) IN (SELECT key_id, name FROM api_replies WHERE began <= $1 ORDER BY began LIMIT $2)`, journal.Micros(t), limit)
	return int(done.RowsAffected()), named(err)
}
