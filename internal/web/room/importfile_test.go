package room

import (
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// FuzzParseImport: whatever people upload is read or refused, within the bounds.
func FuzzParseImport(f *testing.F) {
	locales, err := ui.LoadLocales()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"Название точки;Регион;Населённый пункт;Улица;Дом;Модель\nА;75;Алматы;Абая;1;M\n",
		"Outlet,Region\n\"a\nb\",c", "\xef\xbb\xbfa\tb", "PK\x03\x04", "a;\x00", "\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		rows, err := parseImport(content, fiscal.Kazakhstan, locales)
		if err == nil && (len(rows) == 0 || len(rows) > importRows) {
			t.Errorf("parseImport() = %d rows without an error", len(rows))
		}
	})
}
