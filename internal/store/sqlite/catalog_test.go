package sqlite

import (
	"errors"
	"testing"

	"openofd/internal/fiscal"
)

// TestCatalogOvertaken shows that of two catalogs stored at once the one that
// is published later, with the lower version, is refused, and that elements of
// a version that was never published are never seen.
func TestCatalogOvertaken(t *testing.T) {
	server := open(t, Options{Dir: t.TempDir(), Serve: true})
	command := open(t, Options{Dir: server.dir})
	slow, err := command.storeElements(t.Context(), []fiscal.CatalogElement{{ID: 1, Barcode: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := server.Catalog(t.Context(), fiscal.CatalogQuery{}); err != nil || c != nil {
		t.Errorf("Catalog before anything is published = %+v, %v, want nil", c, err)
	}
	quick := fiscal.Catalog{Created: 5, Elements: []fiscal.CatalogElement{{ID: 2, Barcode: "2"}}}
	if err := server.PutCatalog(t.Context(), &quick); err != nil {
		t.Fatal(err)
	}
	if err := command.publish(t.Context(), slow, 6); !errors.Is(err, fiscal.Conflict) {
		t.Errorf("publishing version %d after %d: error %v, want Conflict", slow, quick.Version, err)
	}
	c, err := server.Catalog(t.Context(), fiscal.CatalogQuery{Barcode: "1"})
	if err != nil || c.Version != quick.Version || len(c.Elements) != 0 {
		t.Errorf("Catalog = %+v, %v, want version %d without the other's element", c, err, quick.Version)
	}
}
