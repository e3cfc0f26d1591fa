package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"openofd/internal/fiscal"
)

type nomenclatureCmd struct {
	Load nomenclatureLoadCmd `cmd:"" help:"Publish a catalog: a JSON or CSV file becomes its next version."`
}

type nomenclatureLoadCmd struct {
	place
	File string `arg:"" help:"*.json or *.csv; see the documentation for the fields. - reads JSON from standard input."`
}

// maxCatalog is the largest file read, in bytes.
const maxCatalog = 64 << 20

func (c *nomenclatureLoadCmd) Run(con *console) error {
	elements, err := openCatalog(con, c.File)
	if err != nil {
		return err
	}
	if err := checkCatalog(elements); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	core, err := openCore(con, c.place)
	if err != nil {
		return err
	}
	catalog := fiscal.Catalog{
		Created:  fiscal.WallIn(core.now(), almaty),
		Elements: elements,
	}
	if err := core.registry.PutCatalog(con.ctx, &catalog); err != nil {
		return fmt.Errorf("publish the catalog: %w", err)
	}
	shown := struct {
		Version  uint32 `json:"version"`
		Elements int    `json:"elements"`
	}{catalog.Version, len(elements)}
	return con.result(shown, func(w io.Writer) {
		fmt.Fprintf(w, "Version %d of the catalog is published, %d elements.\n", shown.Version, shown.Elements)
	})
}

// openCatalog reads a file by the form that its name tells.
func openCatalog(con *console, name string) ([]fiscal.CatalogElement, error) {
	var in io.Reader = con.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the catalog: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxCatalog+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the catalog: %w", err)
	case len(text) > maxCatalog:
		return nil, fmt.Errorf("read the catalog: %s is larger than %d MiB", name, maxCatalog>>20)
	}
	var elements []fiscal.CatalogElement
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		elements, err = parseCatalogCSV(text)
	} else {
		elements, err = parseCatalogJSON(text)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return elements, nil
}

// checkCatalog reports what would confuse a register: numbers used twice,
// elements without a name, groups that are not there or lie within
// themselves.
func checkCatalog(elements []fiscal.CatalogElement) error {
	if len(elements) == 0 {
		return fmt.Errorf("holds no elements")
	}
	byID := make(map[uint64]*fiscal.CatalogElement, len(elements))
	barcodes := make(map[string]uint64)
	for i := range elements {
		e := &elements[i]
		switch {
		case e.ID == 0:
			return fmt.Errorf("element %d of the file has no id", i+1)
		case byID[e.ID] != nil:
			return fmt.Errorf("id %d comes twice", e.ID)
		case strings.TrimSpace(e.Title.In("ru")) == "":
			return fmt.Errorf("element %d has no title", e.ID)
		case e.PurchasePrice < 0 || e.SalePrice < 0 || e.DiscountSum < 0 || e.MarkupSum < 0:
			return fmt.Errorf("element %d has an amount below zero", e.ID)
		case e.Barcode != "" && barcodes[e.Barcode] != 0:
			return fmt.Errorf("elements %d and %d have one barcode, %s", barcodes[e.Barcode], e.ID, e.Barcode)
		}
		byID[e.ID] = e
		if e.Barcode != "" {
			barcodes[e.Barcode] = e.ID
		}
	}
	for i := range elements {
		e := &elements[i]
		for steps, up := 0, e.Parent; up != 0; steps++ {
			group := byID[up]
			switch {
			case group == nil:
				return fmt.Errorf("element %d lies in group %d, which is not in the file", e.ID, up)
			case !group.Group:
				return fmt.Errorf("element %d lies in %d, which is no group", e.ID, up)
			case steps > len(elements):
				return fmt.Errorf("group %d lies within itself", up)
			}
			up = group.Parent
		}
	}
	return nil
}
