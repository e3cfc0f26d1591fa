package room

import (
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/sheet"
	"openofd/internal/web/ui"
)

// maxSheet bounds a workbook, unpacked, in bytes.
const maxSheet = 32 << 20

// importRow is a row of a file: a register and where it stands.
type importRow struct {
	Line       int               `json:"line"` // in the file, from 1
	Outlet     string            `json:"outlet"`
	Where      registry.Address  `json:"where"`
	Name       string            `json:"name"`
	Model      string            `json:"model"`
	Serial     string            `json:"serial"`
	Year       int               `json:"year,omitempty"`
	Drive      string            `json:"drive,omitempty"`
	Format     string            `json:"ffd,omitempty"`
	Connection fiscal.Connection `json:"connection,omitempty"`
	SIM        string            `json:"sim,omitempty"`
}

// form is the application of a row's register, without its outlet.
func (row *importRow) form(t *registry.Taxpayer) registry.ApplicationForm {
	return registry.ApplicationForm{
		XIN: t.XIN, Title: t.Title, LegalAddress: t.Address, OKED: t.OKED, VATPercent: t.VATPercent, VATCertificate: t.VATCertificate,
		Name: row.Name, Model: row.Model, SerialNumber: row.Serial, ManufactureYear: row.Year, Drive: row.Drive, Format: row.Format,
		Connection: row.Connection, SIM: row.SIM,
	}
}

// importColumn is a column of a file, known by its words in any language.
type importColumn struct {
	key string
	set func(row *importRow, value string, c fiscal.Country)
}

// importColumns are those of a country, in the order of the template.
func importColumns(c fiscal.Country) []importColumn {
	all := []importColumn{
		{"outlet.title", func(r *importRow, v string, _ fiscal.Country) { r.Outlet = v }},
		{"address.region", func(r *importRow, v string, c fiscal.Country) { r.Where.Region = regionCode(c, v) }},
		{"address.locality", func(r *importRow, v string, _ fiscal.Country) { r.Where.Locality = v }},
		{"address.street", func(r *importRow, v string, _ fiscal.Country) { r.Where.Street = v }},
		{"address.house", func(r *importRow, v string, _ fiscal.Country) { r.Where.House = v }},
		{"address.flat", func(r *importRow, v string, _ fiscal.Country) { r.Where.Flat = v }},
		{"register.name", func(r *importRow, v string, _ fiscal.Country) { r.Name = v }},
		{"register.model", func(r *importRow, v string, _ fiscal.Country) { r.Model = v }},
		{"register.serial", func(r *importRow, v string, _ fiscal.Country) { r.Serial = v }},
		{"register.year", func(r *importRow, v string, _ fiscal.Country) {
			if n, err := strconv.Atoi(v); err == nil {
				r.Year = n
			} else if v != "" {
				r.Year = 1 // a year that no control takes
			}
		}},
	}
	if c == fiscal.Russia {
		all = append(all, importColumn{"register.drive", func(r *importRow, v string, _ fiscal.Country) { r.Drive = digitsOf(v) }},
			importColumn{"application.field.ffd", func(r *importRow, v string, _ fiscal.Country) { r.Format = v }})
	}
	return append(all, importColumn{"application.field.connection", func(r *importRow, v string, _ fiscal.Country) { r.Connection = fiscal.Connection(v) }},
		importColumn{"application.field.sim", func(r *importRow, v string, _ fiscal.Country) { r.SIM = digitsOf(v) }})
}

// regionCode is that of a region which people name; what nobody knows stays as
// it was written, and is wrong.
func regionCode(c fiscal.Country, v string) string {
	for _, r := range registry.Regions(c) {
		for _, name := range []string{r.Code, r.Name.KK, r.Name.RU, r.Name.EN} {
			if strings.EqualFold(name, v) {
				return r.Code
			}
		}
	}
	return v
}

// parseImport reads a table: a workbook, or CSV in UTF-8 with commas, semicolons
// or tabs. Its first row names the columns, in any of our languages and any
// order. Invalid with the Field "table" for what is no such table.
func parseImport(content []byte, c fiscal.Country, locales ui.Locales) ([]importRow, error) {
	wrong := func(why string) ([]importRow, error) {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "table", Msg: why}
	}
	table, why := sheet.Read(content, sheet.Limits{Rows: importRows + 1000, Unpacked: maxSheet})
	if why != "" {
		return wrong(why)
	}
	columns := make([]*importColumn, 0, 32)
	found := 0
	for _, title := range table[0] {
		column := columnNamed(title, c, locales)
		if column != nil {
			found++
		}
		columns = append(columns, column)
	}
	if found < 5 {
		return wrong("no_columns")
	}
	var rows []importRow
	for i, cells := range table[1:] {
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue
		}
		row := importRow{Line: i + 2}
		for j, v := range cells[:min(len(cells), len(columns))] {
			if columns[j] != nil {
				columns[j].set(&row, connectionWord(columns[j].key, oneLine(v), locales), c)
			}
		}
		rows = append(rows, row)
	}
	switch {
	case len(rows) == 0:
		return wrong("empty")
	case len(rows) > importRows:
		return wrong("too_many")
	}
	return rows, nil
}

// columnNamed is the column with a title in any language, nil for one that is
// not ours.
func columnNamed(title string, c fiscal.Country, locales ui.Locales) *importColumn {
	title = strings.TrimRight(oneLine(title), " *:")
	for _, column := range importColumns(c) {
		for _, l := range locales {
			if strings.EqualFold(l.T(column.key), title) {
				return &column
			}
		}
	}
	return nil
}

// connectionWord turns the words for a connection into what it is called here.
func connectionWord(key, v string, locales ui.Locales) string {
	if key != "application.field.connection" {
		return v
	}
	for _, k := range fiscal.Connections() {
		for _, l := range locales {
			if strings.EqualFold(l.T("register.connection."+string(k)), v) {
				return string(k)
			}
		}
	}
	return v
}
