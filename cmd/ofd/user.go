package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Let somebody in; the password is asked for, or read from standard input."`
	List     userListCmd     `cmd:"" help:"Who there is, and where."`
	Password userPasswordCmd `cmd:"" help:"Set a new password; every session of the person ends."`
	Role     userRoleCmd     `cmd:"" help:"Give a person a place in an organization, or among the operator's staff."`
	Disable  userDisableCmd  `cmd:"" help:"Shut a person out at once."`
	Enable   userEnableCmd   `cmd:"" help:"Let a person in again who was shut out."`
	Audit    userAuditCmd    `cmd:"" help:"What people did, and whether the record of it is whole."`
}

// noLetters is the mailer of a command: who runs it tells people themselves.
type noLetters struct{}

func (noLetters) Send(context.Context, access.Mail) error { return nil }

// openPeople starts a core and what the operator does to people.
func openPeople(con *console, at place) (*core, access.Operator, error) {
	core, err := openCore(con, at)
	if err != nil {
		return nil, access.Operator{}, err
	}
	people, err := core.people()
	return core, people, err
}

// people is what the operator does to people from this command line.
func (c *core) people() (access.Operator, error) {
	service, err := access.New(access.Config{}, c.store, noLetters{}, access.NewPasswords(1, c.rand), c.ring, c.now, c.rand)
	return access.Operator{Service: service, By: byCommandLine}, err
}

// userError words what went wrong with a person.
func userError(email string, err error) error {
	var e *fiscal.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case errors.Is(err, fiscal.AlreadyThere) && e.Field == "email":
		return withHint(fmt.Errorf("%s is there already", email), "`ofd user list` shows who there is")
	case errors.Is(err, fiscal.NotFound) && e.Field == "user":
		return withHint(fmt.Errorf("there is no %s", email), "`ofd user list` shows who there is")
	case errors.Is(err, fiscal.NotFound) && e.Field == "role":
		return fmt.Errorf("%s has no place in that organization", email)
	case errors.Is(err, fiscal.Conflict) && e.Field == "role":
		return withHint(errors.New("the organization would have no owner"), "Make somebody else its owner first")
	case e.Field == "email":
		return fmt.Errorf("%q is no address of mail", email)
	case e.Field == "password" && errors.Is(err, fiscal.Invalid):
		return fmt.Errorf("the password: %s", map[string]string{
			"short": "has fewer than 10 characters", "long": "is longer than 128 bytes", "known": "is known to everybody", "own": "is the address or the name",
		}[e.Msg])
	}
	return told(err)
}

type userAddCmd struct {
	place
	secret
	Email    string `arg:"" help:"Address of mail, by which they sign in."`
	Name     string `required:"" help:"Name, as colleagues see it."`
	Language string `enum:"kk,ru,en" default:"ru" help:"Of their pages and letters: kk, ru or en."`
	Staff    bool   `help:"Works for the operator: may search for clients. Needs a second factor."`
}

func (c *userAddCmd) Run(con *console) error {
	_, people, err := openPeople(con, c.place)
	if err != nil {
		return err
	}
	password, err := c.read(con)
	if err != nil {
		return err
	}
	u, err := people.AddUser(con.ctx, access.NewUser{Email: c.Email, Name: c.Name, Password: password, Language: c.Language}, c.Staff)
	if err != nil {
		return userError(c.Email, err)
	}
	return con.result(showUser(&access.Person{User: u}, nil, time.Time{}), func(w io.Writer) {
		fmt.Fprintf(w, "%s can sign in.\n", u.Email)
		if u.Staff {
			con.hint("Staff turn a second factor on first; until then they see only their own settings.")
		} else {
			con.hint("A place in an organization: `ofd user role %s ROLE --bin BIN`.", u.Email)
		}
	})
}

// shownUser is a person as lists show them.
type shownUser struct {
	ID           access.UserID `json:"id"`
	Email        string        `json:"email"`
	Name         string        `json:"name"`
	Language     string        `json:"language"`
	Staff        bool          `json:"staff"`
	Disabled     bool          `json:"disabled"`
	SecondFactor bool          `json:"second_factor"`
	Passkeys     int           `json:"passkeys"`
	LockedUntil  *time.Time    `json:"locked_until,omitempty"`
	Places       []shownPlace  `json:"places"`
}

type shownPlace struct {
	XIN   fiscal.XIN  `json:"xin"`
	Title string      `json:"title"`
	Role  access.Role `json:"role"`
}

// showUser names organizations by what names tells of them.
func showUser(p *access.Person, names func(fiscal.TaxpayerID) shownPlace, now time.Time) shownUser {
	s := shownUser{ID: p.ID, Email: p.Email, Name: p.Name, Language: p.Language, Staff: p.Staff, Disabled: p.Disabled,
		SecondFactor: p.TOTP != nil, Passkeys: len(p.Passkeys), Places: []shownPlace{}}
	if p.Locked.After(now) && !now.IsZero() {
		s.LockedUntil = &p.Locked
	}
	for _, m := range p.Places {
		at := names(m.Taxpayer)
		at.Role = m.Role
		s.Places = append(s.Places, at)
	}
	return s
}

func (s *shownUser) state() string {
	var words []string
	if s.Staff {
		words = append(words, "staff")
	}
	if s.Disabled {
		words = append(words, "shut out")
	}
	if s.LockedUntil != nil {
		words = append(words, "locked until "+s.LockedUntil.Format(time.DateTime)+" UTC")
	}
	if s.SecondFactor {
		words = append(words, "second factor")
	}
	if s.Passkeys > 0 {
		words = append(words, strconv.Itoa(s.Passkeys)+" passkeys")
	}
	return strings.Join(words, ", ")
}

type userListCmd struct{ place }

func (c *userListCmd) Run(con *console) error {
	core, people, err := openPeople(con, c.place)
	if err != nil {
		return err
	}
	known := map[fiscal.TaxpayerID]shownPlace{}
	var failed error
	names := func(t fiscal.TaxpayerID) shownPlace {
		p, ok := known[t]
		if !ok {
			all, err := core.store.Taxpayers(con.ctx, t-1, 1)
			if failed = errors.Join(failed, err); len(all) == 1 {
				p = shownPlace{XIN: all[0].XIN, Title: all[0].Title.In("ru")}
			}
			known[t] = p
		}
		return p
	}
	all := []shownUser{}
	const page = 500
	for after := access.UserID(0); ; {
		some, err := people.People(con.ctx, after, page)
		if err != nil {
			return fmt.Errorf("list the people: %w", err)
		}
		for i := range some {
			all = append(all, showUser(&some[i], names, core.now()))
			after = some[i].ID
		}
		if len(some) < page {
			break
		}
	}
	if failed != nil {
		return fmt.Errorf("name the organizations: %w", failed)
	}
	return con.result(all, func(w io.Writer) {
		if len(all) == 0 {
			con.hint("Nobody has signed up yet. `ofd user add --help` tells how to let somebody in.")
			return
		}
		var rows [][]string
		for i := range all {
			s := &all[i]
			var at []string
			for _, p := range s.Places {
				at = append(at, string(p.Role)+" of "+p.Title)
			}
			rows = append(rows, []string{strconv.FormatInt(int64(s.ID), 10), s.Email, s.Name, s.state(), strings.Join(at, "; ")})
		}
		table(w, []string{"ID", "ADDRESS", "NAME", "STATE", "PLACES"}, rows)
	})
}

// did is the result of a command that changed a person.
type did struct {
	Email string `json:"email"`
	Done  string `json:"done"`
}

// user runs what changes a person, and says what was done.
func (con *console) user(at place, email, done, words string, do func(*core, access.Operator) error) error {
	core, people, err := openPeople(con, at)
	if err != nil {
		return err
	}
	if err := do(core, people); err != nil {
		return userError(email, err)
	}
	return con.result(did{email, done}, func(w io.Writer) { fmt.Fprintln(w, words) })
}

type userPasswordCmd struct {
	place
	secret
	Email string `arg:"" help:"Whose."`
	Alone bool   `help:"Forget the second factor and the passkeys of who has lost them, too."`
}

func (c *userPasswordCmd) Run(con *console) error {
	return con.user(c.place, c.Email, "password", c.Email+" signs in with the new password from now on.", func(_ *core, people access.Operator) error {
		password, err := c.read(con)
		if err != nil {
			return err
		}
		return people.SetPassword(con.ctx, c.Email, password, c.Alone)
	})
}

type userRoleCmd struct {
	place
	Email string     `arg:"" help:"Who."`
	Role  string     `arg:"" optional:"" enum:",owner,administrator,accountant,manager,technician,viewer,service_center,none" default:"" help:"owner, administrator, accountant, manager, technician, viewer, service_center; none ends their place."`
	BIN   fiscal.XIN `name:"bin" aliases:"iin,inn" placeholder:"BIN" help:"The organization."`
	Staff *bool      `negatable:"" help:"Works for the operator, or with --no-staff does no more."`
}

func (c *userRoleCmd) Run(con *console) error {
	switch {
	case (c.Role != "") != (c.BIN != ""):
		return withHint(errors.New("a role is one in an organization"), "Name both: `ofd user role "+c.Email+" viewer --bin BIN`")
	case c.Role == "" && c.Staff == nil:
		return withHint(errors.New("nothing to change"), "See `ofd user role --help`")
	}
	words := c.Email + " works for the operator."
	switch {
	case c.Role == "none":
		words = fmt.Sprintf("%s has no place in %s any more.", c.Email, c.BIN)
	case c.Role != "":
		words = fmt.Sprintf("%s is %s of %s.", c.Email, strings.ReplaceAll(c.Role, "_", " "), c.BIN)
	case !*c.Staff:
		words = c.Email + " does not work for the operator."
	}
	return con.user(c.place, c.Email, "role", words, func(core *core, people access.Operator) error {
		if c.Staff != nil {
			if err := people.SetStaff(con.ctx, c.Email, *c.Staff); err != nil || c.Role == "" {
				return err
			}
		}
		t, err := findTaxpayer(con, core, c.BIN)
		if err != nil {
			return err
		}
		role := access.Role(c.Role)
		if c.Role == "none" {
			role = ""
		}
		return people.Place(con.ctx, c.Email, t.ID, role)
	})
}

type userDisableCmd struct {
	place
	Email string `arg:"" help:"Who."`
}

func (c *userDisableCmd) Run(con *console) error {
	return con.user(c.place, c.Email, "disabled", c.Email+" is shut out; their sessions have ended.", func(_ *core, people access.Operator) error {
		return people.Disable(con.ctx, c.Email, true)
	})
}

type userEnableCmd struct {
	place
	Email string `arg:"" help:"Who."`
}

func (c *userEnableCmd) Run(con *console) error {
	return con.user(c.place, c.Email, "enabled", c.Email+" can sign in again.", func(_ *core, people access.Operator) error {
		return people.Disable(con.ctx, c.Email, false)
	})
}

type userAuditCmd struct {
	place
	BIN   fiscal.XIN `name:"bin" aliases:"iin,inn" placeholder:"BIN" help:"What was done in this organization; without it, outside of organizations."`
	Limit int        `default:"50" help:"How many records to show, the newest first; all are verified."`
}

// shownAudit is a chain and whether it is whole.
type shownAudit struct {
	OK      bool            `json:"ok"`
	Count   uint64          `json:"count"`
	Bad     string          `json:"bad,omitempty"`
	Records []access.Record `json:"records"`
}

func (c *userAuditCmd) Run(con *console) error {
	core, people, err := openPeople(con, c.place)
	if err != nil {
		return err
	}
	var of fiscal.TaxpayerID
	if c.BIN != "" {
		t, err := findTaxpayer(con, core, c.BIN)
		if err != nil {
			return err
		}
		of = t.ID
	}
	locales, err := ui.LoadLocales()
	if err != nil {
		return err
	}
	a := shownAudit{Records: []access.Record{}}
	if a.Count, err = access.VerifyAudit(con.ctx, core.store, of); auditDamaged(err) {
		a.Bad = err.Error()
	} else if err != nil {
		return fmt.Errorf("verify the audit: %w", err)
	}
	a.OK = a.Bad == ""
	if c.Limit > 0 {
		shown, err := people.AuditOf(con.ctx, of, 0, min(c.Limit, 100_000))
		if err != nil {
			return err
		}
		a.Records = append(a.Records, shown...)
	}
	err = con.result(a, func(w io.Writer) {
		var rows [][]string
		for i := range a.Records {
			r := &a.Records[i]
			rows = append(rows, []string{strconv.FormatUint(r.Seq, 10), r.At.Format(time.DateTime), r.Who, locales["en"].T("act." + string(r.Act)), join(r.Object, r.Detail), r.Address})
		}
		if len(rows) > 0 {
			table(w, []string{"NO", "AT (UTC)", "WHO", "DID", "TO WHAT", "FROM"}, rows)
		}
		if !a.OK {
			fmt.Fprintf(w, "BAD: %s\n", a.Bad)
			return
		}
		fmt.Fprintf(w, "The chain is whole: %d records.\n", a.Count)
	})
	if err != nil || a.OK {
		return err
	}
	return &found{a.Bad}
}
