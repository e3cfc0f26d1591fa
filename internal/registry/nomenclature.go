package registry

import (
	"context"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// Nomenclature reads elements of the catalog of goods that the operator has
// published, from a place on, limit at most; of the newest if version is 0. Each
// of an organization's people may, for each of its registers gets the same.
//
// Errors: Denied; NotFound with the Field "version" if there is no such one. The
// zero Catalog is none published yet.
// Source: requirement E-122, KKM reference COMMAND_NOMENCLATURE.
func (o *Office) Nomenclature(ctx context.Context, a *access.Actor, version uint32, from, limit int) (fiscal.Catalog, error) {
	if err := member(a); err != nil {
		return fiscal.Catalog{}, err
	}
	c, err := o.store.CatalogPage(ctx, version, from, limit)
	switch {
	case err != nil:
		return fiscal.Catalog{}, err
	case c == nil && version != 0:
		return fiscal.Catalog{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "version"}
	case c == nil:
		return fiscal.Catalog{}, nil
	}
	return *c, nil
}

// GoodsBy looks goods up in the published catalog by GTIN or NTIN; its Elements
// are none or one.
//
// Errors: Denied.
func (o *Office) GoodsBy(ctx context.Context, a *access.Actor, barcode string) (fiscal.Catalog, error) {
	if err := member(a); err != nil {
		return fiscal.Catalog{}, err
	}
	c, err := o.store.Catalog(ctx, fiscal.CatalogQuery{Barcode: barcode})
	if err != nil || c == nil {
		return fiscal.Catalog{}, err
	}
	return *c, nil
}
