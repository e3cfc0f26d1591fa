package till

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/store/sqlitefile"
)

// Register is a cash register of an account.
type Register struct {
	ID       fiscal.RegisterID `json:"-"` // the system identifier that the operator gave
	Account  AccountID         `json:"-"`
	Card     fiscal.Card       `json:"card"` // as the operator told it
	Settings Settings          `json:"settings"`
	Since    time.Time         `json:"since"`
}

// Settings are what a seller sets on a register. Each change holds at once.
// Source: requirements E-094 to E-105.
type Settings struct {
	Name         string       `json:"name"`
	Extended     bool         `json:"extended"`      // the mode that opens first
	AutoWithdraw bool         `json:"auto_withdraw"` // all cash is taken out as a shift is closed
	Modifiers    bool         `json:"modifiers"`     // discount and markup on a whole receipt
	Buyer        bool         `json:"buyer"`         // the buyer's IIN or BIN may be given, in extended mode
	Max          fiscal.Money `json:"max"`           // of a receipt of a sale; 0: no limit
	VATPayer     bool         `json:"vat_payer"`
	VATPercent   uint32       `json:"vat_percent,omitempty"` // thousandths of a percent
	VATSeries    string       `json:"vat_series,omitempty"`
	VATNumber    string       `json:"vat_number,omitempty"`
	Section      string       `json:"section,omitempty"`
	Paper        int          `json:"paper"`             // width in millimeters: 80 or 58
	Printer      string       `json:"printer,omitempty"` // host:port of an ESC/POS printer
	Drawer       bool         `json:"drawer,omitempty"`  // the printer opens the cash drawer when cash moves
}

func (s *Settings) check(now fiscal.WallTime) error {
	s.Name = cut(s.Name, maxPerson)
	s.VATSeries, s.VATNumber, s.Section = cut(s.VATSeries, 10), cut(s.VATNumber, 20), cut(s.Section, 20)
	s.Printer = strings.TrimSpace(s.Printer)
	rates := policy.For(fiscal.Kazakhstan).At(now).VAT
	switch {
	case s.Name == "":
		return &fiscal.Error{Reason: fiscal.MissingParameter, Field: "name"}
	case s.Max < 0 || s.Max > maxTotal:
		return bad("max_sum", "%v", s.Max)
	case s.Paper != 80 && s.Paper != 58:
		return bad("paper", "80 or 58")
	case s.VATPayer && !slices.ContainsFunc(rates, func(r policy.Rate) bool { return !r.Exempt && r.Percent == s.VATPercent }):
		return bad("vat_percent", "%d is not in force", s.VATPercent)
	case s.VATPayer && (s.VATNumber == "" || strings.Trim(s.VATNumber, "0123456789") != ""):
		return bad("vat_number", "digits of the certificate")
	case s.Printer != "" && printerAt(s.Printer) != nil:
		return bad("printer", "host:port")
	}
	return nil
}

func printerAt(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || n == 0 || host == "" {
		return bad("printer", "host:port")
	}
	return nil
}

// Rules are what the settings and the law say about drafts.
func (r *Register) Rules(extended bool) Rules {
	s := &r.Settings
	return Rules{
		Seller: r.Card.XIN, Extended: extended, Modifiers: s.Modifiers, Max: s.Max, Buyer: s.Buyer,
		VATPayer: s.VATPayer, VATPercent: s.VATPercent, Section: s.Section,
	}
}

// VATRates are those that may be set on the register now, in thousandths of a
// percent.
func (t *Till) VATRates(r *Register) (all []uint32) {
	for _, rate := range policy.For(fiscal.Kazakhstan).At(fiscal.WallIn(t.now(), r.Card.Location())).VAT {
		if !rate.Exempt && !slices.Contains(all, rate.Percent) {
			all = append(all, rate.Percent)
		}
	}
	return all
}

// serialDigits of a serial number follow its letters; the last checks the others
// by Luhn's rule.
const (
	serialLetters = "OT"
	serialDigits  = 12
)

// NewSerial makes the serial number of a new software register: the letters OT,
// two digits of the year, nine random ones, and a check digit. Source:
// requirements E-066, E-067.
func (t *Till) NewSerial() (serial string, year int, err error) {
	var b [8]byte
	if _, err := io.ReadFull(t.cfg.Rand, b[:]); err != nil {
		return "", 0, fmt.Errorf("randomness for a serial number: %w", err)
	}
	year = t.now().UTC().Year()
	digits := fmt.Sprintf("%02d%09d", year%100, binary.LittleEndian.Uint64(b[:])%1_000_000_000)
	return serialLetters + digits + string('0'+byte(luhn(digits))), year, nil
}

// ValidSerial reports whether a serial number is one of ours.
func ValidSerial(serial string) bool {
	digits, ok := strings.CutPrefix(serial, serialLetters)
	return ok && len(digits) == serialDigits && strings.Trim(digits, "0123456789") == "" && '0'+byte(luhn(digits[:serialDigits-1])) == digits[serialDigits-1]
}

// luhn is the digit that completes others.
func luhn(digits string) int {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10 - sum%10) % 10
}

// Model is by which the software register is known in the register of models.
const Model = "OpenOFD Till"

// Connect connects a register by the identifier and the token that the operator
// gave, or takes a new token for one that is connected.
//
// Errors: UnknownRegister with the Field "id"; StaleToken with the Field
// "token"; AlreadyThere with the Field "id" if it is another account's;
// RegisterBlocked; Unavailable when the operator does not answer.
// Source: requirements E-091 to E-093, E-154 to E-157.
func (t *Till) Connect(ctx context.Context, s *Seat, id fiscal.RegisterID, token uint32) error {
	if err := s.must(MaySettings); err != nil {
		return err
	}
	if id <= 0 || id > 1<<32-1 {
		return bad("id", "%d", id)
	}
	if token == 0 {
		return bad("token", "0 is none")
	}
	switch r, err := t.Register(ctx, s, id); {
	case err == nil:
		return t.renew(ctx, s, &r, token)
	case !errors.Is(err, fiscal.NotFound):
		return err
	}
	card, state, err := t.introduce(ctx, id, token)
	if err != nil {
		return err
	}
	t.word(ctx, s, &card)
	r := Register{ID: id, Card: card, Since: t.now(), Settings: Settings{Name: or(card.Name, card.OutletTitle.In("ru"), fmt.Sprint(id)), Modifiers: true, Buyer: true, Paper: 80}}
	memory, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return t.change(s, func(tx *sqlitefile.Tx, a *Account) error {
		if _, taken, err := tx.QueryInt(`SELECT 1 FROM registers WHERE id = ?`, int64(id)); err != nil || taken {
			return errors.Join(err, &fiscal.Error{Reason: fiscal.AlreadyThere, Field: "id"})
		}
		body, err := json.Marshal(&r)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO registers (id, account, body, memory) VALUES (?, ?, ?, ?)`, int64(id), int64(a.ID), string(body), memory)
		return err
	})
}

func or(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// introduce asks the operator who a register is, on a memory that is thrown
// away when it does not work out.
func (t *Till) introduce(ctx context.Context, id fiscal.RegisterID, token uint32) (card fiscal.Card, state kkm.State, err error) {
	card = fiscal.Card{Register: id, Country: fiscal.Kazakhstan, Zone: t.cfg.Zone}
	trial := new(kkm.Volatile)
	r, err := kkm.New(t.device(card), trial, t.cfg.Link(), t.now, t.cfg.Rand)
	if err != nil {
		return card, state, err
	}
	defer r.Close()
	if err := r.SetToken(token); err != nil {
		return card, state, err
	}
	info, err := r.Info(ctx)
	if err != nil {
		return card, state, named(err)
	}
	card.RegistrationNumber, card.SerialNumber, card.XIN = info.RegistrationNumber, info.SerialNumber, info.XIN
	card.Title = fiscal.Text{RU: info.Title, KK: info.Title}
	card.OutletTitle, card.OutletAddress = fiscal.Text{RU: info.Outlet}, fiscal.Text{RU: info.Address}
	card.Model = Model
	state, _, err = trial.Load()
	return card, state, err
}

// named says which field of the form an operator's refusal is about.
func named(err error) error {
	switch {
	case errors.Is(err, fiscal.UnknownRegister):
		return &fiscal.Error{Reason: fiscal.UnknownRegister, Field: "id", Err: err}
	case errors.Is(err, fiscal.StaleToken):
		return &fiscal.Error{Reason: fiscal.StaleToken, Field: "token", Err: err}
	}
	return err
}

// renew gives a register a new token: what waits stays and goes out under it.
// The operator tells again who the register is, for a new registration number
// comes with a new token.
func (t *Till) renew(ctx context.Context, s *Seat, r *Register, token uint32) error {
	// A token that works is not given up for one that does not.
	card, _, err := t.introduce(ctx, r.ID, token)
	if err != nil {
		return err
	}
	t.word(ctx, s, &card)
	d, err := t.desk(ctx, r.ID)
	if err != nil {
		return err
	}
	d.turn.Lock()
	defer d.turn.Unlock()
	if err := t.still(ctx, s); err != nil {
		return err
	}
	if err := d.register.SetToken(token); err != nil {
		return err
	}
	if d.register.Standing().Waiting == 0 {
		// What a copy of the till's file does not know, the operator tells: number,
		// shift and drawer. Without an answer the register goes on as it is.
		if _, err := d.register.Info(ctx); err != nil {
			t.log.Info("the operator does not tell a register's figures", "register", int64(r.ID), "err", err)
		}
	}
	err = t.change(s, func(tx *sqlitefile.Tx, _ *Account) error {
		var fresh Register
		if err := row(tx, &fresh, "register", `SELECT body FROM registers WHERE id = ?`, int64(r.ID)); err != nil {
			return err
		}
		fresh.Card = card
		return put(tx, &fresh, `UPDATE registers SET body = ?2 WHERE id = ?1`, int64(r.ID))
	})
	if err != nil {
		return err
	}
	t.reopen(r.ID)
	return nil
}

// Registers lists an account's.
func (t *Till) Registers(ctx context.Context, s *Seat) ([]Register, error) {
	h, err := t.household(ctx, s.Account.ID)
	if err != nil {
		return nil, err
	}
	all := make([]Register, 0, len(h.registers))
	for _, r := range h.registers {
		all = append(all, *r)
	}
	return all, nil
}

// Register is one of the account's; NotFound for what is another's.
func (t *Till) Register(ctx context.Context, s *Seat, id fiscal.RegisterID) (Register, error) {
	h, err := t.household(ctx, s.Account.ID)
	if err != nil {
		return Register{}, err
	}
	r := h.register(id)
	if r == nil {
		return Register{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	return *r, nil
}

// Set changes a register's settings. A new name is shown in the cabinet too, where
// a company is linked.
//
// Errors: Denied; Invalid with the Field.
func (t *Till) Set(ctx context.Context, s *Seat, id fiscal.RegisterID, to Settings) error {
	if err := s.must(MaySettings); err != nil {
		return err
	}
	r, err := t.Register(ctx, s, id)
	if err != nil {
		return err
	}
	if err := to.check(fiscal.WallIn(t.now(), r.Card.Location())); err != nil {
		return err
	}
	err = t.change(s, func(tx *sqlitefile.Tx, a *Account) error {
		fresh := Register{}
		if err := row(tx, &fresh, "register", `SELECT body FROM registers WHERE id = ? AND account = ?`, int64(id), int64(a.ID)); err != nil {
			return err
		}
		fresh.Settings = to
		return put(tx, &fresh, `UPDATE registers SET body = ?2 WHERE id = ?1`, int64(id))
	})
	if err == nil && to.Name != r.Settings.Name {
		t.tellName(s, id, to.Name)
	}
	return err
}

// device is the setting of a register as device/kkm needs it.
func (t *Till) device(card fiscal.Card) kkm.Config {
	o := &t.cfg.Options
	return kkm.Config{
		Card: card, CheckURL: t.cfg.Check, Transaction: o.Transaction, Pause: o.Pause, Reconnect: o.Reconnect, MaxOffline: o.MaxOffline, MaxShift: o.MaxShift,
	}
}
