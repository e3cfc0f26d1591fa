package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// PutCatalog publishes a catalog with the next version, which it sets.
func (db *DB) PutCatalog(ctx context.Context, c *fiscal.Catalog) error {
	var version int64
	err := db.main.Write(ctx, func(tx *sqlitefile.Tx) (err error) {
		if version, _, err = tx.QueryInt(`SELECT coalesce(max(version), 0) + 1 FROM catalogs`); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO catalogs (version, created) VALUES (?, ?)`, version, int64(c.Created)); err != nil {
			return err
		}
		for i := range c.Elements {
			e := &c.Elements[i]
			body, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO catalog_elements (version, place, barcode, ntin, body) VALUES (?, ?, ?, ?, ?)`,
				version, i, e.Barcode, e.NTIN, string(body)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("publish catalog: %w", err)
	}
	c.Version = uint32(version)
	return nil
}

// Catalog answers a query: nil if nothing is published; without elements if the
// device has the current version; with one element for a barcode (GTIN or NTIN)
// that is known, without for one that is not.
func (db *DB) Catalog(ctx context.Context, q fiscal.CatalogQuery) (c *fiscal.Catalog, err error) {
	err = db.main.Read(ctx, func(tx *sqlitefile.Tx) error {
		s, err := tx.Query(`SELECT version, created FROM catalogs ORDER BY version DESC LIMIT 1`)
		if err != nil {
			return err
		}
		if s.Next() {
			c = &fiscal.Catalog{Version: uint32(s.Int(0)), Created: fiscal.WallTime(s.Int(1))}
		}
		if err := s.Close(); err != nil || c == nil {
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
