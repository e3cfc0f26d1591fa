package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"openofd/internal/fiscal"
)

// elementsAtOnce is how many elements are stored in one transaction.
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

// catalogsTurn is taken by who takes a version or publishes one.
const catalogsTurn = `SELECT pg_advisory_xact_lock(hashtext('ofd catalogs'))`

func (db *DB) publish(ctx context.Context, version int64, created fiscal.WallTime) error {
	return db.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, catalogsTurn); err != nil {
			return err
		}
		_, newer, err := one[bool](ctx, tx, `SELECT true FROM catalogs WHERE version >= $1 LIMIT 1`, version)
		if err == nil && newer {
			err = &fiscal.Error{Of: fiscal.Conflict, Field: "version", Msg: "another catalog was published meanwhile: try again"}
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO catalogs (version, created) VALUES ($1, $2)`, version, int64(created))
		return err
	})
}

// storeElements stores the elements of a version that nobody has used yet.
func (db *DB) storeElements(ctx context.Context, all []fiscal.CatalogElement) (version int64, err error) {
	for place := 0; place == 0 || place < len(all); place += elementsAtOnce {
		page := all[place:min(place+elementsAtOnce, len(all))]
		places, barcodes, ntins, bodies := make([]int32, len(page)), make([]string, len(page)), make([]string, len(page)), make([]string, len(page))
		for i := range page {
			body, err := json.Marshal(&page[i])
			if err != nil {
				return 0, err
			}
			places[i], barcodes[i], ntins[i], bodies[i] = int32(place+i), page[i].Barcode, page[i].NTIN, string(body)
		}
		if err := db.write(ctx, func(tx pgx.Tx) error {
			if place == 0 {
				if _, err := tx.Exec(ctx, catalogsTurn); err != nil {
					return err
				}
				if err := tx.QueryRow(ctx, `SELECT 1 + greatest((SELECT max(version) FROM catalogs), (SELECT max(version) FROM catalog_elements), 0)`).Scan(&version); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, `INSERT INTO catalog_elements (version, place, barcode, ntin, body)
				SELECT $1, place, barcode, ntin, body::json FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[]) AS u (place, barcode, ntin, body)`,
				version, places, barcodes, ntins, bodies)
			return err
		}); err != nil {
			return 0, err
		}
	}
	return version, nil
}

// Catalog answers a query: nil if nothing is published; without elements if the
// device has the current version; with one element for a barcode (GTIN or NTIN)
// that is known, without for one that is not.
func (db *DB) Catalog(ctx context.Context, q fiscal.CatalogQuery) (*fiscal.Catalog, error) {
	newest, err := query(ctx, db.rest, publishedCatalog, `SELECT version, created FROM catalogs ORDER BY version DESC LIMIT 1`)
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	c := &newest[0] // never changes, so its elements may be read afterwards
	switch {
	case q.Barcode != "" && storable(q.Barcode):
		c.Elements, err = list[fiscal.CatalogElement](ctx, db.rest, "catalog_elements", `SELECT body FROM (
			SELECT place, body::text FROM catalog_elements WHERE version = $1 AND barcode = $2 AND barcode <> ''
			UNION SELECT place, body::text FROM catalog_elements WHERE version = $1 AND ntin = $2 AND ntin <> ''
			) e ORDER BY place LIMIT 1`, int64(c.Version), q.Barcode)
	case q.Barcode == "" && q.Have != c.Version:
		c.Elements, err = list[fiscal.CatalogElement](ctx, db.rest, "catalog_elements", `SELECT body FROM catalog_elements WHERE version = $1 ORDER BY place`, int64(c.Version))
	}
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return c, nil
}

func publishedCatalog(row pgx.CollectableRow) (c fiscal.Catalog, err error) {
	var version int64
	err = row.Scan(&version, &c.Created)
	c.Version = uint32(version)
	return c, err
}

// CatalogPage reads elements of a published catalog from a place on, limit at
// most; of the newest if version is 0. It is nil if there is no such version.
func (db *DB) CatalogPage(ctx context.Context, version uint32, from, limit int) (*fiscal.Catalog, error) {
	found, err := query(ctx, db.rest, publishedCatalog, `SELECT version, created FROM catalogs WHERE $1::bigint IN (0, version) ORDER BY version DESC LIMIT 1`, int64(version))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	c := &found[0] // never changes, so its elements may be read afterwards
	c.Elements, err = list[fiscal.CatalogElement](ctx, db.rest, "catalog_elements", `SELECT body FROM catalog_elements WHERE version = $1 AND place >= $2 ORDER BY place LIMIT $3`,
		int64(c.Version), from, limit)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return c, nil
}
