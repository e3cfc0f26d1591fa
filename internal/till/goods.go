package till

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Good is something that is sold often enough to be kept. Those of the
// operator's catalog have its number; an account's own have one below zero.
type Good struct {
	ID         int64        `json:"-"`
	Title      fiscal.Text  `json:"title"`
	Barcode    string       `json:"barcode,omitempty"`
	NTIN       string       `json:"ntin,omitempty"`
	Unit       string       `json:"unit,omitempty"` // code; "": a piece
	Section    string       `json:"section,omitempty"`
	Price      fiscal.Money `json:"price"` // 0: typed in with each sale
	Fractional bool         `json:"fractional,omitempty"`
	Marked     bool         `json:"marked,omitempty"` // sold with an identification mark
}

// Own reports whether the account keeps the goods itself.
func (g *Good) Own() bool { return g.ID < 0 }

// Line is one of them on a draft, named in a language.
func (g *Good) Line(lang string) Line {
	l := Line{
		Name: cmp.Or(g.Title.In(lang), g.Title.RU, g.Title.KK), Quantity: fiscal.OneUnit, Price: g.Price,
		Unit: g.Unit, Section: g.Section, Barcode: g.Barcode, NTIN: g.NTIN,
	}
	if !g.Own() {
		l.Code = uint64(g.ID)
	}
	return l
}

// maxOwn bounds an account's own goods.
const maxOwn = 20_000

// folded is a name as it is searched: without case, each word behind a space.
func folded(names ...string) string {
	return " " + strings.ReplaceAll(strings.Join(strings.Fields(strings.ToLower(strings.Join(names, " "))), " "), "ё", "е")
}

func (g *Good) check() error {
	g.Title.RU, g.Title.KK = strings.Join(strings.Fields(g.Title.RU), " "), strings.Join(strings.Fields(g.Title.KK), " ")
	g.Barcode, g.NTIN = strings.TrimSpace(g.Barcode), strings.TrimSpace(g.NTIN)
	g.Section = cut(g.Section, 20)
	digits := func(s string, most int) bool { return len(s) <= most && strings.Trim(s, "0123456789") == "" }
	switch {
	case g.Title.RU == "" && g.Title.KK == "":
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "name"}
	case len([]rune(g.Title.RU)) > maxName || len([]rune(g.Title.KK)) > maxName:
		return bad("name", "longer than %d letters", maxName)
	case g.Price < 0 || g.Price > maxTotal:
		return bad("price", "%v", g.Price)
	case !digits(g.Barcode, 14):
		return bad("barcode", "up to 14 digits")
	case !digits(g.NTIN, 14):
		return bad("ntin", "up to 14 digits")
	case !digits(g.Unit, 8):
		return bad("unit", "%q", g.Unit)
	}
	return nil
}

func putGood(tx *sqlitefile.Tx, a AccountID, g *Good) error {
	return put(tx, g, `INSERT INTO goods (account, id, name, barcode, body) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (account, id) DO UPDATE SET name = excluded.name, barcode = excluded.barcode, body = excluded.body`,
		int64(a), g.ID, folded(g.Title.RU, g.Title.KK), g.Barcode)
}

func (t *Till) goods(ctx context.Context, where string, args ...any) ([]Good, error) {
	return read(ctx, t.shelf, func(tx *sqlitefile.Tx) (all []Good, err error) {
		rows, err := tx.Query(`SELECT id, body FROM goods WHERE `+where, args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var g Good
			if err := json.Unmarshal(rows.Bytes(1), &g); err != nil {
				_ = rows.Close()
				return nil, err
			}
			g.ID = rows.Int(0)
			all = append(all, g)
		}
		return all, rows.Close()
	})
}

// Goods are those with a word that begins as text does, in any case and either
// language; all for "". Names in order, limit of them at most.
//
// Errors: Unauthenticated while the device is locked.
func (t *Till) Goods(ctx context.Context, s *Seat, text string, limit int) ([]Good, error) {
	if s.Cashier.Code == 0 {
		return nil, s.must(MaySell)
	}
	return t.goods(ctx, `account = ? AND instr(name, ?) > 0 ORDER BY name, id LIMIT ?`, int64(s.Account.ID), folded(text), int64(max(1, min(limit, 200))))
}

// Good is one of the account's by its number; NotFound.
func (t *Till) Good(ctx context.Context, s *Seat, id int64) (Good, error) {
	if s.Cashier.Code == 0 {
		return Good{}, s.must(MaySell)
	}
	return one(t.goods(ctx, `account = ? AND id = ?`, int64(s.Account.ID), id))
}

func one(all []Good, err error) (Good, error) {
	if err != nil {
		return Good{}, err
	}
	if len(all) == 0 {
		return Good{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "good"}
	}
	return all[0], nil
}

// GoodBy finds goods by what a scanner reads: the account's own first, then the
// catalog's, then what the operator knows of the barcode.
//
// Errors: NotFound; Invalid with the Field "barcode"; those of a link that is
// down are NotFound as well, for the goods may be typed in.
func (t *Till) GoodBy(ctx context.Context, s *Seat, id fiscal.RegisterID, barcode string) (Good, error) {
	if s.Cashier.Code == 0 {
		return Good{}, s.must(MaySell)
	}
	barcode = strings.TrimSpace(barcode)
	if barcode == "" || len(barcode) > 14 || strings.Trim(barcode, "0123456789") != "" {
		return Good{}, bad("barcode", "up to 14 digits")
	}
	g, err := one(t.goods(ctx, `account = ? AND barcode = ? ORDER BY id LIMIT 1`, int64(s.Account.ID), barcode))
	if err == nil || !errors.Is(err, fiscal.NotFound) {
		return g, err
	}
	if _, err := t.Register(ctx, s, id); err != nil {
		return Good{}, err
	}
	d, err := t.desk(ctx, id)
	if err != nil {
		return Good{}, err
	}
	c, err := d.register.Nomenclature(ctx, 0, barcode)
	if err != nil || c == nil || len(c.Elements) == 0 || c.Elements[0].Barcode != barcode {
		return Good{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "barcode", Err: err}
	}
	return fromCatalog(&c.Elements[0])
}

func fromCatalog(e *fiscal.CatalogElement) (Good, error) {
	if e.ID == 0 || e.ID > math.MaxInt64 {
		return Good{}, bad("id", "%d of the catalog", e.ID)
	}
	return Good{
		ID: int64(e.ID), Title: e.Title, Barcode: e.Barcode, NTIN: e.NTIN, Unit: e.Unit, Price: e.SalePrice, Fractional: e.Fractional, Marked: e.Marked,
	}, nil
}

// SetGood adds goods of the account's own (ID 0), or changes them.
//
// Errors: Denied; NotFound, also for the catalog's; Invalid with the Field
// "name", "price", "barcode", "ntin" or "unit"; Conflict when there are too many.
func (t *Till) SetGood(ctx context.Context, s *Seat, g Good) (Good, error) {
	if err := s.must(MaySettings); err != nil {
		return g, err
	}
	if err := g.check(); err != nil {
		return g, err
	}
	if g.ID > 0 {
		return g, &fiscal.Error{Reason: fiscal.NothingThere, Field: "good"}
	}
	if g.ID < 0 {
		if _, err := t.Good(ctx, s, g.ID); err != nil {
			return g, err
		}
	}
	fresh := g.ID == 0
	err := t.change(s, func(tx *sqlitefile.Tx, a *Account) error {
		if fresh {
			n, _, err := tx.QueryInt(`SELECT count(*) FROM goods WHERE account = ? AND id < 0`, int64(a.ID))
			if err == nil && n >= maxOwn {
				err = &fiscal.Error{Of: fiscal.Conflict, Field: "goods", Msg: fmt.Sprintf("%d at most", maxOwn)}
			}
			if err != nil {
				return err
			}
			last, _, err := tx.QueryInt(`SELECT coalesce(min(id), 0) FROM goods WHERE account = ? AND id < 0`, int64(a.ID))
			if err != nil {
				return err
			}
			g.ID = last - 1
		}
		return putGood(tx, a.ID, &g)
	})
	return g, err
}

// RemoveGood takes goods of the account's own off the list; receipts keep what
// they say.
//
// Errors: Denied; NotFound.
func (t *Till) RemoveGood(ctx context.Context, s *Seat, id int64) error {
	if err := s.must(MaySettings); err != nil {
		return err
	}
	g, err := t.Good(ctx, s, id)
	if err == nil && !g.Own() {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "good"}
	}
	if err != nil {
		return err
	}
	return t.change(s, func(tx *sqlitefile.Tx, a *Account) error {
		_, err := tx.Exec(`DELETE FROM goods WHERE account = ? AND id = ?`, int64(a.ID), id)
		return err
	})
}
