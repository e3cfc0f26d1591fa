package sheet

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Limits bound what is read, and say how.
type Limits struct {
	Rows     int   // a table with more is refused
	Unpacked int64 // bytes of a workbook, unpacked; what is larger in memory goes to a file of its own
	// Raw gives the cells of a workbook as they are stored, numbers and times as
	// numbers, and not as the sheet shows them.
	Raw bool
	// Windows also takes text in windows-1251 and UTF-16, as spreadsheets save it.
	Windows bool
}

// maxCells bounds how many cells a row has.
const maxCells = 64

// Read reads the cells of a file. why is "" or one word for what is wrong with
// it: no_table, not_utf8, empty, too_many, epoch.
func Read(content []byte, l Limits) (table [][]string, why string) {
	if bytes.HasPrefix(content, []byte("PK")) {
		return readBook(content, l)
	}
	text, why := l.text(content)
	if why != "" {
		return nil, why
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes, r.Comma = -1, true, separator(text)
	r.TrimLeadingSpace = r.Comma != '\t' // an empty cell is no space
	for {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil || len(cells) > maxCells {
			return nil, "no_table"
		}
		if table = append(table, cells); len(table) > l.Rows {
			return nil, "too_many"
		}
	}
	if len(table) == 0 {
		return nil, "empty"
	}
	return table, ""
}

// separatorLines is in how many lines the separator is looked for: above the
// titles some programs write what the table is.
const separatorLines = 20

// separator is what parts the cells: of semicolons, tabs and commas that which
// most of the first lines have.
func separator(text string) (found rune) {
	most := -1
	for _, comma := range ";\t," {
		lines, n, rest := 0, 0, text
		for line, more := "", true; more && n < separatorLines; n++ {
			line, rest, more = strings.Cut(rest, "\n")
			if strings.ContainsRune(line, comma) {
				lines++
			}
		}
		if lines > most {
			most, found = lines, comma
		}
	}
	return found
}

// text is the file as text.
func (l Limits) text(content []byte) (text, why string) {
	if l.Windows && len(content)%2 == 0 && bytes.HasPrefix(content, []byte{0xFF, 0xFE}) {
		units := make([]uint16, 0, len(content)/2)
		for i := 2; i < len(content); i += 2 {
			units = append(units, uint16(content[i])|uint16(content[i+1])<<8)
		}
		return string(utf16.Decode(units)), ""
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.IndexByte(content, 0) >= 0:
		return "", "not_utf8"
	case utf8.Valid(content):
		return string(content), ""
	case l.Windows:
		return windows1251(content), ""
	}
	return "", "not_utf8"
}

// upper are the characters of windows-1251 from 0x80 on.
const upper = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\uFFFD™љ›њќћџ" +
	"\u00A0ЎўЈ¤Ґ¦§Ё©Є«¬\u00AD®Ї°±Ііґµ¶·ё№є»јЅѕї" +
	"АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя"

func windows1251(content []byte) string {
	table := []rune(upper)
	var b strings.Builder
	b.Grow(len(content) + len(content)/2)
	for _, c := range content {
		if c < 0x80 {
			b.WriteByte(c)
		} else {
			b.WriteRune(table[c-0x80])
		}
	}
	return b.String()
}

// inMemory is how much of a workbook's sheet is unpacked in memory, in bytes.
const inMemory = 16 << 20

// readBook reads the first sheet of a workbook.
func readBook(content []byte, l Limits) (table [][]string, why string) {
	f, err := excelize.OpenReader(bytes.NewReader(content), excelize.Options{UnzipSizeLimit: l.Unpacked, UnzipXMLSizeLimit: min(inMemory, l.Unpacked), RawCellValue: l.Raw})
	if err != nil {
		return nil, "no_table"
	}
	defer f.Close()
	if props, err := f.GetWorkbookProps(); l.Raw && err == nil && props.Date1904 != nil && *props.Date1904 {
		return nil, "epoch" // days would be four years off
	}
	names := f.GetSheetList()
	if len(names) == 0 {
		return nil, "empty"
	}
	rows, err := f.Rows(names[0])
	if err != nil {
		return nil, "no_table"
	}
	defer rows.Close()
	for rows.Next() {
		cells, err := rows.Columns()
		if err != nil || len(cells) > maxCells {
			return nil, "no_table"
		}
		if table = append(table, cells); len(table) > l.Rows {
			return nil, "too_many"
		}
	}
	if rows.Error() != nil {
		return nil, "no_table"
	}
	if len(table) == 0 {
		return nil, "empty"
	}
	return table, ""
}
