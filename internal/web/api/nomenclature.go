package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// Nomenclature is a page of the catalog of goods that the operator publishes.
type Nomenclature struct {
	Version uint32        `json:"version" doc:"Each publication is a new version, which never changes; 0: nothing is published."`
	Created string        `json:"created,omitempty" doc:"Wall time of the publication."`
	Items   []CatalogItem `json:"items" nullable:"false"`
	Next    string        `json:"next,omitempty" doc:"The value of after for the next page, of the same version; left out on the last."`
}

// CatalogItem is a group of goods or one of them.
type CatalogItem struct {
	ID              uint64 `json:"id"`
	Parent          uint64 `json:"parent,omitempty" doc:"The group that it is in; left out: none."`
	Group           bool   `json:"group,omitempty" doc:"It is a group, and is not sold itself."`
	Title           Text   `json:"title"`
	Article         string `json:"article,omitempty"`
	Barcode         string `json:"barcode,omitempty" doc:"GTIN."`
	NTIN            string `json:"ntin,omitempty" doc:"Number in the National Catalog of Goods."`
	Description     string `json:"description,omitempty"`
	PurchasePrice   string `json:"purchase_price,omitempty"`
	SalePrice       string `json:"sale_price,omitempty" doc:"Left out: none is set." example:"1200.00"`
	DiscountPercent string `json:"discount_percent,omitempty"`
	DiscountSum     string `json:"discount_sum,omitempty"`
	MarkupPercent   string `json:"markup_percent,omitempty"`
	MarkupSum       string `json:"markup_sum,omitempty"`
	VATPercent      string `json:"vat_percent,omitempty" example:"16"`
	Unit            string `json:"unit,omitempty" doc:"Code of the e-invoice system: 796 is a piece." example:"796"`
	UnitTitle       string `json:"unit_title,omitempty" doc:"The unit in the language asked for."`
	Fractional      bool   `json:"fractional,omitempty" doc:"Sold in parts of a unit."`
	Marked          bool   `json:"marked,omitempty" doc:"Sold with an identification mark."`
	Social          bool   `json:"social,omitempty" doc:"Of social importance."`
}

// catalogPage is an answer with the mark of a version.
type catalogPage struct {
	Status int
	ETag   string `header:"ETag" doc:"Of the version, for If-None-Match."`
	Body   Nomenclature
}

func (h *Handler) registerNomenclature() {
	type asked struct {
		Paging
		Barcode     string `query:"barcode" maxLength:"14" pattern:"^[0-9]+$" doc:"GTIN or NTIN: these goods alone."`
		IfNoneMatch string `header:"If-None-Match" maxLength:"128" doc:"The ETag of the version that is known: the answer is 304 while there is no other."`
	}
	route(h, operation{id: "nomenclature", method: http.MethodGet, path: "/nomenclature", tag: "nomenclature", sometimes: map[int]string{http.StatusNotModified: "There is no newer version."},
		doc: "The same for all organizations of the operator. A page belongs to the version of the first, whatever is published meanwhile."},
		func(ctx context.Context, c *caller, in *asked) (*catalogPage, error) {
			if in.Barcode != "" {
				goods, err := h.cfg.Office.GoodsBy(ctx, c.Actor, in.Barcode)
				return h.catalogPage(c, &goods, ""), err
			}
			version, from, err := placeAfter(in.After)
			if err != nil {
				return nil, err
			}
			if in.IfNoneMatch != "" && in.After == "" {
				newest, err := h.cfg.Office.Nomenclature(ctx, c.Actor, 0, 0, 0)
				if err != nil {
					return nil, err
				}
				if mark := versionMark(newest.Version); strings.Contains(in.IfNoneMatch, mark) {
					return &catalogPage{Status: http.StatusNotModified, ETag: mark}, nil
				}
			}
			page, err := h.cfg.Office.Nomenclature(ctx, c.Actor, version, from, in.Limit+1)
			if err != nil {
				return nil, err
			}
			next := ""
			if len(page.Elements) > in.Limit {
				page.Elements = page.Elements[:in.Limit]
				next = strconv.FormatUint(uint64(page.Version), 10) + "." + strconv.Itoa(from+in.Limit)
			}
			return h.catalogPage(c, &page, next), nil
		})
}

// placeAfter reads where a list goes on: the version, and the place in it.
func placeAfter(after string) (version uint32, from int, err error) {
	if after == "" {
		return 0, 0, nil
	}
	v, p, _ := strings.Cut(after, ".")
	n, wrong := strconv.ParseUint(v, 10, 32)
	place, bad := strconv.ParseUint(p, 10, 31)
	if wrong != nil || bad != nil || n == 0 {
		return 0, 0, &fiscal.Error{Reason: fiscal.BadValue, Field: "after"}
	}
	return uint32(n), int(place), nil
}

func versionMark(version uint32) string { return `"` + strconv.FormatUint(uint64(version), 10) + `"` }

func (h *Handler) catalogPage(c *caller, goods *fiscal.Catalog, next string) *catalogPage {
	out := &catalogPage{Status: http.StatusOK, ETag: versionMark(goods.Version),
		Body: Nomenclature{Version: goods.Version, Created: wall(goods.Created), Items: make([]CatalogItem, 0, len(goods.Elements)), Next: next}}
	money := func(m fiscal.Money) string {
		if m == 0 {
			return ""
		}
		return m.String()
	}
	rate := func(thousandths uint32) string {
		if thousandths == 0 {
			return ""
		}
		return percent(thousandths)
	}
	for i := range goods.Elements {
		e := &goods.Elements[i]
		one := CatalogItem{
			ID: e.ID, Parent: e.Parent, Group: e.Group, Title: Text(e.Title), Article: e.Article, Barcode: e.Barcode, NTIN: e.NTIN, Description: e.Description,
			PurchasePrice: money(e.PurchasePrice), SalePrice: money(e.SalePrice), DiscountPercent: rate(e.DiscountPercent), DiscountSum: money(e.DiscountSum),
			MarkupPercent: rate(e.MarkupPercent), MarkupSum: money(e.MarkupSum), VATPercent: rate(e.VATPercent), Unit: e.Unit, UnitTitle: e.UnitTitle,
			Fractional: e.Fractional, Marked: e.Marked, Social: e.Social,
		}
		if title := c.locale.Unit(e.Unit); title != "" {
			one.UnitTitle = title
		}
		out.Body.Items = append(out.Body.Items, one)
	}
	return out
}
