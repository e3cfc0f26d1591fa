package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/till"
)

// The till of the demo has one seller, whose register is there to be sold on.
const (
	demoTillEmail = "kassa@example.kz"
	demoTillCode  = "1234"
)

// toldCodes shows codes in the terminal in the place of letters.
type toldCodes struct {
	con  *console
	mu   sync.Mutex
	last string // guarded by mu
	told bool   // guarded by mu: codes are shown from now on
}

// Send implements access.Mailer.
func (c *toldCodes) Send(_ context.Context, m access.Mail) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = m.Code
	if c.told {
		c.con.say("the till's code for %s: %s", m.To, m.Code)
	}
	return nil
}

// openTill runs a till beside the demo's operator, and tells of it. It returns
// what closes it.
func (c *demoCmd) openTill(con *console, o *operator, dir string) (end func() error, err error) {
	if c.TillAddr.HostPort == "" {
		return func() error { return nil }, nil
	}
	codes := &toldCodes{con: con}
	site := config.Site{URL: o.Site}
	cfg := config.Till{Data: filepath.Join(dir, "till"), Addr: c.TillAddr, Operator: dialable(o.KKMAddr), OperatorURL: site}
	t, err := startTill(con.ctx, &cfg, demoOperator().At(site), codes, till.Options{}, o.log)
	if err != nil {
		return nil, fmt.Errorf("till of the demo: %w", err)
	}
	if err := seatDemoTill(con.ctx, o, t.Till, codes); err != nil {
		return nil, errors.Join(fmt.Errorf("till of the demo: %w", err), t.stop())
	}
	codes.mu.Lock()
	codes.told = true
	codes.mu.Unlock()
	fmt.Fprintln(con.out, "A till for your phone or this browser; the code to sign in with is shown here:")
	facts(con.out, "till", t.site, "sign in as", demoTillEmail, "quick-access code", demoTillCode)
	fmt.Fprintln(con.out)
	return t.stop, nil
}

// seatDemoTill signs the seller up and connects a register, on a till that
// nobody has used yet.
func seatDemoTill(ctx context.Context, o *operator, t *till.Till, codes *toldCodes) error {
	if f, err := t.Figures(ctx); err != nil || f.Accounts > 0 {
		return err
	}
	if err := t.SendCode(ctx, demoTillEmail, "ru"); err != nil {
		return err
	}
	secret, _, err := t.SignIn(ctx, demoTillEmail, codes.last, "", "ru")
	if err != nil {
		return err
	}
	seat, err := t.Seat(ctx, secret)
	if err != nil {
		return err
	}
	if err := errors.Join(t.SetDetails(seat, "Айгүл Серікқызы", "", "ru"), t.SetPIN(ctx, seat, "", demoTillCode, demoTillCode)); err != nil {
		return err
	}
	in := demoShops(standardVAT(o.now()))[0].register
	in.Name, in.Model = "Касса на телефоне", till.Model
	if in.SerialNumber, _, err = t.NewSerial(); err != nil {
		return err
	}
	card, token, err := demoRegister(ctx, o.core, in)
	if err != nil {
		return err
	}
	if seat, err = t.Seat(ctx, secret); err != nil { // the owner has unlocked it
		return err
	}
	if err := t.Connect(ctx, seat, card.Register, token); err != nil {
		return err
	}
	return t.SignOut(seat)
}
