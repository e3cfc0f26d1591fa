package till

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Taken is the operator's catalog of goods as an account has it.
type Taken struct {
	Version uint32            `json:"version"` // 0: none was published
	At      time.Time         `json:"at"`      // when it was looked at last
	By      fiscal.RegisterID `json:"by"`      // that asks, where no company is linked
}

// maxCatalog bounds the elements of a catalog that is taken over.
const maxCatalog = 100_000

// FetchGoods takes the operator's catalog over, if it has another than the
// account took last, and returns how many goods of it there are now. From then on
// it is looked at once a day. It comes by the operator's API where a company is
// linked, else by the register's protocol.
//
// Errors: Unauthenticated; NotFound; Unavailable; *kkm.Refusal; those that the
// operator told.
// Source: requirement E-122.
func (t *Till) FetchGoods(ctx context.Context, s *Seat, id fiscal.RegisterID) (int, error) {
	if err := s.must(MaySell); err != nil {
		return 0, err
	}
	if _, err := t.Register(ctx, s, id); err != nil {
		return 0, err
	}
	if err := t.still(ctx, s); err != nil {
		return 0, err
	}
	if err := t.fetchGoods(ctx, s.Account.ID, id); err != nil {
		return 0, err
	}
	n, _, err := number(ctx, t.shelf, `SELECT count(*) FROM goods WHERE account = ? AND id > 0`, int64(s.Account.ID))
	return int(n), err
}

func (t *Till) fetchGoods(ctx context.Context, id AccountID, by fiscal.RegisterID) error {
	a, err := read(ctx, t.shelf, func(tx *sqlitefile.Tx) (Account, error) { return accountOf(tx, id) })
	if err != nil {
		return err
	}
	have := uint32(0)
	if a.Taken != nil {
		have = a.Taken.Version
	}
	c, err := t.catalog(ctx, &a, by, have)
	if err != nil {
		return err
	}
	if c.Version != have {
		if err := t.putCatalog(ctx, id, c); err != nil {
			return err
		}
	}
	now := t.now()
	t.known.begin(id)
	defer t.known.end(id)
	return t.shelf.write(func(tx *sqlitefile.Tx) error {
		a, err := accountOf(tx, id)
		if err != nil {
			return err
		}
		a.Taken = &Taken{Version: c.Version, At: now, By: by}
		return putAccount(tx, &a)
	})
}

// catalog asks for what is newer than the version that is there; without elements
// it is the same.
func (t *Till) catalog(ctx context.Context, a *Account, by fiscal.RegisterID, have uint32) (*fiscal.Catalog, error) {
	if a.Bound != nil {
		return readCatalog(ctx, office{t.caller, t.cfg.Check, a.Bound.Key, a.Lang}, have)
	}
	d, err := t.desk(ctx, by)
	if err != nil {
		return nil, err
	}
	c, err := d.register.Nomenclature(ctx, have, "")
	if err == nil && c == nil {
		c = new(fiscal.Catalog) // none is published any more
	}
	return c, err
}

// readCatalog reads the pages of a catalog.
func readCatalog(ctx context.Context, o office, have uint32) (*fiscal.Catalog, error) {
	c, known := &fiscal.Catalog{Version: have}, ""
	if have != 0 {
		known = `"` + strconv.FormatUint(uint64(have), 10) + `"`
	}
	for after := ""; ; known = "" {
		var page struct {
			Version uint32 `json:"version"`
			Items   []struct {
				ID         uint64      `json:"id"`
				Group      bool        `json:"group"`
				Title      fiscal.Text `json:"title"`
				Barcode    string      `json:"barcode"`
				NTIN       string      `json:"ntin"`
				Unit       string      `json:"unit"`
				SalePrice  string      `json:"sale_price"`
				Fractional bool        `json:"fractional"`
				Marked     bool        `json:"marked"`
			} `json:"items"`
			Next string `json:"next"`
		}
		err := o.do(ctx, request{method: http.MethodGet, path: "/nomenclature?limit=200&after=" + url.QueryEscape(after), out: &page, known: known})
		if errors.Is(err, errKnown) {
			return c, nil
		}
		if err != nil {
			return nil, err
		}
		c.Version = page.Version
		for i := range page.Items {
			it := &page.Items[i]
			e := fiscal.CatalogElement{ID: it.ID, Group: it.Group, Title: it.Title, Barcode: it.Barcode, NTIN: it.NTIN, Unit: it.Unit, Fractional: it.Fractional, Marked: it.Marked}
			if it.SalePrice != "" {
				if e.SalePrice, err = fiscal.ParseMoney(it.SalePrice); err != nil {
					return nil, unreachable(err)
				}
			}
			c.Elements = append(c.Elements, e)
		}
		switch {
		case page.Next == "":
			return c, nil
		case page.Next == after, len(c.Elements) > maxCatalog:
			return nil, unreachable(errors.New("the catalog has no end"))
		}
		after = page.Next
	}
}

// goodsAtOnce is how many goods one transaction changes: registers write between
// them.
const goodsAtOnce = 500

// putCatalog puts the goods of a catalog in the place of those before; own goods
// stay. Whoever is killed in the middle begins anew, for the version is noted
// afterwards.
func (t *Till) putCatalog(ctx context.Context, id AccountID, c *fiscal.Catalog) error {
	old, err := t.goods(ctx, `account = ? AND id > 0`, int64(id))
	if err != nil {
		return err
	}
	had := make(map[int64]Good, len(old))
	for _, g := range old {
		had[g.ID] = g
	}
	var changes []func(*sqlitefile.Tx) error
	for i := range c.Elements {
		if c.Elements[i].Group {
			continue
		}
		g, err := fromCatalog(&c.Elements[i])
		if err != nil {
			return err
		}
		if was, ok := had[g.ID]; !ok || was != g {
			changes = append(changes, func(tx *sqlitefile.Tx) error { return putGood(tx, id, &g) })
		}
		delete(had, g.ID)
	}
	for gone := range had {
		changes = append(changes, func(tx *sqlitefile.Tx) error {
			_, err := tx.Exec(`DELETE FROM goods WHERE account = ? AND id = ?`, int64(id), gone)
			return err
		})
	}
	for some := range slices.Chunk(changes, goodsAtOnce) {
		err := t.shelf.write(func(tx *sqlitefile.Tx) error {
			for _, change := range some {
				if err := change(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// everyDay looks at the catalog for accounts that have it, one after the other,
// until ctx ends. What fails is tried again in an hour.
func (t *Till) everyDay(ctx context.Context) {
	day := t.cfg.Options.Goods
	if day == 0 {
		day = 24 * time.Hour
	}
	for tick := time.NewTicker(min(day, time.Hour)); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		due, err := t.due(ctx, day)
		if err != nil {
			t.log.Warn("whose goods are to be looked at cannot be read", "err", err)
		}
		for id, by := range due {
			if err := t.fetchGoods(ctx, id, by); err != nil && ctx.Err() == nil {
				t.log.Info("goods of an account not taken", "account", int64(id), "err", err)
			}
		}
	}
}

// due are the accounts whose catalog was looked at a day ago, with the register
// that asks.
func (t *Till) due(ctx context.Context, day time.Duration) (map[AccountID]fiscal.RegisterID, error) {
	before := t.now().Add(-day)
	return read(ctx, t.shelf, func(tx *sqlitefile.Tx) (map[AccountID]fiscal.RegisterID, error) {
		rows, err := tx.Query(`SELECT id, json_extract(body, '$.taken') FROM accounts WHERE json_extract(body, '$.taken') IS NOT NULL`)
		if err != nil {
			return nil, err
		}
		all := map[AccountID]fiscal.RegisterID{}
		for rows.Next() {
			var taken Taken
			if err := json.Unmarshal(rows.Bytes(1), &taken); err != nil {
				_ = rows.Close()
				return nil, &fiscal.Error{Of: fiscal.Corrupt, Field: "accounts", Err: err}
			}
			if !taken.At.After(before) {
				all[AccountID(rows.Int(0))] = taken.By
			}
		}
		return all, rows.Close()
	})
}
