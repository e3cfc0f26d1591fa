package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/registry"
	"openofd/internal/store/sqlitefile"
)

// KeepContacts stores the last contacts of registers. The newest wins; what it
// does not tell stays as it was told before.
func (db *DB) KeepContacts(ctx context.Context, all []fiscal.Contact) error {
	if len(all) == 0 {
		return nil
	}
	err := db.cabinet.Write(ctx, func(tx *sqlitefile.Tx) error {
		for i := range all {
			if err := keepContact(tx, &all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store last contacts: %w", err)
	}
	return nil
}

func keepContact(tx *sqlitefile.Tx, c *fiscal.Contact) error {
	var version, quality, position, software, ads, offline any // nil: not told
	var err error
	tell := func(to *any, v any) {
		body, e := json.Marshal(v)
		if e != nil && err == nil {
			err = e
		}
		*to = string(body)
	}
	if c.Version != 0 {
		version = int64(c.Version)
	}
	if c.Quality != nil {
		tell(&quality, c.Quality)
	}
	if c.Position != nil {
		tell(&position, c.Position)
	}
	if c.Software != "" {
		software = c.Software
	}
	if c.AdsKnown != nil {
		tell(&ads, c.AdsKnown)
	}
	if c.Offline != 0 {
		offline = c.Offline.Microseconds()
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO contacts (register, partition, at, peer, version, quality, position, software, ads, offline)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (register) DO UPDATE SET at = excluded.at, peer = excluded.peer,
			version = coalesce(excluded.version, version), quality = coalesce(excluded.quality, quality),
			position = coalesce(excluded.position, position), software = coalesce(excluded.software, software),
			ads = coalesce(excluded.ads, ads), offline = coalesce(excluded.offline, offline)
		WHERE excluded.at >= at`,
		int64(c.Register), int64(c.Partition), journal.Micros(c.At), c.Peer, version, quality, position, software, ads, offline)
	return err
}

// addContacts completes a list of registers.
func (db *DB) addContacts(ctx context.Context, all []registry.Listed) error {
	if len(all) == 0 {
		return nil
	}
	return db.cabinet.Read(ctx, func(tx *sqlitefile.Tx) error {
		for i := range all {
			c, err := readContact(tx, all[i].Card.Register)
			if err != nil {
				return err
			}
			all[i].LastContact = c
		}
		return nil
	})
}

// readContact is nil if the register was never heard of.
func readContact(tx *sqlitefile.Tx, r fiscal.RegisterID) (*fiscal.Contact, error) {
	s, err := tx.Query(`SELECT partition, at, peer, version, quality, position, software, ads, offline FROM contacts WHERE register = ?`, int64(r))
	if err != nil {
		return nil, err
	}
	if !s.Next() {
		return nil, s.Close()
	}
	c := &fiscal.Contact{
		Register: r, Partition: fiscal.Partition(s.Int(0)), At: journal.Instant(s.Int(1)), Peer: s.Text(2), Version: uint16(s.Int(3)),
		Software: s.Text(6), Offline: time.Duration(s.Int(8)) * time.Microsecond,
	}
	for _, told := range []struct {
		column int
		to     any
	}{{4, &c.Quality}, {5, &c.Position}, {7, &c.AdsKnown}} {
		if body := s.Bytes(told.column); len(body) > 0 {
			if err := json.Unmarshal(body, told.to); err != nil {
				return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "contacts", Msg: fmt.Sprintf("register %d", r), Err: err}
			}
		}
	}
	return c, s.Close()
}
