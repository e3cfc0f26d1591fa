package till

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Right is something a cashier may do.
type Right string

// The rights. An owner has all of them.
const (
	MaySell     Right = "sell"
	MayReturn   Right = "return"
	MayBuy      Right = "buy" // purchases from people, and their returns
	MayMove     Right = "move"
	MayReport   Right = "report"
	MayClose    Right = "close"
	MayModify   Right = "modify"   // discounts and markups
	MaySeeAll   Right = "see_all"  // what others made
	MaySettings Right = "settings" // of registers, tokens, cashiers, the company
)

// Rights lists them.
func Rights() []Right {
	return []Right{MaySell, MayReturn, MayBuy, MayMove, MayReport, MayClose, MayModify, MaySeeAll, MaySettings}
}

// Cashier is a person at the registers of an account. The owner has the code 1.
type Cashier struct {
	Code     uint32  `json:"code"`
	Name     string  `json:"name"`
	Rights   []Right `json:"rights,omitempty"`
	Disabled bool    `json:"disabled,omitempty"`

	PIN    string    `json:"pin,omitempty"` // hash of the quick-access code; "": none yet
	Tries  int       `json:"tries,omitempty"`
	Closed time.Time `json:"closed,omitzero"` // no code is looked at until then
}

// Owner is the code of an account's first cashier.
const Owner uint32 = 1

// Bounds of quick-access codes: T-002 asks for four digits at least.
const (
	minPIN      = 4
	maxPIN      = 8
	pinTries    = 5
	pinPause    = 15 * time.Minute
	pinFresh    = 15 * time.Minute // after a letter's code the owner's may be set anew
	maxCashiers = 200
)

// May reports whether the cashier has a right.
func (c *Cashier) May(r Right) bool {
	return c.Code != 0 && !c.Disabled && (c.Code == Owner || slices.Contains(c.Rights, r))
}

// must is Denied without the right, and Unauthenticated with the Field "pin"
// while the device is locked.
func (s *Seat) must(r Right) error {
	if s.Cashier.Code == 0 {
		return &fiscal.Error{Of: fiscal.Unauthenticated, Field: "pin", Msg: "the device is locked"}
	}
	if !s.Cashier.May(r) {
		return &fiscal.Error{Of: fiscal.Denied, Field: string(r)}
	}
	return nil
}

func cashierOf(tx *sqlitefile.Tx, a AccountID, code uint32) (c Cashier, err error) {
	return c, row(tx, &c, "cashier", `SELECT body FROM cashiers WHERE account = ? AND code = ?`, int64(a), int64(code))
}

func putCashier(tx *sqlitefile.Tx, a AccountID, c *Cashier) error {
	return put(tx, c, `INSERT INTO cashiers (account, code, body) VALUES (?, ?, ?) ON CONFLICT (account, code) DO UPDATE SET body = excluded.body`,
		int64(a), int64(c.Code))
}

func checkPIN(pin, again string) error {
	switch {
	case len(pin) < minPIN || len(pin) > maxPIN || strings.Trim(pin, "0123456789") != "":
		return bad("pin", "%d to %d digits", minPIN, maxPIN)
	case pin != again:
		return bad("again", "differs")
	}
	return nil
}

// SetPIN sets the owner's quick-access code and unlocks the device: the first
// one, or a new one shortly after a code from a letter, or with the old one.
//
// Errors: Invalid with the Field "pin" or "again"; Denied with the Field "pin"
// if the old one is needed and wrong.
// Source: requirements E-030, E-031, T-002.
func (t *Till) SetPIN(ctx context.Context, s *Seat, old, pin, again string) error {
	if err := checkPIN(pin, again); err != nil {
		return err
	}
	hash, err := t.pins.HashFor(ctx, pin)
	if err != nil {
		return err
	}
	owner, err := read(ctx, t.shelf, func(tx *sqlitefile.Tx) (Cashier, error) { return cashierOf(tx, s.Account.ID, Owner) })
	if err != nil && !errors.Is(err, fiscal.NotFound) {
		return err
	}
	if owner.PIN != "" && t.NeedsOldPIN(s) {
		if ok, err := t.pins.VerifyFor(ctx, owner.PIN, old); err != nil || !ok {
			return errors.Join(err, &fiscal.Error{Of: fiscal.Denied, Field: "old"})
		}
	}
	return t.change(s, func(tx *sqlitefile.Tx, a *Account) error {
		c := Cashier{Code: Owner, Name: a.Name, PIN: hash}
		if c.Name == "" {
			c.Name, _, _ = strings.Cut(a.Email, "@")
		}
		a.Session.Cashier, a.Session.Used = Owner, t.now()
		return putCashier(tx, a.ID, &c)
	})
}

// NeedsOldPIN reports whether SetPIN asks for the code that the owner has.
func (t *Till) NeedsOldPIN(s *Seat) bool { return t.now().Sub(s.Account.Session.Since) > pinFresh }

// Unlock lets a cashier work on the device.
//
// Errors: Unauthenticated with the Field "pin"; RateLimited after five wrong
// ones, for a quarter of an hour.
func (t *Till) Unlock(ctx context.Context, s *Seat, code uint32, pin string) error {
	now := t.now()
	c, err := read(ctx, t.shelf, func(tx *sqlitefile.Tx) (Cashier, error) { return cashierOf(tx, s.Account.ID, code) })
	wrong := &fiscal.Error{Of: fiscal.Unauthenticated, Field: "pin"}
	switch {
	case errors.Is(err, fiscal.NotFound) || err == nil && (c.Disabled || c.PIN == ""):
		return wrong
	case err != nil:
		return err
	case now.Before(c.Closed):
		return &fiscal.Error{Reason: fiscal.RateLimited, Field: "pin"}
	}
	right, err := t.pins.VerifyFor(ctx, c.PIN, pin)
	if err != nil {
		return err
	}
	err = t.change(s, func(tx *sqlitefile.Tx, a *Account) error {
		c, err := cashierOf(tx, a.ID, code) // others may have tried meanwhile
		if err != nil {
			return err
		}
		if !right || now.Before(c.Closed) {
			if c.Tries++; c.Tries >= pinTries {
				c.Tries, c.Closed = 0, now.Add(pinPause)
			}
			return putCashier(tx, a.ID, &c)
		}
		c.Tries = 0
		a.Session.Cashier, a.Session.Used = code, now
		return putCashier(tx, a.ID, &c)
	})
	if err == nil && !right {
		return wrong
	}
	return err
}

// Lock ends what Unlock began.
func (t *Till) Lock(s *Seat) error {
	return t.change(s, func(_ *sqlitefile.Tx, a *Account) error {
		a.Session.Cashier = 0
		return nil
	})
}

// Cashiers lists an account's people, without their codes.
func (t *Till) Cashiers(ctx context.Context, s *Seat) ([]Cashier, error) {
	all, err := read(ctx, t.shelf, func(tx *sqlitefile.Tx) ([]Cashier, error) {
		return rowsOf[Cashier](tx, `SELECT body FROM cashiers WHERE account = ? ORDER BY code`, int64(s.Account.ID))
	})
	for i := range all {
		all[i].PIN = ""
	}
	return all, err
}

// SetCashier adds a cashier (Code 0) or changes one; an empty code leaves the
// one they have.
//
// Errors: Denied; Invalid with the Field "name", "rights", "pin" or "again".
func (t *Till) SetCashier(ctx context.Context, s *Seat, c Cashier, pin, again string) error {
	if err := s.must(MaySettings); err != nil {
		return err
	}
	c.Name = strings.Join(strings.Fields(c.Name), " ")
	if c.Name == "" {
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "name"}
	}
	if len([]rune(c.Name)) > maxPerson {
		return bad("name", "longer than %d letters", maxPerson)
	}
	for _, r := range c.Rights {
		if !slices.Contains(Rights(), r) {
			return bad("rights", "%q", r)
		}
	}
	hash := ""
	if pin != "" || c.Code == 0 {
		if err := checkPIN(pin, again); err != nil {
			return err
		}
		var err error
		if hash, err = t.pins.HashFor(ctx, pin); err != nil {
			return err
		}
	}
	return t.change(s, func(tx *sqlitefile.Tx, a *Account) error {
		last, _, err := tx.QueryInt(`SELECT coalesce(max(code), 0) FROM cashiers WHERE account = ?`, int64(a.ID))
		if err != nil {
			return err
		}
		kept := Cashier{Code: uint32(last) + 1}
		if c.Code != 0 {
			if kept, err = cashierOf(tx, a.ID, c.Code); err != nil {
				return err
			}
		} else if last >= maxCashiers {
			return &fiscal.Error{Of: fiscal.Conflict, Field: "cashiers", Msg: fmt.Sprintf("%d at most", maxCashiers)}
		}
		if hash != "" {
			kept.PIN, kept.Tries, kept.Closed = hash, 0, time.Time{}
		}
		kept.Name = c.Name
		if kept.Code != Owner {
			kept.Rights, kept.Disabled = c.Rights, c.Disabled
		}
		return putCashier(tx, a.ID, &kept)
	})
}
