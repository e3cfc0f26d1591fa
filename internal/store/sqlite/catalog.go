package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// elementsAtOnce is how many elements are stored in one transaction, so that
// acceptance waits for milliseconds only.
const elementsAtOnce = 1000

// PutCatalog publishes a catalog with a version above the current one, which it
// sets. The error is Conflict if another one was published meanwhile; what was
// stored of this one is then never seen.
func (db *DB) PutCatalog(ctx context.Context, c *fiscal.Catalog) error {
	version, err := db.storeElements(ctx, c.Elements)
	if err == nil {
		err = db.publish(ctx, version, c.Created)
	}
	if err != nil {
		return fmt.Errorf("publish catalog: %w", err)
	}
	c.Version = uint32(version)
	return nil
}

func (db *DB) publish(ctx context.Context, version int64, created fiscal.WallTime) error {
	return db.main.Write(ctx, func(tx *sqlitefile.Tx) error {
		_, newer, err := tx.QueryInt(`SELECT 1 FROM catalogs WHERE version >= ?`, version)
		if err == nil && newer {
			err = &fiscal.Error{Of: fiscal.Conflict, Field: "version", Msg: "another catalog was published meanwhile: try again"}
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO catalogs (version, created) VALUES (?, ?)`, version, int64(created))
		return err
	})
}

// storeElements stores the elements of a version that nobody has used yet.
func (db *DB) storeElements(ctx context.Context, all []fiscal.CatalogElement) (version int64, err error) {
	for place := 0; place == 0 || place < len(all); place += elementsAtOnce {
		if err := db.main.Write(ctx, func(tx *sqlitefile.Tx) (err error) {
			if place == 0 {
				if version, _, err = tx.QueryInt(`SELECT 1 + max(
					coalesce((SELECT max(version) FROM catalogs), 0), coalesce((SELECT max(version) FROM catalog_elements), 0))`); err != nil {
					return err
				}
			}
			for i := place; i < min(place+elementsAtOnce, len(all)); i++ {
				body, err := json.Marshal(&all[i])
				if err != nil {
					return err
				}
				if _, err := tx.Exec(`INSERT INTO catalog_elements (version, place, barcode, ntin, body) VALUES (?, ?, ?, ?, ?)`,
					version, i, all[i].Barcode, all[i].NTIN, string(body)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return 0, err
		}
	}
	return version, nil
}

// Catalog answers a query: nil if nothing is published; without elements if the
// device has the current version; with one element for a barcode (GTIN or NTIN)
// that is known, without for one that is not.
func (db *DB) Catalog(ctx context.Context, q fiscal.CatalogQuery) (c *fiscal.Catalog, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		if c, err = published(tx, 0); err != nil || c == nil {
			return err
		}
		switch {
		case q.Barcode != "":
			c.Elements, err = elements(tx, `SELECT body FROM (
				SELECT place, body FROM catalog_elements WHERE version = ?1 AND barcode = ?2 AND barcode <> ''
				UNION SELECT place, body FROM catalog_elements WHERE version = ?1 AND ntin = ?2 AND ntin <> ''
				) ORDER BY place LIMIT 1`, int64(c.Version), q.Barcode)
		case q.Have != c.Version:
			c.Elements, err = elements(tx, `SELECT body FROM catalog_elements WHERE version = ? ORDER BY place`, int64(c.Version))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return c, nil
}

// CatalogPage reads elements of a published catalog from a place on, limit at
// most; of the newest if version is 0. It is nil if there is no such version.
func (db *DB) CatalogPage(ctx context.Context, version uint32, from, limit int) (c *fiscal.Catalog, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) (err error) {
		if c, err = published(tx, int64(version)); err != nil || c == nil {
			return err
		}
		c.Elements, err = elements(tx, `SELECT body FROM catalog_elements WHERE version = ? AND place >= ? ORDER BY place LIMIT ?`, int64(c.Version), int64(from), int64(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return c, nil
}

func elements(tx *sqlitefile.Tx, query string, args ...any) (all []fiscal.CatalogElement, err error) {
	s, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	for s.Next() {
		var e fiscal.CatalogElement
		if err := json.Unmarshal(s.Bytes(0), &e); err != nil {
			return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "catalog_elements", Msg: "a row cannot be read", Err: err}
		}
		all = append(all, e)
	}
	return all, s.Close()
}

// published is a catalog without its elements; the newest if version is 0, nil if
// there is none.
func published(tx *sqlitefile.Tx, version int64) (*fiscal.Catalog, error) {
	s, err := tx.Query(`SELECT version, created FROM catalogs WHERE ?1 IN (0, version) ORDER BY version DESC LIMIT 1`, version)
	if err != nil {
		return nil, err
	}
	var c *fiscal.Catalog
	if s.Next() {
		c = &fiscal.Catalog{Version: uint32(s.Int(0)), Created: fiscal.WallTime(s.Int(1))}
	}
	return c, s.Close()
}
