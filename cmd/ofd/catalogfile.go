package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// parseCatalogJSON reads {"elements": […]} or the bare list. The fields are
// those of fiscal.CatalogElement; one that we do not know is an error.
func parseCatalogJSON(text []byte) ([]fiscal.CatalogElement, error) {
	var file struct {
		Elements []fiscal.CatalogElement `json:"elements"`
	}
	var into any = &file
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		into = &file.Elements
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		line := 1 + bytes.Count(text[:d.InputOffset()], []byte("\n"))
		return nil, fmt.Errorf("near line %d: %s", line, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	return file.Elements, nil
}

// column sets one field of an element from a cell.
type column func(e *fiscal.CatalogElement, cell string) error

// columns are the cells of a CSV file by their heading. Unlike in JSON, where
// numbers stand as they travel, people write percents as percents and counts
// as counts.
var columns = map[string]column{
	"id":               whole(func(e *fiscal.CatalogElement) *uint64 { return &e.ID }),
	"parent":           whole(func(e *fiscal.CatalogElement) *uint64 { return &e.Parent }),
	"group":            yes(func(e *fiscal.CatalogElement) *bool { return &e.Group }),
	"title":            words(func(e *fiscal.CatalogElement) *string { return &e.Title.RU }),
	"title_kk":         words(func(e *fiscal.CatalogElement) *string { return &e.Title.KK }),
	"title_ru":         words(func(e *fiscal.CatalogElement) *string { return &e.Title.RU }),
	"title_en":         words(func(e *fiscal.CatalogElement) *string { return &e.Title.EN }),
	"article":          words(func(e *fiscal.CatalogElement) *string { return &e.Article }),
	"barcode":          words(func(e *fiscal.CatalogElement) *string { return &e.Barcode }),
	"ntin":             words(func(e *fiscal.CatalogElement) *string { return &e.NTIN }),
	"description":      words(func(e *fiscal.CatalogElement) *string { return &e.Description }),
	"purchase_price":   money(func(e *fiscal.CatalogElement) *fiscal.Money { return &e.PurchasePrice }),
	"sale_price":       money(func(e *fiscal.CatalogElement) *fiscal.Money { return &e.SalePrice }),
	"discount_percent": thousandths(func(e *fiscal.CatalogElement) *uint32 { return &e.DiscountPercent }),
	"discount_sum":     money(func(e *fiscal.CatalogElement) *fiscal.Money { return &e.DiscountSum }),
	"markup_percent":   thousandths(func(e *fiscal.CatalogElement) *uint32 { return &e.MarkupPercent }),
	"markup_sum":       money(func(e *fiscal.CatalogElement) *fiscal.Money { return &e.MarkupSum }),
	"vat_percent":      thousandths(func(e *fiscal.CatalogElement) *uint32 { return &e.VATPercent }),
	"unit":             words(func(e *fiscal.CatalogElement) *string { return &e.Unit }),
	"unit_title":       words(func(e *fiscal.CatalogElement) *string { return &e.UnitTitle }),
	"unit_count":       thousandths(func(e *fiscal.CatalogElement) *uint32 { return &e.UnitCount }),
	"fractional":       yes(func(e *fiscal.CatalogElement) *bool { return &e.Fractional }),
	"marked":           yes(func(e *fiscal.CatalogElement) *bool { return &e.Marked }),
	"social":           yes(func(e *fiscal.CatalogElement) *bool { return &e.Social }),
	"tax_system": func(e *fiscal.CatalogElement, cell string) error {
		n, err := strconv.ParseUint(cell, 10, 32)
		e.TaxSystem = uint32(n)
		return err
	},
}

// parseCatalogCSV reads a table with a heading, separated by commas or, as
// spreadsheets in our countries do, by semicolons.
func parseCatalogCSV(text []byte) ([]fiscal.CatalogElement, error) {
	text = bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")) // spreadsheets begin so
	r := csv.NewReader(bytes.NewReader(text))
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		r.Comma = ';'
	}
	heading, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("heading: %w", err)
	}
	set := make([]column, len(heading))
	for i, name := range heading {
		heading[i] = strings.ToLower(strings.TrimSpace(name))
		if set[i] = columns[heading[i]]; set[i] == nil {
			return nil, fmt.Errorf("unknown column %q", name)
		}
	}
	var elements []fiscal.CatalogElement
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return elements, nil
		}
		if err != nil {
			return nil, err
		}
		var e fiscal.CatalogElement
		for i, cell := range row {
			if cell = strings.TrimSpace(cell); cell == "" {
				continue
			}
			if err := set[i](&e, cell); err != nil {
				line, _ := r.FieldPos(i)
				return nil, fmt.Errorf("line %d, %s: %q cannot be read", line, heading[i], cell)
			}
		}
		elements = append(elements, e)
	}
}

func words(field func(*fiscal.CatalogElement) *string) column {
	return func(e *fiscal.CatalogElement, cell string) error {
		*field(e) = cell
		return nil
	}
}

func whole(field func(*fiscal.CatalogElement) *uint64) column {
	return func(e *fiscal.CatalogElement, cell string) (err error) {
		*field(e), err = strconv.ParseUint(cell, 10, 64)
		return err
	}
}

func money(field func(*fiscal.CatalogElement) *fiscal.Money) column {
	return func(e *fiscal.CatalogElement, cell string) (err error) {
		*field(e), err = fiscal.ParseMoney(cell)
		return err
	}
}

func yes(field func(*fiscal.CatalogElement) *bool) column {
	return func(e *fiscal.CatalogElement, cell string) error {
		switch strings.ToLower(cell) {
		case "1", "yes", "true", "да", "иә":
			*field(e) = true
		case "0", "no", "false", "нет", "жоқ":
		default:
			return errors.New("neither yes nor no")
		}
		return nil
	}
}

// thousandths reads "12", "12.5" or "0,25" without ever making a float of it.
func thousandths(field func(*fiscal.CatalogElement) *uint32) column {
	return func(e *fiscal.CatalogElement, cell string) error {
		whole, frac, _ := strings.Cut(strings.Replace(cell, ",", ".", 1), ".")
		if len(frac) > 3 {
			return errors.New("more than three decimals")
		}
		n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", 3-len(frac)), 10, 32)
		*field(e) = uint32(n)
		return err
	}
}
