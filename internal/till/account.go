package till

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// AccountID names a seller's account.
type AccountID int64

// Account is a seller. Who holds its session is the one device that works.
type Account struct {
	ID      AccountID `json:"-"`
	Email   string    `json:"-"`
	Name    string    `json:"name,omitempty"`
	Phone   string    `json:"phone,omitempty"`
	Lang    string    `json:"lang"`
	Created time.Time `json:"created"`
	Session session   `json:"session"`

	Bound *Bound `json:"bound,omitempty"` // the company at the operator; nil: none is linked
	Taken *Taken `json:"taken,omitempty"` // the operator's catalog of goods; nil: nobody has asked for it
}

// session is one device's right to act for an account.
type session struct {
	Hash    []byte    `json:"hash,omitempty"`
	Device  string    `json:"device,omitempty"` // in the device's own words
	Since   time.Time `json:"since"`
	Cashier uint32    `json:"cashier,omitempty"` // who has unlocked it; 0: locked
	Used    time.Time `json:"used"`              // the last unlocking
	Before  string    `json:"before,omitempty"`  // device whose session this one ended
}

// Elsewhere says that a session has ended because another device signed in.
type Elsewhere struct {
	Device string
	At     time.Time
	Lang   string // of the account
}

func (e *Elsewhere) Error() string {
	return fmt.Sprintf("signed in on another device at %s", e.At.UTC().Format(time.RFC3339))
}

// code is a number that was sent to an address.
type code struct {
	Salt    []byte    `json:"salt"`
	Hash    []byte    `json:"hash"`
	Sent    time.Time `json:"sent"`
	First   time.Time `json:"first"`
	Tries   int       `json:"tries"`
	Letters int       `json:"letters"`
}

// Bounds of codes and sessions. Source: requirements E-026, E-028.
const (
	codeLife    = 15 * time.Minute
	codeTries   = 5
	codePause   = 45 * time.Second
	codeLetters = 5
	sessionLife = 180 * 24 * time.Hour
	maxDevice   = 120
	maxPerson   = 100
)

// SendCode sends a code to an address, to sign in or up: who asks does not learn
// whether the address has an account.
//
// Errors: Invalid with the Field "email"; RateLimited; Unavailable with the
// Field "mail".
func (t *Till) SendCode(ctx context.Context, email, lang string) error {
	email, err := address(email)
	if err != nil {
		return err
	}
	now := t.now()
	number, c, err := t.newCode()
	if err != nil {
		return err
	}
	err = t.shelf.write(func(tx *sqlitefile.Tx) error {
		var old code
		switch err := row(tx, &old, "email", `SELECT body FROM codes WHERE email = ?`, email); {
		case err == nil && now.Sub(old.First) < codeLife:
			if now.Sub(old.Sent) < codePause || old.Letters >= codeLetters {
				return &fiscal.Error{Reason: fiscal.RateLimited, Field: "email"}
			}
			c.First, c.Letters, c.Tries = old.First, old.Letters, old.Tries
		case err == nil || errors.Is(err, fiscal.NotFound):
			c.First = now
		default:
			return err
		}
		c.Sent, c.Letters = now, c.Letters+1
		return put(tx, &c, `INSERT INTO codes (email, body) VALUES (?, ?) ON CONFLICT (email) DO UPDATE SET body = excluded.body`, email)
	})
	if err != nil {
		return fmt.Errorf("send a code: %w", err)
	}
	return t.cfg.Mailer.Send(ctx, access.Mail{Kind: access.MailSignUp, To: email, Language: lang, Code: number, Valid: codeLife})
}

func address(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > 200 || !strings.Contains(email[strings.LastIndexByte(email, '@'):], ".") {
		return "", &fiscal.Error{Reason: fiscal.BadValue, Field: "email"}
	}
	return email, nil
}

func (t *Till) newCode() (number string, c code, err error) {
	var b [8 + 16]byte
	if _, err := io.ReadFull(t.cfg.Rand, b[:]); err != nil {
		return "", c, fmt.Errorf("randomness for a code: %w", err)
	}
	number = fmt.Sprintf("%06d", binary.LittleEndian.Uint64(b[:8])%1_000_000)
	c.Salt = b[8:]
	c.Hash = codeHash(c.Salt, number)
	return number, c, nil
}

func codeHash(salt []byte, number string) []byte {
	h := sha256.Sum256(append(salt[:len(salt):len(salt)], number...))
	return h[:]
}

// SignIn signs a device in with the code from the letter, and makes the account
// if there is none yet. Whatever device was signed in before is out: two do not
// work on one register. It returns what the device shows from now on.
//
// Errors: Unauthenticated with the Field "code", of a wrong, used or old one.
// Source: requirements E-020, E-021, E-028.
func (t *Till) SignIn(ctx context.Context, email, number, device, lang string) (secret string, fresh bool, err error) {
	email, err = address(email)
	if err != nil {
		return "", false, err
	}
	var token [32]byte
	if _, err := io.ReadFull(t.cfg.Rand, token[:]); err != nil {
		return "", false, fmt.Errorf("randomness for a session: %w", err)
	}
	now := t.now()
	wrong := &fiscal.Error{Of: fiscal.Unauthenticated, Field: "code"}
	var id AccountID
	var refused bool
	var begun AccountID // its change, that of the account; 0: not yet
	defer func() {
		if begun != 0 {
			t.known.end(begun)
		}
	}()
	err = t.shelf.write(func(tx *sqlitefile.Tx) error {
		var c code
		refused = false
		switch err := row(tx, &c, "email", `SELECT body FROM codes WHERE email = ?`, email); {
		case errors.Is(err, fiscal.NotFound):
			refused = true
			return nil
		case err != nil:
			return err
		}
		if c.Tries >= codeTries || now.Sub(c.Sent) > codeLife || !hmac.Equal(c.Hash, codeHash(c.Salt, strings.TrimSpace(number))) {
			refused = true
			c.Tries++
			return put(tx, &c, `UPDATE codes SET body = ?2 WHERE email = ?1`, email)
		}
		if _, err := tx.Exec(`DELETE FROM codes WHERE email = ?`, email); err != nil {
			return err
		}
		a, err := accountBy(tx, email)
		if err == nil && begun == 0 { // a step may be tried twice
			begun = a.ID
			t.known.begin(a.ID)
		}
		fresh = errors.Is(err, fiscal.NotFound)
		if err != nil && !fresh {
			return err
		}
		if fresh {
			a = Account{Email: email, Lang: lang, Created: now}
			if err := put(tx, &a, `INSERT INTO accounts (email, body) VALUES (?, ?)`, email); err != nil {
				return err
			}
			n, _, err := tx.QueryInt(`SELECT last_insert_rowid()`)
			if err != nil {
				return err
			}
			a.ID = AccountID(n)
		}
		hash := sha256.Sum256(token[:])
		a.Session = session{Hash: hash[:], Device: cut(device, maxDevice), Since: now, Before: a.Session.Device}
		id = a.ID
		return putAccount(tx, &a)
	})
	if err != nil {
		return "", false, fmt.Errorf("sign in: %w", err)
	}
	if refused {
		return "", false, wrong
	}
	return strconv.FormatInt(int64(id), 10) + "." + base64.RawURLEncoding.EncodeToString(token[:]), fresh, nil
}

func cut(s string, n int) string {
	if r := []rune(strings.Join(strings.Fields(s), " ")); len(r) > n {
		return string(r[:n])
	}
	return strings.Join(strings.Fields(s), " ")
}

func accountBy(tx *sqlitefile.Tx, email string) (a Account, err error) {
	id, ok, err := tx.QueryInt(`SELECT id FROM accounts WHERE email = ?`, email)
	if err != nil {
		return a, err
	}
	if !ok {
		return a, &fiscal.Error{Reason: fiscal.NothingThere, Field: "account"}
	}
	return accountOf(tx, AccountID(id))
}

func accountOf(tx *sqlitefile.Tx, id AccountID) (a Account, err error) {
	var named struct {
		Email string `json:"_email"`
	}
	if err := row(tx, &named, "account", `SELECT json_object('_email', email) FROM accounts WHERE id = ?`, int64(id)); err != nil {
		return a, err
	}
	err = row(tx, &a, "account", `SELECT body FROM accounts WHERE id = ?`, int64(id))
	a.ID, a.Email = id, named.Email
	return a, err
}

func putAccount(tx *sqlitefile.Tx, a *Account) error {
	return put(tx, a, `UPDATE accounts SET body = ?2 WHERE id = ?1`, int64(a.ID))
}

// Seat is a device that is signed in, and who has unlocked it.
type Seat struct {
	Account Account
	Cashier Cashier // the zero Cashier: it is locked
	hash    []byte
}

// seatLife is how long a device stays unlocked, whatever its own lock says.
const seatLife = 16 * time.Hour

// Seat finds the device that shows a secret.
//
// Errors: Unauthenticated, with an *Elsewhere inside if another device has
// signed in since.
// Source: requirement E-021.
func (t *Till) Seat(ctx context.Context, secret string) (*Seat, error) {
	none := &fiscal.Error{Of: fiscal.Unauthenticated, Field: "session"}
	number, token, _ := strings.Cut(secret, ".")
	id, err := strconv.ParseInt(number, 10, 64)
	raw, wrong := base64.RawURLEncoding.DecodeString(token)
	if err != nil || wrong != nil || len(raw) != 32 {
		return nil, none
	}
	h, err := t.household(ctx, AccountID(id))
	if errors.Is(err, fiscal.NotFound) {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(raw)
	s := &Seat{Account: h.account, hash: hash[:]}
	if err := s.holds(&h.account, t.now()); err != nil {
		return nil, err
	}
	if session := &h.account.Session; session.Cashier != 0 && t.now().Sub(session.Used) < seatLife {
		if c := h.cashiers[session.Cashier]; c != nil && !c.Disabled {
			s.Cashier = *c
		}
	}
	return s, nil
}

// holds reports why the seat is not the account's any more.
func (s *Seat) holds(a *Account, now time.Time) error {
	switch {
	case len(a.Session.Hash) == 0 || now.Sub(a.Session.Since) > sessionLife:
		return &fiscal.Error{Of: fiscal.Unauthenticated, Field: "session"}
	case !hmac.Equal(a.Session.Hash, s.hash):
		return &fiscal.Error{Of: fiscal.Unauthenticated, Field: "session", Err: &Elsewhere{a.Session.Device, a.Session.Since, a.Lang}}
	}
	return nil
}

// change changes the seat's account, if the device is still the one.
func (t *Till) change(s *Seat, do func(tx *sqlitefile.Tx, a *Account) error) error {
	t.known.begin(s.Account.ID)
	defer t.known.end(s.Account.ID)
	return t.shelf.write(func(tx *sqlitefile.Tx) error {
		a, err := accountOf(tx, s.Account.ID)
		if err != nil {
			return err
		}
		if err := s.holds(&a, t.now()); err != nil {
			return err
		}
		if err := do(tx, &a); err != nil {
			return err
		}
		return putAccount(tx, &a)
	})
}

// SetDetails says who the seller is.
//
// Errors: Invalid with the Field "name", "phone" or "lang".
// Source: requirement E-027.
func (t *Till) SetDetails(s *Seat, name, phone, lang string) error {
	name, phone = strings.Join(strings.Fields(name), " "), strings.Join(strings.Fields(phone), "")
	switch {
	case name == "":
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "name"}
	case len([]rune(name)) > maxPerson:
		return bad("name", "longer than %d letters", maxPerson)
	case phone != "" && (len(phone) > 16 || strings.Trim(phone, "+0123456789-()") != ""):
		return bad("phone", "no number")
	case lang != "kk" && lang != "ru" && lang != "en":
		return bad("lang", "%q", lang)
	}
	return t.change(s, func(_ *sqlitefile.Tx, a *Account) error {
		a.Name, a.Phone, a.Lang = name, phone, lang
		return nil
	})
}

// SetLanguage says in which language the till speaks with the seller.
//
// Errors: Invalid with the Field "lang".
func (t *Till) SetLanguage(s *Seat, lang string) error {
	if lang != "kk" && lang != "ru" && lang != "en" {
		return bad("lang", "%q", lang)
	}
	return t.change(s, func(_ *sqlitefile.Tx, a *Account) error {
		a.Lang = lang
		return nil
	})
}

// SignOut ends the device's session.
func (t *Till) SignOut(s *Seat) error {
	return t.change(s, func(_ *sqlitefile.Tx, a *Account) error {
		a.Session = session{Before: a.Session.Device}
		return nil
	})
}
