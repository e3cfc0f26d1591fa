package kkm

import (
	"google.golang.org/protobuf/proto"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// nomenclature judges COMMAND_NOMENCLATURE: the whole catalog if the device has
// another version, or from 2.0.3 on one element by its barcode.
// Source: KKM reference §5.8, §7.7.
func (j *judgement) nomenclature(q *kkmpb.NomenclatureRequest) (fiscal.Decision, error) {
	barcode := ""
	if j.version >= V203 {
		barcode = q.GetBarcode()
	}
	if q.CurrentVersion == nil && barcode == "" {
		return j.refuse(fiscal.BadValue, "nomenclature.current_version", "neither version nor barcode"), nil
	}
	if !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{Catalog: &fiscal.CatalogQuery{Have: q.GetCurrentVersion(), Barcode: barcode}}}, nil
	}
	c := j.s.Found.Catalog
	answer := &kkmpb.NomenclatureResponse{Version: proto.Uint32(0)}
	result := kkmpb.NomenclatureResponse_RESULT_TYPE_OK
	switch {
	case barcode != "" && (c == nil || len(c.Elements) == 0):
		return j.notInCatalog(answer)
	case barcode != "": // looked up in the national catalog, which has no version of ours
	case c == nil:
		result = kkmpb.NomenclatureResponse_RESULT_TYPE_NO_VERSION
	default:
		answer.Version = &c.Version
		if c.Version == q.GetCurrentVersion() {
			result = kkmpb.NomenclatureResponse_RESULT_TYPE_VERSION_IS_ACTUAL
		}
	}
	if c != nil && result == kkmpb.NomenclatureResponse_RESULT_TYPE_OK {
		answer.CreatedTime = NewTime(c.Created)
		for i := range c.Elements {
			answer.Elements = append(answer.Elements, newElement(&c.Elements[i], j.version))
		}
	}
	answer.Result = &result
	return j.reply(&kkmpb.Response{Nomenclature: answer})
}

// notInCatalog answers 18 with the result inside as well.
func (j *judgement) notInCatalog(answer *kkmpb.NomenclatureResponse) (fiscal.Decision, error) {
	answer.Result = kkmpb.NomenclatureResponse_RESULT_TYPE_ELEMENT_NOT_FOUND_BY_BARCODE.Enum()
	code, reason := CodeBarcodeNotFound, fiscal.BarcodeNotFound
	if j.version >= V204 { // 18 means deregistered there
		code = CodeOK
	}
	frame, err := j.frame(j.req.Header.Token, code, TextOf(reason, ""), &kkmpb.Response{Nomenclature: answer})
	return fiscal.Decision{Reason: reason, Result: uint16(code), Answer: frame}, err
}

func newElement(e *fiscal.CatalogElement, v Version) *kkmpb.NomenclatureResponse_Element {
	title := e.Title.In("ru")
	x := &kkmpb.NomenclatureResponse_Element{Type: kkmpb.NomenclatureResponse_GROUP.Enum(), Title: &title, Id: &e.ID}
	if e.Parent != 0 {
		x.ParentGroupId = &e.Parent
	}
	if v >= V203 && e.Title.KK != "" {
		x.TitleKk = &e.Title.KK
	}
	if e.Group {
		return x
	}
	x.Type = kkmpb.NomenclatureResponse_ITEM.Enum()
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	number := func(n uint32) *uint32 {
		if n == 0 {
			return nil
		}
		return &n
	}
	sum := func(m fiscal.Money, always bool) *kkmpb.Money {
		if m == 0 && !always {
			return nil
		}
		return NewMoney(m)
	}
	it := &kkmpb.NomenclatureResponse_Item{
		Article: text(e.Article), Barcode: text(e.Barcode), Description: text(e.Description),
		PurchasePrice: sum(e.PurchasePrice, v < V203), SellPrice: sum(e.SalePrice, v < V203),
		DiscountPercent: number(e.DiscountPercent), DiscountSum: sum(e.DiscountSum, false),
		MarkupPercent: number(e.MarkupPercent), MarkupSum: sum(e.MarkupSum, false),
		MeasureCount: number(e.UnitCount), MeasureTitle: text(e.UnitTitle), MeasureUnitCode: text(e.Unit),
	}
	if e.VATPercent != 0 {
		it.Taxes = []*kkmpb.NomenclatureResponse_Tax{{TaxationType: &e.TaxSystem, TaxType: proto.Uint32(fiscal.KindVAT), TaxPercent: &e.VATPercent}}
	}
	if e.Fractional {
		it.MeasureFractional = &e.Fractional
	}
	if v >= V203 {
		it.Ntin, it.IsMarkedeac, it.IsSocial = text(e.NTIN), &e.Marked, &e.Social
	}
	x.Item = it
	return x
}
