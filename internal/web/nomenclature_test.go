package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// readNomenclature reads the operator's catalog through the API: page by page,
// all of one version whatever is published meanwhile; by a barcode; and not at
// all while it is what the program knows. A key with the least of rights may.
//
// Req: E-122, P-090
func readNomenclature(t *testing.T, h *programs) {
	token := h.key(&h.owner, access.SeeStatus)
	all := schemas()
	read := func(want int, path string, header ...string) (tag string, page struct {
		Version uint32
		Items   []struct {
			ID        uint64
			SalePrice string `json:"sale_price"`
			UnitTitle string `json:"unit_title"`
		}
		Next string
	}) {
		t.Helper()
		res, body := h.does(apiAsk{token: token, method: "GET", path: "/nomenclature" + path, header: append(header, "Accept-Language", "ru")})
		if res.StatusCode != want {
			t.Fatalf("GET /nomenclature%s = %d %s, want %d", path, res.StatusCode, body, want)
		}
		if want == http.StatusOK {
			for _, err := range breaks(all, "#/components/schemas/Nomenclature", body) {
				t.Errorf("GET /nomenclature%s breaks its description: %v", path, err)
			}
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
		} else if want == http.StatusNotModified && body != "" {
			t.Errorf("GET /nomenclature%s = 304 with %q", path, body)
		}
		return res.Header.Get("ETag"), page
	}
	if tag, page := read(http.StatusOK, ""); page.Version != 0 || len(page.Items) != 0 || page.Next != "" || tag != `"0"` {
		t.Errorf("before any is published: %+v, ETag %s", page, tag)
	}
	first := fiscal.Catalog{Created: 1_773_500_000}
	for i := range 5 {
		first.Elements = append(first.Elements, fiscal.CatalogElement{ID: uint64(i + 1), Title: fiscal.Text{RU: fmt.Sprint("Товар ", i)}, Barcode: fmt.Sprint(4_870_000_000_000 + i), SalePrice: 120_050, Unit: "796"})
	}
	if err := h.db.PutCatalog(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	tag, page := read(http.StatusOK, "?limit=2")
	if len(page.Items) != 2 || page.Items[0].SalePrice != "1200.50" || page.Items[0].UnitTitle == "" || page.Next == "" {
		t.Fatalf("the first page = %+v", page)
	}
	if again, _ := read(http.StatusNotModified, "", "If-None-Match", tag); again != tag {
		t.Errorf("what is known has the ETag %s, want %s", again, tag)
	}
	if err := h.db.PutCatalog(t.Context(), &fiscal.Catalog{Created: 1_773_600_000, Elements: []fiscal.CatalogElement{{ID: 77, Title: fiscal.Text{KK: "Нан"}, NTIN: "0200000000001"}}}); err != nil {
		t.Fatal(err)
	}
	var ids []uint64
	for ; ; _, page = read(http.StatusOK, "?limit=2&after="+page.Next) {
		for _, it := range page.Items {
			ids = append(ids, it.ID)
		}
		if page.Version != first.Version {
			t.Errorf("a page of version %d, want %d", page.Version, first.Version)
		}
		if page.Next == "" {
			break
		}
	}
	if want := []uint64{1, 2, 3, 4, 5}; !slices.Equal(ids, want) {
		t.Errorf("all pages have %v, want %v", ids, want)
	}
	if newer, page := read(http.StatusOK, "", "If-None-Match", tag); newer == tag || len(page.Items) != 1 || page.Items[0].ID != 77 {
		t.Errorf("after a publication: %+v, ETag %s", page, newer)
	}
	if _, page := read(http.StatusOK, "?barcode=0200000000001"); len(page.Items) != 1 || page.Items[0].ID != 77 {
		t.Errorf("by NTIN: %+v", page)
	}
	if _, page := read(http.StatusOK, "?barcode=5"); len(page.Items) != 0 {
		t.Errorf("by a barcode that nobody has: %+v", page)
	}
	read(http.StatusNotFound, "?after=99.0")
	for _, bad := range []string{"?after=x", "?after=1", "?after=0.0", "?after=1.-1", "?barcode=x", "?limit=0"} {
		read(http.StatusUnprocessableEntity, bad)
	}
}
