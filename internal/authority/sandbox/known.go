package sandbox

import (
	"context"
	"fmt"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Known is a taxpayer or a model on record.
type Known struct {
	Country fiscal.Country
	Kind    string // taxpayer or model
	Name    string // BIN, IIN or INN; model
	Title   string // of a taxpayer
}

// ParseKnown reads a list: on each line a country, taxpayer or model, and what
// it is. Empty lines and those that begin with # are passed over. Where a
// country has no taxpayer in the list all taxpayers are on record; so with
// models.
//
//	kz taxpayer 220540013371 ТОО «Рахмет»
//	kz model Пион-102Ф
//
// Every error names the file and the line.
func ParseKnown(name string, text []byte) ([]Known, error) {
	var all []Known
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 3 {
			return nil, fmt.Errorf("%s:%d: a line is a country, taxpayer or model, and what it is", name, i+1)
		}
		k := Known{Country: fiscal.Country(words[0]), Kind: words[1], Name: strings.Join(words[2:], " ")}
		if k.Kind == "taxpayer" {
			k.Name, k.Title = words[2], strings.Join(words[3:], " ")
		}
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		all = append(all, k)
	}
	return all, nil
}

const maxTitle = 255

// check reports what cannot be on record. The error is Invalid and names the
// field.
func (k *Known) check() error {
	bad := func(field, msg string) error { return &fiscal.Error{Reason: fiscal.BadValue, Field: field, Msg: msg} }
	switch {
	case of(k.Country) == 0:
		return bad("country", "it is kz or ru")
	case k.Kind != "taxpayer" && k.Kind != "model":
		return bad("kind", "it is taxpayer or model")
	case k.Kind == "taxpayer" && !validXIN(k.Country, k.Name):
		return bad("name", fmt.Sprintf("%q: the last digits of BIN, IIN or INN check the others", k.Name))
	case k.Name == "" || len(k.Name) > maxTitle || len(k.Title) > maxTitle:
		return bad("name", "it has 1 to 255 bytes")
	}
	return nil
}

// addKnown puts taxpayers and models on record.
func (s *Server) addKnown(ctx context.Context, all []Known) error {
	if len(all) == 0 {
		return nil
	}
	return s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
		for i := range all {
			k := &all[i]
			if err := k.check(); err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO known (country, kind, name, title) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET title = excluded.title",
				string(k.Country), k.Kind, k.Name, k.Title); err != nil {
				return err
			}
		}
		return nil
	})
}

// removeKnown takes one off the record.
func (s *Server) removeKnown(ctx context.Context, k Known) error {
	return s.file.Write(ctx, func(tx *sqlitefile.Tx) error {
		n, err := tx.Exec("DELETE FROM known WHERE country = ? AND kind = ? AND name = ?", string(k.Country), k.Kind, k.Name)
		if err == nil && n == 0 {
			return notThere("known")
		}
		return err
	})
}

// onRecord reports whether somebody or something is on record: named there, or
// of a sort of which nothing is.
func onRecord(tx *sqlitefile.Tx, c fiscal.Country, kind, name string) (bool, error) {
	_, named, err := tx.QueryInt("SELECT 1 FROM known WHERE country = ? AND kind = ? AND name = ?", string(c), kind, name)
	if err != nil || named {
		return named, err
	}
	_, any, err := tx.QueryInt("SELECT 1 FROM known WHERE country = ? AND kind = ? LIMIT 1", string(c), kind)
	return !any, err
}
