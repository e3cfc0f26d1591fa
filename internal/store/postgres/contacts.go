package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// KeepContacts stores the last contacts of registers. The newest wins; what it
// does not tell stays as it was told before.
func (db *DB) KeepContacts(ctx context.Context, all []fiscal.Contact) error {
	if len(all) == 0 {
		return nil
	}
	var u contactColumn
	for _, c := range latest(all) {
		if err := u.add(&c); err != nil {
			return fmt.Errorf("store last contacts: %w", err)
		}
	}
	err := db.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO contacts (partition, register, taxpayer, at, peer, version, quality, position, software, ads, offline)
			SELECT u.partition, u.register, coalesce(s.taxpayer, 0), u.at, u.peer, u.version, u.quality::json, u.position::json, u.software, u.ads::json, u.offline
			FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[])
				AS u (partition, register, at, peer, version, quality, position, software, ads, offline)
			LEFT JOIN states s ON s.partition = u.partition AND s.register = u.register
			ORDER BY u.partition, u.register
			ON CONFLICT (partition, register) DO UPDATE SET at = excluded.at, peer = excluded.peer,
				version = coalesce(excluded.version, contacts.version), quality = coalesce(excluded.quality, contacts.quality),
				position = coalesce(excluded.position, contacts.position), software = coalesce(excluded.software, contacts.software),
				ads = coalesce(excluded.ads, contacts.ads), offline = coalesce(excluded.offline, contacts.offline)
			WHERE excluded.at >= contacts.at`,
			u.partition, u.register, u.at, u.peer, u.version, u.quality, u.position, u.software, u.ads, u.offline)
		return err
	})
	if err != nil {
		return fmt.Errorf("store last contacts: %w", err)
	}
	return nil
}

// latest folds contacts of one register into one, for a statement may touch a
// row once, and orders them, so that two nodes never wait for each other.
func latest(all []fiscal.Contact) []fiscal.Contact {
	folded := make([]fiscal.Contact, 0, len(all))
	at := make(map[fiscal.Place]int, len(all))
	for _, c := range all {
		place := fiscal.Place{Partition: c.Partition, Register: c.Register}
		i, ok := at[place]
		if !ok {
			at[place] = len(folded)
			folded = append(folded, c)
			continue
		}
		if had := &folded[i]; !c.At.Before(had.At) {
			c.Version = cmp.Or(c.Version, had.Version)
			c.Quality = cmp.Or(c.Quality, had.Quality)
			c.Position = cmp.Or(c.Position, had.Position)
			c.Software = cmp.Or(c.Software, had.Software)
			c.Offline = cmp.Or(c.Offline, had.Offline)
			if c.AdsKnown == nil {
				c.AdsKnown = had.AdsKnown
			}
			*had = c
		}
	}
	slices.SortFunc(folded, func(a, b fiscal.Contact) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Register, b.Register))
	})
	return folded
}

// contactColumn is a set of contacts, column by column. nil is not told.
type contactColumn struct {
	partition []fiscal.Partition
	register  []fiscal.RegisterID
	at        []int64
	peer      []string
	version   []*int32
	quality   []*string
	position  []*string
	software  []*string
	ads       []*string
	offline   []*int64
}

func (u *contactColumn) add(c *fiscal.Contact) error {
	u.partition, u.register = append(u.partition, c.Partition), append(u.register, c.Register)
	u.at, u.peer = append(u.at, journal.Micros(c.At)), append(u.peer, told(c.Peer))
	version, software, offline := int32(c.Version), told(c.Software), c.Offline.Microseconds()
	u.version = append(u.version, unless(version == 0, &version))
	u.software = append(u.software, unless(software == "", &software))
	u.offline = append(u.offline, unless(offline == 0, &offline))
	var errs error
	body := func(v any) *string {
		b, err := json.Marshal(v)
		errs = errors.Join(errs, err)
		s := string(b)
		return unless(s == "null", &s)
	}
	u.quality, u.position, u.ads = append(u.quality, body(c.Quality)), append(u.position, body(c.Position)), append(u.ads, body(c.AdsKnown))
	return errs
}

func unless[T any](not bool, v *T) *T {
	if not {
		return nil
	}
	return v
}

// contactColumns are those of contacts, as t, in a list of registers.
const contactColumns = `t.at, t.peer, t.version, t.quality, t.position, t.software, t.ads, t.offline`

// contactRow is a row of contactColumns; at is nil if the register was never
// heard of.
type contactRow struct {
	at, offline            *int64
	peer, software         *string
	version                *int32
	quality, position, ads []byte
}

func (r *contactRow) fields() []any {
	return []any{&r.at, &r.peer, &r.version, &r.quality, &r.position, &r.software, &r.ads, &r.offline}
}

func (r *contactRow) contact(p fiscal.Partition, id fiscal.RegisterID) (*fiscal.Contact, error) {
	if r.at == nil {
		return nil, nil
	}
	c := &fiscal.Contact{Partition: p, Register: id, At: journal.Instant(*r.at), Peer: *r.peer}
	if r.version != nil {
		c.Version = uint16(*r.version)
	}
	if r.software != nil {
		c.Software = *r.software
	}
	if r.offline != nil {
		c.Offline = time.Duration(*r.offline) * time.Microsecond
	}
	for _, told := range []struct {
		body []byte
		to   any
	}{{r.quality, &c.Quality}, {r.position, &c.Position}, {r.ads, &c.AdsKnown}} {
		if len(told.body) > 0 {
			if err := json.Unmarshal(told.body, told.to); err != nil {
				return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "contacts", Msg: fmt.Sprintf("register %d", id), Err: err}
			}
		}
	}
	return c, nil
}
