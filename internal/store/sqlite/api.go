package sqlite

import (
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/store/sqlitefile"
)

const selectAPIKey = `SELECT id, hash, taxpayer, used, body FROM api_keys WHERE `

func readAPIKey(s *sqlitefile.Stmt, k *access.APIKey) {
	s.CopyTo(1, k.Hash[:])
	k.ID, k.Taxpayer = access.APIKeyID(s.Int(0)), fiscal.TaxpayerID(s.Int(2))
	if at := s.Int(3); at != 0 {
		k.Used = journal.Instant(at)
	}
}

func (tx accessTx) AddAPIKey(k *access.APIKey) error {
	next, _, err := tx.QueryInt(nextID, "api_keys")
	if err != nil {
		return err
	}
	k.ID = access.APIKeyID(next)
	return tx.put(`INSERT INTO api_keys (id, hash, taxpayer, body) VALUES (?, ?, ?, ?)`, k, next, k.Hash[:], int64(k.Taxpayer))
}

func (tx accessTx) APIKey(hash [32]byte) (access.APIKey, error) {
	return only(rows(tx, readAPIKey, 4, selectAPIKey+`hash = ?`, hash[:]))
}

func (tx accessTx) APIKeys(t fiscal.TaxpayerID) ([]access.APIKey, error) {
	return rows(tx, readAPIKey, 4, selectAPIKey+`taxpayer = ? ORDER BY id DESC`, int64(t))
}

func (tx accessTx) SetAPIKey(k *access.APIKey) error {
	return tx.put(`UPDATE api_keys SET body = ?2 WHERE id = ?1`, k, int64(k.ID))
}

func (tx accessTx) UsedAPIKey(id access.APIKeyID, at time.Time) error {
	return tx.exec(`UPDATE api_keys SET used = max(used, ?2) WHERE id = ?1`, int64(id), journal.Micros(at))
}

func (tx accessTx) PutReply(r access.Reply) error {
	return tx.put(`INSERT OR REPLACE INTO api_replies (key_id, name, began, body) VALUES (?, ?, ?, ?)`, r, int64(r.Key), r.Name, journal.Micros(r.Began))
}

func (tx accessTx) Reply(k access.APIKeyID, name string) (access.Reply, error) {
	return only(rows(tx, func(s *sqlitefile.Stmt, r *access.Reply) { r.Key, r.Name, r.Began = k, name, journal.Instant(s.Int(0)) }, 1,
		`SELECT began, body FROM api_replies WHERE key_id = ? AND name = ?`, int64(k), name))
}

func (tx accessTx) RemoveReply(k access.APIKeyID, name string) error {
	return tx.exec(`DELETE FROM api_replies WHERE key_id = ? AND name = ?`, int64(k), name)
}

func (tx accessTx) Replies(k access.APIKeyID) (int, error) {
	n, _, err := tx.QueryInt(`SELECT count(*) FROM api_replies WHERE key_id = ?`, int64(k))
	return int(n), err
}

func (tx accessTx) RemoveReplies(t time.Time, limit int) (int, error) {
	n, err := tx.Exec(`DELETE FROM api_replies WHERE (key_id, name) IN (SELECT key_id, name FROM api_replies WHERE began <= ? ORDER BY began LIMIT ?)`, journal.Micros(t), limit)
	return int(n), err
}
